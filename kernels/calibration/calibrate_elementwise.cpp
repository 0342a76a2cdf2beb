#include "kernels/analytical/hardware.hpp"
#include "kernels/analytical/roofline.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {

using namespace workloads;

std::vector<CalibratedModel> calibrate_elementwise(const DeviceInfo& device,
                                                   const MeasuredSet& set) {
  const double memory = hardware_of(device).memory;
  ClassFit task;
  task.parameters = {{"t0_s", 3e-6, 1e-7, 1e-4}, {"memory_efficiency", 0.6, 0.05, 1.5}};
  task.fixed = {{"exponent", 2.0}};
  std::vector<double> bytes;
  std::size_t norms = 0;
  for (const MeasuredRow& row : set.rows) {
    if (!std::holds_alternative<ElementwiseShape>(row.op.shape)) continue;
    if (row.op.name.ends_with("norm")) {
      ++norms;
      continue;
    }
    bytes.push_back(work_of(row.op).memory_bytes);
    task.measured.push_back(row.seconds);
    task.points.push_back({bytes.back()});
    task.groups.push_back(row.group);
  }
  task.group_name = "one kernel of one width";
  task.predict = [memory, bytes = std::move(bytes)](const CalibratedModel& calibrated,
                                                    std::vector<double>& seconds) {
    const ElementwiseModel model = ElementwiseModel::from(calibrated);
    for (std::size_t i = 0; i < bytes.size(); ++i) seconds[i] = model.seconds(bytes[i], memory);
  };
  CalibratedModel model;
  model.operation = "elementwise";
  model.provenance = set.provenance;
  model.from = device.id;
  fit(task, model);
  model.quality.excluded = norms;
  model.quality.excluded_because =
      "norms of 2023 run at a third of the memory rate; engines have fused kernels since";
  return {model};
}

}  // namespace rackwright::kernels
