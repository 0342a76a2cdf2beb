#include "kernels/cuda_loader.hpp"

#include <memory>

#include <dlfcn.h>
#include <fmt/format.h>

namespace rackwright::kernels {

namespace {

struct CloseLibrary {
  void operator()(void* handle) const { ::dlclose(handle); }
};

template <class Function>
Function symbol(void* handle, const char* name) {
  return reinterpret_cast<Function>(::dlsym(handle, name));
}

}  // namespace

std::filesystem::path cuda_module_path() {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return executable.parent_path().parent_path() / "lib" / "rackwright" / "rackwright_cuda.so";
}

CudaProbe probe_cuda(const std::filesystem::path& module, bool measure) {
  CudaProbe probe;
  if (!std::filesystem::exists(module)) {
    probe.reason =
        fmt::format("no CUDA module at {}: build with nvcc of CUDA 12.4 or newer", module.string());
    return probe;
  }
  const std::unique_ptr<void, CloseLibrary> handle(::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!handle) {
    probe.reason = fmt::format("the CUDA module does not open: {}", ::dlerror());
    return probe;
  }
  const auto abi = symbol<RackwrightCudaAbi>(handle.get(), "rackwright_cuda_abi");
  const auto count_devices =
      symbol<RackwrightCudaDeviceCount>(handle.get(), "rackwright_cuda_device_count");
  const auto probe_device = symbol<RackwrightCudaProbe>(handle.get(), "rackwright_cuda_probe");
  if (abi == nullptr || count_devices == nullptr || probe_device == nullptr ||
      abi() != RACKWRIGHT_CUDA_ABI) {
    probe.reason =
        fmt::format("{} is of another version: rebuild it with this program", module.string());
    return probe;
  }
  probe.module_opened = true;
  char message[RACKWRIGHT_CUDA_TEXT] = "";
  int count = 0;
  if (count_devices(&count, message) != 0) {
    probe.reason = message;
    return probe;
  }
  for (int device = 0; measure && device < count; ++device) {
    RackwrightCudaDevice info{};
    if (probe_device(device, &info, message) != 0) {
      probe.reason = fmt::format("GPU {}: {}", device, message);
      return probe;
    }
    probe.devices.push_back(info);
  }
  if (count == 0) probe.reason = "no GPU is visible: check CUDA_VISIBLE_DEVICES and the container";
  return probe;
}

}  // namespace rackwright::kernels
