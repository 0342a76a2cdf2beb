#include "profiler/request_metrics.hpp"

#include <algorithm>
#include <cmath>

#include "profiler/trace.hpp"

namespace rackwright::profiler {

namespace {

constexpr double kConfidence = 0.90;

/// P(X <= k) of a binomial, summed in logarithms so that large counts do not underflow.
class BinomialCdf {
 public:
  BinomialCdf(std::uint64_t count, double p)
      : n_(static_cast<double>(count)), log_p_(std::log(p)), log_q_(std::log1p(-p)) {}
  double term(std::uint64_t k) const {
    const auto x = static_cast<double>(k);
    return std::exp(log_gamma(n_ + 1) - log_gamma(x + 1) - log_gamma(n_ - x + 1) + x * log_p_ +
                    (n_ - x) * log_q_);
  }

 private:
  /// lgamma_r: std::lgamma writes a global sign.
  static double log_gamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
  }
  double n_, log_p_, log_q_;
};

struct Percentiles {
  double p50 = 0, p90 = 0, p99 = 0, p99_low = 0, p99_high = 0;
};

Percentiles percentiles_of(std::vector<double>& values) {
  Percentiles result;
  if (values.empty()) return result;
  std::sort(values.begin(), values.end());
  const auto at = [&values](std::uint64_t rank) { return values[rank - 1]; };
  const std::uint64_t count = values.size();
  result.p50 = at(nearest_rank(count, 0.50));
  result.p90 = at(nearest_rank(count, 0.90));
  result.p99 = at(nearest_rank(count, 0.99));
  const RankInterval ranks = quantile_ranks(count, 0.99, kConfidence);
  result.p99_low = at(ranks.low);
  result.p99_high = at(ranks.high);
  return result;
}

}  // namespace

std::uint64_t nearest_rank(std::uint64_t count, double quantile) {
  // The small term keeps 0.99 x 1000 at 990 although 0.99 is not exact.
  const double rank = std::ceil(quantile * static_cast<double>(count) - 1e-9);
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(rank, 1.0)), 1,
                                   std::max<std::uint64_t>(count, 1));
}

RankInterval quantile_ranks(std::uint64_t count, double quantile, double confidence) {
  RankInterval result{1, std::max<std::uint64_t>(count, 1), false};
  if (count == 0 || !(quantile > 0 && quantile < 1)) return result;
  const double tail = (1 - confidence) / 2;
  const BinomialCdf binomial(count, quantile);
  // low: largest l with P(X <= l - 1) <= tail.
  // Both sums start ten standard deviations from the mean: what lies beyond is below 1e-20.
  const auto n = static_cast<double>(count);
  const double reach = 10 * std::sqrt(n * quantile * (1 - quantile)) + 10;
  const auto first = static_cast<std::uint64_t>(std::max(0.0, std::floor(n * quantile - reach)));
  double below = 0;
  for (std::uint64_t k = first; k <= count; ++k) {
    below += binomial.term(k);  // P(X <= k)
    if (below > tail) {
      result.low = std::max<std::uint64_t>(k, 1);
      break;
    }
  }
  // high: smallest u with P(X >= u) <= tail.
  double above = 0;
  for (std::uint64_t k = count;; --k) {
    above += binomial.term(k);  // P(X >= k)
    if (above > tail) {
      result.bounded = k + 1 <= count;
      result.high = std::min(k + 1, count);
      break;
    }
    if (k == 0) break;
  }
  return result;
}

SloCount count_misses(const std::vector<workloads::RequestOutcome>& requests,
                      const workloads::Slo& slo) {
  SloCount count;
  count.requests = requests.size();
  for (const auto& request : requests) {
    if (request.ttft() > slo.ttft_s) ++count.late_first_token;
    if (request.output_tokens < 2) continue;
    ++count.answers;
    if (request.tpot() > slo.tpot_s) ++count.slow_answers;
  }
  return count;
}

std::uint64_t allowed_misses(std::uint64_t count, double percentile) {
  return count == 0 ? 0 : count - nearest_rank(count, percentile);
}

bool holds(const SloCount& count, const workloads::Slo& slo) {
  return count.late_first_token <= allowed_misses(count.requests, slo.percentile) &&
         count.slow_answers <= allowed_misses(count.answers, slo.percentile);
}

RequestMetrics request_metrics(const std::vector<workloads::RequestOutcome>& requests,
                               const workloads::Slo& slo, double duration_s) {
  RequestMetrics metrics;
  metrics.requests = requests.size();
  if (requests.empty()) return metrics;
  std::vector<double> ttft;
  std::vector<double> tpot;
  ttft.reserve(requests.size());
  tpot.reserve(requests.size());
  double output = 0;
  double prompt = 0;
  double good = 0;
  for (const auto& request : requests) {
    ttft.push_back(request.ttft());
    if (request.output_tokens > 1) tpot.push_back(request.tpot());
    output += request.output_tokens;
    prompt += request.prompt_tokens;
    if (request.ttft() <= slo.ttft_s && request.tpot() <= slo.tpot_s) ++good;
  }
  const Percentiles first = percentiles_of(ttft);
  const Percentiles each = percentiles_of(tpot);
  metrics.ttft_p50 = first.p50;
  metrics.ttft_p90 = first.p90;
  metrics.ttft_p99 = first.p99;
  metrics.ttft_p99_low = first.p99_low;
  metrics.ttft_p99_high = first.p99_high;
  metrics.tpot_p50 = each.p50;
  metrics.tpot_p90 = each.p90;
  metrics.tpot_p99 = each.p99;
  metrics.tpot_p99_low = each.p99_low;
  metrics.tpot_p99_high = each.p99_high;
  metrics.attainment = good / static_cast<double>(requests.size());
  if (duration_s > 0) {
    metrics.output_tokens_per_s = output / duration_s;
    metrics.prompt_tokens_per_s = prompt / duration_s;
  }
  return metrics;
}

}  // namespace rackwright::profiler
