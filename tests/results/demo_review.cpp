#include "tests/results/demo_review.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "topology/limits.hpp"

namespace rackwright::testing {

namespace {

using topology::Face;
using topology::RackDesign;
using topology::RackEvaluation;
using topology::Slot;

/// The numbers that differ between the invented racks.
struct Recipe {
  std::string id, summary, cooling;
  double tokens_per_s = 0, error = 0.05, envelope_w = 0, tokens_per_joule = 0;
  int trays = 0, tray_units = 1, gpus_per_tray = 4, shelves = 0;
  double feed_limit_w = 0;
  std::string remedy;
  bool blank = false, is_template = false;
};

RackDesign design_of(const Recipe& r) {
  RackDesign d;
  d.id = d.name = r.id;
  d.summary = r.summary;
  d.cooling = r.cooling;
  d.gpus = r.trays * r.gpus_per_tray;
  d.scale_up_domain = d.gpus;
  d.is_template = r.is_template;
  d.envelope.height_units = 48;
  d.envelope.width_mm = 600;
  d.envelope.depth_mm = 1200;
  d.envelope.opening_mm = r.shelves > 0 ? 533 : 482.6;
  if (r.cooling == "liquid") d.liquid = topology::LiquidLoop{};
  double unit = 3;
  topology::PowerBus bus;
  bus.boundary = r.shelves > 0 ? "busbar DC" : "node DC";
  for (int i = 1; i <= r.shelves; ++i) {
    d.slots.push_back({fmt::format("{}{}", i % 2 == 0 ? "B" : "A", (i + 1) / 2), "demo-shelf-33",
                       "power", unit, 1});
    bus.sources.push_back({d.slots.back().id, d.slots.back().id, i % 2 == 0 ? "B" : "A", 6, 5500});
    unit += 1;
  }
  unit += 1;
  for (int i = 1; i <= r.trays; ++i) {
    d.slots.push_back({fmt::format("c{:02}", i), "demo-compute-tray", "compute", unit,
                       static_cast<double>(r.tray_units), Face::front, r.gpus_per_tray});
    bus.loads.push_back(d.slots.back().id);
    unit += r.tray_units;
  }
  d.slots.push_back({"mg1", "demo-management-switch", "management", 48, 1});
  d.slots.push_back({"pdu", "demo-rear-pdu", "power", 1, 2, Face::rear});
  d.buses.push_back(bus);
  return d;
}

topology::TimelineLane power_lane(const Recipe& r) {
  topology::TimelineLane lane{"Rack AC input", "kW", "modelled, 1 s means"};
  lane.window = "1 s";
  for (int i = 0; i < 600; ++i) {
    // A slow wave, a burst at 190 .. 240 s, and the saw of the batches.
    const double burst = i > 190 && i < 240 ? 0.2 : 0.0;
    const double mean =
        r.envelope_w / 1e3 * (0.72 + 0.05 * std::sin(i / 37.0) + burst + 0.01 * std::sin(i * 1.7));
    const double half = r.envelope_w / 1e3 * (0.02 + 0.01 * std::abs(std::sin(i * 0.9)));
    lane.t_s.push_back(i);
    lane.mean.push_back(mean);
    lane.min.push_back(mean - half);
    lane.max.push_back(mean + half);
  }
  const auto peak = std::max_element(lane.max.begin(), lane.max.end());
  lane.peak = *peak;
  lane.peak_t_s = static_cast<double>(peak - lane.max.begin());
  for (const double v : lane.mean) lane.average += v / 600;
  lane.p99 = lane.peak * 0.97;
  lane.lines.push_back({"design envelope", r.envelope_w / 1e3, false});
  lane.lines.push_back({"one feed left", r.feed_limit_w / 1e3, true});
  return lane;
}

topology::TimelineLane coolant_lane() {
  topology::TimelineLane lane{"Coolant return (TCS)", "degC", "modelled, supply 40 °C assumed"};
  for (int i = 0; i < 600; ++i) {
    const double c = 49.5 + std::sin(i / 37.0);
    lane.t_s.push_back(i);
    lane.mean.push_back(c);
    lane.min.push_back(c - 0.1);
    lane.max.push_back(c + 0.1);
  }
  lane.peak = 50.6;
  lane.peak_t_s = 58;
  lane.average = 49.5;
  lane.p99 = 50.5;
  lane.lines.push_back({"return limit", 55, true});
  return lane;
}

void add_trays(const Recipe& r, const RackDesign& d, RackEvaluation& e) {
  double compute = 0;
  for (const Slot& slot : d.slots) compute += slot.group == "compute" ? 1 : 0;
  int i = 0;
  for (const Slot& slot : d.slots) {
    topology::TrayState tray;
    tray.slot = slot.id;
    if (slot.group == "power" && slot.face == Face::front) {
      tray.power_w = r.envelope_w * 0.96 / r.shelves;
      tray.rating_w = 33000;
      tray.hottest_c = 45;
      tray.hottest_part = "outlet";
    } else if (slot.group == "compute") {
      tray.power_w = r.envelope_w * 0.95 / compute;
      tray.capacity_power_w = tray.power_w * 0.7;
      tray.hottest_c = 48 + 0.4 * i++;
      tray.hottest_part = "outlet";
      tray.weight_kg = 29;
      if (r.cooling == "liquid") tray.coolant_lpm = 7.9;
      tray.air_m3_per_min = 1.9;
    } else {
      continue;
    }
    e.trays.push_back(tray);
  }
}

void add_figures(const Recipe& r, RackEvaluation& e) {
  const auto add = [&](std::string key, std::string label, Estimate estimate, std::string window) {
    e.figures.add({std::move(key), std::move(label), std::move(estimate), std::move(window),
                   "invented for this demonstration"});
  };
  add("power.rack_ac.design_envelope", "Rack AC input, design envelope",
      exact(r.envelope_w, {"W", Origin::catalogue, "rack AC input"}), "steady");
  add("power.module.design_envelope", "All GPUs, design envelope",
      exact(r.envelope_w * 0.6, {"W", Origin::catalogue, "module input"}), "steady");
  add("power.bus.design_envelope", "DC output of all PSUs, design envelope",
      exact(r.envelope_w * 0.96, {"W", Origin::modelled, "busbar DC"}), "steady");
  add("power.rack_ac.slo_capacity", "Rack AC input, trace at SLO capacity",
      with_relative(r.envelope_w * 0.73, 0.05, {"W", Origin::modelled, "rack AC input"}),
      "mean over 600 s");
  add("power.rack_ac.slo_capacity.p99", "Rack AC input, P99",
      with_relative(r.envelope_w * 0.95, 0.05, {"W", Origin::modelled, "rack AC input"}), "1 s");
  add("service.tokens_per_s", "Output tokens per second",
      with_relative(r.tokens_per_s, r.error, {"tok/s", Origin::modelled, "", r.error > 0.06}),
      "600 s");
  add("service.tokens_per_joule", "Output tokens per joule",
      with_relative(r.tokens_per_joule, 0.07, {"tok/J", Origin::modelled, "rack AC input"}),
      "600 s");
  add("liquid.return_c", "Coolant return temperature",
      with_relative(53.2, 0.02, {"degC", Origin::modelled, "rack TCS outlet"}), "steady");
  add("mechanical.floor_kpa", "Floor load", exact(9.6, {"kPa", Origin::catalogue}), "");
}

void add_limits(const Recipe& r, RackEvaluation& e) {
  using topology::make_limit;
  const EstimateTag dc{"W", Origin::modelled, "busbar DC"};
  const EstimateTag rating{"W", Origin::catalogue, "busbar DC"};
  auto feed =
      make_limit({"power.feed.A", "power", "loss of feed A: 4 shelves stay", "feed", "feed A"},
                 with_relative(r.envelope_w * 0.96, 0.015, dc), exact(r.feed_limit_w, rating),
                 "four of eight shelves stay");
  if (!r.remedy.empty()) {
    feed.remedy = r.remedy;
    feed.remedied_margin = 0.015;
  }
  e.limits.push_back(feed);
  e.limits.push_back(
      make_limit({"air.rise", "air", "one tray fan out: cage rise", "fan", "one fan"},
                 with_relative(43.4, 0.04, {"K", Origin::modelled, "tray"}),
                 exact(45, {"K", Origin::catalogue, "tray"}), "hottest cage"));
  e.limits.push_back(make_limit({"mechanical.floor", "mechanical", "floor, uniform load"},
                                exact(9.6, {"kPa", Origin::catalogue}),
                                exact(12, {"kPa", Origin::assumed}), "rack weight over footprint"));
  e.limits.push_back(make_limit({"power.psu", "power", "loss of one PSU", "PSU", "one PSU"},
                                with_relative(r.envelope_w * 0.96, 0.01, dc),
                                exact(r.envelope_w * 1.7, rating), "all shelves less one PSU"));
  e.limits.push_back(topology::make_blank_limit({"liquid.hbm", "liquid", "HBM temperature"},
                                                exact(58.6, {"degC", Origin::modelled, "tray"}),
                                                "the maker does not publish it"));
  topology::sort_limits(e.limits);
}

RackEvaluation evaluation_of(const Recipe& r, const RackDesign& d) {
  RackEvaluation e;
  e.rack = r.id;
  e.device = "demo-gpu";
  e.placement = {8, std::max(1, d.gpus / 8), 0, false, 1, "TP8"};
  e.requirements.push_back({"hbm_limit." + r.id, "HBM temperature limit", "≥ 62 °C at 7.9 l/min",
                            "module maker", "flow or cap, if below", false});
  if (r.blank) {
    e.blank_service = true;
    e.requirements.push_back({"tdp." + r.id, "TDP and cold plate resistance",
                              "needs TDP from the rack maker", "rack maker", "rank 1 or 2", true});
    e.bom.push_back({"Compute tray", "demo-compute-tray", 18});
    return e;
  }
  add_figures(r, e);
  add_trays(r, d, e);
  add_limits(r, e);
  e.timelines = {power_lane(r)};
  if (r.cooling == "liquid") e.timelines.push_back(coolant_lane());
  e.bom.push_back(
      {"Compute tray, 4 GPU", "demo-compute-tray", static_cast<double>(r.trays), 6900, 29.0});
  topology::BomLine shelf{"Power shelf 33 kW", "demo-shelf-33", static_cast<double>(r.shelves)};
  shelf.unit_kg = 28;
  shelf.unit_usd_low = 9700;
  shelf.unit_usd_high = 13100;
  shelf.region = "TW 70 %, MX 30 %";
  shelf.lead_weeks = "18";
  shelf.second_source = "yes";
  if (r.shelves > 0) e.bom.push_back(shelf);
  return e;
}

std::vector<Recipe> seven_racks() {
  const std::string cap = "cap each rack at 130 kW when a feed is lost";
  return {
      {"demo-liquid-72", "8 shelves, row CDU", "liquid", 262000, 0.07, 142000, 2.43, 18, 1, 4, 8,
       132000, cap},
      {"demo-rdhx-32", "rear door, 4 × 8 GPU", "rear door", 83300, 0.05, 62000, 1.90, 4, 8, 8, 0,
       66000, ""},
      {"demo-oam-64", "liquid, 8 × 8 GPU", "liquid", 166700, 0.11, 128000, 1.77, 8, 4, 8, 8, 140000,
       ""},
      {"demo-liquid-72-prev", "previous generation", "liquid", 167000, 0.05, 132000, 1.72, 18, 1, 4,
       8, 140000, ""},
      {"demo-air-32", "air, 4 × 8 GPU", "air", 41700, 0.05, 41000, 1.38, 4, 8, 8, 0, 35000, ""},
      {"demo-air-16", "air, 2 × 8 GPU", "air", 20800, 0.05, 21000, 1.31, 2, 8, 8, 0, 28000, ""},
      {"demo-template-144", "next generation", "liquid", 0, 0, 0, 0, 18, 1, 8, 8, 0, "", true,
       true},
  };
}

std::vector<Recipe> recipes_of(Demo demo) {
  auto recipes = seven_racks();
  switch (demo) {
    case Demo::seven:
      break;
    case Demo::one:
      recipes.resize(1);
      break;
    case Demo::hundred:
      for (int i = 0; recipes.size() < 100; ++i) {
        Recipe r = recipes[1];
        r.id = fmt::format("demo-sweep-{:03}", i);
        r.tokens_per_s = 60000 + 700.0 * (i * 37 % 97);
        r.envelope_w = 52000 + 400.0 * (i * 53 % 89);
        r.feed_limit_w = 95000;
        recipes.push_back(r);
      }
      break;
    case Demo::none_holds:
      recipes.pop_back();
      for (Recipe& r : recipes) {
        r.remedy.clear();
        r.feed_limit_w = r.envelope_w * 0.9;
      }
      break;
    case Demo::all_blank:
      for (Recipe& r : recipes) r.blank = true;
      break;
    case Demo::long_names:
      for (Recipe& r : recipes) {
        r.id += "-with-a-very-long-identifier-of-a-rack-variant<b>&\"x\"";
        r.summary =
            "a summary that goes on about shelves, manifolds and the row CDU for a long time";
        if (!r.remedy.empty()) r.remedy += ", move two shelves down and add a third whip of 60 A";
      }
      break;
  }
  return recipes;
}

}  // namespace

results::Review demo_review(Demo demo) {
  std::vector<RackDesign> designs;
  std::vector<RackEvaluation> evaluations;
  for (const Recipe& r : recipes_of(demo)) {
    designs.push_back(design_of(r));
    evaluations.push_back(evaluation_of(r, designs.back()));
  }
  workloads::Workload workload;
  workload.name = "demo";
  workload.title = "demonstration with invented racks, 70B dense, FP8";
  workload.traffic.source = "generator demo";
  workload.slo = {0.5, 0.05, 0.99};
  results::ReviewOptions options;
  options.demand_tokens_per_s = 1.0e6;
  options.version = "0.0.0";
  return results::make_review(workload, 1, std::move(designs), std::move(evaluations), options);
}

std::vector<std::pair<std::string, Demo>> demos() {
  return {{"seven", Demo::seven},         {"one", Demo::one},
          {"hundred", Demo::hundred},     {"none_holds", Demo::none_holds},
          {"all_blank", Demo::all_blank}, {"long_names", Demo::long_names}};
}

}  // namespace rackwright::testing
