#pragma once

#include <filesystem>
#include <string>

#include "profiler/cupti/cupti_abi.h"

namespace rackwright::profiler {

/// The functions of the module `rackwright_cupti`.
struct CuptiModule {
  RackwrightCuptiAbi abi = nullptr;
  RackwrightCuptiOpen open = nullptr;
  RackwrightCuptiStart start = nullptr;
  RackwrightCuptiStop stop = nullptr;
  RackwrightCuptiBegin begin = nullptr;
  RackwrightCuptiEnd end = nullptr;
  RackwrightCuptiClose close = nullptr;
  RackwrightCuptiChip chip = nullptr;
  RackwrightCuptiCountersOpen counters_open = nullptr;
  RackwrightCuptiCountersStart counters_start = nullptr;
  RackwrightCuptiCountersStop counters_stop = nullptr;
  RackwrightCuptiCountersClose counters_close = nullptr;
};

/// `lib/rackwright/rackwright_cupti.so` beside the program's folder.
[[nodiscard]] std::filesystem::path cupti_module_path();
/// Opens the module, which stays mapped: threads of CUPTI may outlive what used it. "" or why the
/// file is not our module.
[[nodiscard]] std::string load_cupti(const std::filesystem::path& path, CuptiModule& module);

}  // namespace rackwright::profiler
