#include "topology/power/architecture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "topology/part_facts.hpp"

namespace rackwright::topology {

namespace {

/// All efficiencies a part has, whatever their load: the range of its working points.
void read_efficiency(const Part& part, ArchitectureStage& stage) {
  for (const char* key :
       {"psu_peak_efficiency_pct", "peak_efficiency_pct", "efficiency_pct",
        "full_load_efficiency_pct", "efficiency_full_load_pct", "efficiency_full_load_400v_pct"}) {
    const auto found = part.facts.find(key);
    if (found == part.facts.end() || found->second.blank()) continue;
    const double low = found->second.low.value_or(*found->second.value) / 100;
    const double high = found->second.high.value_or(*found->second.value) / 100;
    stage.low = std::min(stage.low.value_or(1.0), low);
    stage.high = std::max(stage.high.value_or(0.0), high);
    stage.source = found->second.source;
  }
}

std::vector<ArchitectureStage> stages_of(const Part& part, const Catalog& catalog) {
  std::vector<ArchitectureStage> stages;
  for (int i = 1;; ++i) {
    const auto found = part.facts.find(fmt::format("stage_{}", i));
    if (found == part.facts.end()) break;
    ArchitectureStage stage;
    stage.part = found->second.text;
    const Part* converter = catalog.find(stage.part);
    stage.name = converter ? converter->name : stage.part;
    if (converter) read_efficiency(*converter, stage);
    stages.push_back(std::move(stage));
  }
  return stages;
}

void add_sidecar(const Part& part, const Catalog& catalog, const ArchitectureLoad& load,
                 double into_rack_w, Architecture& result) {
  const auto found = part.facts.find("sidecar");
  if (found == part.facts.end() || found->second.text.empty()) return;
  result.rack_units_freed = load.shelf_units;
  const Part* sidecar = catalog.find(found->second.text);
  const auto rating = sidecar ? sidecar->number("rating_w") : std::nullopt;
  if (!rating) {
    result.blanks.push_back("rating of the sidecar");
    return;
  }
  result.racks_per_sidecar = std::floor(*rating / std::max(into_rack_w, 1.0));
  const double share = std::max(*result.racks_per_sidecar, 1.0);
  if (const auto kg = sidecar->number("weight_kg")) {
    result.sidecar_kg = *kg / share;
  } else {
    result.blanks.push_back("weight of " + sidecar->name);
  }
  const auto width = sidecar->number("width_mm"), depth = sidecar->number("depth_mm");
  if (width && depth) {
    result.sidecar_m2 = *width * *depth * 1e-6 / share;
  } else {
    result.blanks.push_back("footprint of " + sidecar->name);
  }
}

Architecture make_architecture(const Part& part, const Catalog& catalog,
                               const ArchitectureLoad& load) {
  Architecture a;
  a.id = part.id;
  a.name = part.name;
  a.source = part.source;
  a.status = part.status;
  a.stages = stages_of(part, catalog);
  a.distribution_v = part.number("distribution_voltage_v").value_or(0);
  a.phases = part.number("phase_count").value_or(0);
  double low = 1, high = 1, inward = 1;
  bool known = true;
  for (const ArchitectureStage& stage : a.stages) {
    if (!stage.low) {
      known = false;
      a.blanks.push_back("efficiency of " + stage.name);
      continue;
    }
    low *= *stage.low;
    high *= *stage.high;
  }
  // Into the rack comes what the stages inside draw; those before it stand outside.
  const auto outside = static_cast<std::size_t>(part.number("stages_outside_count").value_or(0));
  for (std::size_t i = outside; i < a.stages.size(); ++i) inward *= a.stages[i].low.value_or(1.0);
  if (known) {
    a.ac_low_w = load.bus_w / high;
    a.ac_high_w = load.bus_w / low;
  }
  if (a.distribution_v > 0) {
    a.distribution_a =
        load.bus_w / inward / a.distribution_v / (a.phases == 3 ? std::numbers::sqrt3 : 1.0);
  }
  add_sidecar(part, catalog, load, load.bus_w / inward, a);
  return a;
}

/// One blank stage: the efficiency with which the design draws as little as the best known one.
void solve_blank(const ArchitectureLoad& load, double best_w, Architecture& a) {
  double known = 1;
  int blank = 0;
  for (const ArchitectureStage& stage : a.stages) {
    blank += !stage.low;
    known *= stage.low.value_or(1.0);
  }
  if (blank == 1 && best_w > 0) a.solved_efficiency = load.bus_w / known / best_w;
}

}  // namespace

std::vector<Architecture> compare_architectures(const Catalog& catalog,
                                                const ArchitectureLoad& load) {
  std::vector<Architecture> result;
  for (const auto& [id, part] : catalog.parts()) {
    if (part.kind == "power_architecture") result.push_back(make_architecture(part, catalog, load));
  }
  double best_w = 0;
  for (const Architecture& a : result) {
    if (a.ac_high_w && (best_w == 0 || *a.ac_high_w < best_w)) best_w = *a.ac_high_w;
  }
  for (Architecture& a : result) solve_blank(load, best_w, a);
  std::stable_sort(result.begin(), result.end(), [](const Architecture& x, const Architecture& y) {
    return x.ac_high_w.value_or(1e30) < y.ac_high_w.value_or(1e30);
  });
  return result;
}

}  // namespace rackwright::topology
