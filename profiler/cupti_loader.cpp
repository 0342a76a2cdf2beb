#include "profiler/cupti_loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace rackwright::profiler {

namespace {

template <class Function>
bool find_symbol(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

bool find_all(void* handle, CuptiModule& module) {
  return find_symbol(handle, "rackwright_cupti_open", module.open) &&
         find_symbol(handle, "rackwright_cupti_start", module.start) &&
         find_symbol(handle, "rackwright_cupti_stop", module.stop) &&
         find_symbol(handle, "rackwright_cupti_begin", module.begin) &&
         find_symbol(handle, "rackwright_cupti_end", module.end) &&
         find_symbol(handle, "rackwright_cupti_close", module.close) &&
         find_symbol(handle, "rackwright_cupti_chip", module.chip) &&
         find_symbol(handle, "rackwright_cupti_counters_open", module.counters_open) &&
         find_symbol(handle, "rackwright_cupti_counters_start", module.counters_start) &&
         find_symbol(handle, "rackwright_cupti_counters_stop", module.counters_stop) &&
         find_symbol(handle, "rackwright_cupti_counters_close", module.counters_close);
}

}  // namespace

std::filesystem::path cupti_module_path() {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return executable.parent_path().parent_path() / "lib" / "rackwright" / "rackwright_cupti.so";
}

std::string load_cupti(const std::filesystem::path& path, CuptiModule& module) {
  if (!std::filesystem::exists(path)) {
    return fmt::format(
        "no kernel trace: {} is not there (build with the CUDA toolkit's CUPTI installed)",
        path.string());
  }
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return fmt::format("no kernel trace: {}", ::dlerror());
  if (!find_symbol(handle, "rackwright_cupti_abi", module.abi)) {
    return fmt::format("no kernel trace: {} is another library", path.string());
  }
  if (module.abi() != RACKWRIGHT_CUPTI_ABI) {
    return fmt::format("no kernel trace: {} has interface {}, this program {}: rebuild it",
                       path.string(), module.abi(), RACKWRIGHT_CUPTI_ABI);
  }
  return find_all(handle, module)
             ? ""
             : fmt::format("no kernel trace: {} lacks functions", path.string());
}

}  // namespace rackwright::profiler
