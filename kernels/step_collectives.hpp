#pragma once

#include <memory>
#include <string>

#include "kernels/rank_failure.hpp"
#include "workloads/operator.hpp"

namespace rackwright::kernels {

/// A collective of a step on this rank, its buffers ready.
class StepCollective {
 public:
  virtual ~StepCollective() = default;
  /// Puts one execution into a stream of the step, which may be capturing. Throws RankFailure.
  virtual void enqueue(void* stream) = 0;
  /// "NCCL 2.28.9 all_reduce of 8 ranks, plain buffers".
  [[nodiscard]] virtual const std::string& choice() const = 0;
};

/// The collectives between the ranks of a replica inside the steps of a GPU. All ranks make the
/// same calls in the same order.
class StepCollectives {
 public:
  virtual ~StepCollectives() = default;
  /// For an operator with a CollectiveShape of several ranks. Throws RankFailure.
  [[nodiscard]] virtual std::unique_ptr<StepCollective> make(const workloads::Operator& op) = 0;
  /// Called again and again while the GPU works; `waited_s` for so long. Throws RankFailure when a
  /// rank failed or time is up, Interrupted after a signal; this rank's collectives are then
  /// aborted, and what is on the GPU ends.
  virtual void look(double waited_s) = 0;
  /// Leaves the others, which see it as an error of theirs.
  virtual void abort() noexcept = 0;
};

}  // namespace rackwright::kernels
