#pragma once

#include <string>
#include <utility>
#include <vector>

#include "topology/evaluation.hpp"

/// Racks built by hand, so that every expected figure can be worked on paper.
namespace rackwright::topology::testing {

inline Fact fact(double value) {
  Fact f;
  f.value = value;
  f.source = "test";
  f.status = "published";
  f.confidence = "high";
  return f;
}

inline Part part(std::string id, std::string kind,
                 const std::vector<std::pair<std::string, double>>& facts) {
  Part p;
  p.id = p.name = std::move(id);
  p.kind = std::move(kind);
  for (const auto& [key, value] : facts) p.facts[key] = fact(value);
  return p;
}

inline std::vector<Part> parts() {
  return {
      part("node", "node",
           {{"max_power_w", 10200},
            {"idle_power_w", 2450},
            {"airflow_cfm", 1105},
            {"inlet_max_c", 30},
            {"inlet_min_c", 5},
            {"nic_count", 8},
            {"nic_rate_gbit_per_s", 400},
            {"weight_kg", 130}}),
      part("tray", "compute_tray", {{"max_power_w", 5800}, {"nic_count", 4}, {"weight_kg", 29}}),
      part("switch", "switch_tray", {{"max_power_w", 1240}}),
      part("blank-switch", "switch_tray", {}),
      part("shelf", "power_shelf", {{"psu_peak_load_pct", 160}}),
      part("pg25", "coolant",
           {{"density_kg_per_m3_at_25c", 1030.3},
            {"specific_heat_j_per_kg_k_at_25c", 3880},
            {"density_kg_per_m3_at_40c", 1022.5},
            {"specific_heat_j_per_kg_k_at_40c", 3920}}),
      part("cdu", "cdu",
           {{"capacity_w", 121000},
            {"approach_k", 4},
            {"secondary_flow_lpm", 120},
            {"external_head_kpa", 115},
            {"max_power_w", 875}}),
      part("class", "environment_class", {{"recommended_min_c", 18}}),
      part("door", "rear_door", {{"capacity_w", 40000}, {"water_above_dew_point_min_k", 2}}),
  };
}

inline Catalog catalog() {
  return Catalog(parts());
}

inline kernels::DeviceInfo device(double tdp_w, double idle_w) {
  kernels::DeviceInfo d;
  d.id = d.name = "gpu";
  d.vendor = "maker";
  d.tdp_w.value = tdp_w;
  d.idle_w.value = idle_w;
  d.scale_up_bytes_per_s.value = 450e9;
  d.scale_out_bytes_per_s.value = 50e9;
  return d;
}

inline Feed feed(const std::string& id, double amps, int circuits = 1) {
  Feed f;
  f.id = id;
  f.volts_line_to_line = 480;
  f.breaker_a = amps;
  f.circuits = circuits;
  return f;
}

inline Envelope envelope() {
  Envelope e;
  e.height_units = 48;
  e.width_mm = 600;
  e.depth_mm = 1068;
  e.height_mm = 2236;
  return e;
}

/// Four nodes of 10.2 kW at AC input, six PSUs of 3.3 kW each on two feeds.
inline RackDesign air_rack() {
  RackDesign r;
  r.id = "air";
  r.device = "gpu";
  r.gpus = 32;
  r.scale_up_domain = 8;
  r.cooling = "air";
  r.envelope = envelope();
  r.feeds = {feed("A", 100), feed("B", 100)};
  for (int i = 1; i <= 4; ++i) {
    const std::string id = "n" + std::to_string(i);
    r.slots.push_back({id, "node", "compute", 1.0 + 8 * (i - 1), 8, Face::front, 8});
    PowerBus bus;
    bus.id = id;
    bus.boundary = "node DC";
    bus.loads = {id};
    bus.sources = {{id + "A", id, "A", 3, 3300}, {id + "B", id, "B", 3, 3300}};
    bus.promised = {"psu"};
    r.buses.push_back(bus);
  }
  return r;
}

/// 18 trays of 4 GPUs, 9 switch trays, `shelves` of 33 kW that alternate between two feeds, half
/// below and half above the trays.
inline RackDesign liquid_rack(int shelves = 8, const std::string& switch_part = "switch") {
  RackDesign r;
  r.id = "liquid";
  r.device = "gpu";
  r.gpus = 72;
  r.scale_up_domain = 72;
  r.cooling = "liquid";
  r.envelope = envelope();
  r.feeds = {feed("A", 250), feed("B", 250)};
  PowerBus bus;
  bus.id = "busbar";
  bus.boundary = "busbar DC";
  bus.volts = 51;
  bus.psu_peak_efficiency = fact(0.975);
  bus.promised = {"psu", "shelf", "feed"};
  double unit = 1;
  const auto add_shelf = [&](int i) {
    const std::string id = "P" + std::to_string(i);
    r.slots.push_back({id, "shelf", "power", unit++, 1, Face::front, 0});
    bus.sources.push_back({id, id, i % 2 == 0 ? "A" : "B", 6, 5500});
  };
  for (int i = 0; i < shelves / 2; ++i) add_shelf(i);
  for (int i = 0; i < 27; ++i) {
    const bool compute = i < 9 || i >= 18;
    const std::string id = (compute ? "c" : "s") + std::to_string(i);
    r.slots.push_back({id, compute ? "tray" : switch_part, compute ? "compute" : "switch", unit++,
                       1, Face::front, compute ? 4 : 0});
    bus.loads.push_back(id);
  }
  for (int i = shelves / 2; i < shelves; ++i) add_shelf(i);
  r.buses = {bus};
  LiquidLoop loop;
  loop.coolant = "pg25";
  loop.liquid_fraction = fact(0.9);
  loop.supply_max_c = fact(45);
  loop.required = {{25, 59, 15.86}, {45, 177, 126.86}};
  loop.required_source = "test";
  loop.cdu = "cdu";
  r.liquid = loop;
  return r;
}

/// One replica of `gpus` GPUs: one second at `watts`, one second idle, five times.
inline profiler::Trace trace(int gpus, double watts, double idle_w) {
  profiler::Trace t;
  t.workload = "test";
  t.device = "gpu";
  t.plan.tp = gpus;
  t.idle_w = idle_w;
  t.end_s = 10;
  for (int i = 0; i < 5; ++i) {
    profiler::Slice s;
    s.start_s = 2.0 * i;
    s.duration_s = 1;
    s.watts = static_cast<float>(watts);
    s.step = static_cast<std::uint32_t>(i);
    t.slices.push_back(s);
  }
  t.traffic.scale_up_bytes = 10 * 45e9;  // 45 GB/s over 10 s
  t.traffic.scale_up_peak_bytes_per_s = 90e9;
  t.metrics.requests = 100;
  t.metrics.attainment = 0.995;
  t.metrics.ttft_p99 = t.metrics.ttft_p99_low = t.metrics.ttft_p99_high = 0.4;
  t.metrics.tpot_p99 = t.metrics.tpot_p99_low = t.metrics.tpot_p99_high = 0.03;
  return t;
}

inline Demand demand(int gpus, double watts, double idle_w) {
  Demand d;
  d.capacity.load_factor = 2;
  d.capacity.output_tokens_per_s = 1000;
  d.capacity.requests_per_s = 10;
  d.capacity.relative_error = 0.1;
  d.capacity.limited_by = "TPOT P99";
  d.capacity.trace = trace(gpus, watts, idle_w);
  d.recorded = trace(gpus, watts, idle_w);
  return d;
}

inline const Limit* find_limit(const RackEvaluation& evaluation, const std::string& id) {
  for (const Limit& limit : evaluation.limits) {
    if (limit.id == id) return &limit;
  }
  return nullptr;
}

inline const Requirement* find_requirement(const RackEvaluation& evaluation,
                                           const std::string& id) {
  for (const Requirement& requirement : evaluation.requirements) {
    if (requirement.id == id) return &requirement;
  }
  return nullptr;
}

}  // namespace rackwright::topology::testing
