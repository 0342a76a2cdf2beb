#include "results/validation/operator_formats.hpp"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/calibration/measured_table.hpp"
#include "results/validation/operator_baseline.hpp"
#include "results/validation/operator_prediction.hpp"

namespace rackwright::results {
namespace {

using kernels::MeasuredRow;
using kernels::MeasuredTable;
using kernels::TableKind;

constexpr double kShort = 10e-6;
constexpr double kShortestForPower = 100e-6;
constexpr std::string_view kTooFast = "faster than the L2-aware bound";
constexpr std::string_view kNoNetwork = "the table does not say what network joins its nodes";
constexpr std::string_view kNoPower =
    "power of a kernel under 100 us: the launch loop's, not its own";

bool vidur_across_nodes(const MeasuredRow& row) {
  const auto* collective = std::get_if<workloads::CollectiveShape>(&row.op.shape);
  return collective != nullptr && !collective->expert_exchange && collective->ranks > row.domain;
}

ValidationRow validate(const MeasuredRow& row, const std::string& file, bool power,
                       MeasuredDevices& devices) {
  ValidationRow result;
  result.row = fmt::format("{}:{}", file, row.line);
  if (row.op.name == "dispatch" || row.op.name == "combine") {
    result.row += fmt::format(" {}", row.op.name);
  }
  result.unit = power ? "W" : "s";
  result.measured = power ? row.watts.value_or(0) : row.seconds;
  const auto& backend = devices.of(row.device, row.software, file, row.line);
  const OperatorPrediction prediction = predict_operator(row, backend, power);
  result.group = prediction.operation;
  if (row.seconds < kShort) result.group += ", under 10 us";
  if (!prediction.predictable) {
    result.excluded = prediction.note;
    return result;
  }
  result.predicted = prediction.predicted;
  result.low = prediction.low;
  result.high = prediction.high;
  result.extrapolated = prediction.extrapolated;
  const kernels::DeviceInfo& device = backend.device_info();
  if (power) {
    result.baseline = three_quarters_of_tdp(device);
    if (row.seconds < kShortestForPower) result.excluded = kNoPower;
    return result;
  }
  const kernels::RankContext rank = context_of(row, device);
  result.baseline = std::holds_alternative<workloads::CollectiveShape>(row.op.shape)
                        ? alpha_beta(row.op, device, rank)
                        : roofline_at_80(row.op, device);
  if (row.seconds < backend.physical_bound(row.op, rank)) result.excluded = kTooFast;
  if (vidur_across_nodes(row)) result.excluded = kNoNetwork;
  return result;
}

void expect_kind(const MeasuredTable& table, std::string_view format,
                 const std::filesystem::path& path) {
  if (kernels::to_string(table.kind) == format) return;
  throw InputError(InputProblem{path.string(), 1, "header", fmt::format("a table of {}", format),
                                fmt::format("one of {}", kernels::to_string(table.kind))});
}

template <TableKind kind>
std::vector<ValidationRow> run_operators(const ValidationRequest& request, const DataLocator& data,
                                         const ProgressCallback& progress) {
  // Vidur's collector of 2023 ran other libraries than today's engines.
  const bool vidur = kind == TableKind::network;
  MeasuredDevices devices(request.device, data, {vidur ? "vidur" : "", "", request.source});
  const bool power = request.quantity == "power";
  std::vector<ValidationRow> rows;
  double done = 0;
  for (const auto& path : request.paths) {
    if (progress) progress(path.filename().string(), done++, double(request.paths.size()));
    const MeasuredTable table = kernels::read_measured(path);
    expect_kind(table, kernels::to_string(kind), path);
    for (const MeasuredRow& row : table.rows) {
      if (power && !row.watts) continue;
      rows.push_back(validate(row, table.name, power, devices));
    }
  }
  if (power && rows.empty()) {
    throw InputError(InputProblem{request.paths.front().string(), 1, "power",
                                  "a column of watts, which --quantity power needs", "none"});
  }
  return rows;
}

/// The four GEMMs of a layer are one predicted quantity.
std::vector<ValidationRow> run_layers(const ValidationRequest& request, const DataLocator& data,
                                      const ProgressCallback& progress) {
  MeasuredDevices devices(request.device, data, {"vidur", "", request.source});
  std::vector<ValidationRow> rows;
  double done = 0;
  for (const auto& path : request.paths) {
    if (progress) progress(path.filename().string(), done++, double(request.paths.size()));
    const MeasuredTable table = kernels::read_measured(path);
    expect_kind(table, kernels::to_string(TableKind::layers), path);
    std::size_t line = 0;
    for (const MeasuredRow& row : table.rows) {
      if (!std::holds_alternative<workloads::GemmShape>(row.op.shape)) continue;
      const ValidationRow one = validate(row, table.name, false, devices);
      if (row.line != line) {
        rows.push_back(one);
        rows.back().group = row.device;
        line = row.line;
        continue;
      }
      ValidationRow& sum = rows.back();
      sum.measured += one.measured;
      sum.predicted += one.predicted;
      sum.low += one.low;
      sum.high += one.high;
      sum.baseline += one.baseline;
      sum.extrapolated = sum.extrapolated || one.extrapolated;
      if (sum.excluded.empty()) sum.excluded = one.excluded;
    }
  }
  return rows;
}

ValidationFormat kernel_format(TableKind kind, std::string_view summary, bool power) {
  ValidationFormat format;
  format.name = kernels::to_string(kind);
  format.summary = summary;
  format.baseline = power ? "roofline at 80 % of peak and memory rate; 0.75 x TDP for power"
                          : "roofline at 80 % of peak and memory rate";
  format.file_suffix = ".csv";
  format.quantities = power ? std::vector<std::string_view>{"time", "power"}
                            : std::vector<std::string_view>{"time"};
  return format;
}

ValidationFormat collective_format(TableKind kind, std::string_view summary) {
  ValidationFormat format = kernel_format(kind, summary, false);
  format.baseline = "10 us + bytes sent / data-sheet link rate";
  return format;
}

}  // namespace

ValidationFormat gemm_format() {
  ValidationFormat format =
      kernel_format(TableKind::gemm, "GEMM times and board power, one row a shape", true);
  format.run = run_operators<TableKind::gemm>;
  return format;
}

ValidationFormat attention_format() {
  ValidationFormat format = kernel_format(
      TableKind::attention, "grouped attention, prefill and decode, times and board power", true);
  format.run = run_operators<TableKind::attention>;
  return format;
}

ValidationFormat latent_attention_format() {
  ValidationFormat format = kernel_format(TableKind::latent_attention,
                                          "latent attention (MLA), prefill and decode", true);
  format.run = run_operators<TableKind::latent_attention>;
  return format;
}

ValidationFormat experts_format() {
  ValidationFormat format =
      kernel_format(TableKind::experts, "expert GEMMs of one MoE layer on the heaviest rank", true);
  format.run = run_operators<TableKind::experts>;
  return format;
}

ValidationFormat nccl_format() {
  ValidationFormat format =
      collective_format(TableKind::nccl, "NCCL collectives inside one NVLink or PCIe domain");
  format.run = run_operators<TableKind::nccl>;
  return format;
}

ValidationFormat engine_all_reduce_format() {
  ValidationFormat format =
      collective_format(TableKind::engine_all_reduce, "all-reduce kernels of inference engines");
  format.run = run_operators<TableKind::engine_all_reduce>;
  return format;
}

ValidationFormat expert_exchange_format() {
  ValidationFormat format = collective_format(
      TableKind::expert_exchange, "DeepEP dispatch and combine, low-latency and normal mode");
  format.run = run_operators<TableKind::expert_exchange>;
  return format;
}

ValidationFormat layers_format() {
  ValidationFormat format = kernel_format(
      TableKind::layers, "sum of the four GEMMs of a transformer layer (Vidur profiles)", false);
  format.run = run_layers;
  return format;
}

ValidationFormat network_format() {
  ValidationFormat format =
      collective_format(TableKind::network, "all-reduce and send/recv in and across nodes (Vidur)");
  format.run = run_operators<TableKind::network>;
  return format;
}

std::vector<ValidationFormat> operator_formats() {
  return {gemm_format(),   attention_format(),         latent_attention_format(), experts_format(),
          nccl_format(),   engine_all_reduce_format(), expert_exchange_format(),  layers_format(),
          network_format()};
}

}  // namespace rackwright::results
