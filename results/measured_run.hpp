#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "profiler/run_file.hpp"
#include "topology/evaluation.hpp"

namespace rackwright::results {

/// Id of the device whose facts name `name` as its own ("NVIDIA H100 80GB HBM3"); `name` itself
/// when none does.
[[nodiscard]] std::string device_named(const std::string& name, const DataLocator& data);

/// Power of the run's GPUs over time, as a load case for racks of their device; nothing where no
/// power can be stated (see `profiler::measured_power`) or the run names no device.
[[nodiscard]] std::optional<topology::MeasuredLoad> measured_load(const profiler::RunFile& run,
                                                                  const DataLocator& data);

/// Puts what collectors or another tool recorded onto a rack: power per GPU with its source and
/// window as `measured.*` figures and a lane over time where the run is of the rack's device; where
/// a GPU says it sits; time by operator class of its kernels; the highest busbw of nccl-tests. What
/// cannot be carried over is a note with the reason.
void add_measured_run(topology::RackEvaluation& evaluation, const topology::RackDesign& design,
                      const profiler::RunFile& run, const std::string& file,
                      const DataLocator& data);

/// The slot of the drawing that a GPU names: `slot` counts compute and switch trays from 1 at the
/// bottom, `tray` compute trays from 0. Null when the rack has no such slot.
[[nodiscard]] const topology::Slot* slot_of(const topology::RackDesign& design,
                                            const profiler::RecordedGpu& gpu);

}  // namespace rackwright::results
