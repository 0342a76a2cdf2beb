#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/evaluation_context.hpp"
#include "topology/mechanical/floor_load.hpp"
#include "topology/part_facts.hpp"

// What the rack asks of floor, aisle, room and anchors.
namespace rackwright::topology {

namespace {

/// Parts with and without a published weight, at their heights over the floor.
struct Masses {
  std::vector<PlacedMass> known;
  double known_kg = 0;
  std::vector<double> blank_mm;  ///< mid-heights of parts without weight, once per unit of height
};

Masses masses_of(const EvaluationContext& context) {
  const Envelope& envelope = context.design.envelope;
  const double pitch = pitch_mm(envelope.pitch);
  // Plinth and top cover are not split in any data sheet: half of what the units leave each.
  const double plinth = std::max(0.0, (envelope.height_mm - envelope.height_units * pitch) / 2);
  Masses masses;
  for (const Slot& slot : context.design.slots) {
    const double middle = plinth + (slot.unit - 1 + slot.height / 2) * pitch;
    const Part* part = context.catalog.find(slot.part);
    const auto kg = part ? part->number("weight_kg") : std::nullopt;
    if (kg) {
      masses.known.push_back({*kg, middle});
      masses.known_kg += *kg;
    } else if (slot.group != "blank") {
      for (double unit = 0; unit < slot.height; ++unit) masses.blank_mm.push_back(middle);
    }
  }
  if (const auto& frame = envelope.empty_weight_kg.value) {
    masses.known.push_back({*frame, envelope.height_mm / 2});
    masses.known_kg += *frame;
  }
  return masses;
}

/// The weight that no part accounts for sits somewhere among the parts without one: value spread
/// over them, interval all at the lowest, all at the highest.
std::optional<Estimate> centre_of_gravity(const EvaluationContext& context, double total_kg) {
  const Masses masses = masses_of(context);
  const double rest = std::max(0.0, total_kg - masses.known_kg);
  if (masses.known_kg + rest <= 0) return std::nullopt;
  const double middle = context.design.envelope.height_mm / 2;
  double low = middle, mean = middle, high = middle;
  if (!masses.blank_mm.empty()) {
    low = *std::min_element(masses.blank_mm.begin(), masses.blank_mm.end());
    high = *std::max_element(masses.blank_mm.begin(), masses.blank_mm.end());
    mean = 0;
    for (const double z : masses.blank_mm) mean += z / static_cast<double>(masses.blank_mm.size());
  }
  const auto centre = [&](double rest_mm) {
    auto all = masses.known;
    all.push_back({rest, rest_mm});
    return centre_height_mm(all);
  };
  Estimate height =
      exact(centre(mean), {"mm", rest > 0 ? Origin::assumed : Origin::modelled, "above floor"});
  height.low = centre(low);
  height.high = centre(high);
  return height;
}

void add_tipping(EvaluationContext& context, const Estimate& centre) {
  const Envelope& envelope = context.design.envelope;
  const double side = std::min(envelope.width_mm, envelope.depth_mm);
  if (side <= 0 || centre.low <= 0) return;
  Estimate tips =
      exact(tipping_factor(side, centre.value), {"g", centre.origin, "free-standing rack"});
  tips.low = tipping_factor(side, centre.high);
  tips.high = tipping_factor(side, centre.low);
  context.add("mechanical.tipping", "Horizontal acceleration that tips the rack when not anchored",
              tips, "static", "half of the narrower side over the height of the centre of gravity");
  const MechanicalFacts& facts = context.design.mechanical;
  const auto demand = fact_estimate(facts.seismic_demand_factor, "g", "floor");
  const auto tested = fact_estimate(facts.seismic_capacity_factor, "g", "anchored rack");
  if (!demand) {
    context.require({"seismic." + context.design.id, "seismic demand of the site",
                     fmt::format("<= {:.2f} g for a rack without anchors; above it anchors, and a "
                                 "frame tested for the demand",
                                 tips.low),
                     "site", "anchoring", false});
    return;
  }
  Limit limit = make_limit(
      {"mechanical.seismic", "mechanical",
       tested ? "Seismic demand against the tested frame"
              : "Seismic demand against tipping without anchors"},
      *demand, tested ? *tested : tips,
      fmt::format("site asks {:.2f} g; the rack tips at {:.2f} g", demand->value, tips.value));
  if (limit.state == LimitState::violated && !tested) {
    limit.remedy = "Anchor the rack; the frame's tested acceleration is blank";
  }
  context.out.limits.push_back(std::move(limit));
}

/// One support of a standing or rolling rack. Without the number of supports the loads are printed
/// for what the floor must take.
void add_point_loads(EvaluationContext& context, const Estimate& weight) {
  const MechanicalFacts& facts = context.design.mechanical;
  if (!facts.support_count.value) {
    context.require(
        {"point_load." + context.design.id, "castors or feet and the floor's point load",
         fmt::format("{:.1f} kN under each of four on an even floor, {:.1f} kN where two "
                     "diagonal ones carry; the same path for rolling it in",
                     even_support_n(weight.high, 4) / 1e3, uneven_support_n(weight.high) / 1e3),
         "rack maker and facility", "floor tiles and spreader plates", false});
    return;
  }
  Estimate load = scaled(weight, kGravity / *facts.support_count.value, "N");
  load.high = std::max(load.value, uneven_support_n(weight.high));
  load.boundary = "one support";
  context.add("mechanical.point_load", "Load of one support on the floor", load, "static",
              "m g / n; high: two diagonal supports of an uneven floor carry all");
  const auto judge = [&](const char* id, const char* name, const Fact& most) {
    if (const auto limit = fact_estimate(most, "N", "one support")) {
      context.out.limits.push_back(
          make_limit({id, "mechanical", name}, load, *limit, "no spreader plate"));
    }
  };
  judge("mechanical.point_load", "Load of one support, standing", facts.point_limit_n);
  judge("mechanical.rolling_load", "Load of one support, rolled in", facts.rolling_limit_n);
}

/// A part that comes out of the front needs its own depth of aisle.
void add_clearance(EvaluationContext& context) {
  const Envelope& envelope = context.design.envelope;
  double deepest = 0;
  std::string owner;
  for (const Slot& slot : context.design.slots) {
    const Part* part = slot.face == Face::front ? context.catalog.find(slot.part) : nullptr;
    const auto depth = part ? part->fact("depth_mm").high : std::nullopt;
    const auto own = part ? (depth ? depth : part->number("depth_mm")) : std::nullopt;
    if (!own || *own <= deepest) continue;
    deepest = *own;
    owner = part->name;
  }
  if (deepest <= 0 || envelope.front_clearance_mm <= 0) return;
  context.out.limits.push_back(
      make_limit({"mechanical.clearance", "mechanical", "Front aisle to draw the deepest part"},
                 exact(deepest, {"mm", Origin::catalogue, "front aisle"}),
                 exact(envelope.front_clearance_mm, {"mm", Origin::catalogue, "front aisle"}),
                 owner + " drawn out whole; a lift comes on top"));
}

/// Sound powers add as energies: L = 10 lg sum 10^(L_i / 10).
void add_sound(EvaluationContext& context) {
  double energy = 0;
  int blank = 0;
  std::string owner;
  for (const Slot& slot : context.design.slots) {
    if (slot.group != "compute") continue;
    const Part* part = context.catalog.find(slot.part);
    const auto level = part ? part->number("sound_power_db_a") : std::nullopt;
    if (level) {
      energy += std::pow(10, *level / 10);
    } else {
      ++blank;
      owner = slot.part;
    }
  }
  const auto most = fact_estimate(context.design.mechanical.sound_limit_db_a, "dB(A)", "rack");
  if (blank > 0) {
    const double spread = 10 * std::log10(static_cast<double>(blank));
    context.require({"sound_power." + owner, "sound power of " + owner + " at full fans",
                     most
                         ? fmt::format("<= {:.0f} dB(A) each for {} of them under {:.0f} dB(A)",
                                       std::floor(most->value - spread), blank, most->value)
                         : fmt::format("the rack is {:.1f} dB over one of its {}; the room's limit "
                                       "is blank too",
                                       spread, blank),
                     "system maker", "hearing protection and room class", false});
    return;
  }
  if (energy <= 0) return;
  const Estimate level = exact(10 * std::log10(energy), {"dB(A)", Origin::modelled, "rack"});
  context.add("mechanical.sound_power", "Sound power of the rack", level, "full fans",
              "energies of the parts' published sound powers");
  if (most) {
    context.out.limits.push_back(make_limit(
        {"mechanical.sound", "mechanical", "Sound power of the rack"}, level, *most, ""));
  }
}

/// What the loop adds when the maker's figure is of a dry rack.
void add_wet_weight(EvaluationContext& context, const Estimate& weight) {
  if (!context.design.liquid) return;
  const Part* coolant = context.catalog.find(context.design.liquid->coolant);
  const auto table = coolant ? coolant_table(*coolant) : std::vector<CoolantPoint>{};
  if (table.empty()) return;
  const double kg_per_l = table.front().density_kg_per_m3 * 1e-3;
  const auto& litres = context.design.thermal.rack_coolant_l.value;
  if (!litres) {
    context.require(
        {"wet_weight." + context.design.id, "whether the rack's weight is wet or dry",
         fmt::format("a dry figure grows by {:.1f} kg for each 10 l of coolant", 10 * kg_per_l),
         "rack maker", "floor load", false});
    return;
  }
  Estimate wet = weight;
  wet.high += *litres * kg_per_l;
  context.add("mechanical.weight_wet", "Weight of the rack, filled", wet, "",
              "high: the weight is of a dry rack and its coolant comes on top");
}

}  // namespace

void evaluate_site(EvaluationContext& context) {
  add_clearance(context);
  add_sound(context);
  const Figure* weight = context.out.figures.find("mechanical.weight");
  if (!weight) return;
  const Estimate kilograms = weight->estimate;
  add_wet_weight(context, kilograms);
  const double area = context.design.envelope.floor_area_m2();
  if (area > 0) {
    context.add("mechanical.area_load", "Floor load with half of the aisles",
                scaled(kilograms, kGravity / area * 1e-3, "kPa"), "static",
                "m g over the floor the rack takes: what the slab sees of a row");
  }
  add_point_loads(context, kilograms);
  if (const auto centre = centre_of_gravity(context, kilograms.value)) {
    context.add("mechanical.centre_of_gravity", "Height of the centre of gravity", *centre, "",
                "slot heights and part weights; weight that no part accounts for lies among the "
                "parts without one, at the lowest or highest of them in the interval");
    add_tipping(context, *centre);
  }
}

}  // namespace rackwright::topology
