#include "profiler/step_recorder.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace rackwright::profiler {

namespace {

using workloads::OperatorClass;

constexpr auto kCollective = static_cast<std::size_t>(OperatorClass::collective);
constexpr auto kHost = static_cast<std::size_t>(OperatorClass::host);

void note_class(GraphSummary& summary, OperatorClass op_class) {
  const auto end = summary.order.begin() + summary.class_count;
  if (std::find(summary.order.begin(), end, op_class) != end) return;
  summary.order[static_cast<std::size_t>(summary.class_count++)] = op_class;
}

void add_traffic(const workloads::Operator& op, double wire_bytes,
                 const workloads::ServingPlan& plan, int domain, GraphSummary& summary) {
  const auto* collective = std::get_if<workloads::CollectiveShape>(&op.shape);
  if (collective == nullptr || collective->ranks < 2) return;
  const LinkShares shares = link_shares(*collective, plan, domain);
  summary.scale_up_bytes += shares.scale_up * wire_bytes;
  summary.scale_out_bytes += shares.scale_out * wire_bytes;
  summary.collectives += op.repeat;
}

/// Shortens class `index` to `kept` of its time and moves the energy of the rest to `elsewhere`.
void hide(GraphSummary& summary, std::size_t index, double kept, double& elsewhere) {
  elsewhere += summary.shown_joules[index] * (1 - kept);
  summary.shown_joules[index] *= kept;
  summary.shown_seconds[index] *= kept;
}

/// Turns operator sums into what follows each other within the step.
void lay_out(const kernels::StepTiming& timing, GraphSummary& summary) {
  for (std::size_t c = 0; c < summary.classes.size(); ++c) {
    summary.shown_seconds[c] = summary.classes[c].seconds;
    summary.shown_joules[c] = summary.classes[c].joules;
  }
  double excess = summary.operator_seconds - timing.seconds;
  if (excess <= 0) {  // launch gaps, or a measured step with gaps between operators
    if (excess < 0) note_class(summary, OperatorClass::host);
    summary.shown_seconds[kHost] -= excess;
    summary.classes[kHost].seconds -= excess;
    return;
  }
  double hidden_joules = 0;
  const double collective = summary.shown_seconds[kCollective];
  const double hidden = std::min(excess, collective);
  if (hidden > 0) hide(summary, kCollective, 1 - hidden / collective, hidden_joules);
  double rest = summary.operator_seconds - collective;
  const double still = excess - hidden;
  if (still > 0 && rest > 0) {  // other lanes overlap too: shorten all alike, energy stays
    for (std::size_t c = 0; c < summary.classes.size(); ++c) {
      if (c != kCollective) summary.shown_seconds[c] *= 1 - still / rest;
    }
    rest -= still;
  }
  if (rest <= 0) {  // nothing to hide behind: the collective itself carries its energy
    summary.shown_joules[kCollective] += hidden_joules;
    return;
  }
  for (std::size_t c = 0; c < summary.classes.size(); ++c) {
    if (c != kCollective)
      summary.shown_joules[c] += hidden_joules * summary.shown_seconds[c] / rest;
  }
}

/// Position in `order` of the last class that takes time: its slice ends the step exactly.
int last_shown(const GraphSummary& summary) {
  for (int k = summary.class_count - 1; k > 0; --k) {
    const auto c = static_cast<std::size_t>(summary.order[static_cast<std::size_t>(k)]);
    if (summary.shown_seconds[c] > 0) return k;
  }
  return 0;
}

}  // namespace

void summarise(const workloads::OperatorGraph& graph, const kernels::StepTiming& timing,
               const workloads::ServingPlan& plan, int scale_up_domain, GraphSummary& summary) {
  assert(graph.operators.size() == timing.operators.size());
  summary = GraphSummary{};
  summary.seconds = timing.seconds;
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const workloads::Operator& op = graph.operators[i];
    const kernels::OperatorTiming& timed = timing.operators[i];
    const workloads::OperatorWork work = workloads::work_of(op);
    ClassTotal& total = summary.classes[static_cast<std::size_t>(op.op_class)];
    total.seconds += timed.seconds;
    total.joules += timed.joules;
    total.flops += work.flops * op.repeat;
    total.memory_bytes += work.memory_bytes * op.repeat;
    total.wire_bytes += work.wire_bytes * op.repeat;
    note_class(summary, op.op_class);
    add_traffic(op, work.wire_bytes * op.repeat, plan, scale_up_domain, summary);
    summary.operator_seconds += timed.seconds;
    summary.error_seconds += timed.seconds * timed.relative_error;
    summary.extrapolated = summary.extrapolated || timed.extrapolated;
  }
  lay_out(timing, summary);
}

void StepRecorder::add(double start_s, double duration_s, const GraphSummary& step,
                       const GraphSummary* draft, double draft_factor) {
  add_totals(step, 1);
  double up = step.scale_up_bytes;
  double out = step.scale_out_bytes;
  if (draft != nullptr) {
    add_totals(*draft, draft_factor);
    up += draft_factor * draft->scale_up_bytes;
    out += draft_factor * draft->scale_out_bytes;
  }
  // Layers alternate between compute and collectives, so a step's bytes spread over all of it.
  scale_up_.add(start_s, duration_s, up);
  scale_out_.add(start_s, duration_s, out);
  if (keep_slices_) add_slices(start_s, duration_s, step, draft, draft_factor);
  ++steps_;
}

void StepRecorder::add_totals(const GraphSummary& summary, double factor) {
  for (std::size_t c = 0; c < trace_.totals.size(); ++c) {
    trace_.totals[c].seconds += factor * summary.classes[c].seconds;
    trace_.totals[c].joules += factor * summary.classes[c].joules;
    trace_.totals[c].flops += factor * summary.classes[c].flops;
    trace_.totals[c].memory_bytes += factor * summary.classes[c].memory_bytes;
    trace_.totals[c].wire_bytes += factor * summary.classes[c].wire_bytes;
  }
  trace_.traffic.scale_up_bytes += factor * summary.scale_up_bytes;
  trace_.traffic.scale_out_bytes += factor * summary.scale_out_bytes;
  trace_.traffic.collectives += factor * summary.collectives;
  trace_.extrapolated = trace_.extrapolated || summary.extrapolated;
  error_seconds_ += factor * summary.error_seconds;
  operator_seconds_ += factor * summary.operator_seconds;
}

void StepRecorder::add_slices(double start_s, double duration_s, const GraphSummary& step,
                              const GraphSummary* draft, double draft_factor) {
  const double end_s = start_s + duration_s;
  double at = start_s;
  const auto lay = [&](const GraphSummary& summary, double factor, bool last_graph) {
    const int last = last_shown(summary);
    for (int k = 0; k < summary.class_count; ++k) {
      const OperatorClass op_class = summary.order[static_cast<std::size_t>(k)];
      const auto c = static_cast<std::size_t>(op_class);
      double end = at;
      if (summary.shown_seconds[c] > 0) {
        end = last_graph && k == last ? end_s
                                      : std::min(end_s, at + factor * summary.shown_seconds[c]);
      }
      add_slice(at, end, factor * summary.shown_joules[c], op_class);
      at = end;
    }
  };
  lay(step, 1, draft == nullptr);
  if (draft != nullptr) lay(*draft, draft_factor, true);
}

void StepRecorder::add_slice(double start_s, double end_s, double joules, OperatorClass op_class) {
  owed_joules_ += joules;
  if (!(end_s > start_s)) return;
  Slice slice;
  slice.start_s = start_s;
  slice.duration_s = static_cast<float>(end_s - start_s);
  slice.watts = static_cast<float>(std::max(0.0, owed_joules_ / (end_s - start_s)));
  slice.step = steps_;
  slice.op_class = op_class;
  owed_joules_ -= static_cast<double>(slice.watts) * (end_s - start_s);
  trace_.slices.push_back(slice);
}

void StepRecorder::finish() {
  trace_.traffic.scale_up_peak_bytes_per_s = scale_up_.peak();
  trace_.traffic.scale_out_peak_bytes_per_s = scale_out_.peak();
  trace_.relative_error = operator_seconds_ > 0 ? error_seconds_ / operator_seconds_ : 0.0;
}

}  // namespace rackwright::profiler
