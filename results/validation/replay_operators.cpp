#include "results/validation/replay_operators.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "common/csv_reader.hpp"

namespace rackwright::results {

namespace {

using workloads::Operator;
using workloads::OperatorClass;

struct Sums {
  double measured = 0;
  double predicted = 0;
  [[nodiscard]] double ratio() const { return predicted > 0 ? measured / predicted : 1; }
};

std::string last_part(const std::string& name) {
  const auto at = name.find_last_of('/');
  return at == std::string::npos ? name : name.substr(at + 1);
}

/// n and k of a layer of the table on one GPU; k 0 for layers that are no GEMM.
std::pair<double, double> shape_of(const std::string& layer, const workloads::ModelConfig& model,
                                   int tp) {
  const double hidden = model.hidden;
  const double head = model.attention.head_dim;
  const double query = head * model.attention.heads / tp;
  const double key = head * ((model.attention.kv_heads + tp - 1) / tp);
  const double wide =
      model.layers.empty() ? 0 : static_cast<double>(model.layers.front().dense_intermediate) / tp;
  if (layer == "qkv_proj") return {query + 2 * key, hidden};
  if (layer == "o_proj") return {hidden, query};
  if (wide > 0 && layer == "gate_up_proj") return {2 * wide, hidden};
  if (wide > 0 && layer == "down_proj") return {hidden, wide};
  return {0, 0};
}

double seconds_of(const workloads::OperatorShape& shape, OperatorClass op_class,
                  const kernels::AnalyticalBackend& backend) {
  return backend.predict(Operator{"op", op_class, workloads::Lane::compute, 1, shape}, {}).seconds;
}

workloads::AttentionShape attention(const workloads::ModelConfig& model, int tp, bool prefill,
                                    double sequences, double queries, double context) {
  workloads::AttentionShape shape;
  shape.prefill = prefill;
  shape.sequences = sequences;
  shape.query_tokens = queries;
  shape.kv_tokens = sequences * context;
  shape.pairs =
      prefill ? queries * (context - queries) + queries * (queries + 1) / 2 : sequences * context;
  shape.heads = model.attention.heads / tp;
  shape.kv_heads = (model.attention.kv_heads + tp - 1) / tp;
  shape.head_dim = model.attention.head_dim;
  return shape;
}

}  // namespace

std::optional<OperatorFactors> OperatorFactors::find(const std::filesystem::path& folder,
                                                     const std::string& device_name,
                                                     const std::string& model_name, int tp,
                                                     const workloads::ModelConfig& model,
                                                     const kernels::AnalyticalBackend& backend) {
  constexpr double kMicro = 1e-6;
  const std::string start = fmt::format("ops_{}_{}_", device_name, last_part(model_name));
  const std::string end = fmt::format("_tp{}_dense.csv", tp);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.empty() ? "." : folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(start) && name.ends_with(end)) files.push_back(entry.path());
  }
  if (files.empty() || model.attention.latent) return std::nullopt;
  std::sort(files.begin(), files.end());
  const std::filesystem::path& dense = files.front();
  OperatorFactors factors;
  std::map<double, Sums> by_rows;
  CsvReader csv(dense, {.required = {"layer", "tokens", "time_us"}});
  while (csv.next()) {
    const auto [n, k] = shape_of(csv.cell("layer"), model, tp);
    if (k <= 0) continue;
    const double rows = csv.number("tokens", 1);
    Sums& sums = by_rows[rows];
    sums.measured += csv.number("time_us", 0) * kMicro;
    sums.predicted += seconds_of(workloads::GemmShape{rows, n, k, workloads::DataType::bf16},
                                 OperatorClass::gemm, backend);
  }
  for (const auto& [rows, sums] : by_rows) factors.gemm_.emplace_back(rows, sums.ratio());
  std::string name = dense.string();
  name.replace(name.size() - std::string("dense.csv").size(), std::string::npos, "attention.csv");
  if (!std::filesystem::exists(name)) return factors;
  Sums prefill;
  Sums decode;
  CsvReader table(
      name, {.required = {"prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"}});
  while (table.next()) {
    const double chunk = table.number("prefill_chunk", 0);
    const double sequences = table.number("n_decode", 0);
    const double seconds = table.number("time_us", 0) * kMicro;
    if (chunk > 0 && sequences == 0) {
      prefill.measured += seconds;
      prefill.predicted +=
          seconds_of(attention(model, tp, true, 1, chunk, chunk + table.number("kv_prefill", 0)),
                     OperatorClass::attention_prefill, backend);
    } else if (chunk == 0 && sequences > 0) {
      decode.measured += seconds;
      decode.predicted += seconds_of(
          attention(model, tp, false, sequences, sequences, table.number("kv_decode", 1)),
          OperatorClass::attention_decode, backend);
    }
  }
  factors.prefill_ = prefill.ratio();
  factors.decode_ = decode.ratio();
  return factors;
}

double OperatorFactors::of(const Operator& op) const {
  if (op.op_class == OperatorClass::attention_prefill) return prefill_;
  if (op.op_class == OperatorClass::attention_decode) return decode_;
  const auto* gemm = std::get_if<workloads::GemmShape>(&op.shape);
  if (gemm == nullptr || gemm_.empty()) return 1;
  const auto above =
      std::lower_bound(gemm_.begin(), gemm_.end(), gemm->m,
                       [](const auto& entry, double rows) { return entry.first < rows; });
  if (above == gemm_.begin()) return gemm_.front().second;
  if (above == gemm_.end()) return gemm_.back().second;
  const auto below = above - 1;
  const double share = std::log(gemm->m / below->first) / std::log(above->first / below->first);
  return std::exp(std::lerp(std::log(below->second), std::log(above->second), share));
}

}  // namespace rackwright::results
