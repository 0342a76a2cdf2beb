#include "cli/gpu_checks.hpp"

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "profiler/nvml/gpu_match.hpp"
#include "profiler/nvml/gpu_reader.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;
namespace nvml = profiler::nvml;

namespace {

using State = MachineCheck::State;
using Readers = std::vector<std::unique_ptr<nvml::GpuReader>>;

/// Names of NVML's bits for what holds the clocks down, without "idle".
std::string throttle_text(std::uint64_t bits) {
  const std::pair<std::uint64_t, const char*> kNames[] = {
      {0x2, "application clocks"}, {0x4, "software power cap"}, {0x8, "hardware slowdown"},
      {0x10, "sync boost"},        {0x20, "software thermal"},  {0x40, "hardware thermal"},
      {0x80, "power brake"},       {0x100, "display clock"}};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if ((bits & bit) != 0) text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  }
  return text;
}

/// Processes of these names: name -> pid of one.
std::map<std::string, std::string> running(const fs::path& proc,
                                           const std::vector<std::string>& names) {
  std::map<std::string, std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(proc, error)) {
    std::ifstream in(entry.path() / "comm");
    std::string name;
    if (!std::getline(in, name)) continue;
    // The kernel keeps 15 characters.
    for (const auto& wanted : names) {
      if (wanted.substr(0, 15) == name) found[wanted] = entry.path().filename().string();
    }
  }
  return found;
}

MachineCheck features_check(const Readers& gpus) {
  std::string has, lacks;
  for (std::size_t q = 0; q < nvml::kQuantityCount; ++q) {
    const auto quantity = static_cast<nvml::Quantity>(q);
    // GPM needs two readings; it is named by its support below.
    if (quantity >= nvml::Quantity::tensor_active) break;
    std::string& list = gpus.front()->available(quantity) ? has : lacks;
    list += fmt::format("{}{}", list.empty() ? "" : ", ", nvml::facts(quantity).name);
  }
  std::string& gpm = gpus.front()->has_gpm() ? has : lacks;
  gpm += fmt::format("{}GPM", gpm.empty() ? "" : ", ");
  const bool power = gpus.front()->available(nvml::Quantity::power_instant) ||
                     gpus.front()->available(nvml::Quantity::power_average) ||
                     gpus.front()->available(nvml::Quantity::energy) ||
                     gpus.front()->available(nvml::Quantity::module_power);
  return {"NVML features",
          power ? State::found : State::missing,
          fmt::format("{}; not answered: {}", has.empty() ? "none" : has,
                      lacks.empty() ? "none" : lacks),
          "power or energy",
          "no power of a GPU",
          "this GPU does not tell its power (as on Tegra); measure at the tray"};
}

constexpr const char* kWhyNotMig = "power and counters are of the whole GPU, not of an instance";

std::string mig_remedy(std::size_t gpu) {
  return fmt::format("sudo nvidia-smi -i {} -mig 0", gpu);
}

MachineCheck mig_check(const Readers& gpus) {
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    if (!gpus[i]->identity().mig) continue;
    return {"MIG off",
            State::missing,
            fmt::format("GPU {} is split by MIG", i),
            "whole GPUs",
            fmt::format("runs are refused: {}", kWhyNotMig),
            mig_remedy(i)};
  }
  return {"MIG off", State::found, "no GPU is split", "", "", ""};
}

MachineCheck persistence_check(const Readers& gpus) {
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    if (gpus[i]->identity().persistence != false) continue;
    return {"persistence mode",
            State::missing,
            fmt::format("off on GPU {}", i),
            "on",
            "the first run after a pause includes loading the driver's state",
            "sudo nvidia-smi -pm 1, or start nvidia-persistenced"};
  }
  const bool known = gpus.front()->identity().persistence.has_value();
  return {"persistence mode",
          known ? State::found : State::unknown,
          known ? "on" : "the driver does not say",
          "",
          "",
          ""};
}

MachineCheck clocks_check(const Readers& gpus) {
  std::string detail, held;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    nvml::GpuSample sample;
    if (gpus[i]->read(sample) != nvml::kSuccess) continue;
    if (i == 0 && sample.has(nvml::Quantity::sm_clock)) {
      detail = fmt::format("SM {:.0f} MHz, memory {:.0f} MHz now",
                           sample[nvml::Quantity::sm_clock] / 1e6,
                           sample[nvml::Quantity::memory_clock] / 1e6);
    }
    if (!sample.has(nvml::Quantity::throttle_reasons)) continue;
    const std::string text =
        throttle_text(static_cast<std::uint64_t>(sample[nvml::Quantity::throttle_reasons]));
    if (!text.empty() && held.empty()) held = fmt::format("GPU {} held down by {}", i, text);
  }
  if (detail.empty()) return {"clocks", State::unknown, "the driver does not say", "", "", ""};
  if (held.empty())
    return {"clocks", State::found, detail + ", nothing holds them down", "", "", ""};
  return {"clocks",
          State::missing,
          fmt::format("{}; {}", detail, held),
          "no limit while idle",
          "times are of a lowered clock",
          "nvidia-smi -q -d PERFORMANCE names the limit; "
          "nvidia-smi -rgc takes back locked clocks"};
}

MachineCheck peer_check(const nvml::Library& library, unsigned count) {
  constexpr int kRead = 0, kOk = 0;
  if (count < 2) return {"peer access", State::unknown, "one GPU", "", "", ""};
  nvml::Device first = nullptr;
  library.call().device_by_index(0, &first);
  unsigned reached = 0;
  for (unsigned i = 1; i < count; ++i) {
    nvml::Device other = nullptr;
    int status = -1;
    if (library.call().p2p_status == nullptr) break;
    library.call().device_by_index(i, &other);
    if (library.call().p2p_status(first, other, kRead, &status) == nvml::kSuccess &&
        status == kOk) {
      ++reached;
    }
  }
  const std::string detail =
      fmt::format("GPU 0 reads {} of {} others directly", reached, count - 1);
  if (reached == count - 1) return {"peer access", State::found, detail, "", "", ""};
  return {"peer access",
          State::missing,
          detail,
          "every GPU of the node",
          "copies between GPUs pass through the host: transfers and collectives are slower",
          "nvidia-smi topo -p2p r; on PCIe nodes switch off ACS and IOMMU isolation"};
}

MachineCheck imex_check(const Readers& gpus, const MachineView& view) {
  if (!gpus.front()->identity().place.clique) {
    return {"IMEX", State::unknown, "not needed: no NVLink fabric across nodes", "", "", ""};
  }
  const bool daemon = !running(view.proc, {"nvidia-imex"}).empty();
  const bool channel = fs::exists(view.dev / "nvidia-caps-imex-channels" / "channel0");
  if (daemon && channel) {
    return {"IMEX", State::found, "nvidia-imex runs, channel 0 is there", "", "", ""};
  }
  return {"IMEX",
          State::missing,
          fmt::format("nvidia-imex {}, channel 0 {}", daemon ? "runs" : "does not run",
                      channel ? "is there" : "is not there"),
          "the daemon on every node of the NVLink domain and a channel for this user",
          "no memory shared over NVLink between nodes: collectives fall back to the network",
          "systemctl start nvidia-imex; nvidia-modprobe -c 0"};
}

/// CAP_SYS_ADMIN among the effective capabilities of this process.
bool is_admin(const fs::path& proc) {
  constexpr std::uint64_t kSysAdmin = 1ULL << 21;
  std::ifstream in(proc / "self" / "status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("CapEff:", 0) == 0) {
      return (std::strtoull(line.c_str() + 7, nullptr, 16) & kSysAdmin) != 0;
    }
  }
  return false;
}

MachineCheck permission_check(const MachineView& view) {
  std::ifstream in(view.proc / "driver" / "nvidia" / "params");
  if (!in) return {"counter permission", State::unknown, "no NVIDIA driver to ask", "", "", ""};
  bool restricted = true;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("RmProfilingAdminOnly:", 0) == 0) restricted = line.find('1') != line.npos;
  }
  if (!restricted) {
    return {"counter permission", State::found, "open to all users", "", "", ""};
  }
  if (is_admin(view.proc)) {
    return {"counter permission", State::found, "administrators only, and this is one", "", "", ""};
  }
  return {
      "counter permission",
      State::missing,
      "the driver gives counters to administrators only (RmProfilingAdminOnly: 1)",
      "CAP_SYS_ADMIN, or a driver loaded with NVreg_RestrictProfilingToAdminUsers=0",
      "no series of DRAM, NVLink, PCIe and tensor use; kernel times are not affected",
      "options nvidia NVreg_RestrictProfilingToAdminUsers=0 in /etc/modprobe.d, then reload the "
      "driver; in a container --cap-add SYS_ADMIN"};
}

MachineCheck owner_check(const MachineView& view) {
  const auto owners =
      running(view.proc, {"nv-hostengine", "dcgm-exporter", "nsys", "ncu", "cuda-gdb"});
  if (owners.empty()) {
    return {"counters free", State::found, "no DCGM, Nsight or cuda-gdb runs here", "", "", ""};
  }
  std::string text;
  for (const auto& [name, pid] : owners) {
    text += fmt::format("{}{} (process {})", text.empty() ? "" : ", ", name, pid);
  }
  return {"counters free",
          State::missing,
          text + " may hold the counters or CUPTI",
          "one owner at a time",
          "counters or the kernel trace may be refused as busy",
          "dcgmi profile --pause (--resume afterwards), or end the other profiler"};
}

}  // namespace

std::string mig_refusal(const std::vector<std::string>& pci_bus_ids, const std::string& library) {
  const auto opened = nvml::open_nvml(library);
  const unsigned count = opened.library ? opened.library->device_count() : 0;
  for (unsigned i = 0; i < count; ++i) {
    const nvml::GpuReader gpu(opened.library, i);
    if (!gpu.identity().mig || !nvml::find_by_bus(pci_bus_ids, gpu.identity().pci_bus_id)) continue;
    return fmt::format("GPU {} is split by MIG, and {}: {}", i, kWhyNotMig, mig_remedy(i));
  }
  return "";
}

void add_nvml_checks(std::vector<MachineCheck>& checks, const MachineView& view) {
  const nvml::Opened opened = nvml::open_nvml(view.nvml);
  if (!opened.library) {
    checks.push_back({"NVML", State::missing, opened.reason, "libnvidia-ml.so.1 of the driver",
                      "no power, clock or temperature of a GPU can be sampled", opened.remedy});
  } else {
    checks.push_back({"NVML", State::found,
                      fmt::format("driver {}, {} GPUs", opened.library->driver_version(),
                                  opened.library->device_count()),
                      "", "", ""});
  }
  const unsigned count = opened.library ? opened.library->device_count() : 0;
  if (count == 0) {
    for (const char* name :
         {"NVML features", "MIG off", "persistence mode", "clocks", "peer access", "IMEX"}) {
      checks.push_back({name, State::unknown, "no GPU to ask", "", "", ""});
    }
    return;
  }
  Readers gpus;
  for (unsigned i = 0; i < count; ++i) {
    gpus.push_back(std::make_unique<nvml::GpuReader>(opened.library, i));
  }
  checks.push_back(features_check(gpus));
  checks.push_back(mig_check(gpus));
  checks.push_back(persistence_check(gpus));
  checks.push_back(clocks_check(gpus));
  checks.push_back(peer_check(*opened.library, count));
  checks.push_back(imex_check(gpus, view));
}

void add_counter_checks(std::vector<MachineCheck>& checks, const MachineView& view) {
  checks.push_back(permission_check(view));
  checks.push_back(owner_check(view));
}

}  // namespace rackwright::cli
