#include "cli/machine_checks.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <dlfcn.h>
#include <unistd.h>

#include <fmt/format.h>

#include "kernels/cuda_loader.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kGpu = "usable NVIDIA GPU";

MachineCheck found(std::string name, std::string detail) {
  return {std::move(name), true, std::move(detail), "", ""};
}

/// The value behind "model name : …" of the first line that starts with `key`.
std::string value_in(const char* file, const std::string& key) {
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

MachineCheck check_cpu() {
  std::string model = value_in("/proc/cpuinfo", "model name");
  if (model.empty()) model = "model not stated";
  return found("CPU", fmt::format("{} threads, {}",
                                  std::max(1U, std::thread::hardware_concurrency()), model));
}

MachineCheck check_memory() {
  const double kib = std::strtod(value_in("/proc/meminfo", "MemTotal").c_str(), nullptr);
  const double free = std::strtod(value_in("/proc/meminfo", "MemAvailable").c_str(), nullptr);
  return found("memory",
               fmt::format("{:.1f} GiB, {:.1f} GiB available", kib / 1048576, free / 1048576));
}

MachineCheck check_library(const char* name, std::vector<const char*> files, const char* without,
                           const char* remedy) {
  std::string reason;
  for (const char* file : files) {
    // Kept mapped: drivers do not free what they allocate at load.
    if (void* library = dlopen(file, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE)) {
      dlclose(library);
      return found(name, fmt::format("{} opens", file));
    }
    if (const char* text = dlerror(); text != nullptr && reason.empty()) reason = text;
  }
  return {name, false, reason, without, remedy};
}

MachineCheck check_driver() {
  std::ifstream in("/proc/driver/nvidia/version");
  std::string line;
  if (std::getline(in, line)) return found("NVIDIA driver", line);
  const bool amd = fs::exists("/sys/module/amdgpu/version") || fs::exists("/dev/kfd");
  return {"NVIDIA driver", false,
          amd ? "no /proc/driver/nvidia/version; an AMD driver is loaded"
              : "no /proc/driver/nvidia/version",
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

MachineCheck check_program(const char* name, const std::vector<std::string>& programs,
                           const char* without, const char* remedy) {
  if (const fs::path file = on_path(programs); !file.empty()) return found(name, file.string());
  return {name, false, fmt::format("{} not on PATH", fmt::join(programs, ", ")), without, remedy};
}

MachineCheck check_gpu(const fs::path& module) {
  const kernels::CudaProbe probe = kernels::probe_cuda(module, false);
  if (!probe.reason.empty() || probe.devices.empty()) {
    return {kGpu, false, probe.reason.empty() ? "the CUDA module sees no device" : probe.reason,
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

std::vector<MachineCheck> check_machine(const fs::path& cuda_module) {
  std::vector<MachineCheck> checks;
  checks.push_back(check_cpu());
  checks.push_back(check_memory());
  checks.push_back(check_driver());
  checks.push_back(check_library("CUDA driver library", {"libcuda.so.1"},
                                 "nothing can run on a GPU", "comes with the NVIDIA driver"));
  checks.push_back(check_library("NVML", {"libnvidia-ml.so.1"},
                                 "no power, clock or temperature of a GPU can be sampled",
                                 "comes with the NVIDIA driver (Debian: libnvidia-ml1)"));
  checks.push_back(
      check_library("CUPTI", {"libcupti.so.13", "libcupti.so.12", "libcupti.so"},
                    "kernels cannot be attributed to operators",
                    "part of the CUDA toolkit; add its lib folder to LD_LIBRARY_PATH"));
  checks.push_back(check_library("NCCL", {"libnccl.so.2"}, "collectives cannot be measured",
                                 "apt install libnccl2 from NVIDIA's repository"));
  checks.push_back(check_gpu(cuda_module));
  checks.push_back(check_program("CUDA compiler", {"nvcc"},
                                 "the CUDA module cannot be built on this machine",
                                 "install the CUDA toolkit and put nvcc on PATH"));
  checks.push_back(check_program("MPI launcher", {"mpirun", "srun"},
                                 "runs over several nodes cannot be started",
                                 "apt install openmpi-bin, or load your cluster's module"));
  return checks;
}

bool has_gpu(const std::vector<MachineCheck>& checks) {
  return std::any_of(checks.begin(), checks.end(),
                     [](const MachineCheck& check) { return check.name == kGpu && check.found; });
}

}  // namespace rackwright::cli
