#include "results/validation/measured_device.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::results {

MeasuredDevices::MeasuredDevices(std::string device, const DataLocator& data,
                                 kernels::ProfileChoice choice)
    : device_(std::move(device)), data_(data), choice_(std::move(choice)) {
  if (!device_.empty()) return;
  for (const std::string& id : data_.ids("kernels/devices")) {
    ids_.emplace(id, id);
    for (const std::string& name : kernels::find_device(id, data_).measured_as) {
      ids_.emplace(name, id);
    }
  }
}

const kernels::AnalyticalBackend& MeasuredDevices::of(const std::string& name,
                                                      const std::string& software,
                                                      const std::string& file, std::size_t line) {
  if (!device_.empty()) return load(device_, software);
  const auto id = ids_.find(name);
  if (id == ids_.end()) {
    throw InputError(InputProblem{file, line, "device",
                                  "a name that a device file lists under measured_as, or --device",
                                  fmt::format("\"{}\"", name)});
  }
  return load(id->second, software);
}

const kernels::AnalyticalBackend& MeasuredDevices::load(const std::string& id,
                                                        const std::string& software) {
  kernels::ProfileChoice choice = choice_;
  choice.engine = kernels::engine_of(software);
  auto& backend = backends_[id + " " + choice.engine];
  if (!backend) {
    backend = kernels::AnalyticalBackend::load(id, workloads::DataType::bf16, data_, choice);
  }
  return *backend;
}

}  // namespace rackwright::results
