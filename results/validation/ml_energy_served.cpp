#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "results/validation/served_tables.hpp"
#include "workloads/model_names.hpp"

namespace rackwright::results {

namespace {

/// Mean prompt length of the tasks, tokens. The table does not hold it; short prompts change the
/// result little, as the answers are long.
double prompt_tokens_of(const std::string& task) {
  if (task == "lm-arena-chat") return 250;
  if (task == "gpqa") return 300;
  if (task.starts_with("image") || task.starts_with("video")) return 1500;
  return 500;
}

workloads::DataType type_of(const std::string& precision, const workloads::ModelConfig& model) {
  if (model.published_expert_type) return *model.published_expert_type;
  if (precision.starts_with("fp8") || precision == "float8") {
    return model.published_type == workloads::DataType::fp8_block ? workloads::DataType::fp8_block
                                                                  : workloads::DataType::fp8;
  }
  if (precision.find("nvfp4") != std::string::npos || precision == "fp4") {
    return workloads::DataType::nvfp4;
  }
  if (precision.find("mxfp4") != std::string::npos) return workloads::DataType::mxfp4;
  return workloads::DataType::bf16;
}

/// Tensor parallel attention with expert parallel experts, or one attention rank per expert rank
/// when the table says TP 1.
workloads::ServingPlan plan_of(const CsvReader& csv, const workloads::ModelConfig& model) {
  workloads::ServingPlan plan;
  plan.weights = type_of(csv.cell("weight_precision"), model);
  const int gpus = std::max(1, static_cast<int>(csv.optional_number("num_gpus", 1).value_or(1)));
  const int ep = std::max(1, static_cast<int>(csv.optional_number("ep", 1).value_or(1)));
  plan.tp = std::clamp(static_cast<int>(csv.optional_number("tp", 1).value_or(1)), 1, gpus);
  if (model.experts) {
    plan.dp = std::max(1, gpus / plan.tp);
    plan.ep = (plan.tp * plan.dp) % ep == 0 ? ep : 1;
  }
  return plan;
}

}  // namespace

std::vector<ServedRow> read_ml_energy(const std::filesystem::path& path, ServedCatalog& catalog) {
  CsvReader csv(path,
                {.required = {"model", "task", "total_params_billions", "activated_params_billions",
                              "weight_precision", "avg_power_watts", "gpu_model", "num_gpus", "tp",
                              "ep", "avg_batch_size", "avg_output_len", "energy_per_token_joules",
                              "median_itl_ms"}});
  std::vector<ServedRow> rows;
  while (csv.next()) {
    ServedRow row;
    row.line = csv.line();
    row.name = row_name(path, csv.line());
    row.engine = "vllm-online";
    row.model_id = csv.cell("model");
    row.group = csv.cell("gpu_model") + " " + workloads::shape_name(row.model_id);
    row.device_id = catalog.device_id(csv.cell("gpu_model"));
    const auto batch = csv.optional_number("avg_batch_size", 0);
    const auto length = csv.optional_number("avg_output_len", 0);
    if (!batch || !length || *length < 1) {
      row.excluded = "not a language model that writes tokens";
    } else if (row.device_id.empty()) {
      row.excluded = "device is not known";
    } else {
      const auto* model = catalog.model(row.model_id);
      row.point.model = model != nullptr
                            ? *model
                            : workloads::model_of_size(
                                  row.model_id, 1e9 * csv.number("total_params_billions", 0.01),
                                  1e9 * csv.number("activated_params_billions", 0.01));
      row.point.plan = plan_of(csv, row.point.model);
      row.point.prompt_tokens = prompt_tokens_of(csv.cell("task"));
      row.point.output_tokens = *length;
      row.batch = std::max(1.0, *batch);
      row.point.concurrency = row.batch;
      const double gpus = csv.number("num_gpus", 1);
      row.watts = csv.number("avg_power_watts", 0) / gpus;
      row.joules_per_token = csv.number("energy_per_token_joules", 0);
      row.tpot_s = csv.number("median_itl_ms", 0) / 1e3;
      catalog.price(row);
      if (model == nullptr) row.costs.extrapolated = true;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace rackwright::results
