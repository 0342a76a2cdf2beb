#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.hpp"
#include "workloads/operator_graph.hpp"

namespace rackwright::kernels {

/// Where a rank runs: what its collectives cross.
struct RankContext {
  int scale_up_domain = 8;           ///< GPUs that share the scale-up (NVLink) domain
  double scale_out_bytes_per_s = 0;  ///< per GPU, one direction; 0 = none
  double power_cap_w = 0;            ///< 0 = TDP
};

enum class ReplayMode { whole, per_operator };

/// Of all repeats of one operator together, on one GPU.
struct OperatorTiming {
  double seconds = 0;
  double joules = 0;          ///< module input
  double relative_error = 0;  ///< half-width of the 90 % interval over seconds
  bool extrapolated = false;
  double power_error = 0;  ///< half-width of the 90 % interval over watts
};

/// One step on one GPU. `seconds` = sum of operators - overlap + launch; `joules` = sum over
/// operators (gaps draw idle-active power and belong to the host operator).
struct StepTiming {
  double seconds = 0;
  double joules = 0;
  double overlap_s = 0;
  double launch_s = 0;
  std::vector<OperatorTiming> operators;  ///< as in the graph
};

/// Called around each operator in mode per_operator; collectors implement it.
class OperatorObserver {
 public:
  virtual ~OperatorObserver() = default;
  virtual void begin(OperatorId id) = 0;
  virtual void end(OperatorId id) = 0;
};

class PreparedStep {
 public:
  virtual ~PreparedStep() = default;
  /// `whole` gives headline time and power; `per_operator` gives attribution and calls `observer`
  /// around each operator. The reference is valid until the next run.
  virtual const StepTiming& run(ReplayMode mode, OperatorObserver* observer) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  /// "analytical", "host", "cuda".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Id of the device it runs on or predicts.
  [[nodiscard]] virtual std::string_view device() const = 0;
  /// Whether `joules` of its timings mean anything; if not they are 0.
  [[nodiscard]] virtual bool measures_power() const { return true; }
  /// Allocates, picks algorithms, captures graphs. Throws BackendError when an operator cannot run
  /// here, BackendUnavailable when a fact it needs is blank.
  virtual std::unique_ptr<PreparedStep> prepare(const workloads::OperatorGraph& step,
                                                const RankContext& rank) = 0;
};

}  // namespace rackwright::kernels
