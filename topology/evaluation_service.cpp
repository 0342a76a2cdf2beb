#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/cabling/scale_out_ports.hpp"
#include "topology/evaluation_context.hpp"
#include "topology/network/link_load.hpp"

namespace rackwright::topology {

namespace {

/// GPU seconds of the trace in a rack, J at rack AC input over output tokens.
/// What the throughput's error comes from.
ModelBasis model_basis(const kernels::DeviceInfo& device, const profiler::SloCapacity& capacity) {
  ModelBasis basis;
  for (const kernels::CalibrationSource& source : device.calibration) {
    basis.transfer_errors.emplace(source.profile, source.relative_error);
  }
  const double steps = capacity.trace.relative_error;
  if (steps > 0) basis.gain = std::max(1.0, capacity.relative_error / steps);
  return basis;
}

void add_energy(EvaluationContext& context, const profiler::SloCapacity& capacity,
                const Estimate& tokens_per_s) {
  if (!context.capacity) return;
  const Figure* ac = context.out.figures.find("power.rack_ac.slo_capacity");
  if (!ac) return;
  Estimate per_joule = ratio(tokens_per_s, ac->estimate, "tok/J");
  per_joule.boundary = "rack AC input";
  context.add("service.tokens_per_joule", "Output tokens per joule at SLO capacity", per_joule,
              fmt::format("mean over {:.0f} s", capacity.trace.end_s),
              "output tokens per second / mean rack AC input, load case (b)");
}

Estimate percentile(double value, double low, double high, const profiler::SloCapacity& capacity,
                    double scale, const char* unit) {
  Estimate e = exact(value * scale, {unit, capacity.trace.origin, "", capacity.trace.extrapolated});
  e.low = std::min(low * scale, e.value);
  e.high = std::max(high * scale, e.value);
  return e;
}

void add_latency(EvaluationContext& context, const profiler::SloCapacity& capacity) {
  const auto& m = capacity.trace.metrics;
  const std::string window = fmt::format("{} requests", m.requests);
  context.add("service.ttft_p99", "TTFT P99 at SLO capacity",
              percentile(m.ttft_p99, m.ttft_p99_low, m.ttft_p99_high, capacity, 1e3, "ms"), window,
              "order statistic; interval of the sample, not of the model");
  context.add("service.tpot_p99", "TPOT P99 at SLO capacity",
              percentile(m.tpot_p99, m.tpot_p99_low, m.tpot_p99_high, capacity, 1e3, "ms"), window,
              "order statistic; interval of the sample, not of the model");
  context.add("service.ttft_p50", "TTFT P50 at SLO capacity",
              percentile(m.ttft_p50, m.ttft_p50, m.ttft_p50, capacity, 1e3, "ms"), window,
              "median");
  context.add("service.tpot_p50", "TPOT P50 at SLO capacity",
              percentile(m.tpot_p50, m.tpot_p50, m.tpot_p50, capacity, 1e3, "ms"), window,
              "median");
  context.add(
      "service.attainment", "Requests that meet both SLO limits",
      exact(m.attainment * 100, {"%", capacity.trace.origin, "", capacity.trace.extrapolated}),
      window, "share of finished requests");
}

/// The SLO cannot be met at any load: known, so a violated limit and not a blank.
void add_missed_slo(EvaluationContext& context, const profiler::SloCapacity& capacity) {
  Limit limit;
  limit.id = "service.slo";
  limit.domain = "service";
  limit.name = "SLO on an idle replica";
  limit.failure_unit = "none";
  const bool tpot = capacity.limited_by.find("TPOT") != std::string::npos;
  const auto& m = capacity.trace.metrics;
  limit.load = exact((tpot ? m.tpot_p99 : m.ttft_p99) * 1e3,
                     {"ms", capacity.trace.origin, "", capacity.trace.extrapolated});
  limit.margin = limit.margin_low = limit.margin_high = -1;
  limit.state = LimitState::violated;
  limit.cause = capacity.limited_by;
  limit.remedy = "";
  context.out.limits.push_back(std::move(limit));
}

void add_link_limit(EvaluationContext& context, const char* key, const char* label,
                    const kernels::DeviceFact& rate, const LinkLoad& load) {
  const profiler::Trace& trace = context.demand->capacity.trace;
  const double mean_bytes_per_s = load.mean_bytes_per_s;
  const double peak_bytes_per_s = load.peak_bytes_per_s;
  if (peak_bytes_per_s <= 0) return;
  const Estimate peak = exact(peak_bytes_per_s / 1e9,
                              {"GB/s", trace.origin, "per GPU, one direction", trace.extrapolated});
  context.add(fmt::format("network.{}_mean", key), fmt::format("{} load per GPU, mean", label),
              exact(mean_bytes_per_s / 1e9,
                    {"GB/s", trace.origin, "per GPU, one direction", trace.extrapolated}),
              fmt::format("mean over {:.0f} s", trace.end_s), "algorithm volume, not busbw");
  context.add(fmt::format("network.{}_peak", key), fmt::format("{} load per GPU, peak", label),
              peak, "1 s", "algorithm volume, not busbw");
  if (!rate.value) {
    context.require({fmt::format("{}_rate.{}", key, context.device.id),
                     fmt::format("{} rate of {}", label, context.device.name),
                     fmt::format(">= {:.0f} GB/s one direction", peak_bytes_per_s / 1e9),
                     "module maker", "step time and this limit", true});
    return;
  }
  context.add(fmt::format("network.{}_utilisation", key),
              fmt::format("{} load over its rate, busiest second", label),
              exact(peak_bytes_per_s / *rate.value * 100,
                    {"%", trace.origin, "per GPU, one direction", trace.extrapolated}),
              "1 s", "bytes sent per GPU / rate in one direction");
  context.out.limits.push_back(make_limit(
      {fmt::format("network.{}", key), "network",
       fmt::format("{} of one GPU, busiest second", label), "none", ""},
      peak,
      exact(*rate.value / 1e9,
            {"GB/s", rate.status == "estimated" ? Origin::assumed : Origin::catalogue,
             "per GPU, one direction"}),
      fmt::format("{:.1f} GB/s sent of {:.0f} GB/s", peak_bytes_per_s / 1e9, *rate.value / 1e9)));
}

/// What a lost switch tray does to the collectives of the trace: n trays carry what n - 1 must.
void add_lost_switch_tray(EvaluationContext& context, const profiler::Trace& trace) {
  const auto& slots = context.design.slots;
  const auto trays = std::count_if(slots.begin(), slots.end(),
                                   [](const Slot& slot) { return slot.group == "switch"; });
  const double busy_s = trace.busy_share() * trace.end_s;
  const double rate = context.device.scale_up_bytes_per_s.value.value_or(0);
  if (context.design.scale_up_switches == 0 || trays < 2 || !(busy_s > 0) || !(rate > 0)) return;
  const double more = 1.0 / static_cast<double>(trays - 1);
  const double all_s =
      trace.totals[static_cast<std::size_t>(workloads::OperatorClass::collective)].seconds;
  const double wire_s = std::min(all_s, trace.traffic.scale_up_bytes / rate);
  const EstimateTag tag{"%", weakest(trace.origin, Origin::modelled), "per GPU",
                        trace.extrapolated};
  context.add(
      "network.switch_tray_lost.collectives", "Longer collectives with a switch tray lost",
      between(all_s > 0 ? 100 * more * wire_s / all_s : 0, 100 * more, 100 * more, tag), "steady",
      fmt::format("{} trays carry what {} do, links spread again; low: only the time on the "
                  "wire stretches",
                  trays - 1, trays));
  context.add("network.switch_tray_lost.steps", "Longer steps with a switch tray lost",
              between(100 * more * wire_s / busy_s, 100 * more * all_s / busy_s,
                      100 * more * all_s / busy_s, tag),
              fmt::format("mean over {:.0f} s", trace.end_s),
              "collectives over busy time; none of it hidden behind compute");
}

void add_scale_out_ports(EvaluationContext& context) {
  const ScaleOutPorts ports = scale_out_ports(context.design, context.catalog);
  if (ports.nics > 0) {
    context.add("cabling.scale_out_cables", "Scale-out cables of the rack, one per NIC",
                exact(ports.nics, {"cables", Origin::catalogue}), "",
                ports.gbit_per_s > 0
                    ? fmt::format("published NIC counts, {:.0f} Gbit/s each", ports.gbit_per_s)
                    : "published NIC counts");
  }
  if (!ports.complete) {
    context.require({"nic_count." + context.design.id, "scale-out NICs of a node",
                     "needs a figure from the maker", "system maker",
                     "switches and cables of the fabric", false});
  }
}

}  // namespace

void evaluate_network(EvaluationContext& context) {
  const RackDesign& design = context.design;
  if (design.scale_up_switches > 0) {
    context.add("network.scale_up_switches", "Scale-up switch ASICs in the rack",
                exact(design.scale_up_switches, {"switches", Origin::catalogue}), "", "design");
  }
  if (design.backplane_pairs > 0) {
    context.add("cabling.backplane_cartridges", "Factory backplane cartridges",
                exact(design.backplane_cartridges, {"cartridges", Origin::catalogue}), "",
                "design");
    context.add("cabling.backplane_pairs", "Differential pairs in them, no pulled cable",
                exact(design.backplane_pairs, {"pairs", Origin::catalogue}), "", "design");
  }
  if (context.device.scale_out_bytes_per_s.value) {
    context.add("network.scale_out_rate", "Scale-out rate per GPU",
                exact(*context.device.scale_out_bytes_per_s.value / 1e9,
                      {"GB/s", Origin::catalogue, "per GPU, one direction"}),
                "", context.device.scale_out_bytes_per_s.source);
  }
  add_scale_out_ports(context);
  if (!context.demand || !(context.demand->capacity.trace.end_s > 0)) return;
  const profiler::Trace& trace = context.demand->capacity.trace;
  add_link_limit(context, "scale_up", "Scale-up link", context.device.scale_up_bytes_per_s,
                 scale_up_load(trace));
  add_link_limit(context, "scale_out", "Scale-out link", context.device.scale_out_bytes_per_s,
                 scale_out_load(trace));
  add_lost_switch_tray(context, trace);
}

void evaluate_service(EvaluationContext& context) {
  if (!context.demand) return;
  context.out.model_basis = model_basis(context.device, context.demand->capacity);
  const profiler::SloCapacity& capacity = context.demand->capacity;
  const Placement& placement = context.out.placement;
  const auto tag = [&](std::string unit, std::string boundary) {
    return EstimateTag{std::move(unit), capacity.trace.origin, std::move(boundary),
                       capacity.trace.extrapolated};
  };
  context.add("service.replicas", "Replicas in the rack",
              exact(placement.racks_per_replica > 1 ? 1.0 / placement.racks_per_replica
                                                    : placement.replicas,
                    {"1", Origin::modelled}),
              "", placement.plan);
  if (!(capacity.load_factor > 0)) {
    add_missed_slo(context, capacity);
    return;
  }
  const double replicas =
      placement.racks_per_replica > 1 ? 1.0 / placement.racks_per_replica : placement.replicas;
  const double error = std::min(capacity.relative_error, 0.99);
  const Estimate tokens =
      with_relative(capacity.output_tokens_per_s * replicas, error, tag("tok/s", "rack"));
  context.add("service.tokens_per_s", "Output tokens per second of one rack at SLO", tokens,
              fmt::format("{:.0f} s of traffic", capacity.trace.end_s),
              fmt::format("highest load with the SLO held, {} replicas of {}; limited by {}",
                          format_significant(replicas, 3), placement.plan, capacity.limited_by));
  context.add("service.prompt_tokens_per_s", "Prompt tokens per second of one rack at SLO",
              with_relative(capacity.trace.metrics.prompt_tokens_per_s * replicas, error,
                            tag("tok/s", "rack")),
              "", "prefill work that comes with these output tokens");
  context.add("service.requests_per_s", "Requests per second of one rack at SLO",
              with_relative(capacity.requests_per_s * replicas, error, tag("1/s", "rack")), "", "");
  context.add("service.load_factor", "Copies of the recorded traffic one replica carries",
              with_relative(capacity.load_factor, error, tag("1", "")), "",
              "time-shifted superposition");
  context.add("service.busy_share", "GPU time in steps at SLO capacity",
              exact(capacity.trace.busy_share() * 100, tag("%", "")), "", "busy over elapsed time");
  add_latency(context, capacity);
  add_energy(context, capacity, tokens);
  if (context.has_envelope) {
    Estimate per_mw = ratio(
        tokens, context.envelope_estimate(context.envelope.rack_ac_w, "rack AC input"), "tok/s/MW");
    for (double* value : {&per_mw.value, &per_mw.low, &per_mw.high}) *value *= 1e6;
    per_mw.boundary = "rack AC input";
    context.add("service.tokens_per_s_per_mw", "Output tokens per second per MW of design envelope",
                per_mw, "", "tokens per second / design envelope, one rack");
  }
}

}  // namespace rackwright::topology
