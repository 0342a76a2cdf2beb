#include <fmt/format.h>

#include "kernels/calibration/row_readers.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

constexpr double kMicro = 1e-6;
constexpr double kScaledFp8 = 1 + 4.0 / 128;  // one fp32 scale per 128 elements
/// GPUs of a node of the DeepEP tables.
constexpr int kNode = 8;

CollectiveKind kind_of(const CsvReader& csv, std::string_view column) {
  const std::string& text = csv.cell(column);
  if (text == "alltoall") return CollectiveKind::all_to_all;
  if (text == "sendrecv") return CollectiveKind::send_recv;
  for (const auto kind :
       {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter,
        CollectiveKind::all_to_all, CollectiveKind::send_recv}) {
    if (text == workloads::to_string(kind)) return kind;
  }
  throw csv.error(column, "a collective operation");
}

void add(MeasuredRow row, std::string_view name, const CollectiveShape& shape,
         std::vector<MeasuredRow>& rows) {
  row.op = {name, OperatorClass::collective, Lane::communication, 1, shape};
  if (row.group.empty()) row.group = fmt::format("{}", shape.bytes);
  rows.push_back(std::move(row));
}

void read_collective(const RowContext& context, bool engine, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  MeasuredRow row = common_row(context);
  row.seconds = seconds_of(context, "latency", kMilli);
  CollectiveShape shape;
  shape.kind = engine ? CollectiveKind::all_reduce : kind_of(csv, "op");
  shape.ranks = static_cast<int>(csv.integer("num_gpus", 2));
  const auto types = kernel_types(context, engine ? "allreduce_dtype" : "nccl_dtype", row);
  shape.bytes =
      csv.number("message_size", 1) * bytes_per_element(types.value_or(KernelTypes{}).type);
  shape.implementation = engine ? AllReduceKind::engine : AllReduceKind::nccl;
  row.domain = shape.ranks;  // one NVLink or PCIe domain
  add(std::move(row), "collective", shape, rows);
}

}  // namespace

void read_nccl(const RowContext& context, std::vector<MeasuredRow>& rows) {
  read_collective(context, false, rows);
}

void read_engine_all_reduce(const RowContext& context, std::vector<MeasuredRow>& rows) {
  read_collective(context, true, rows);
}

void read_exchange(const RowContext& context, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  const double copies = csv.number("num_token", 1) * csv.number("num_topk", 1);
  const double elements = copies * csv.number("hidden_size", 1);
  for (const bool dispatch : {true, false}) {
    MeasuredRow row = common_row(context);
    CollectiveShape shape;
    shape.kind = CollectiveKind::all_to_all;
    shape.ranks = static_cast<int>(kNode * csv.integer("node_num", 1));
    shape.bytes = elements * (dispatch ? kScaledFp8 : kBf16);
    shape.expert_exchange = true;
    shape.exchange = {csv.number("num_token", 1), csv.number("num_topk", 1),
                      static_cast<int>(csv.integer("num_experts", 1)), 0, !dispatch};
    row.seconds = seconds_of(context, dispatch ? "dispatch_avg_t_us" : "combine_avg_t_us", kMicro);
    row.domain = kNode;
    row.group = csv.cell("num_token");
    add(std::move(row), dispatch ? "dispatch" : "combine", shape, rows);
  }
}

void read_normal_exchange(const RowContext& context, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  const double tokens = csv.number("num_token", 1);
  for (const bool combine : {false, true}) {
    const std::string name = combine ? "combine" : "dispatch";
    MeasuredRow row = common_row(context);
    CollectiveShape shape;
    shape.kind = CollectiveKind::all_to_all;
    shape.ranks = static_cast<int>(kNode * csv.integer("node_num", 1));
    shape.expert_exchange = true;
    shape.bytes = tokens * csv.number("hidden_size", 1) * (combine ? kBf16 : kScaledFp8);
    shape.exchange = {tokens, csv.number("num_topk", 1),
                      static_cast<int>(csv.integer("num_experts", 1)),
                      static_cast<int>(csv.integer(name + "_sms", 1)), combine};
    row.seconds = seconds_of(context, name + "_transmit_us", kMicro);
    row.seconds += csv.optional_number(name + "_notify_us", 0).value_or(0) * kMicro;
    row.domain = kNode;
    row.group = csv.cell("num_token");
    add(std::move(row), combine ? "combine" : "dispatch", shape, rows);
  }
}

void read_network(const RowContext& context, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  MeasuredRow row;
  row.line = csv.line();
  row.device = device_in_name(context.table);
  row.software = "NCCL under PyTorch, 2023";
  CollectiveShape shape;
  shape.kind = kind_of(csv, "collective");
  shape.ranks = static_cast<int>(csv.integer("num_workers", 2));
  shape.bytes = csv.number("size", 1);
  row.domain = static_cast<int>(csv.integer("devices_per_node", 1));
  row.seconds =
      seconds_of(context, fmt::format("time_stats.{}.median", csv.cell("collective")), kMilli);
  add(std::move(row), "collective", shape, rows);
}

}  // namespace rackwright::kernels
