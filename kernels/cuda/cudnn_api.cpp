#include "kernels/cuda/cudnn_api.hpp"

#include <dlfcn.h>

namespace rackwright::kernels::cuda {

namespace {

std::string version_text(std::size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace

OpenedCudnn open_cudnn(const char* library) {
  OpenedCudnn out;
  void* handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    out.reason = ::dlerror();
    return out;
  }
  bool complete = true;
  const auto load = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    complete = complete && function != nullptr;
  };
  load(out.api.create, "cudnnBackendCreateDescriptor");
  load(out.api.destroy, "cudnnBackendDestroyDescriptor");
  load(out.api.set, "cudnnBackendSetAttribute");
  load(out.api.get, "cudnnBackendGetAttribute");
  load(out.api.finalize, "cudnnBackendFinalize");
  load(out.api.execute, "cudnnBackendExecute");
  load(out.api.create_handle, "cudnnCreate");
  load(out.api.destroy_handle, "cudnnDestroy");
  load(out.api.set_stream, "cudnnSetStream");
  load(out.api.version, "cudnnGetVersion");
  load(out.api.last_error, "cudnnGetLastErrorString");
  if (!complete) {
    out.reason = std::string(library) + " lacks functions of cuDNN 9";
    return out;
  }
  const std::size_t version = out.api.version();
  out.usable = version >= cudnn::kTestedVersion;
  out.reason = "cuDNN " + version_text(version);
  if (!out.usable) out.reason += ": 9.19 or newer is needed";
  return out;
}

}  // namespace rackwright::kernels::cuda
