#include <algorithm>
#include <vector>

#include "kernels/analytical/collective_model.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

std::vector<FitParameter> parameters_of(bool normal) {
  if (normal) {
    return {{"latency_s", 3e-5, 1e-6, 3e-4},
            {"per_token_s", 4e-7, 1e-9, 1e-5},
            {"per_byte_s", 4e-11, 1e-13, 1e-8},
            {"multiprocessors", 20, 2, 200},
            {"exponent", 1, 0.5, 4},
            {"node_latency_s", 3e-5, 1e-7, 1e-3},
            {"per_remote_byte_s", 2e-10, 1e-13, 1e-7}};
  }
  return {{"latency_s", 1e-5, 1e-6, 1e-4},
          {"rate", 2.5e11, 1e9, 1e13},
          {"exponent", 1, 0.5, 4},
          {"per_expert_s", 1e-8, 1e-11, 1e-6},
          {"per_token_s", 1.5e-6, 1e-9, 1e-4},
          {"per_byte_s", 2e-10, 1e-13, 1e-7},
          {"node_latency_s", 1e-5, 1e-7, 1e-3},
          {"adapter_share", 0.9, 0.05, 1}};
}

/// `adapter` in B/s per GPU, of the nodes the rows ran on.
ClassFit exchange_fit(const std::vector<const MeasuredRow*>& rows, bool normal, double adapter,
                      double multiprocessors) {
  ClassFit task;
  task.parameters = parameters_of(normal);
  std::vector<CollectiveShape> shapes;
  std::vector<int> domains;
  for (const MeasuredRow* row : rows) {
    shapes.push_back(std::get<CollectiveShape>(row->op.shape));
    domains.push_back(row->domain);
    task.measured.push_back(row->seconds);
    task.groups.push_back(row->group);
  }
  task.group_name = "a number of tokens";
  task.predict = [=, shapes = std::move(shapes), domains = std::move(domains)](
                     const CalibratedModel& calibrated, std::vector<double>& seconds) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      seconds[i] = normal ? NormalExchangeModel::from(calibrated).seconds(shapes[i], domains[i])
                          : LowLatencyExchangeModel::from(calibrated)
                                .seconds(shapes[i], domains[i], adapter, multiprocessors);
    }
  };
  return task;
}

}  // namespace

std::vector<CalibratedModel> calibrate_exchange(const DeviceInfo& device, const MeasuredSet& set,
                                                bool normal) {
  const double adapter = device.scale_out_bytes_per_s.value.value_or(1);
  const double multiprocessors = device.multiprocessors.value.value_or(1);
  std::vector<CalibratedModel> models;
  for (const bool combine : {false, true}) {
    std::vector<const MeasuredRow*> rows;
    std::vector<const MeasuredRow*> across;
    for (const MeasuredRow& row : set.rows) {
      const auto& shape = std::get<CollectiveShape>(row.op.shape);
      if (shape.exchange.combine != combine) continue;
      (shape.ranks > row.domain ? across : rows).push_back(&row);
    }
    if (rows.empty()) continue;
    // Tables of two nodes are few beside those of one: both kinds weigh the same.
    const std::size_t repeats =
        across.empty() ? 0 : std::max<std::size_t>(1, rows.size() / across.size());
    for (std::size_t i = 0; i < repeats; ++i) rows.insert(rows.end(), across.begin(), across.end());
    CalibratedModel model;
    model.operation = normal ? "normal_exchange" : "expert_exchange";
    model.variant = combine ? "combine" : "dispatch";
    model.provenance = set.provenance;
    fit(exchange_fit(rows, normal, adapter, multiprocessors), model);
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace rackwright::kernels
