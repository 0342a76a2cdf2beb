#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/csv_reader.hpp"
#include "common/data_locator.hpp"
#include "profiler/serving_model.hpp"
#include "results/validation/serving_formats.hpp"

namespace rackwright::results {

/// One measured operating point of a served model.
struct ServedRow {
  std::size_t line = 0;
  std::string name;      ///< "table.csv:12"
  std::string group;     ///< rows scored together: "h100-sxm vllm agg"
  std::string engine;    ///< variant in engines.json: "vllm"
  std::string model_id;  ///< as the table names it; rows of a model are left out together
  std::string device_id;
  std::string excluded;  ///< why it cannot be predicted or is not to be scored
  profiler::ServingPoint point;
  profiler::ServingCosts costs;  ///< empty when excluded for good
  bool priced = false;
  bool disaggregated = false;
  workloads::ServingPlan prefill_plan;   ///< disaggregated
  double prefill_batch = 1;              ///< disaggregated: prompts at a prefill worker
  std::optional<double> tpot_s, ttft_s;  ///< measured
  std::optional<double> watts;           ///< of one GPU
  std::optional<double> joules_per_token;
  double batch = 0;       ///< measured mean number of running sequences; 0: not given
  double peak_flops = 1;  ///< of one GPU in bf16
  double tdp_w = 0;       ///< of one GPU
  double idle_w = 0;      ///< of one GPU; 0: not known
};

/// Finds models and devices by the names that tables use, reads each once, and prices points.
class ServedCatalog {
 public:
  explicit ServedCatalog(const DataLocator& data) : data_(data) {}
  /// Nothing when no shipped model has that shape.
  [[nodiscard]] const workloads::ModelConfig* model(const std::string& published);
  /// "h100_sxm", "NVIDIA H100 80GB HBM3", "H100": the device of that id, or measured under that
  /// name. "" when unknown.
  [[nodiscard]] std::string device_id(const std::string& name);
  /// Throws BackendUnavailable when a fact it needs is blank.
  [[nodiscard]] const kernels::AnalyticalBackend& backend(const std::string& device,
                                                          workloads::DataType type);
  /// Fills memory, rank, costs, TDP; sets `excluded` when plan and model disagree or the device
  /// cannot be predicted.
  void price(ServedRow& row);

 private:
  const DataLocator& data_;
  std::map<std::string, std::optional<workloads::ModelConfig>> models_;
  std::map<std::string, std::string> devices_;
  std::map<std::string, std::unique_ptr<kernels::AnalyticalBackend>> backends_;
};

/// `aicfg-e2e`, `splitwise`, `ml-energy`; throws InputError with file, line, column.
[[nodiscard]] std::vector<ServedRow> read_aicfg_served(const std::filesystem::path& path,
                                                       ServedCatalog& catalog);
[[nodiscard]] std::vector<ServedRow> read_splitwise(const std::filesystem::path& path,
                                                    ServedCatalog& catalog);
[[nodiscard]] std::vector<ServedRow> read_ml_energy(const std::filesystem::path& path,
                                                    ServedCatalog& catalog);

}  // namespace rackwright::results
