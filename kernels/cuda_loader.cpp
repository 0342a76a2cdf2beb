#include "kernels/cuda_loader.hpp"

#include <memory>

#include <dlfcn.h>
#include <fmt/format.h>

#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels {

namespace {

constexpr int kNoDevice = 100;  // cudaErrorNoDevice

struct CloseLibrary {
  void operator()(void* handle) const { ::dlclose(handle); }
};

template <class Function>
Function symbol(void* handle, const char* name) {
  return reinterpret_cast<Function>(::dlsym(handle, name));
}

class OpenedModule final : public DeviceQueries {
 public:
  OpenedModule(RackwrightCudaDeviceCount count, RackwrightCudaProbe probe)
      : count_(count), probe_(probe) {}

  int count_devices(int& count, std::string& message) override {
    char text[RACKWRIGHT_CUDA_TEXT] = "";
    const int code = count_(&count, text);
    message = text;
    return code;
  }
  int probe_device(int device, RackwrightCudaDevice& info, std::string& message) override {
    char text[RACKWRIGHT_CUDA_TEXT] = "";
    const int code = probe_(device, &info, text);
    message = text;
    return code;
  }

 private:
  RackwrightCudaDeviceCount count_;
  RackwrightCudaProbe probe_;
};

}  // namespace

CudaProbe probe_devices(DeviceQueries& module) {
  CudaProbe probe;
  probe.module_opened = true;
  std::string message;
  int count = 0;
  if (module.count_devices(count, message) != 0) {
    probe.reason = message;
    return probe;
  }
  if (count == 0) probe.reason = cuda::remedy(kNoDevice);
  for (int device = 0; device < count; ++device) {
    RackwrightCudaDevice info{};
    if (module.probe_device(device, info, message) != 0) {
      probe.reason = fmt::format("GPU {}: {}", device, message);
      return probe;
    }
    probe.devices.push_back(info);
  }
  return probe;
}

std::filesystem::path cuda_module_path() {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return executable.parent_path().parent_path() / "lib" / "rackwright" / "rackwright_cuda.so";
}

CudaProbe probe_cuda(const std::filesystem::path& module) {
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
  OpenedModule opened(count_devices, probe_device);
  return probe_devices(opened);
}

}  // namespace rackwright::kernels
