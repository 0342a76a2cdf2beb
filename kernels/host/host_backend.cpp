#include "kernels/host/host_backend.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <variant>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/progress.hpp"
#include "kernels/host/host_collective.hpp"
#include "kernels/host/parallel.hpp"
#include "kernels/shape_rounding.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

/// A part of an operator that is too large for one run: fewer columns, sequences or experts.
struct Cut {
  double share;  ///< of the work that may run, under 1
  GemmShape operator()(GemmShape shape) const {
    shape.n = std::max(1.0, std::floor(shape.n * share));
    return shape;
  }
  AttentionShape operator()(AttentionShape shape) const { return fewer(shape); }
  LatentAttentionShape operator()(LatentAttentionShape shape) const { return fewer(shape); }
  ExpertShape operator()(ExpertShape shape) const {
    const double per_expert = shape.rank_tokens / shape.touched_experts;
    shape.touched_experts = std::max(1.0, std::floor(shape.touched_experts * share));
    shape.rank_tokens = std::max(1.0, shape.touched_experts * per_expert);
    return shape;
  }
  ElementwiseShape operator()(ElementwiseShape shape) const {
    shape.size.rows *= share;
    return {shape.bytes_read * share, shape.bytes_written * share, shape.flops * share, shape.size};
  }
  CollectiveShape operator()(CollectiveShape shape) const {
    shape.bytes *= share;
    return shape;
  }
  HostShape operator()(HostShape shape) const { return shape; }

 private:
  /// Fewer heads: sequences and context keep their length. At least one KV head.
  AttentionShape fewer(AttentionShape shape) const {
    const int heads = std::max(1, static_cast<int>(shape.kv_heads * share));
    shape.heads = shape.heads / std::max(1, shape.kv_heads) * heads;
    shape.kv_heads = heads;
    return shape;
  }
  LatentAttentionShape fewer(LatentAttentionShape shape) const {
    shape.heads = std::max(1, static_cast<int>(shape.heads * share));
    return shape;
  }
};

double share_that_fits(const Operator& op, const HostOptions& options) {
  const OperatorWork work = work_of(op);
  double share = 1;
  if (work.flops > options.most_flops) share = options.most_flops / work.flops;
  const double bytes = work.memory_bytes + work.wire_bytes;
  if (bytes > options.most_bytes) share = std::min(share, options.most_bytes / bytes);
  return share;
}

class MeasuredStep final : public PreparedStep {
 public:
  MeasuredStep(HostBackend& backend, OperatorGraph graph)
      : backend_(backend), graph_(std::move(graph)) {}

  const StepTiming& run(ReplayMode mode, OperatorObserver* observer) override {
    timing_ = {};
    const bool watched = mode == ReplayMode::per_operator && observer != nullptr;
    for (std::uint32_t i = 0; i < graph_.operators.size(); ++i) {
      if (watched) observer->begin(OperatorId(i));
      OperatorTiming one = backend_.measure(graph_.operators[i]);
      if (watched) observer->end(OperatorId(i));
      one.seconds *= graph_.operators[i].repeat;
      one.joules *= graph_.operators[i].repeat;
      timing_.seconds += one.seconds;
      timing_.joules += one.joules;
      timing_.operators.push_back(one);
    }
    return timing_;
  }

 private:
  HostBackend& backend_;
  OperatorGraph graph_;
  StepTiming timing_;
};

}  // namespace

HostBackend::HostBackend(HostOptions options)
    : options_(std::move(options)), energy_(options_.powercap) {
  if (options_.threads > 0) limit_threads(options_.threads);
  if (options_.ranks != nullptr && options_.ranks->size() == 1) options_.ranks = nullptr;
}

launch::Communicator& HostBackend::group_of(int ranks) {
  launch::Communicator& all = *options_.ranks;
  if (ranks == all.size()) return all;
  if (all.size() % ranks != 0) {
    throw BackendUnavailable(
        fmt::format("a collective of {} ranks in a replica of {}", ranks, all.size()));
  }
  auto& group = groups_[ranks];
  if (!group) group = all.split(all.rank() / ranks);
  return *group;
}

std::unique_ptr<HostOperator> HostBackend::make(const Operator& op) {
  const auto* collective = std::get_if<CollectiveShape>(&op.shape);
  if (collective != nullptr && in_step() && collective->ranks > 1 && collective->bytes > 0) {
    return make_host_collective(*collective, group_of(collective->ranks));
  }
  return make_host_operator(op, options_.seed);
}

std::unique_ptr<PreparedStep> HostBackend::prepare(const OperatorGraph& step, const RankContext&) {
  return std::make_unique<MeasuredStep>(*this, step);
}

OperatorTiming HostBackend::measure(const Operator& op) {
  if (std::holds_alternative<HostShape>(op.shape)) return {};
  Operator near = with_rounded_shape(op);
  if (const double share = share_that_fits(near, options_); share < 1) {
    near.shape = std::visit([&](const auto& shape) -> OperatorShape { return Cut{share}(shape); },
                            near.shape);
  }
  const std::string key = shape_key(near);
  auto found = known_.find(key);
  if (found == known_.end()) found = known_.emplace(key, run(near)).first;
  OperatorTiming timing = found->second;
  const double scale = amount_of_work(op) / amount_of_work(near);
  timing.seconds *= scale;
  timing.joules *= scale;
  timing.relative_error = std::hypot(timing.relative_error, error_of_scaling(scale));
  timing.extrapolated = std::abs(std::log2(scale)) > 1;
  return timing;
}

OperatorTiming HostBackend::run(const Operator& op) {
  using Clock = std::chrono::steady_clock;
  const auto work = make(op);
  if (!work) return {};
  work->run();  // touches all pages, wakes the threads
  std::vector<double> seconds;
  double total = 0;
  energy_.joules();
  const auto another = [&] {
    const bool wanted = static_cast<int>(seconds.size()) < options_.most_repetitions &&
                        (seconds.size() < 3 || total < options_.least_seconds);
    return in_step() ? options_.ranks->decided(wanted ? 1 : 0) != 0 : wanted;
  };
  while (another()) {
    throw_if_interrupted();
    if (in_step()) options_.ranks->barrier();
    const auto start = Clock::now();
    work->run();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    total += seconds.back();
  }
  const auto joules = energy_.joules();
  std::sort(seconds.begin(), seconds.end());
  OperatorTiming timing;
  timing.seconds = std::max(1e-9, seconds[seconds.size() / 2]);
  timing.joules = joules.value_or(0) / static_cast<double>(seconds.size()) / options_.ranks_on_host;
  const double spread = seconds[seconds.size() * 9 / 10] - seconds[seconds.size() / 10];
  timing.relative_error = spread / 2 / timing.seconds;
  if (in_step()) timing.seconds = options_.ranks->max_of(timing.seconds);
  return timing;
}

}  // namespace rackwright::kernels
