#include "cli/machine_checks.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include <dlfcn.h>
#include <sys/timex.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/gpu_checks.hpp"
#include "kernels/cuda_loader.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;

namespace {

using State = MachineCheck::State;

constexpr const char* kGpu = "usable NVIDIA GPU";

MachineCheck found(std::string name, std::string detail) {
  return {std::move(name), State::found, std::move(detail), "", "", ""};
}

/// The value behind "model name : …" of the first line that starts with `key`.
std::string value_in(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

MachineCheck check_cpu(const fs::path& proc) {
  std::string model = value_in(proc / "cpuinfo", "model name");
  if (model.empty()) model = "model not stated";
  return found("CPU", fmt::format("{} threads, {}",
                                  std::max(1U, std::thread::hardware_concurrency()), model));
}

MachineCheck check_memory(const fs::path& proc) {
  const double kib = std::strtod(value_in(proc / "meminfo", "MemTotal").c_str(), nullptr);
  const double free = std::strtod(value_in(proc / "meminfo", "MemAvailable").c_str(), nullptr);
  return found("memory",
               fmt::format("{:.1f} GiB, {:.1f} GiB available", kib / 1048576, free / 1048576));
}

/// How to ask a library for its version.
struct VersionCall {
  const char* symbol;
  enum class Kind { returned, pointer } kind;
  int least;  ///< 0: any
  std::string (*text)(int version);
};

std::optional<int> ask_version(void* library, const VersionCall& call) {
  void* symbol = ::dlsym(library, call.symbol);
  if (symbol == nullptr) return std::nullopt;
  if (call.kind == VersionCall::Kind::returned) {
    return static_cast<int>(reinterpret_cast<std::size_t (*)()>(symbol)());
  }
  int version = 0;
  return reinterpret_cast<int (*)(int*)>(symbol)(&version) == 0 ? std::optional(version)
                                                                : std::nullopt;
}

/// A library by its names, newest first, and the version it must have.
MachineCheck check_library(MachineCheck check, std::vector<const char*> files,
                           std::optional<VersionCall> call = {}) {
  for (const char* file : files) {
    // Kept mapped: drivers do not free what they allocate at load.
    void* library = ::dlopen(file, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
      if (const char* text = ::dlerror(); text != nullptr && check.detail.empty()) {
        check.detail = text;
      }
      continue;
    }
    const auto version = call ? ask_version(library, *call) : std::nullopt;
    ::dlclose(library);
    check.detail = version ? fmt::format("{}, version {}", file, call->text(*version))
                           : fmt::format("{} opens", file);
    check.state = !version || *version >= call->least ? State::found : State::missing;
    return check;
  }
  return check;
}

/// 22809 -> "2.28.9"; before 2.9 NCCL wrote 2804 for 2.8.4.
std::string nccl_version(int v) {
  return v < 10000 ? fmt::format("{}.{}.{}", v / 1000, v % 1000 / 100, v % 100)
                   : fmt::format("{}.{}.{}", v / 10000, v % 10000 / 100, v % 100);
}
/// 91900 -> "9.19.0"; before 9 cuDNN wrote 8907 for 8.9.7.
std::string cudnn_version(int v) {
  return v < 90000 ? fmt::format("{}.{}.{}", v / 1000, v % 1000 / 100, v % 100)
                   : fmt::format("{}.{}.{}", v / 10000, v % 10000 / 100, v % 100);
}
/// 13000 -> "13.0".
std::string cuda_version(int v) {
  return fmt::format("{}.{}", v / 1000, v % 1000 / 10);
}
std::string plain_version(int v) {
  return std::to_string(v);
}

MachineCheck check_driver(const fs::path& proc) {
  std::ifstream in(proc / "driver" / "nvidia" / "version");
  std::string line;
  if (std::getline(in, line)) return found("NVIDIA driver", line);
  const bool amd = fs::exists("/sys/module/amdgpu/version") || fs::exists("/dev/kfd");
  return {"NVIDIA driver",
          State::missing,
          amd ? "no /proc/driver/nvidia/version; an AMD driver is loaded"
              : "no /proc/driver/nvidia/version",
          "580 or newer for a module built with CUDA 13, 525 or newer with CUDA 12",
          "no kernel, collective or power can be measured on a GPU; replays are modelled",
          "install the NVIDIA driver for this kernel (Debian: apt install nvidia-driver)"};
}

/// The programs of `names` on PATH.
fs::path on_path(const std::vector<std::string>& names) {
  const char* value = std::getenv("PATH");
  const std::string path = value == nullptr ? "" : value;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    for (const auto& name : names) {
      const fs::path file = fs::path(path.substr(begin, end - begin)) / name;
      if (end > begin && ::access(file.c_str(), X_OK) == 0) return file;
    }
    begin = end + 1;
  }
  return {};
}

MachineCheck check_program(MachineCheck check, const std::vector<std::string>& programs) {
  if (const fs::path file = on_path(programs); !file.empty()) {
    return found(check.name, file.string());
  }
  check.detail = fmt::format("{} not on PATH", fmt::join(programs, ", "));
  return check;
}

/// By adjtimex(2), which only reads when it is asked to change nothing.
MachineCheck check_clock() {
  timex state{};
  const int code = ::adjtimex(&state);
  if (code < 0)
    return {"clock synchronised", State::unknown, "adjtimex is not allowed", "", "", ""};
  if (code != TIME_ERROR && (state.status & STA_UNSYNC) == 0) {
    return found("clock synchronised",
                 fmt::format("within {:.1f} ms", static_cast<double>(state.maxerror) / 1e3));
  }
  return {"clock synchronised",
          State::missing,
          "the kernel calls its clock unsynchronised",
          "NTP or PTP on every node",
          "times of several nodes rest on the ping-pong between ranks alone",
          "start chronyd, systemd-timesyncd or ptp4l (in a container: on its host)"};
}

MachineCheck check_gpu(const fs::path& module) {
  const kernels::CudaProbe probe = kernels::probe_cuda(module);
  if (!probe.reason.empty() || probe.devices.empty()) {
    return {kGpu,
            State::missing,
            probe.reason.empty() ? "the CUDA module sees no device" : probe.reason,
            "one NVIDIA GPU of compute capability 8.0 or newer",
            "no replay on a GPU; the analytical backend predicts instead",
            probe.module_opened
                ? "see the reason"
                : "build with nvcc present (RACKWRIGHT_CUDA=ON says what is missing)"};
  }
  std::string text;
  for (const auto& device : probe.devices) {
    text += fmt::format("{}{} ({:.0f} GiB)", text.empty() ? "" : ", ", device.name,
                        device.memory_bytes / 1073741824.0);
  }
  return found(kGpu, text);
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::found:
      return "found";
    case State::missing:
      return "missing";
    default:
      return "unknown";
  }
}

std::vector<MachineCheck> check_machine(const MachineView& view) {
  using Kind = VersionCall::Kind;
  constexpr State kMissing = State::missing;
  std::vector<MachineCheck> checks;
  checks.push_back(check_cpu(view.proc));
  checks.push_back(check_memory(view.proc));
  checks.push_back(check_driver(view.proc));
  checks.push_back(check_library(
      {"CUDA driver library", kMissing, "", "12.4 or newer", "nothing can run on a GPU",
       "comes with the NVIDIA driver"},
      {"libcuda.so.1"}, VersionCall{"cuDriverGetVersion", Kind::pointer, 12040, cuda_version}));
  checks.push_back(check_gpu(view.cuda_module));
  add_nvml_checks(checks, view);
  checks.push_back(
      check_library({"CUPTI", kMissing, "", "of the CUDA major version of the module",
                     "kernels cannot be attributed to operators",
                     "part of the CUDA toolkit; add its lib folder to LD_LIBRARY_PATH"},
                    {"libcupti.so.13", "libcupti.so.12", "libcupti.so"},
                    VersionCall{"cuptiGetVersion", Kind::pointer, 0, plain_version}));
  add_counter_checks(checks, view);
  checks.push_back(check_library(
      {"NCCL", kMissing, "", "2.21 or newer", "collectives cannot be measured",
       "apt install libnccl2 from NVIDIA's repository"},
      {"libnccl.so.2"}, VersionCall{"ncclGetVersion", Kind::pointer, 22100, nccl_version}));
  checks.push_back(
      check_library({"cuDNN", kMissing, "", "9.19 or newer",
                     "attention and grouped GEMM run on the own kernels only",
                     "apt install libcudnn9-cuda-13 from NVIDIA's repository"},
                    {"libcudnn.so.9", "libcudnn.so.8"},
                    VersionCall{"cudnnGetVersion", Kind::returned, 91900, cudnn_version}));
  checks.push_back(check_program({"CUDA compiler", kMissing, "", "nvcc 12.4 or newer",
                                  "the CUDA module cannot be built on this machine",
                                  "install the CUDA toolkit and put nvcc on PATH"},
                                 {"nvcc"}));
  checks.push_back(check_program(
      {"MPI launcher", kMissing, "", "mpirun or srun", "runs over several nodes cannot be started",
       "apt install openmpi-bin, or load your cluster's module"},
      {"mpirun", "srun"}));
  checks.push_back(check_clock());
  return checks;
}

bool has_gpu(const std::vector<MachineCheck>& checks) {
  const auto is = [&](const char* name, State state) {
    return std::any_of(checks.begin(), checks.end(), [&](const MachineCheck& check) {
      return check.name == name && check.state == state;
    });
  };
  return is(kGpu, State::found) && !is("MIG off", State::missing);
}

std::vector<Ability> abilities(const std::vector<MachineCheck>& checks) {
  std::vector<Ability> list = {
      {"times of kernels on a GPU", {kGpu, "MIG off"}},
      {"kernels attributed to operators", {kGpu, "CUPTI", "counters free"}},
      {"power, energy, clocks and temperatures", {"NVML", "NVML features"}},
      {"DRAM, NVLink, PCIe and tensor use over time",
       {kGpu, "CUPTI", "counter permission", "counters free"}},
      {"collectives on a node", {kGpu, "NCCL", "peer access"}},
      {"runs over several nodes on one time base",
       {kGpu, "NCCL", "MPI launcher", "clock synchronised"}}};
  for (Ability& ability : list) {
    std::erase_if(ability.missing, [&](const std::string& name) {
      const auto at = std::find_if(checks.begin(), checks.end(),
                                   [&](const MachineCheck& check) { return check.name == name; });
      return at == checks.end() || at->state != State::missing;
    });
  }
  return list;
}

}  // namespace rackwright::cli
