#pragma once

#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string>

#include "profiler/nvml/nvml_library.hpp"

namespace rackwright::testing {

/// Scripts the stand-in NVML while it lives; see stand_in_nvml.cpp.
class StandIn {
 public:
  StandIn(std::initializer_list<std::pair<const std::string, std::string>> script)
      : script_(script) {
    for (const auto& [key, value] : script_) ::setenv(("RW_NVML_" + key).c_str(), value.c_str(), 1);
  }
  ~StandIn() {
    for (const auto& [key, value] : script_) ::unsetenv(("RW_NVML_" + key).c_str());
  }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  [[nodiscard]] profiler::nvml::Opened open(const std::string& variant = "full") const {
    return profiler::nvml::open_nvml(std::string(RACKWRIGHT_STAND_INS) + "/" + variant +
                                     "/libnvidia-ml.so.1");
  }

 private:
  std::map<std::string, std::string> script_;
};

}  // namespace rackwright::testing
