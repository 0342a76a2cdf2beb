#include <map>

#include <fmt/format.h>

#include "kernels/analytical/hardware.hpp"
#include "kernels/analytical/roofline.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

ClassFit expert_fit(const std::vector<const MeasuredRow*>& rows, const Hardware& hardware,
                    DataType type) {
  ClassFit task;
  task.parameters = {{"t0_s", 2e-5, 1e-6, 2e-4},
                     {"compute_efficiency", 0.5, 0.02, 1},
                     {"memory_efficiency", 0.8, 0.05, 1.5},
                     {"exponent", 2, 1, 10},
                     {"per_expert_s", 2e-7, 1e-10, 2e-5},
                     {"activation_efficiency", 0.4, 0.02, 3},
                     {"tile_rows", 64, 8, 256}};
  std::vector<ExpertShape> shapes;
  std::vector<OperatorWork> works;
  std::array<std::vector<double>, ValueGrid::kMaxAxes> values;
  for (const MeasuredRow* row : rows) {
    shapes.push_back(std::get<ExpertShape>(row->op.shape));
    works.push_back(work_of(row->op));
    task.measured.push_back(row->seconds);
    task.groups.push_back(row->group);
    task.points.push_back(expert_point(shapes.back()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i].push_back(task.points.back()[i]);
  }
  constexpr double kOctave = 1.9;
  constexpr double kModel = 1.1;  // hidden sizes are few, and kernels are tuned for each
  task.axes = {{"tokens_per_expert", knots_of(values[0], kOctave)},
               {"experts", knots_of(values[1], kOctave)},
               {"hidden", knots_of(values[2], kModel)},
               {"intermediate", knots_of(values[3], kOctave)}};
  task.stiffness = {0.3, 3, 30};
  task.group_name = "a model shape (hidden, intermediate, experts)";
  task.predict = [hardware, type, shapes = std::move(shapes), works = std::move(works)](
                     const CalibratedModel& calibrated, std::vector<double>& seconds) {
    const ExpertModel model = ExpertModel::from(calibrated);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      seconds[i] = model.seconds(shapes[i], works[i], hardware.peak_of(type), hardware.memory);
    }
  };
  return task;
}

}  // namespace

std::vector<CalibratedModel> calibrate_experts(const DeviceInfo& device, const MeasuredSet& set) {
  const Hardware hardware = hardware_of(device);
  std::map<DataType, std::vector<const MeasuredRow*>> by_type;
  for (const MeasuredRow& row : set.rows) {
    by_type[std::get<ExpertShape>(row.op.shape).type].push_back(&row);
  }
  std::vector<CalibratedModel> models;
  for (const auto& [type, rows] : by_type) {
    CalibratedModel model;
    model.operation = "experts";
    model.variant = to_string(type);
    model.provenance = set.provenance;
    model.from = device.id;
    fit(expert_fit(rows, hardware, type), model);
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace rackwright::kernels
