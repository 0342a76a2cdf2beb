#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "kernels/analytical/hardware.hpp"
#include "kernels/analytical/roofline.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

constexpr double kActivation = 2;

ClassFit gemm_fit(const std::vector<const MeasuredRow*>& rows, const Hardware& hardware,
                  DataType type, double wave_share, double knot_ratio) {
  ClassFit task;
  const double weight_bytes = bytes_per_element(type);
  const bool quantised = weight_bytes < kActivation;
  task.parameters = {{"t0_s", quantised ? 8e-6 : 3e-6, 1e-7, 5e-5},
                     {"compute_efficiency", 0.7, 0.05, 1},
                     {"memory_efficiency", 0.9, 0.05, 1.5},
                     {"exponent", 2, 1, 20}};
  if (quantised) task.parameters.push_back({"quantiser_efficiency", 0.4, 0.02, 2});
  task.fixed = quantised ? std::map<std::string, double>{}
                         : std::map<std::string, double>{{"quantiser_efficiency", 0.0}};
  task.fixed["wave_share"] = wave_share;
  std::vector<double> m;
  std::vector<double> n;
  std::vector<double> k;
  std::vector<GemmShape> shapes;
  for (const MeasuredRow* row : rows) {
    auto shape = std::get<GemmShape>(row->op.shape);
    shape.m = priced_rows(shape.m);
    shapes.push_back(shape);
    task.measured.push_back(row->seconds);
    task.points.push_back({shape.m, shape.n, shape.k});
    task.groups.push_back(row->group);
    m.push_back(shape.m);
    n.push_back(shape.n);
    k.push_back(shape.k);
  }
  task.group_name = "all m of an (n, k)";
  task.axes = {{"m", knots_of(m, knot_ratio)}, {"n", knots_of(n)}, {"k", knots_of(k)}};
  const double peak = hardware.peak_of(type);
  const double memory = hardware.memory;
  const double multiprocessors = hardware.multiprocessors;
  const double input_bytes = quantised ? weight_bytes : kActivation;
  task.predict = [=, shapes = std::move(shapes)](const CalibratedModel& calibrated,
                                                 std::vector<double>& seconds) {
    const GemmModel model = GemmModel::from(calibrated);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      seconds[i] =
          model.seconds(shapes[i], weight_bytes, input_bytes, peak, memory, multiprocessors);
    }
  };
  return task;
}

/// Tables with rows in fine steps (Vidur) are smoothed over steps of 6 %: finer stairs are noise.
double knot_ratio_of(const std::vector<const MeasuredRow*>& rows) {
  constexpr std::size_t kManyRows = 64;
  std::set<double> m;
  for (const MeasuredRow* row : rows) m.insert(std::get<GemmShape>(row->op.shape).m);
  return m.size() > kManyRows ? 1.06 : 1.01;
}

}  // namespace

std::vector<CalibratedModel> calibrate_gemm(const DeviceInfo& device, const MeasuredSet& set) {
  const Hardware hardware = hardware_of(device);
  std::map<DataType, std::vector<const MeasuredRow*>> by_type;
  for (const MeasuredRow& row : set.rows) {
    const auto* shape = std::get_if<GemmShape>(&row.op.shape);
    if (shape != nullptr && !shape->math) by_type[shape->type].push_back(&row);
  }
  std::vector<CalibratedModel> models;
  for (const auto& [type, rows] : by_type) {
    CalibratedModel best;
    // The residual takes up whole waves at the rows of the table, so only rows of left-out shapes
    // tell how much of them a library leaves.
    for (const double wave_share : {0.0, 0.25, 0.5}) {
      CalibratedModel model;
      model.operation = "gemm";
      model.variant = to_string(type);
      model.provenance = set.provenance;
      model.from = device.id;
      fit(gemm_fit(rows, hardware, type, wave_share, knot_ratio_of(rows)), model);
      const bool better = model.quality.held_out_mean < best.quality.held_out_mean;
      if (best.operation.empty() || better) best = std::move(model);
    }
    models.push_back(std::move(best));
  }
  return models;
}

}  // namespace rackwright::kernels
