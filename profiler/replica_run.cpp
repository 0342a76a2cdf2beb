#include "profiler/replica_run.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/rank_failure.hpp"
#include "profiler/step_recorder.hpp"

namespace rackwright::profiler {

namespace {

/// Ends a run of the capacity search whose outcome is known.
struct Hopeless {};

ReplicaSetup with_resolved_plan(ReplicaSetup setup, const workloads::ModelConfig& model) {
  setup.plan = workloads::resolved(setup.plan, model);
  return setup;
}

Origin origin_of(std::string_view backend) {
  return backend == "host" || backend == "cuda" ? Origin::measured : Origin::modelled;
}

/// The engine asks for the time of the step, then, when it speculates, of its draft.
class PricedSteps {
 public:
  PricedSteps(StepPricer& pricer, const ReplicaSetup& setup) : pricer_(pricer), setup_(setup) {}

  double price(const workloads::StepShape& shape) {
    const bool draft = priced_++ > 0;
    const kernels::StepTiming& timing = draft ? pricer_.price_draft(shape) : pricer_.price(shape);
    summarise(pricer_.graph(), timing, setup_.plan, setup_.rank.scale_up_domain,
              draft ? draft_ : step_);
    return timing.seconds;
  }
  void record(double start_s, double duration_s, StepRecorder& recorder) {
    const bool draft = priced_ > 1 && draft_.seconds > 0;
    recorder.add(start_s, duration_s, step_, draft ? &draft_ : nullptr,
                 draft ? (duration_s - step_.seconds) / draft_.seconds : 0.0);
    priced_ = 0;
  }

 private:
  StepPricer& pricer_;
  const ReplicaSetup& setup_;
  int priced_ = 0;
  GraphSummary step_;
  GraphSummary draft_;
};

/// True twice a second.
class Metronome {
 public:
  bool due() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(500)) return false;
    last_ = now;
    return true;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// The worst value once the allowed misses are taken away; 0 when none is left.
double worst_of(std::vector<double>& values, std::uint64_t allowed) {
  if (values.size() <= allowed) return 0;
  const auto at = values.end() - static_cast<std::ptrdiff_t>(allowed) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void judge(const std::vector<workloads::RequestOutcome>& requests, std::size_t expected,
           const workloads::Slo& slo, MissAllowance allowance, Probe& probe) {
  std::vector<double> ttft;
  std::vector<double> tpot;
  for (const auto& request : requests) {
    ttft.push_back(request.ttft());
    if (request.output_tokens > 1) tpot.push_back(request.tpot());
  }
  const SloCount count = count_misses(requests, slo);
  probe.late_first_tokens = count.late_first_token > allowance.first_tokens;
  probe.slow_answers = count.slow_answers > allowance.answers;
  probe.holds = requests.size() == expected && !probe.late_first_tokens && !probe.slow_answers;
  probe.ttft_s = worst_of(ttft, allowance.first_tokens);
  probe.tpot_s = worst_of(tpot, allowance.answers);
  probe.worst_ratio = std::max(probe.ttft_s / slo.ttft_s, probe.tpot_s / slo.tpot_s);
}

}  // namespace

workloads::RequestTrace traffic_of_replica(const workloads::RequestTrace& traffic,
                                           double load_factor, int replicas, std::uint64_t seed) {
  const int share = std::max(1, replicas);
  if (share == 1 && load_factor == 1) return traffic;
  return workloads::superpose(traffic, load_factor * share, seed, share);
}

workloads::RequestTrace busiest_window(const workloads::RequestTrace& traffic, double seconds) {
  if (!(seconds > 0) || seconds >= traffic.duration_s()) return traffic;
  const auto& requests = traffic.requests;
  std::size_t first = 0;
  std::size_t best_first = 0;
  std::size_t best_end = 0;
  std::uint64_t tokens = 0;
  std::uint64_t most = 0;
  for (std::size_t end = 0; end < requests.size(); ++end) {
    tokens += requests[end].prompt_tokens + requests[end].output_tokens;
    while (requests[end].arrival_s - requests[first].arrival_s > seconds) {
      tokens -= requests[first].prompt_tokens + requests[first].output_tokens;
      ++first;
    }
    if (tokens > most) {
      most = tokens;
      best_first = first;
      best_end = end + 1;
    }
  }
  workloads::RequestTrace window;
  window.name = traffic.name;
  window.source = traffic.source;
  window.prefix_block = traffic.prefix_block;
  window.requests.assign(requests.begin() + static_cast<std::ptrdiff_t>(best_first),
                         requests.begin() + static_cast<std::ptrdiff_t>(best_end));
  return window;
}

workloads::RequestTrace beginning(workloads::RequestTrace traffic, double seconds) {
  if (!(seconds > 0)) return traffic;
  const auto end = std::find_if(traffic.requests.begin(), traffic.requests.end(),
                                [seconds](const auto& r) { return r.arrival_s > seconds; });
  traffic.requests.erase(end, traffic.requests.end());
  return traffic;
}

ReplicaRun::ReplicaRun(const workloads::Workload& workload, const ReplicaSetup& setup,
                       kernels::Backend& backend)
    : workload_(workload),
      setup_(with_resolved_plan(setup, workload.model)),
      backend_(backend),
      pricer_(workload.model, setup_, backend) {
  workloads::check_memory(workload.model, setup_.plan, setup_.gpu_memory_bytes,
                          workload.traffic.longest(), setup_.rank.scale_up_domain);
  kv_tokens_ =
      workloads::memory_use(workload.model, setup_.plan, setup_.gpu_memory_bytes).kv_tokens;
}

workloads::EngineOptions ReplicaRun::engine_options() const {
  workloads::EngineOptions options;
  options.kv_tokens = kv_tokens_;
  options.attention_clip = workload_.model.attention_clip();
  return options;
}

Trace ReplicaRun::empty_trace(const ReplayOptions& options) const {
  Trace trace;
  trace.workload = workload_.name;
  trace.device = backend_.device();
  trace.backend = backend_.name();
  trace.plan = setup_.plan;
  trace.seed = options.seed;
  trace.origin = origin_of(backend_.name());
  trace.load_factor = options.load_factor;
  const std::optional<double> idle = setup_.idle_w ? setup_.idle_w : idle_power_w(backend_);
  trace.idle_w = idle.value_or(0.0);
  trace.idle_unknown = !idle;
  trace.power_unknown = !backend_.measures_power();
  return trace;
}

Trace ReplicaRun::record(const workloads::RequestTrace& traffic, const ReplayOptions& options,
                         const ProgressCallback& progress) {
  Trace trace = empty_trace(options);
  workloads::EngineOptions engine = engine_options();
  engine.give_up_wait_s = options.give_up_wait_s;
  StepRecorder recorder(trace, options.keep_slices);
  PricedSteps steps(pricer_, setup_);
  workloads::EngineResult partial;
  Metronome checkpoints;
  const auto price = [&steps](const workloads::StepShape& shape) { return steps.price(shape); };
  const auto sink = [&](double start_s, double duration_s, const workloads::StepShape& shape) {
    steps.record(start_s, duration_s, recorder);
    ++partial.steps;
    partial.prefill_tokens += shape.prefill_tokens;
    partial.busy_s += duration_s;
    partial.end_s = start_s + duration_s;
    if (options.checkpoint && checkpoints.due()) {
      trace.engine = partial;
      trace.end_s = partial.end_s;
      options.checkpoint(trace);
    }
  };
  try {
    trace.engine = workloads::run_engine(traffic, setup_.plan, engine, price, sink, progress);
    if (trace.engine.gave_up) {
      trace.incomplete = true;
      trace.incomplete_reason =
          fmt::format("given up: a request waited longer than {:g} s, the load is beyond capacity",
                      options.give_up_wait_s);
    }
  } catch (const Interrupted&) {
    if (!options.keep_partial) throw;
    trace.engine = partial;
    trace.incomplete = true;
    trace.incomplete_reason = "interrupted";
  } catch (const kernels::RankFailure& failure) {
    if (!options.keep_partial) throw;
    trace.engine = partial;
    trace.incomplete = true;
    trace.incomplete_reason = failure.what();
  }
  trace.end_s = trace.engine.end_s;
  recorder.finish();
  trace.metrics = request_metrics(trace.engine.requests, workload_.slo, trace.end_s);
  return trace;
}

Probe ReplicaRun::probe(const workloads::RequestTrace& traffic, MissAllowance allowance,
                        const ProgressCallback& progress) {
  Probe probe;
  const workloads::Slo& slo = workload_.slo;
  workloads::EngineOptions engine = engine_options();
  // Where requests cannot be counted a queue this old means that too many wait in it: those that
  // arrived within it, less the limit itself, are late, and at the mean rate twice the share
  // allowed.
  engine.give_up_wait_s =
      std::max(10 * slo.ttft_s, slo.ttft_s + 2 * (1 - slo.percentile) * traffic.duration_s());
  LateRequestCounter late(traffic, setup_.plan, slo, allowance);
  int priced = 0;
  double cache = 0;
  std::uint32_t batch = 0;
  const auto price = [&](const workloads::StepShape& shape) {
    return (priced++ == 0 ? pricer_.price(shape) : pricer_.price_draft(shape)).seconds;
  };
  const auto sink = [&](double start_s, double duration_s, const workloads::StepShape& shape) {
    priced = 0;
    cache = std::max(cache, shape.decode_context + shape.prefill_context);
    batch = std::max(batch, shape.decode_sequences + shape.prefill_sequences);
    late.step(start_s, duration_s, shape);
    if (late.first_tokens_hopeless() || late.answers_hopeless()) throw Hopeless{};
  };
  try {
    const auto result = workloads::run_engine(traffic, setup_.plan, engine, price, sink, progress);
    judge(result.requests, traffic.requests.size(), slo, allowance, probe);
    if (result.gave_up) {
      probe.broken_off = true;
      probe.late_first_tokens = true;
      probe.worst_ratio = 0;
    }
  } catch (const Hopeless&) {
    probe.broken_off = true;
    probe.late_first_tokens = late.first_tokens_hopeless();
    probe.slow_answers = late.answers_hopeless();
  }
  const double verified =
      setup_.plan.speculative ? setup_.plan.speculative->draft_tokens + 1.0 : 1.0;
  probe.cache_share = kv_tokens_ > 0 ? cache / kv_tokens_ : 0;
  probe.batch_share = batch / verified / setup_.plan.max_batch;
  return probe;
}

Trace replay(const workloads::Workload& workload, const ReplicaSetup& setup,
             kernels::Backend& backend, const ReplayOptions& options,
             const ProgressCallback& progress) {
  ReplicaRun run(workload, setup, backend);
  workloads::RequestTrace traffic =
      traffic_of_replica(workload.traffic, options.load_factor, setup.replicas, options.seed);
  return run.record(beginning(std::move(traffic), options.stop_after_s), options, progress);
}

}  // namespace rackwright::profiler
