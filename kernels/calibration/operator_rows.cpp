#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/calibration/expert_draw.hpp"
#include "kernels/calibration/row_readers.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

struct NamedKernel {
  std::string_view name;
  KernelTypes types;
};

/// Kernels of TensorRT-LLM, vLLM and SGLang whose name is not the name of a data type.
constexpr std::array<NamedKernel, 19> kKernels{{
    {"fp8_static", {DataType::fp8, {}}},
    {"fp8_ootb", {DataType::fp8, {}}},
    {"fp8_per_tensor", {DataType::fp8, {}}},
    {"w8a8_fp8", {DataType::fp8, {}}},
    {"sq", {DataType::int8, {}}},
    {"int8_sq", {DataType::int8, {}}},
    {"w8a8_int8", {DataType::int8, {}}},
    {"int8_wo", {DataType::int8, DataType::bf16}},
    {"w8a16", {DataType::int8, DataType::bf16}},
    // A 4-bit weight with its group scales: half a byte and a bit, as MXFP4.
    {"int4_wo", {DataType::mxfp4, DataType::bf16}},
    {"int4", {DataType::mxfp4, DataType::bf16}},
    {"w4a16", {DataType::mxfp4, DataType::bf16}},
    {"w4a16_mxfp4", {DataType::mxfp4, DataType::bf16}},
    {"w4a16_mxfp4_cutlass", {DataType::mxfp4, DataType::bf16}},
    {"w4a16_nvfp4", {DataType::nvfp4, DataType::bf16}},
    {"w4afp8", {DataType::mxfp4, DataType::fp8}},
    {"w4a8", {DataType::mxfp4, DataType::fp8}},
    {"w4a8_mxfp4_mxfp8", {DataType::mxfp4, DataType::fp8}},
    {"w4a8_nvfp4_fp8", {DataType::nvfp4, DataType::fp8}},
}};

/// Exponent of the expert loads; 0 is balanced. Nothing for a distribution without one.
std::optional<double> skew_of(const std::string& text) {
  if (text == "balanced") return 0;
  constexpr std::string_view prefix = "power_law_";
  double value = 0;
  const char* const end = text.data() + text.size();
  if (!text.starts_with(prefix) ||
      std::from_chars(text.data() + prefix.size(), end, value).ptr != end) {
    return std::nullopt;
  }
  return value;
}

/// Query-key pairs per head of a prompt of `length` tokens behind `step` cached ones; a sliding
/// window of `window` tokens (0: none) cuts what a query sees.
double prompt_pairs(double length, double step, double window) {
  const double full = length * ((length + 1) / 2 + step);
  if (window <= 0 || length + step <= window) return full;
  // Queries whose context is still inside the window see all of it, the others `window` tokens.
  const double growing = std::clamp(window - step, 0.0, length);
  return growing * ((growing + 1) / 2 + step) + (length - growing) * window;
}

struct Context {
  double sequences, length, step, window;
  bool prefill;
};

Context context_of(const CsvReader& csv) {
  Context result{csv.number("batch_size", 1), csv.number("isl", 1), csv.number("step", 0),
                 csv.optional_number("window_size", -1).value_or(0), false};
  result.prefill = !(result.length == 1 && result.step > 0);
  return result;
}

/// Tokens and pairs of either kind of attention.
template <class Shape>
void set_tokens(const Context& context, Shape& shape) {
  shape.prefill = context.prefill;
  shape.sequences = context.sequences;
  shape.query_tokens = context.sequences * context.length;
  double seen = context.length + context.step;
  if (!context.prefill && context.window > 0) seen = std::min(seen, context.window);
  shape.kv_tokens = context.sequences * seen;
  shape.pairs = context.prefill
                    ? context.sequences * prompt_pairs(context.length, context.step, context.window)
                    : shape.kv_tokens;
}

constexpr std::string_view kLayerSoftware = "vLLM kernels of 2023";

/// GEMMs and memory-bound kernels of one transformer layer of the Vidur tables on one GPU.
struct Layer {
  double tokens, hidden, wide, query_width, kv_width, up_matrices;

  explicit Layer(const CsvReader& csv) {
    const auto split = static_cast<double>(csv.integer("num_tensor_parallel_workers", 1));
    const auto heads = static_cast<double>(csv.integer("n_head", 1));
    const auto kv_heads = static_cast<double>(csv.integer("n_kv_head", 1));
    tokens = csv.number("num_tokens", 1);
    hidden = csv.number("n_embd", 1);
    wide = csv.number("n_expanded_embd", 1) / split;
    query_width = hidden / split;
    kv_width = std::max(1.0, kv_heads / split) * hidden / heads;
    const bool gated = !csv.column("use_gated_mlp") || csv.cell("use_gated_mlp") != "False";
    up_matrices = gated ? 2 : 1;
  }
  [[nodiscard]] std::array<std::pair<std::string_view, GemmShape>, 4> gemms() const {
    return {{{"attn_pre_proj", {tokens, query_width + 2 * kv_width, hidden, DataType::fp16}},
             {"attn_post_proj", {tokens, hidden, query_width, DataType::fp16}},
             {"mlp_up_proj", {tokens, up_matrices * wide, hidden, DataType::fp16}},
             {"mlp_down_proj", {tokens, hidden, wide, DataType::fp16}}}};
  }
  /// The collector's norm is fused with nothing, the activation reads gate and up.
  [[nodiscard]] std::array<std::pair<std::string_view, ElementwiseShape>, 3> others() const {
    const double row = tokens * hidden * kBf16;
    const double activated = tokens * wide * kBf16;
    return {{{"input_layernorm", {row, row, 0}},
             {"mlp_act", {up_matrices * activated, activated, 0}},
             {"add", {2 * row, row, 0}}}};
  }
};

}  // namespace

std::optional<KernelTypes> kernel_types(const RowContext& context, std::string_view column,
                                        MeasuredRow& row) {
  const std::string& text = context.csv.cell(column);
  for (const NamedKernel& kernel : kKernels) {
    if (kernel.name == text) return kernel.types;
  }
  try {
    return KernelTypes{parse_data_type(text, column), {}};
  } catch (const InputError&) {
    row.unsupported = fmt::format("{} \"{}\" is not known", column, text);
    return std::nullopt;
  }
}

double seconds_of(const RowContext& context, std::string_view column, double unit) {
  if (!context.options.timed && (!context.csv.column(column) || context.csv.blank(column))) {
    return 0;
  }
  return context.csv.number(column, 1e-9) * unit;
}

MeasuredRow common_row(const RowContext& context) {
  const CsvReader& csv = context.csv;
  MeasuredRow row;
  row.line = csv.line();
  if (csv.column("device")) row.device = csv.cell("device");
  if (csv.column("kernel_source")) row.software = csv.cell("kernel_source");
  if (csv.column("version")) row.software += " " + csv.cell("version");
  row.watts = csv.optional_number("power", 0);
  return row;
}

void read_gemm(const RowContext& context, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  MeasuredRow row = common_row(context);
  row.seconds = seconds_of(context, "latency", kMilli);
  const auto types = kernel_types(context, "gemm_dtype", row).value_or(KernelTypes{});
  const GemmShape shape{csv.number("m", 1), csv.number("n", 1), csv.number("k", 1), types.type,
                        types.math};
  row.op = {"gemm", OperatorClass::gemm, Lane::compute, 1, shape};
  row.group = fmt::format("{} {}", shape.n, shape.k);
  rows.push_back(std::move(row));
}

void read_attention(const RowContext& context, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  MeasuredRow row = common_row(context);
  row.seconds = seconds_of(context, "latency", kMilli);
  const Context tokens = context_of(csv);
  AttentionShape shape;
  set_tokens(tokens, shape);
  shape.heads = static_cast<int>(csv.integer("num_heads", 1));
  shape.kv_heads = static_cast<int>(csv.integer("num_key_value_heads", 1));
  shape.head_dim = static_cast<int>(csv.integer("head_dim", 1));
  shape.window = static_cast<int>(std::max(0.0, tokens.window));
  shape.kv_type = kernel_types(context, "kv_cache_dtype", row).value_or(KernelTypes{}).type;
  row.op = {"attention",
            shape.prefill ? OperatorClass::attention_prefill : OperatorClass::attention_decode,
            Lane::compute, 1, shape};
  row.group = fmt::format("{}", shape.heads);
  rows.push_back(std::move(row));
}

void read_latent(const RowContext& context, std::vector<MeasuredRow>& rows) {
  MeasuredRow row = common_row(context);
  row.seconds = seconds_of(context, "latency", kMilli);
  LatentAttentionShape shape;
  set_tokens(context_of(context.csv), shape);
  shape.heads = static_cast<int>(context.csv.integer("num_heads", 1));
  shape.latent = 512;  // DeepSeek's; the tables carry no other
  shape.rope = 64;
  shape.nope = 128;
  shape.v = 128;
  shape.kv_type = kernel_types(context, "kv_cache_dtype", row).value_or(KernelTypes{}).type;
  row.op = {"mla",
            shape.prefill ? OperatorClass::attention_prefill : OperatorClass::attention_decode,
            Lane::compute, 1, shape};
  row.group = fmt::format("{}", shape.heads);
  rows.push_back(std::move(row));
}

void read_experts(const RowContext& context, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  MeasuredRow row = common_row(context);
  row.seconds = seconds_of(context, "latency", kMilli);
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
  const auto types = kernel_types(context, "moe_dtype", row).value_or(KernelTypes{});
  shape.type = types.type;
  shape.math = types.math;
  const auto skew = skew_of(csv.cell("distribution"));
  if (!skew)
    row.unsupported = fmt::format("distribution \"{}\" is not known", csv.cell("distribution"));
  shape.skew = skew.value_or(0);
  const HeaviestRank heaviest =
      heaviest_rank(shape.tokens, shape.top_k, shape.experts, shape.ep, shape.skew);
  shape.rank_tokens = heaviest.tokens;
  shape.touched_experts = heaviest.touched;
  row.op = {"experts", OperatorClass::moe, Lane::compute, 1, shape};
  row.group = fmt::format("{} {} {}", shape.hidden, width, shape.experts);
  rows.push_back(std::move(row));
}

void read_layers(const RowContext& context, std::vector<MeasuredRow>& rows) {
  const CsvReader& csv = context.csv;
  const Layer layer(csv);
  const auto add = [&](std::string_view name, OperatorClass op_class, OperatorShape shape,
                       std::string group) {
    const std::string column = fmt::format("time_stats.{}.median", name);
    if (context.options.timed && csv.blank(column)) return;
    MeasuredRow row;
    row.line = csv.line();
    row.device = device_in_name(context.table);
    row.software = kLayerSoftware;
    row.seconds = seconds_of(context, column, kMilli);
    row.op = {name, op_class, Lane::compute, 1, shape};
    row.group = std::move(group);
    rows.push_back(std::move(row));
  };
  for (const auto& [name, shape] : layer.gemms()) {
    add(name, OperatorClass::gemm, shape, fmt::format("{} {}", shape.n, shape.k));
  }
  for (const auto& [name, shape] : layer.others()) {
    add(name, OperatorClass::elementwise, shape,
        fmt::format("{} {} {}", name, layer.hidden, layer.wide));
  }
}

std::string device_in_name(const std::string& table) {
  const auto first = table.find('_');
  if (first == std::string::npos) return {};
  const auto second = table.find('_', first + 1);
  return table.substr(first + 1, second == std::string::npos ? second : second - first - 1);
}

}  // namespace rackwright::kernels
