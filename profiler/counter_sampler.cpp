#include "profiler/counter_sampler.hpp"

#include <cmath>

#include <fmt/format.h>

#include "profiler/clock_alignment.hpp"

namespace rackwright::profiler {

struct TakenSample {
  std::uint64_t start_ns, end_ns;
  std::vector<double> values;
};

CounterValue counter_value(const cupti::PlannedMetric& metric, double seconds) {
  if (metric.unit != "B") return {"cupti_" + metric.quantity, metric.unit, 1};
  return {"cupti_" + metric.quantity + "_rate", "B/s", seconds > 0 ? 1 / seconds : 0};
}

CounterClock counter_clock(std::uint64_t first_sample_ns, std::int64_t before_start,
                           std::int64_t after_start) {
  const auto first = static_cast<std::int64_t>(first_sample_ns);
  const std::int64_t bound = (after_start - before_start) / 2;
  if (first >= before_start && first <= after_start) return {0, bound};
  return {before_start + bound - first, bound};
}

struct CounterSampler::Impl {
  CuptiModule module;
  cupti::MetricPlan plan;
  double period_s = 0;
  void* counters = nullptr;
  std::int64_t before_start = 0, after_start = 0;
  std::vector<TakenSample> samples;

  void take(const RackwrightCuptiSample& sample) {
    samples.push_back({sample.start_ns, sample.end_ns,
                       std::vector<double>(sample.values, sample.values + plan.metrics.size())});
  }
  void add_samples(std::int64_t start_ns, int gpu, Recording& recording) const;
};

std::unique_ptr<CounterSampler> CounterSampler::open(const CuptiModule& module,
                                                     const std::vector<cupti::MetricPlan>& plans,
                                                     int device, double period_s,
                                                     std::string& reason) {
  char chip[RACKWRIGHT_CUPTI_TEXT] = "", text[RACKWRIGHT_CUPTI_TEXT] = "";
  if (module.chip(static_cast<std::uint32_t>(device), chip, text) != 0) {
    reason = text;
    return nullptr;
  }
  const cupti::MetricPlan* plan = cupti::find_plan(plans, chip);
  if (plan == nullptr) {
    reason = fmt::format("no plan of counters for the chip {}", chip);
    return nullptr;
  }
  auto impl = std::make_unique<Impl>();
  impl->module = module;
  impl->plan = *plan;
  impl->period_s = period_s;
  std::vector<const char*> names;
  for (const auto& metric : impl->plan.metrics) names.push_back(metric.metric.c_str());
  const RackwrightCuptiCounterPlan asked{names.data(),
                                         names.size(),
                                         static_cast<std::uint64_t>(std::llround(period_s * 1e9)),
                                         static_cast<std::uint32_t>(device),
                                         plan->by_clock ? 1U : 0U,
                                         impl.get(),
                                         [](void* context, const RackwrightCuptiSample* sample) {
                                           static_cast<Impl*>(context)->take(*sample);
                                         }};
  impl->counters = module.counters_open(&asked, text);
  reason = text;
  if (impl->counters == nullptr) return nullptr;
  return std::unique_ptr<CounterSampler>(new CounterSampler(std::move(impl)));
}

CounterSampler::CounterSampler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CounterSampler::~CounterSampler() {
  impl_->module.counters_close(impl_->counters);
}

std::string CounterSampler::start() {
  char text[RACKWRIGHT_CUPTI_TEXT] = "";
  impl_->before_start = realtime_ns();
  const int code = impl_->module.counters_start(impl_->counters, text);
  impl_->after_start = realtime_ns();
  return code == 0 ? "" : text;
}

void CounterSampler::Impl::add_samples(std::int64_t start_ns, int gpu, Recording& recording) const {
  NameTable into(recording.names);
  const CounterClock clock = counter_clock(samples.front().start_ns, before_start, after_start);
  for (const TakenSample& sample : samples) {
    const double seconds = static_cast<double>(sample.end_ns - sample.start_ns) * 1e-9;
    const double at_s = static_cast<double>(static_cast<std::int64_t>(sample.start_ns) +
                                            clock.shift_ns - start_ns) *
                        1e-9;
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
      if (!std::isfinite(sample.values[i])) continue;
      const CounterValue value = counter_value(plan.metrics[i], seconds);
      recording.counters.push_back(
          {gpu, into(value.name), into(value.unit), at_s, seconds, sample.values[i] * value.scale});
    }
  }
  recording.notes.push_back(fmt::format(
      "{} samples of the counters of a {}: their clock is shifted by {:.6f} s to the run's, "
      "within {:.3f} ms",
      samples.size(), plan.chip, static_cast<double>(clock.shift_ns) * 1e-9,
      static_cast<double>(clock.bound_ns) * 1e-6));
}

void CounterSampler::finish(std::int64_t start_ns, int gpu, Recording& recording) {
  char text[RACKWRIGHT_CUPTI_TEXT] = "";
  int overflow = 0;
  const int code = impl_->module.counters_stop(impl_->counters, &overflow, text);
  if (!impl_->samples.empty()) impl_->add_samples(start_ns, gpu, recording);
  const auto taken = static_cast<std::uint64_t>(impl_->samples.size());
  recording.counts.push_back({"counter samples (CUPTI)", taken, taken, ""});
  if (overflow == 0 && code == 0) return;
  recording.mark_incomplete(
      overflow != 0 ? fmt::format("counter samples were lost: the hardware buffer ran over after "
                                  "{} of them",
                                  taken)
                    : fmt::format("counter samples end early: {}", text));
}

}  // namespace rackwright::profiler
