#include "kernels/measured_backend.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "common/statistics.hpp"
#include "kernels/rank_failure.hpp"
#include "kernels/shape_rounding.hpp"

namespace rackwright::kernels {

using workloads::Operator;
using workloads::OperatorGraph;

namespace {

double system_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

OperatorGraph rounded(const OperatorGraph& graph) {
  OperatorGraph near;
  for (const Operator& op : graph.operators) near.operators.push_back(with_rounded_shape(op));
  return near;
}

double sum_of_seconds(const StepTiming& timing) {
  double sum = 0;
  for (const OperatorTiming& one : timing.operators) sum += one.seconds;
  return sum;
}

/// A step whose timing is known.
class KnownStep final : public PreparedStep {
 public:
  explicit KnownStep(StepTiming timing) : timing_(std::move(timing)) {}
  const StepTiming& run(ReplayMode mode, OperatorObserver* observer) override {
    const bool watched = mode == ReplayMode::per_operator && observer != nullptr;
    for (std::uint32_t i = 0; watched && i < timing_.operators.size(); ++i) {
      observer->begin(OperatorId(i));
      observer->end(OperatorId(i));
    }
    return timing_;
  }

 private:
  StepTiming timing_;
};

/// Times of `near` for `graph`: operators by their work, the whole by the sum of its operators.
StepTiming scaled(const StepTiming& near_timing, const OperatorGraph& near,
                  const OperatorGraph& graph, double spread, double watts) {
  StepTiming timing;
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    OperatorTiming one = near_timing.operators[i];
    const double scale = amount_of_work(graph.operators[i]) / amount_of_work(near.operators[i]);
    one.seconds *= scale;
    one.relative_error = std::hypot(spread, error_of_scaling(scale));
    one.extrapolated = std::abs(std::log2(scale)) > 1;
    timing.operators.push_back(one);
  }
  const double before = sum_of_seconds(near_timing);
  const double sum = sum_of_seconds(timing);
  timing.seconds = near_timing.seconds * (before > 0 ? sum / before : 1);
  timing.overlap_s = std::max(0.0, sum - timing.seconds);
  timing.launch_s = std::max(0.0, timing.seconds - sum);
  timing.joules = watts * timing.seconds;
  for (OperatorTiming& one : timing.operators) {
    one.joules = sum > 0 ? timing.joules * one.seconds / sum : 0;
  }
  return timing;
}

}  // namespace

MeasuredBackend::MeasuredBackend(std::unique_ptr<Backend> inner, MeasuredOptions options)
    : inner_(std::move(inner)), options_(std::move(options)) {
  if (!options_.now) options_.now = system_seconds;
  if (options_.ranks != nullptr && options_.ranks->size() == 1) options_.ranks = nullptr;
  meter_ = options_.joules().has_value();
  if (options_.ranks != nullptr) meter_ = options_.ranks->max_of(meter_ ? 0 : 1) == 0;
}

std::unique_ptr<PreparedStep> MeasuredBackend::prepare(const OperatorGraph& step,
                                                       const RankContext& rank) {
  if (step.operators.empty()) return std::make_unique<KnownStep>(StepTiming{});
  const OperatorGraph near = rounded(step);
  const Known& known = find_or_run(near, rank);
  return std::make_unique<KnownStep>(
      scaled(known.timing, near, step, known.relative_error, known.watts));
}

const MeasuredBackend::Known& MeasuredBackend::find_or_run(const OperatorGraph& near,
                                                           const RankContext& rank) {
  std::string key;
  for (const Operator& op : near.operators) {
    key += fmt::format("{} x {};", op.repeat, shape_key(op));
  }
  if (options_.ranks != nullptr) check_in_step(key);
  const auto found = known_.find(key);
  return found != known_.end() ? found->second
                               : known_.emplace(std::move(key), run(near, rank)).first->second;
}

void MeasuredBackend::check_in_step(const std::string& key) {
  ++prepared_;
  constexpr std::size_t kExact = (std::size_t{1} << 52) - 1;  // whole numbers of a double
  const auto mine = static_cast<double>(std::hash<std::string>{}(key)&kExact);
  const auto all = options_.ranks->gather_numbers(mine);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    throw RankFailure(fmt::format(
        "rank {}: step {} of the replay differs between ranks 0 and {}: their schedules have come "
        "apart; the same program, workload and seed on every rank?",
        options_.ranks->rank(), prepared_, rank));
  }
}

/// Longest over the ranks; of collectives the shortest.
void MeasuredBackend::agree(const OperatorGraph& near, Known& known) {
  std::vector<double> mine{known.timing.seconds, known.relative_error};
  for (const OperatorTiming& one : known.timing.operators) mine.push_back(one.seconds);
  std::vector<double> all(mine.size() * static_cast<std::size_t>(options_.ranks->size()));
  options_.ranks->all_gather(std::as_bytes(std::span(mine)),
                             std::as_writable_bytes(std::span(all)));
  constexpr std::size_t kHead = 2;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t at = i % mine.size();
    const bool shortest =
        at >= kHead && near.operators[at - kHead].op_class == workloads::OperatorClass::collective;
    mine[at] = shortest ? std::min(mine[at], all[i]) : std::max(mine[at], all[i]);
  }
  known.timing.seconds = mine[0];
  known.relative_error = mine[1];
  for (std::size_t i = kHead; i < mine.size(); ++i) {
    known.timing.operators[i - kHead].seconds = mine[i];
  }
}

/// The first rank decides for all.
bool MeasuredBackend::go_on(bool wanted) const {
  return options_.ranks != nullptr ? options_.ranks->decided(wanted ? 1 : 0) != 0 : wanted;
}

MeasuredBackend::Known MeasuredBackend::run(const OperatorGraph& near, const RankContext& rank) {
  const auto step = inner_->prepare(near, rank);
  Known known;
  std::vector<double> seconds;
  for (int i = 0; i < std::max(1, options_.repetitions); ++i) {
    known.timing = step->run(ReplayMode::whole, nullptr);
    seconds.push_back(known.timing.seconds);
  }
  known.timing.seconds = quantile(seconds, 0.5);
  if (known.timing.seconds > 0) {
    known.relative_error =
        (quantile(seconds, 0.95) - quantile(seconds, 0.05)) / 2 / known.timing.seconds;
  }
  if (options_.ranks != nullptr) agree(near, known);
  if (meter_) known.watts = watts_of(near, *step);
  return known;
}

double MeasuredBackend::watts_of(const OperatorGraph& near, PreparedStep& step) {
  double flops = 0;
  bool prefill = false;
  for (const Operator& op : near.operators) {
    flops += work_of(op).flops * op.repeat;
    prefill = prefill || op.op_class == workloads::OperatorClass::attention_prefill;
  }
  const PowerKind kind{prefill, static_cast<int>(std::lround(std::log2(std::max(1.0, flops))))};
  if (const auto found = watts_.find(kind); found != watts_.end()) return found->second;
  (void)options_.joules();
  const double start = options_.now();
  do {
    (void)step.run(ReplayMode::whole, nullptr);
  } while (go_on(options_.now() - start < options_.power_window_s));
  const double seconds = options_.now() - start;
  const double watts = seconds > 0 ? options_.joules().value_or(0) / seconds : 0;
  return watts_[kind] = watts;
}

}  // namespace rackwright::kernels
