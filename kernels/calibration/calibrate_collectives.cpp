#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "kernels/analytical/collective_model.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

/// Operation, implementation and GPUs.
using Key = std::tuple<std::string, std::string, int>;

Key key_of(const CollectiveShape& shape) {
  return {std::string(to_string(shape.kind)),
          shape.implementation == AllReduceKind::engine ? "engine" : "nccl", shape.ranks};
}

/// Repeats of one size (both data types, several runs) become their geometric mean.
struct Sizes {
  std::map<double, std::vector<double>> seconds;  ///< by bytes
  std::size_t rows = 0;
};

ClassFit segment_fit(const Sizes& sizes) {
  ClassFit task;
  const double largest = sizes.seconds.rbegin()->first;
  const double rate = largest / sizes.seconds.rbegin()->second.front();
  const double floor = sizes.seconds.begin()->second.front();
  task.parameters = {{"latency_1_s", floor, floor / 5, floor * 5},
                     {"rate_1", rate / 4, rate / 1000, rate * 10},
                     {"latency_2_s", floor * 2, floor / 100, floor * 50},
                     {"rate_2", rate, rate / 10, rate * 3}};
  // Whichever protocol is faster, with a rounded corner.
  task.fixed = {{"exponent", -4.0}};
  std::vector<double> bytes;
  std::size_t index = 0;
  for (const auto& [size, repeats] : sizes.seconds) {
    double sum = 0;
    for (const double t : repeats) sum += std::log(t);
    task.measured.push_back(std::exp(sum / static_cast<double>(repeats.size())));
    task.points.push_back({size});
    task.groups.push_back(std::to_string(index++));
    bytes.push_back(size);
  }
  task.group_name = "every second size";
  task.folds = 2;
  // Tables with many sizes close together (Vidur) are smoothed over a tenth.
  constexpr std::size_t kManySizes = 100;
  const bool many = bytes.size() > kManySizes;
  task.axes = {{"bytes", knots_of(bytes, many ? 1.1 : 1.01)}};
  task.stiffness = {many ? 0.02 : 0.001};
  task.predict = [bytes](const CalibratedModel& calibrated, std::vector<double>& seconds) {
    TwoSegmentModel model = TwoSegmentModel::from(calibrated);
    model.residual = {};
    for (std::size_t i = 0; i < bytes.size(); ++i) seconds[i] = model.seconds(bytes[i]);
  };
  return task;
}

}  // namespace

std::vector<CalibratedModel> calibrate_collectives(const MeasuredSet& set) {
  std::map<Key, Sizes> by_key;
  std::set<std::tuple<Key, double, double, DataType>> seen;
  std::map<Key, std::size_t> copies;
  for (const MeasuredRow& row : set.rows) {
    const auto& shape = std::get<CollectiveShape>(row.op.shape);
    if (shape.ranks > row.domain) continue;  // crosses a network
    const Key key = key_of(shape);
    // One run that stands in two files, to the last digit, is one run.
    if (!seen.insert({key, shape.bytes, row.seconds, work_of(row.op).type}).second) {
      ++copies[key];
      continue;
    }
    by_key[key].seconds[shape.bytes].push_back(row.seconds);
    ++by_key[key].rows;
  }
  std::vector<CalibratedModel> models;
  for (const auto& [key, sizes] : by_key) {
    CalibratedModel model;
    std::tie(model.operation, model.variant, model.ranks) = key;
    model.provenance = set.provenance;
    fit(segment_fit(sizes), model);
    model.quality.rows = sizes.rows;
    if (copies[key] > 0) {
      model.quality.excluded = copies[key];
      model.quality.excluded_because = "exact copies of a row of another file";
    }
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace rackwright::kernels
