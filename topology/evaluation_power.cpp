#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "topology/evaluation_context.hpp"
#include "topology/part_facts.hpp"
#include "topology/power/busbar.hpp"
#include "topology/power/redundancy.hpp"

namespace rackwright::topology {

namespace {

constexpr const char* kCaseKey = "design_envelope";

/// The maker's range around the envelope, or the ranges of the parts when the rack has no figure.
void set_envelope_interval(EvaluationContext& context) {
  const double value = context.envelope.rack_ac_w;
  if (value <= 0) return;
  const Fact& published = context.design.published_tdp_w;
  if (published.value) {
    context.envelope_low = std::min(1.0, published.low.value_or(*published.value) / value);
    context.envelope_high = std::max(1.0, published.high.value_or(*published.value) / value);
    if (published.status == "estimated") context.envelope_origin = Origin::assumed;
    return;
  }
  double low = 0, high = 0;
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!slots[i].part) continue;
    const auto estimate = first_estimate(*slots[i].part, {"max_power_w", "tdp_w"}, "W");
    if (!estimate || estimate->value <= 0) continue;
    const double scale = context.envelope.slot_w[i] / estimate->value;
    low += scale * (estimate->value - estimate->low);
    high += scale * (estimate->high - estimate->value);
    if (estimate->origin == Origin::assumed) context.envelope_origin = Origin::assumed;
  }
  context.envelope_low = 1 - low / value;
  context.envelope_high = 1 + high / value;
}

/// Optical modules and active plugs: makers' figures do not say whether they are counted. What a
/// rack figure leaves over its parts covers them; the rest widens the envelope upwards.
void add_module_interval(EvaluationContext& context) {
  const auto& cabling = context.options.cabling;
  const RackPower& power = context.envelope;
  const double drawn = power.bus_w + power.direct_ac_w;
  if (!cabling || drawn <= 0) return;
  const double left = context.power.unitemised_w() + context.power.filled_w();
  const double more = std::max(0.0, cabling->module_max_w - left) * power.rack_ac_w / drawn;
  if (more <= 0) return;
  context.envelope_high += more / power.rack_ac_w;
  context.envelope_basis += fmt::format("; high: {} of optical modules and active plugs on top",
                                        watts_text(cabling->module_max_w - left));
}

/// What one blank node may draw so that PSUs, promised failures and feeds hold.
double node_budget_w(const EvaluationContext& context, int nodes) {
  double budget = 1e18;
  const RackDesign& design = context.design;
  double feeds = 0, smallest_feed_loss = 1e18;
  bool feed_promised = false;
  for (std::size_t i = 0; i < design.buses.size(); ++i) {
    const PowerBus& bus = design.buses[i];
    const double loads = static_cast<double>(std::max<std::size_t>(bus.loads.size(), 1));
    for (const BusFailure& failure : bus_failures(bus, design.feeds)) {
      if (!is_promised(bus, failure)) continue;
      feed_promised = feed_promised || failure.unit == "feed";
      const double input = context.power.bus_input_w(i, failure.remaining_w, psu_count(bus));
      budget =
          std::min(budget, (bus.boundary == "busbar DC" ? failure.remaining_w : input) / loads);
    }
  }
  for (const Feed& feed : design.feeds) feeds += feed.limit_w();
  for (const Feed& feed : design.feeds) {
    smallest_feed_loss = std::min(smallest_feed_loss, feeds - feed.limit_w());
  }
  if (feeds > 0) {
    const bool alone = feed_promised && design.feeds.size() > 1;
    budget = std::min(budget, (alone ? smallest_feed_loss : feeds) / std::max(nodes, 1));
  }
  return budget;
}

/// What one of the blank parts `part` may draw by the maker's rack figure; 0 when it says nothing.
double left_by_rack_figure_w(const EvaluationContext& context, const std::string& part) {
  const RackPower full = context.power.envelope(context.power.tdp_w());
  const auto& slots = context.power.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].part && slots[i].part->id == part) return full.slot_w[i];
  }
  return 0;
}

void require_blank_power(EvaluationContext& context) {
  for (const auto& [part, count] : context.power.blanks()) {
    bool holds_gpus = false;
    for (const SlotPower& slot : context.power.slots()) {
      holds_gpus = holds_gpus || (slot.part && slot.part->id == part && slot.gpus > 0);
    }
    Requirement need;
    need.id = "max_power_w." + part;
    need.input = "highest input power of " + part;
    need.supplier = "maker of " + part;
    if (holds_gpus && !context.power.complete()) {
      const double modules = context.power.tdp_w() * context.power.gpus() / std::max(count, 1);
      need.solved = fmt::format(
          "<= {} each at AC input, so that PSUs and feeds hold; its modules "
          "alone take {}",
          watts_text(node_budget_w(context, count)), watts_text(modules));
      need.effect = "verdict, if above; envelope and tokens per MW cannot be formed without it";
      need.decides = true;
    } else {
      const double left = left_by_rack_figure_w(context, part);
      need.solved = left > 0 ? fmt::format("<= {} each: what the maker's rack figure leaves for {}",
                                           watts_text(left), count)
                             : fmt::format(
                                   "{} of them are counted with no power: needs a figure "
                                   "from the maker",
                                   count);
      need.effect = left > 0 ? "tokens per joule: it is counted at that bound"
                             : "the sum of parts is a lower bound without it";
    }
    context.require(std::move(need));
  }
}

void add_envelope_figures(EvaluationContext& context) {
  const RackPower& power = context.envelope;
  const auto add = [&](const char* at, const char* label, double watts, std::string boundary) {
    context.add(fmt::format("power.{}.{}", at, kCaseKey), fmt::format("{}, design envelope", label),
                context.envelope_estimate(watts, std::move(boundary)), "steady",
                context.envelope_basis);
  };
  context.add(fmt::format("power.module.{}", kCaseKey), "All GPUs, design envelope",
              exact(power.module_w, {"W", context.envelope_origin, "module input"}), "steady",
              context.options.gpu_power_cap_w ? "GPU power cap" : "TDP of every module");
  add("tray", "Compute trays", power.tray_w, "tray");
  add("bus", "DC output of all PSUs", power.bus_w, context.bus_boundary());
  add("rack_ac", "Rack AC input", power.rack_ac_w, "rack AC input");
  context.add("power.unitemised", "Maker's rack figure over the sum of parts",
              exact(context.power.unitemised_w(), {"W", context.envelope_origin, "busbar DC"}),
              "steady", "published rack figure minus published parts");
  if (context.power.filled_w() > 0) {
    context.add("power.filled", "Switch trays, from the maker's rack figure",
                exact(context.power.filled_w(), {"W", Origin::assumed, "tray"}), "steady",
                "published rack figure minus published parts: no tray power is published");
  }
  bool efficient = true;
  for (std::size_t i = 0; i < context.design.buses.size(); ++i) {
    efficient = efficient && context.power.has_efficiency(i);
  }
  const double losses = power.rack_ac_w - power.bus_w - power.direct_ac_w;
  if (efficient)
    context.add("power.conversion_loss.design_envelope", "Loss in PSUs, design envelope",
                exact(losses, {"W", Origin::assumed, "rack AC input"}), "steady",
                "one published peak efficiency; the curve's linear share is a judgement");
  if (const auto edpp = fact_estimate(context.design.edpp_w, "W", "rack AC input")) {
    context.add("power.rack_ac.edpp", "Peak excursion (EDPp)", *edpp, "duration not published",
                context.design.edpp_w.source);
  }
}

}  // namespace

std::optional<PowerCap> smallest_cap(const EvaluationContext& context,
                                     const std::function<double(const RackPower&)>& load,
                                     double limit) {
  const auto gpu = context.power.gpu_power_for(load, limit, context.gpu_envelope_w);
  if (!gpu) return std::nullopt;
  constexpr double kStep = 1e3;  // people set caps in whole kW
  double cap = std::floor(context.power.envelope(*gpu).rack_ac_w / kStep) * kStep;
  for (int i = 0; i < 3; ++i, cap -= kStep) {
    const auto capped = context.power.gpu_power_for([](const RackPower& p) { return p.rack_ac_w; },
                                                    cap, context.gpu_envelope_w);
    if (!capped) return std::nullopt;
    const double margin = margin_of(load(context.power.envelope(*capped)), limit);
    if (margin > 0) return PowerCap{*capped, cap, margin};
  }
  return std::nullopt;
}

void evaluate_power_envelope(EvaluationContext& context) {
  const double tdp = context.power.tdp_w();
  context.gpu_envelope_w = std::min(tdp, context.options.gpu_power_cap_w.value_or(tdp));
  require_blank_power(context);
  context.has_envelope = context.power.complete();
  if (!context.has_envelope) {
    context.out.notes.push_back("The power of a slot with GPUs is blank: no power envelope.");
    return;
  }
  context.envelope = context.power.envelope(context.gpu_envelope_w);
  context.envelope_basis = context.design.published_tdp_w.value
                               ? "larger of the maker's rack figure and the sum of published parts"
                               : "sum of published part maxima";
  set_envelope_interval(context);
  if (const auto cap = context.options.rack_power_cap_w; cap && *cap < context.envelope.rack_ac_w) {
    const auto gpu = context.power.gpu_power_for([](const RackPower& p) { return p.rack_ac_w; },
                                                 *cap, context.gpu_envelope_w);
    if (gpu) {
      context.gpu_envelope_w = *gpu;
      context.envelope = context.power.envelope(*gpu);
      context.envelope_basis = "rack power cap";
      context.envelope_low = context.envelope_high = 1;
    } else {
      context.out.notes.push_back(fmt::format(
          "A rack cap of {} is under what the rack draws with unpowered GPUs.", watts_text(*cap)));
    }
  }
  if (context.power.unitemised_w() > 0) {
    context.out.notes.push_back(
        fmt::format("The maker's rack figure is {} over the sum of published parts; the envelope "
                    "carries it, the trace cases carry it as interval.",
                    watts_text(context.power.unitemised_w())));
  }
  add_module_interval(context);
  add_envelope_figures(context);
}

}  // namespace rackwright::topology
