#include "kernels/calibration/measured_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/csv_reader.hpp"
#include "kernels/calibration/expert_draw.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;

constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;
constexpr double kBf16 = 2;

DataType type_of(const CsvReader& csv, std::string_view column) {
  const std::string& text = csv.cell(column);
  if (text == "bfloat16") return DataType::bf16;
  if (text == "float16" || text == "half") return DataType::fp16;
  return parse_data_type(text, column);
}

MeasuredRow common(const CsvReader& csv) {
  MeasuredRow row;
  row.line = csv.line();
  row.device = csv.cell("device");
  row.software = csv.cell("kernel_source") + " " + csv.cell("version");
  if (csv.column("latency")) row.seconds = csv.number("latency", 1e-9) * kMilli;
  row.watts = csv.optional_number("power", 0);
  return row;
}

void read_gemm(const CsvReader& csv, std::vector<MeasuredRow>& rows) {
  MeasuredRow row = common(csv);
  const GemmShape shape{csv.number("m", 1), csv.number("n", 1), csv.number("k", 1),
                        type_of(csv, "gemm_dtype")};
  row.op = {"gemm", OperatorClass::gemm, Lane::compute, 1, shape};
  row.group = fmt::format("{} {}", shape.n, shape.k);
  rows.push_back(std::move(row));
}

void read_attention(const CsvReader& csv, std::vector<MeasuredRow>& rows) {
  MeasuredRow row = common(csv);
  AttentionShape shape;
  const double length = csv.number("isl", 1);
  const double step = csv.number("step", 0);
  shape.prefill = !(length == 1 && step > 0);
  shape.sequences = csv.number("batch_size", 1);
  shape.heads = static_cast<int>(csv.integer("num_heads", 1));
  shape.kv_heads = static_cast<int>(csv.integer("num_key_value_heads", 1));
  shape.head_dim = static_cast<int>(csv.integer("head_dim", 1));
  shape.kv_type = type_of(csv, "kv_cache_dtype");
  shape.query_tokens = shape.sequences * length;
  shape.kv_tokens = shape.sequences * (length + step);
  shape.pairs =
      shape.prefill ? shape.sequences * length * ((length + 1) / 2 + step) : shape.kv_tokens;
  row.op = {"attention",
            shape.prefill ? OperatorClass::attention_prefill : OperatorClass::attention_decode,
            Lane::compute, 1, shape};
  row.group = fmt::format("{}", shape.heads);
  rows.push_back(std::move(row));
}

void read_latent(const CsvReader& csv, std::vector<MeasuredRow>& rows) {
  MeasuredRow row = common(csv);
  LatentAttentionShape shape;
  const double length = csv.number("isl", 1);
  const double step = csv.number("step", 0);
  shape.prefill = !(length == 1 && step > 0);
  shape.sequences = csv.number("batch_size", 1);
  shape.heads = static_cast<int>(csv.integer("num_heads", 1));
  shape.latent = 512;  // DeepSeek's; the tables carry no other
  shape.rope = 64;
  shape.nope = 128;
  shape.v = 128;
  shape.kv_type = type_of(csv, "kv_cache_dtype");
  shape.query_tokens = shape.sequences * length;
  shape.kv_tokens = shape.sequences * (length + step);
  shape.pairs =
      shape.prefill ? shape.sequences * length * ((length + 1) / 2 + step) : shape.kv_tokens;
  row.op = {"mla",
            shape.prefill ? OperatorClass::attention_prefill : OperatorClass::attention_decode,
            Lane::compute, 1, shape};
  row.group = fmt::format("{}", shape.heads);
  rows.push_back(std::move(row));
}

double skew_of(const CsvReader& csv) {
  const std::string& text = csv.cell("distribution");
  if (text == "balanced") return 0;
  constexpr std::string_view prefix = "power_law_";
  double value = 0;
  const char* const end = text.data() + text.size();
  if (!text.starts_with(prefix) ||
      std::from_chars(text.data() + prefix.size(), end, value).ptr != end) {
    throw csv.error("distribution", "balanced or power_law_EXPONENT");
  }
  return value;
}

void read_experts(const CsvReader& csv, std::vector<MeasuredRow>& rows) {
  MeasuredRow row = common(csv);
  ExpertShape shape;
  shape.tokens = csv.number("num_tokens", 1);
  shape.experts = static_cast<int>(csv.integer("num_experts", 1));
  shape.top_k = static_cast<int>(csv.integer("topk", 1));
  shape.ep = static_cast<int>(csv.integer("moe_ep_size", 1));
  shape.tp = static_cast<int>(csv.integer("moe_tp_size", 1));
  shape.hidden = static_cast<int>(csv.integer("hidden_size", 1));
  const auto width = csv.integer("inter_size", 1);
  shape.intermediate = static_cast<int>(width) / shape.tp;
  shape.local_experts = shape.experts / shape.ep;
  shape.gated = csv.cell("kernel_source").find("nongated") == std::string::npos;
  shape.type = type_of(csv, "moe_dtype");
  shape.skew = skew_of(csv);
  const HeaviestRank heaviest =
      heaviest_rank(shape.tokens, shape.top_k, shape.experts, shape.ep, shape.skew);
  shape.rank_tokens = heaviest.tokens;
  shape.touched_experts = heaviest.touched;
  row.op = {"experts", OperatorClass::moe, Lane::compute, 1, shape};
  row.group = fmt::format("{} {} {}", shape.hidden, width, shape.experts);
  rows.push_back(std::move(row));
}

CollectiveKind kind_of(const CsvReader& csv) {
  const std::string& text = csv.cell("op");
  if (text == "alltoall") return CollectiveKind::all_to_all;
  for (const auto kind : {CollectiveKind::all_reduce, CollectiveKind::all_gather,
                          CollectiveKind::reduce_scatter, CollectiveKind::send_recv}) {
    if (text == workloads::to_string(kind)) return kind;
  }
  throw csv.error("op", "a collective operation");
}

void read_collective(const CsvReader& csv, std::vector<MeasuredRow>& rows, bool engine) {
  MeasuredRow row = common(csv);
  CollectiveShape shape;
  shape.kind = engine ? CollectiveKind::all_reduce : kind_of(csv);
  shape.ranks = static_cast<int>(csv.integer("num_gpus", 2));
  shape.bytes = csv.number("message_size", 1) *
                bytes_per_element(type_of(csv, engine ? "allreduce_dtype" : "nccl_dtype"));
  shape.implementation = engine ? AllReduceKind::engine : AllReduceKind::nccl;
  row.op = {"collective", OperatorClass::collective, Lane::communication, 1, shape};
  row.group = fmt::format("{}", shape.bytes);
  rows.push_back(std::move(row));
}

void read_exchange(const CsvReader& csv, std::vector<MeasuredRow>& rows) {
  constexpr double kScaledFp8 = 1 + 4.0 / 128;  // one fp32 scale per 128 elements
  const double copies = csv.number("num_token", 1) * csv.number("num_topk", 1);
  const double elements = copies * csv.number("hidden_size", 1);
  for (const bool dispatch : {true, false}) {
    MeasuredRow row = common(csv);
    CollectiveShape shape;
    shape.kind = CollectiveKind::all_to_all;
    shape.ranks = static_cast<int>(8 * csv.integer("node_num", 1));
    shape.bytes = elements * (dispatch ? kScaledFp8 : kBf16);
    shape.expert_exchange = true;
    row.seconds = csv.number(dispatch ? "dispatch_avg_t_us" : "combine_avg_t_us", 1e-6) * kMicro;
    row.op = {dispatch ? "dispatch" : "combine", OperatorClass::collective, Lane::communication, 1,
              shape};
    row.group = csv.cell("num_token");
    rows.push_back(std::move(row));
  }
}

void read_layers(const CsvReader& csv, const std::string& device, std::vector<MeasuredRow>& rows) {
  const double tokens = csv.number("num_tokens", 1);
  const double hidden = csv.number("n_embd", 1);
  const double wide = csv.number("n_expanded_embd", 1) /
                      static_cast<double>(csv.integer("num_tensor_parallel_workers", 1));
  // The collector's norm is fused with nothing, the activation reads gate and up.
  const std::array<std::pair<const char*, ElementwiseShape>, 3> kernels{{
      {"input_layernorm", {tokens * hidden * kBf16, tokens * hidden * kBf16, 0}},
      {"mlp_act", {2 * tokens * wide * kBf16, tokens * wide * kBf16, 0}},
      {"add", {2 * tokens * hidden * kBf16, tokens * hidden * kBf16, 0}},
  }};
  for (const auto& [name, shape] : kernels) {
    const std::string column = fmt::format("time_stats.{}.median", name);
    if (csv.blank(column)) continue;
    MeasuredRow row;
    row.line = csv.line();
    row.device = device;
    row.software = "vLLM kernels of 2023";
    row.seconds = csv.number(column, 1e-9) * kMilli;
    row.op = {name, OperatorClass::elementwise, Lane::compute, 1, shape};
    row.group = fmt::format("{} {} {}", name, hidden, wide);
    rows.push_back(std::move(row));
  }
}

bool is_of(const DeviceInfo& device, const std::string& name) {
  return std::find(device.measured_as.begin(), device.measured_as.end(), name) !=
         device.measured_as.end();
}

constexpr std::array<std::pair<std::string_view, TableKind>, 8> kMarks{{
    {"gemm_dtype", TableKind::gemm},
    {"attn_dtype", TableKind::attention},
    {"mla_dtype", TableKind::latent_attention},
    {"moe_dtype", TableKind::experts},
    {"nccl_dtype", TableKind::nccl},
    {"allreduce_dtype", TableKind::engine_all_reduce},
    {"dispatch_avg_t_us", TableKind::expert_exchange},
    {"time_stats.mlp_act.median", TableKind::layers},
}};

TableKind kind_of_table(const CsvReader& csv, const std::filesystem::path& path) {
  for (const auto& [mark, kind] : kMarks) {
    if (csv.column(mark)) return kind;
  }
  throw InputError({path.string(), 1, "header", "a known table of kernel times (gemm_dtype, …)",
                    csv.header().empty() ? "nothing" : csv.header().front() + ", …"});
}

void read_row(const CsvReader& csv, MeasuredTable& table) {
  switch (table.kind) {
    case TableKind::gemm:
      return read_gemm(csv, table.rows);
    case TableKind::attention:
      return read_attention(csv, table.rows);
    case TableKind::latent_attention:
      return read_latent(csv, table.rows);
    case TableKind::experts:
      return read_experts(csv, table.rows);
    case TableKind::nccl:
      return read_collective(csv, table.rows, false);
    case TableKind::engine_all_reduce:
      return read_collective(csv, table.rows, true);
    case TableKind::expert_exchange:
      return read_exchange(csv, table.rows);
    case TableKind::layers: {
      // Only the file's name says which GPU: mlp_h100_….
      const bool hopper = table.name.find("h100") != std::string::npos;
      return read_layers(csv, hopper ? "h100" : "a100", table.rows);
    }
  }
}

}  // namespace

std::string_view to_string(TableKind kind) {
  constexpr std::array<std::string_view, 8> names{
      "aicfg-gemm", "aicfg-attention", "aicfg-mla",    "aicfg-moe",
      "aicfg-nccl", "aicfg-allreduce", "aicfg-deepep", "vidur-mlp"};
  return names.at(static_cast<std::size_t>(kind));
}

MeasuredTable read_measured(const std::filesystem::path& path) {
  CsvReader csv(path, {});
  MeasuredTable table;
  table.name = path.filename().string();
  table.kind = kind_of_table(csv, path);
  while (csv.next()) read_row(csv, table);
  return table;
}

MeasuredSet rows_of(const DeviceInfo& device, std::span<const MeasuredTable> tables,
                    TableKind kind) {
  MeasuredSet result;
  std::set<std::string> names;
  std::set<std::string> software;
  for (const MeasuredTable& table : tables) {
    if (table.kind != kind) continue;
    for (const MeasuredRow& row : table.rows) {
      if (!is_of(device, row.device)) continue;
      names.insert(table.name);
      software.insert(row.software);
      result.rows.push_back(row);
    }
  }
  result.provenance.tables = fmt::format("{}", fmt::join(names, ", "));
  result.provenance.software = fmt::format("{}", fmt::join(software, ", "));
  return result;
}

}  // namespace rackwright::kernels
