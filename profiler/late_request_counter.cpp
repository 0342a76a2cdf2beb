#include "profiler/late_request_counter.hpp"

#include "profiler/request_metrics.hpp"

namespace rackwright::profiler {

MissAllowance allowance_of(const workloads::RequestTrace& traffic, const workloads::Slo& slo) {
  std::uint64_t answers = 0;
  for (const auto& request : traffic.requests) answers += request.output_tokens > 1 ? 1 : 0;
  return {allowed_misses(traffic.requests.size(), slo.percentile),
          allowed_misses(answers, slo.percentile)};
}

LateRequestCounter::LateRequestCounter(const workloads::RequestTrace& traffic,
                                       const workloads::ServingPlan& plan,
                                       const workloads::Slo& slo, MissAllowance allowance)
    : requests_(traffic.requests), slo_(slo), exact_(!plan.speculative), allowance_(allowance) {}

void LateRequestCounter::step(double start_s, double duration_s,
                              const workloads::StepShape& shape) {
  if (!exact_) return;
  if (shape.decode_sequences != decoding_.size()) {
    exact_ = false;
    return;
  }
  const double now_s = start_s + duration_s;
  while (expired_ < requests_.size() && requests_[expired_].arrival_s + slo_.ttft_s < now_s) {
    ++expired_;
  }
  if (!decoding_.empty()) {
    ++clock_;
    finish_answers(now_s);
  }
  start_answers(now_s, shape.prefill_finished);
}

void LateRequestCounter::finish_answers(double now_s) {
  while (!decoding_.empty() && decoding_.top().finish_step <= clock_) {
    const Answer& answer = decoding_.top();
    if ((now_s - answer.first_token_s) / (answer.output_tokens - 1) > slo_.tpot_s) ++slow_;
    decoding_.pop();
  }
}

void LateRequestCounter::start_answers(double now_s, std::uint32_t count) {
  for (; count > 0; --count) {
    if (started_ == requests_.size()) {
      exact_ = false;
      return;
    }
    const auto& request = requests_[started_++];
    if (now_s - request.arrival_s > slo_.ttft_s) ++late_;
    if (request.output_tokens > 1) {
      decoding_.push({clock_ + request.output_tokens - 1, now_s, request.output_tokens});
    }
  }
}

}  // namespace rackwright::profiler
