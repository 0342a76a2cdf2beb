#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/data_locator.hpp"
#include "kernels/analytical/analytical_backend.hpp"

namespace rackwright::results {

/// Backends of the devices that rows name, each loaded once.
class MeasuredDevices {
 public:
  /// `device` is an id that holds for every row; "" lets each row name its own.
  MeasuredDevices(std::string device, const DataLocator& data, kernels::ProfileChoice choice = {});

  /// `name` as a table has it ("NVIDIA H200", "a100") or an id. Throws InputError, saying where,
  /// when no device file lists it under `measured_as`; BackendUnavailable when the device's facts
  /// do not allow a prediction.
  /// `software` is the kernel source of the row; kernels of that engine are preferred.
  const kernels::AnalyticalBackend& of(const std::string& name, const std::string& software,
                                       const std::string& file, std::size_t line);

 private:
  const kernels::AnalyticalBackend& load(const std::string& id, const std::string& software);

  std::string device_;
  const DataLocator& data_;
  kernels::ProfileChoice choice_;
  std::map<std::string, std::string> ids_;  ///< by measured name
  std::map<std::string, std::unique_ptr<kernels::AnalyticalBackend>> backends_;
};

}  // namespace rackwright::results
