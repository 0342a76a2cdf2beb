#include "results/validation/operator_prediction.hpp"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::results {
namespace {

using kernels::MeasuredRow;

struct OperationOf {
  std::string operator()(const workloads::GemmShape& shape) const {
    return types(shape.type, shape.math);
  }
  std::string operator()(const workloads::AttentionShape& shape) const {
    return shape.prefill ? "prefill" : "decode";
  }
  std::string operator()(const workloads::LatentAttentionShape& shape) const {
    return shape.prefill ? "prefill" : "decode";
  }
  std::string operator()(const workloads::ExpertShape& shape) const {
    return types(shape.type, shape.math);
  }
  std::string operator()(const workloads::CollectiveShape& shape) const {
    return fmt::format("{} {} GPUs", workloads::to_string(shape.kind), shape.ranks);
  }
  template <class Shape>
  std::string operator()(const Shape&) const {
    return "other";
  }

 private:
  static std::string types(workloads::DataType type,
                           const std::optional<workloads::DataType>& math) {
    std::string text(workloads::to_string(type));
    if (math) text += fmt::format(" in {}", workloads::to_string(*math));
    return text;
  }
};

std::string operation_of(const MeasuredRow& row) {
  std::string text = std::visit(OperationOf{}, row.op.shape);
  const auto* collective = std::get_if<workloads::CollectiveShape>(&row.op.shape);
  if (collective == nullptr) return text;
  if (collective->expert_exchange) {
    text =
        fmt::format("{} {}{} GPUs", row.op.name,
                    collective->exchange.multiprocessors > 0 ? "normal " : "", collective->ranks);
  }
  if (collective->ranks > row.domain) {
    text += fmt::format(" on {} nodes", (collective->ranks + row.domain - 1) / row.domain);
  }
  return text;
}

/// Facts that are blank make a row unpredictable, not the table.
std::string what_is_missing(const MeasuredRow& row, const kernels::DeviceInfo& device,
                            const kernels::RankContext& rank) {
  if (const auto* collective = std::get_if<workloads::CollectiveShape>(&row.op.shape)) {
    const bool outside = collective->ranks > rank.scale_up_domain;
    if (outside && rank.scale_out_bytes_per_s <= 0) {
      return fmt::format("scale-out rate of {} is blank", device.id);
    }
    return {};
  }
  const auto type = workloads::work_of(row.op).type;
  const auto peak = device.compute_flops(type);
  if (peak && *peak > 0) return {};
  const auto missing = device.missing_for(type);
  return fmt::format("{} of {} is blank", missing.empty() ? "peak" : missing.front(), device.id);
}

}  // namespace

kernels::RankContext context_of(const MeasuredRow& row, const kernels::DeviceInfo& device) {
  kernels::RankContext rank;
  rank.scale_up_domain = row.domain;
  rank.scale_out_bytes_per_s = device.scale_out_bytes_per_s.value.value_or(0);
  return rank;
}

OperatorPrediction predict_operator(const MeasuredRow& row,
                                    const kernels::AnalyticalBackend& backend, bool power) {
  const kernels::DeviceInfo& device = backend.device_info();
  const kernels::RankContext rank = context_of(row, device);
  OperatorPrediction result;
  result.operation = operation_of(row);
  result.unit = power ? "W" : "s";
  result.note = row.unsupported.empty() ? what_is_missing(row, device, rank) : row.unsupported;
  result.predictable = result.note.empty();
  if (!result.predictable) return result;
  const kernels::OperatorTiming timing = backend.predict(row.op, rank);
  const double error = power ? timing.power_error : timing.relative_error;
  result.predicted = !power               ? timing.seconds
                     : timing.seconds > 0 ? timing.joules / timing.seconds
                                          : 0;
  // Symmetric in the logarithm, as errors of times are.
  result.low = result.predicted / (1 + error);
  result.high = result.predicted * (1 + error);
  result.extrapolated = timing.extrapolated;
  if (power && device.tdp_w.value) result.high = std::min(result.high, *device.tdp_w.value);
  if (device.stages_through_host &&
      std::holds_alternative<workloads::CollectiveShape>(row.op.shape)) {
    result.note = "stages through host memory";
  }
  return result;
}

std::vector<OperatorPrediction> predict_operators(const OperatorRequest& request,
                                                  const DataLocator& data) {
  MeasuredDevices devices(request.device, data);
  const kernels::MeasuredTable table = kernels::read_measured(request.path, {.timed = false});
  std::vector<OperatorPrediction> rows;
  for (const MeasuredRow& row : table.rows) {
    const bool collective = std::holds_alternative<workloads::CollectiveShape>(row.op.shape);
    if (collective != request.collectives) {
      throw InputError(InputProblem{request.path.string(), row.line, "",
                                    request.collectives ? "a collective (predict collectives)"
                                                        : "a kernel (predict ops or power)",
                                    std::string(kernels::to_string(table.kind))});
    }
    rows.push_back(predict_operator(row, devices.of(row.device, row.software, table.name, row.line),
                                    request.power));
    rows.back().row = fmt::format("{}:{}", table.name, row.line);
    if (collective || table.kind == kernels::TableKind::layers) {
      rows.back().row += fmt::format(" {}", row.op.name);
    }
  }
  return rows;
}

}  // namespace rackwright::results
