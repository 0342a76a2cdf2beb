#include "profiler/traced_steps.hpp"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "profiler/clock_alignment.hpp"
#include "profiler/counter_sampler.hpp"

namespace rackwright::profiler {

namespace {

/// Counters every 100 us, and every 1 ms where that would be very many.
double sampling_period(double seconds) {
  constexpr double kShort = 2, kFine = 1e-4, kCoarse = 1e-3;
  return seconds < kShort ? kFine : kCoarse;
}

}  // namespace

struct TracedSteps::Repetition {
  double seconds = 0;           ///< as the backend times them
  std::vector<StepSpan> spans;  ///< on the host
};

TracedSteps::TracedSteps(const std::filesystem::path& module,
                         const std::filesystem::path& metric_plans)
    : metric_plans_(metric_plans) {
  std::string reason = load_cupti(module, module_);
  if (reason.empty()) tracer_ = KernelTracer::open(module_, reason);
  status_ = tracer_ ? "kernels, graphs and counters of the first steps are taken at the end, apart"
                    : reason;
}

TracedSteps::~TracedSteps() = default;

void TracedSteps::keep(const workloads::OperatorGraph& step, const kernels::RankContext& rank) {
  if (graphs_.size() == kMost) return;
  rank_ = rank;
  with_others_ =
      with_others_ ||
      std::any_of(step.operators.begin(), step.operators.end(), [](const workloads::Operator& op) {
        const auto* shape = std::get_if<workloads::CollectiveShape>(&op.shape);
        return shape != nullptr && shape->ranks > 1;
      });
  graphs_.push_back(step);
}

void TracedSteps::use(kernels::Backend& backend, int device) {
  backend_ = &backend;
  device_ = device;
}

TracedSteps::Repetition TracedSteps::repeat(kernels::ReplayMode mode, KernelTracer* tracer) {
  Repetition repetition;
  for (const workloads::OperatorGraph& graph : graphs_) {
    if (tracer != nullptr) tracer->step(graph);
    const auto step = backend_->prepare(graph, rank_);
    const std::int64_t begin_ns = realtime_ns();
    repetition.seconds += step->run(mode, tracer).seconds;
    repetition.spans.push_back({begin_ns, realtime_ns()});
  }
  return repetition;
}

void TracedSteps::add_window(const char* name, std::int64_t begin_ns, bool disturbed,
                             Recording& recording) {
  recording.windows.push_back({name, static_cast<double>(begin_ns - start_ns_) * 1e-9,
                               static_cast<double>(realtime_ns() - begin_ns) * 1e-9, disturbed,
                               false});
}

void TracedSteps::untraced(Recording& recording) {
  const std::int64_t begin_ns = realtime_ns();
  by_operator_s_ = repeat(kernels::ReplayMode::per_operator, nullptr).seconds;
  whole_s_ = repeat(kernels::ReplayMode::whole, nullptr).seconds;
  add_window("untraced repetition", begin_ns, false, recording);
}

void TracedSteps::give_up(const std::string& reason, kernels::ReplayMode mode,
                          Recording& recording) {
  if (std::ranges::count(recording.notes, reason) == 0) recording.notes.push_back(reason);
  if (with_others_) (void)repeat(mode, nullptr);
}

void TracedSteps::trace_kernels(const GpuNumber& gpu, Recording& recording) {
  const std::int64_t begin_ns = realtime_ns();
  const std::string reason = tracer_ ? tracer_->start() : status_;
  if (!reason.empty()) return give_up(reason, kernels::ReplayMode::per_operator, recording);
  const auto close = [&] {
    tracer_->finish(start_ns_, gpu, recording);
    add_window("traced kernels", begin_ns, true, recording);
  };
  double seconds = 0;
  try {
    seconds = repeat(kernels::ReplayMode::per_operator, tracer_.get()).seconds;
  } catch (...) {  // a rank failed: what was traced until then stands
    close();
    throw;
  }
  close();
  recording.notes.push_back(fmt::format("{} steps traced: they took {:.2f} of their untraced time",
                                        graphs_.size(),
                                        by_operator_s_ > 0 ? seconds / by_operator_s_ : 0.0));
}

void TracedSteps::trace_graphs(const GpuNumber& gpu, Recording& recording) {
  const std::int64_t begin_ns = realtime_ns();
  const std::string reason = tracer_ ? tracer_->start_graphs() : status_;
  if (!reason.empty()) return give_up(reason, kernels::ReplayMode::whole, recording);
  const Repetition repetition = repeat(kernels::ReplayMode::whole, nullptr);
  tracer_->finish_graphs(start_ns_, gpu, repetition.spans, recording);
  add_window("traced graphs", begin_ns, true, recording);
  recording.notes.push_back(
      fmt::format("{} whole steps traced by graph: they took {:.2f} of their untraced time",
                  graphs_.size(), whole_s_ > 0 ? repetition.seconds / whole_s_ : 0.0));
}

void TracedSteps::sample_counters(const GpuNumber& gpu, Recording& recording) {
  std::string reason = tracer_ ? "" : status_;
  const auto sampler = tracer_
                           ? CounterSampler::open(module_, cupti::read_metric_plans(metric_plans_),
                                                  device_, sampling_period(whole_s_), reason)
                           : nullptr;
  const std::int64_t begin_ns = realtime_ns();
  if (sampler) reason = sampler->start();
  if (!reason.empty()) {
    return give_up("no counters of DRAM, links and tensor cores: " + reason,
                   kernels::ReplayMode::whole, recording);
  }
  const double seconds = repeat(kernels::ReplayMode::whole, nullptr).seconds;
  sampler->finish(start_ns_, gpu(static_cast<std::uint32_t>(device_)), recording);
  add_window("sampled counters", begin_ns, true, recording);
  recording.notes.push_back(
      fmt::format("{} whole steps with counters sampled: they took {:.2f} of their untraced time",
                  graphs_.size(), whole_s_ > 0 ? seconds / whole_s_ : 0.0));
}

void TracedSteps::run(std::int64_t start_ns, const GpuNumber& gpu, Recording& recording) {
  if (backend_ == nullptr || graphs_.empty() || (tracer_ == nullptr && !with_others_)) return;
  start_ns_ = start_ns;
  untraced(recording);
  trace_kernels(gpu, recording);
  trace_graphs(gpu, recording);
  sample_counters(gpu, recording);
}

}  // namespace rackwright::profiler
