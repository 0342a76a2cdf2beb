#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "results/validation/served_tables.hpp"

namespace rackwright::results {

namespace {

using workloads::DataType;

int count_of(const CsvReader& csv, std::string_view column) {
  const auto value = csv.optional_number(column, 0);
  return value && *value >= 1 ? static_cast<int>(*value) : 1;
}

DataType type_of(const CsvReader& csv, const workloads::ModelConfig& model) {
  if (model.published_expert_type) return *model.published_expert_type;
  const std::string& kernel = csv.cell("gemm_quant_mode");
  const std::string& precision = csv.cell("precision");
  if (kernel == "fp8_block") return DataType::fp8_block;
  if (kernel == "nvfp4" || precision == "fp4") return DataType::nvfp4;
  if (kernel == "fp8" || precision == "fp8") return DataType::fp8;
  if (kernel == "int8" || precision == "int8") return DataType::int8;
  // Models published in fewer bits are served so unless the row says otherwise.
  const bool quantised = workloads::bytes_per_element(model.published_type) < 2;
  return quantised && precision.empty() ? model.published_type : DataType::bf16;
}

/// Schedulers changed with versions: SGLang before about 0.5.5 served prompts first, and the first
/// PyTorch release candidates of TensorRT-LLM held first tokens back. These have their own entries
/// in engines.json; any other version takes the engine's general one.
std::string engine_of_row(const CsvReader& csv) {
  const std::string& backend = csv.cell("backend");
  const std::string version = csv.column("backend_version") ? csv.cell("backend_version") : "";
  if (backend == "trtllm" && version.starts_with("1.0.0rc")) return "trtllm 1.0.0rc";
  if (backend != "sglang") return backend;
  for (const std::string_view old : {"0.4", "0.5.0", "0.5.1", "0.5.2", "0.5.3", "0.5.4"}) {
    if (version.starts_with(old)) return "sglang prompts-first";
  }
  return backend;
}

workloads::ServingPlan plan_of(const CsvReader& csv, const std::string& prefix,
                               const workloads::ModelConfig& model) {
  workloads::ServingPlan plan;
  plan.weights = type_of(csv, model);
  // Checkpoints in 8 or 4 bits per tensor carry an 8-bit KV cache; block-scaled ones are served
  // with the engine's default of 16 bits.
  if (plan.weights == DataType::fp8 || plan.weights == DataType::nvfp4) plan.kv = DataType::fp8;
  plan.tp = count_of(csv, prefix + "tp_size");
  plan.pp = count_of(csv, prefix + "pp_size");
  plan.dp = count_of(csv, prefix + "attention_dp_size");
  plan.ep = 1;
  if (model.experts) {
    const int expert_tp = count_of(csv, prefix + "moe_tp_size");
    plan.ep = count_of(csv, prefix + "moe_ep_size");
    // Attention ranks that the row leaves blank follow from the GPUs the experts are spread over.
    const int gpus = expert_tp * plan.ep;
    if (gpus > plan.tp * plan.dp && gpus % plan.tp == 0) plan.dp = gpus / plan.tp;
    if ((plan.tp * plan.dp) % plan.ep != 0) plan.ep = 1;
  }
  return plan;
}

void add_aggregated(const CsvReader& csv, ServedRow& row) {
  row.point.plan = plan_of(csv, "", row.point.model);
  const double batch = csv.optional_number("batch_size", 0).value_or(1);
  row.point.concurrency =
      std::max(1.0, csv.optional_number("concurrency", 0).value_or(batch * row.point.plan.dp));
}

/// Separate workers: the decode workers set TPOT, the prefill workers TTFT.
void add_disaggregated(const CsvReader& csv, ServedRow& row) {
  row.disaggregated = true;
  row.point.plan = plan_of(csv, "decode_", row.point.model);
  row.prefill_plan = plan_of(csv, "prefill_", row.point.model);
  row.prefill_batch = count_of(csv, "prefill_batch_size");
  const double workers = count_of(csv, "decode_num_workers");
  const auto batch = csv.optional_number("decode_batch_size", 0);
  const auto concurrency = csv.optional_number("concurrency", 0);
  row.point.concurrency =
      std::max(1.0, batch ? *batch * row.point.plan.dp : concurrency.value_or(workers) / workers);
}

}  // namespace

std::vector<ServedRow> read_aicfg_served(const std::filesystem::path& path,
                                         ServedCatalog& catalog) {
  CsvReader csv(path,
                {.required = {"backend", "model_path", "system", "precision", "mode", "isl", "osl",
                              "gemm_quant_mode", "tp_size", "silicon_ttft_ms", "silicon_tpot_ms"}});
  std::vector<ServedRow> rows;
  std::set<std::string> seen;
  while (csv.next()) {
    ServedRow row;
    row.line = csv.line();
    row.name = row_name(path, csv.line());
    row.engine = engine_of_row(csv);
    row.model_id = csv.cell("model_path");
    row.device_id = catalog.device_id(csv.cell("system"));
    row.tpot_s = csv.optional_number("silicon_tpot_ms", 0);
    row.ttft_s = csv.optional_number("silicon_ttft_ms", 0);
    for (auto* value : {&row.tpot_s, &row.ttft_s}) {
      if (*value) **value /= 1e3;
    }
    row.group = fmt::format("{} {} {}", csv.cell("system"), csv.cell("backend"), csv.cell("mode"));
    row.point.prompt_tokens = csv.number("isl", 1);
    row.point.output_tokens = csv.number("osl", 1);
    std::string cells;
    for (std::size_t i = 0; i < csv.header().size(); ++i) cells += csv.cell(i) + ",";
    if (!seen.insert(cells).second) row.excluded = "exact duplicate of an earlier row";
    const auto* model = catalog.model(row.model_id);
    if (model == nullptr) {
      row.excluded = "shape of the model is not known";
    } else if (row.device_id.empty()) {
      row.excluded = "device is not known";
    } else {
      row.point.model = *model;
      if (csv.cell("mode") == "disagg") {
        add_disaggregated(csv, row);
      } else {
        add_aggregated(csv, row);
      }
    }
    catalog.price(row);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace rackwright::results
