#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/analytical/analytical_backend.hpp"
#include "workloads/model_config.hpp"
#include "workloads/operator.hpp"

namespace rackwright::results {

/// How much longer the operators of one card took than the backend says, from the operator tables
/// (`ops_GPU_MODEL_TYPE_tpN_{dense,attention}.csv`) that lie beside a recorded run.
class OperatorFactors {
 public:
  /// Nothing when there are no such tables for `model` on `tp` GPUs. Throws InputError with file,
  /// line and column for a bad one.
  static std::optional<OperatorFactors> find(const std::filesystem::path& folder,
                                             const std::string& device_name,
                                             const std::string& model_name, int tp,
                                             const workloads::ModelConfig& model,
                                             const kernels::AnalyticalBackend& backend);

  /// Factor on the time of `op`: of GEMMs by their rows, of attention by its phase, else 1.
  [[nodiscard]] double of(const workloads::Operator& op) const;

 private:
  std::vector<std::pair<double, double>> gemm_;  ///< (rows, factor), ascending
  double prefill_ = 1;
  double decode_ = 1;
};

}  // namespace rackwright::results
