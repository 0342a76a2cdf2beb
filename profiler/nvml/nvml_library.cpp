#include "profiler/nvml/nvml_library.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

namespace rackwright::profiler::nvml {

namespace {

/// Finds functions by name and keeps the names that are not there.
class SymbolTable {
 public:
  SymbolTable(void* handle, std::vector<std::string>& missing)
      : handle_(handle), missing_(missing) {}

  template <class Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(handle_, name));
    if (function == nullptr) missing_.emplace_back(name);
  }

 private:
  void* handle_;
  std::vector<std::string>& missing_;
};

void find_functions(SymbolTable table, Functions& f) {
  table.find(f.init, "nvmlInit_v2");
  table.find(f.shutdown, "nvmlShutdown");
  table.find(f.device_count, "nvmlDeviceGetCount_v2");
  table.find(f.device_by_index, "nvmlDeviceGetHandleByIndex_v2");
  table.find(f.error_string, "nvmlErrorString");
  table.find(f.driver_version, "nvmlSystemGetDriverVersion");
  table.find(f.library_version, "nvmlSystemGetNVMLVersion");
  table.find(f.device_by_pci_bus_id, "nvmlDeviceGetHandleByPciBusId_v2");
  table.find(f.uuid, "nvmlDeviceGetUUID");
  table.find(f.name, "nvmlDeviceGetName");
  table.find(f.pci_info, "nvmlDeviceGetPciInfo_v3");
  table.find(f.compute_capability, "nvmlDeviceGetCudaComputeCapability");
  table.find(f.power_usage, "nvmlDeviceGetPowerUsage");
  table.find(f.total_energy, "nvmlDeviceGetTotalEnergyConsumption");
  table.find(f.power_limit, "nvmlDeviceGetEnforcedPowerLimit");
  table.find(f.field_values, "nvmlDeviceGetFieldValues");
  table.find(f.temperature_v, "nvmlDeviceGetTemperatureV");
  table.find(f.temperature, "nvmlDeviceGetTemperature");
  table.find(f.margin_temperature, "nvmlDeviceGetMarginTemperature");
  table.find(f.clock, "nvmlDeviceGetClockInfo");
  table.find(f.event_reasons, "nvmlDeviceGetCurrentClocksEventReasons");
  table.find(f.throttle_reasons, "nvmlDeviceGetCurrentClocksThrottleReasons");
  table.find(f.fabric_info, "nvmlDeviceGetGpuFabricInfoV");
  table.find(f.platform_info, "nvmlDeviceGetPlatformInfo");
  table.find(f.module_id, "nvmlDeviceGetModuleId");
  table.find(f.mig_mode, "nvmlDeviceGetMigMode");
  table.find(f.persistence_mode, "nvmlDeviceGetPersistenceMode");
  table.find(f.p2p_status, "nvmlDeviceGetP2PStatus");
  table.find(f.gpm_support, "nvmlGpmQueryDeviceSupport");
  table.find(f.gpm_alloc, "nvmlGpmSampleAlloc");
  table.find(f.gpm_free, "nvmlGpmSampleFree");
  table.find(f.gpm_get, "nvmlGpmSampleGet");
  table.find(f.gpm_metrics, "nvmlGpmMetricsGet");
}

std::string text_of(int (*function)(char*, unsigned)) {
  char text[96] = "";
  return function != nullptr && function(text, sizeof text) == kSuccess ? text : "";
}

std::string remedy_for(int code) {
  switch (code) {
    case kDriverNotLoaded:
      return "load the NVIDIA kernel module (modprobe nvidia); in a container, start it with GPUs "
             "and NVIDIA_DRIVER_CAPABILITIES containing utility";
    case kLibraryVersionMismatch:
      return "the driver was updated while loaded: reload the kernel module or restart the machine";
    case kNoPermission:
      return "give this user read access to /dev/nvidiactl and /dev/nvidia*";
    default:
      return "see the driver's kernel log (dmesg | grep NVRM)";
  }
}

}  // namespace

Library::~Library() {
  functions_.shutdown();
}

std::string Library::error_text(int code) const {
  const char* text = functions_.error_string == nullptr ? nullptr : functions_.error_string(code);
  return fmt::format("{} (NVML code {})", text == nullptr ? "error" : text, code);
}

unsigned Library::device_count() const {
  unsigned count = 0;
  return functions_.device_count(&count) == kSuccess ? count : 0;
}

Opened open_nvml(const std::string& file) {
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* text = ::dlerror();
    return {nullptr, text == nullptr ? file + " does not open" : text,
            "comes with the NVIDIA driver (Debian: libnvidia-ml1)"};
  }
  Functions functions{};
  std::vector<std::string> missing;
  find_functions(SymbolTable(handle, missing), functions);
  if (functions.init == nullptr || functions.shutdown == nullptr ||
      functions.device_count == nullptr || functions.device_by_index == nullptr) {
    return {nullptr, fmt::format("{} lacks {}", file, fmt::join(missing, ", ")),
            "update the NVIDIA driver"};
  }
  if (const int code = functions.init(); code != kSuccess) {
    const char* text = functions.error_string == nullptr ? "" : functions.error_string(code);
    return {nullptr, fmt::format("nvmlInit_v2: {} (NVML code {})", text, code), remedy_for(code)};
  }
  std::shared_ptr<Library> library(new Library);
  library->functions_ = functions;
  library->missing_ = std::move(missing);
  library->driver_version_ = text_of(functions.driver_version);
  library->library_version_ = text_of(functions.library_version);
  return {library, "", ""};
}

}  // namespace rackwright::profiler::nvml
