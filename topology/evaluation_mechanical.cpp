#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "topology/evaluation_context.hpp"
#include "topology/mechanical/floor_load.hpp"
#include "topology/part_facts.hpp"

namespace rackwright::topology {

namespace {

struct Weight {
  double value = 0, low = 0, high = 0;
  Origin origin = Origin::catalogue;
  std::map<std::string, int> blanks;
};

Weight weigh(const EvaluationContext& context) {
  Weight sum;
  const auto add = [&](const Estimate& e) {
    sum.value += e.value;
    sum.low += e.low;
    sum.high += e.high;
    sum.origin = weakest(sum.origin, e.origin);
  };
  for (const Slot& slot : context.design.slots) {
    const Part* part = context.catalog.find(slot.part);
    const auto kg = part ? first_estimate(*part, {"weight_kg"}, "kg") : std::nullopt;
    if (kg) {
      add(*kg);
    } else if (slot.group != "blank") {
      ++sum.blanks[slot.part];
    }
  }
  if (const auto frame = fact_estimate(context.design.envelope.empty_weight_kg, "kg")) {
    add(*frame);
  } else {
    ++sum.blanks["rack frame"];
  }
  return sum;
}

void add_weight_limits(EvaluationContext& context, const Estimate& weight) {
  const Envelope& envelope = context.design.envelope;
  if (const auto most = fact_estimate(envelope.weight_limit_kg, "kg", "rack")) {
    context.out.limits.push_back(make_limit(
        {"mechanical.weight", "mechanical", "Weight of the rack", "none", ""}, weight, *most,
        fmt::format("{:.0f} kg of parts on a frame for {:.0f} kg", weight.value, most->value)));
  }
  const double footprint_m2 = envelope.width_mm * envelope.depth_mm * 1e-6;
  if (footprint_m2 <= 0) return;
  const Estimate pressure = scaled(
      weight, floor_pressure(1 * kilogram, footprint_m2 * square_metre).in(kilopascal), "kPa");
  context.add("mechanical.floor_pressure", "Floor load on the rack's own footprint", pressure,
              "static", "m g / (width x depth), uniform; point loads of castors are higher");
  if (const auto rating = fact_estimate(envelope.floor_rating_kpa, "kPa", "floor")) {
    context.out.limits.push_back(make_limit(
        {"mechanical.floor", "mechanical", "Floor load on the rack's footprint", "none", ""},
        pressure, *rating, "uniform load, no spreader plate"));
  } else {
    context.require(
        {"floor_rating." + context.design.id, "floor rating of the room",
         fmt::format(">= {:.1f} kPa on the footprint, or a spreader plate", pressure.high),
         "facility", "floor limit, if below", false});
  }
}

void add_depth_limit(EvaluationContext& context) {
  double deepest = 0;
  std::string owner;
  for (const Slot& slot : context.design.slots) {
    const Part* part = context.catalog.find(slot.part);
    const auto depth = part ? part->number("depth_mm") : std::nullopt;
    if (!depth || *depth <= deepest) continue;
    deepest = *depth;
    owner = part->name;
  }
  const double depth = context.design.envelope.depth_mm;
  if (deepest <= 0 || depth <= 0) return;
  context.out.limits.push_back(make_limit(
      {"mechanical.depth", "mechanical", "Depth of the deepest part in the frame", "none", ""},
      exact(deepest, {"mm", Origin::catalogue, "frame"}),
      exact(depth, {"mm", Origin::catalogue, "frame"}),
      owner + "; bend space of cables comes on top"));
}

/// A full frame is no risk: parts fit or they do not, so only an overflow is a limit.
void add_fit_limit(EvaluationContext& context, double used, const std::string& unit) {
  const double units = context.design.envelope.height_units;
  if (units <= 0 || used <= units) return;
  context.out.limits.push_back(make_limit({"mechanical.units", "mechanical", "Units of the frame"},
                                          exact(used, {unit, Origin::catalogue, "frame"}),
                                          exact(units, {unit, Origin::catalogue, "frame"}),
                                          "heights of the parts on the front face"));
}

}  // namespace

void evaluate_mechanical(EvaluationContext& context) {
  const Envelope& envelope = context.design.envelope;
  double used = 0;
  for (const Slot& slot : context.design.slots) {
    if (slot.face == Face::front) used += slot.height;
  }
  const std::string unit = envelope.pitch == UnitPitch::rack_unit ? "RU" : "OU";
  context.add("mechanical.units_used", "Units in use", exact(used, {unit, Origin::catalogue}), "",
              "design");
  context.add("mechanical.units", "Units of the frame",
              exact(envelope.height_units, {unit, Origin::catalogue}), "", "design");
  context.add("mechanical.floor_area", "Floor with half of the front and rear clearance",
              exact(envelope.floor_area_m2(), {"m2", Origin::modelled}), "",
              "width x (depth + clearances / 2)");
  Weight sum = weigh(context);
  std::string basis = "sum of published part weights, frame included, no cables or coolant";
  if (!sum.blanks.empty()) basis += "; a lower bound: some weights are blank";
  const auto published = fact_estimate(context.design.published_weight_kg, "kg", "rack");
  if (published && published->value >= sum.value) {
    basis = "maker's figure for the full rack: " + context.design.published_weight_kg.source;
    sum.value = published->value;
    sum.low = published->low;
    sum.high = published->high;
    sum.origin = published->origin;
  }
  Estimate weight = exact(sum.value, {"kg", weakest(Origin::modelled, sum.origin), "rack"});
  weight.low = std::min(sum.low, sum.value);
  weight.high = std::max(sum.high, sum.value);
  if (sum.value > 0) {
    context.add("mechanical.weight", "Weight of the rack", weight, "", basis);
    add_weight_limits(context, weight);
  }
  for (const auto& [part, count] : sum.blanks) {
    context.require(
        {"weight_kg." + part, "weight of " + part,
         fmt::format("{} of them are not in the sum: needs a figure from the maker", count),
         "maker of " + part, "floor and frame load", false});
  }
  add_depth_limit(context);
  add_fit_limit(context, used, unit);
}

}  // namespace rackwright::topology
