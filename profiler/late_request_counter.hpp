#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "workloads/request_trace.hpp"
#include "workloads/serving_plan.hpp"
#include "workloads/step_shape.hpp"
#include "workloads/workload.hpp"

namespace rackwright::profiler {

/// Misses that the SLO's percentile allows.
struct MissAllowance {
  std::uint64_t first_tokens = 0;
  std::uint64_t answers = 0;  ///< of two tokens and more
};
/// For all requests of `traffic`.
[[nodiscard]] MissAllowance allowance_of(const workloads::RequestTrace& traffic,
                                         const workloads::Slo& slo);

/// Follows requests through the steps of a running engine and counts those that have missed the SLO
/// for certain, so that a hopeless run can be broken off long before its end. Works because prompts
/// finish in arrival order and all decoding sequences advance by one token per step; it compares
/// the batch with the engine's at every step and stops counting (`exact` false) where they differ:
/// preemption, speculative decoding.
class LateRequestCounter {
 public:
  /// Keeps references to its arguments.
  LateRequestCounter(const workloads::RequestTrace& traffic, const workloads::ServingPlan& plan,
                     const workloads::Slo& slo, MissAllowance allowance);

  void step(double start_s, double duration_s, const workloads::StepShape& shape);

  [[nodiscard]] bool exact() const { return exact_; }
  [[nodiscard]] bool first_tokens_hopeless() const {
    return exact_ && late_ + overdue() > allowance_.first_tokens;
  }
  [[nodiscard]] bool answers_hopeless() const { return exact_ && slow_ > allowance_.answers; }

 private:
  struct Answer {
    std::uint64_t finish_step;  ///< of the decode clock
    double first_token_s;
    std::uint32_t output_tokens;
    bool operator>(const Answer& other) const { return finish_step > other.finish_step; }
  };
  /// Requests that still wait for their first token after its limit.
  [[nodiscard]] std::uint64_t overdue() const {
    return expired_ > started_ ? expired_ - started_ : 0;
  }
  void finish_answers(double now_s);
  void start_answers(double now_s, std::uint32_t count);

  const std::vector<workloads::Request>& requests_;
  workloads::Slo slo_;
  bool exact_ = true;
  MissAllowance allowance_;
  std::uint64_t late_ = 0;
  std::uint64_t slow_ = 0;
  std::size_t started_ = 0;  ///< requests with a first token
  std::size_t expired_ = 0;  ///< requests whose first-token limit has passed
  std::uint64_t clock_ = 0;
  std::priority_queue<Answer, std::vector<Answer>, std::greater<>> decoding_;
};

}  // namespace rackwright::profiler
