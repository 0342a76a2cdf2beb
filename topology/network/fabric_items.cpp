#include "topology/network/fabric_items.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace rackwright::topology {

namespace {

FabricItem item_of(const FabricDesign& design, const Catalog& catalog, const std::string& id,
                   std::string use, int quantity, const char* typical, const char* max) {
  FabricItem item;
  item.part = id;
  item.use = std::move(use);
  item.quantity = quantity;
  if (id.empty()) {
    item.name = "not named by the design";
    return item;
  }
  const Part& part = catalog.require(id, design.file);
  item.name = part.name;
  item.typical_w = part.number(typical);
  item.max_w = part.number(max);
  item.weight_kg = part.number("weight_kg");
  item.price_usd = part.number("price_usd");
  return item;
}

void add_switches(const FabricDesign& design, const Catalog& catalog, FabricCounts& counts) {
  const std::tuple<std::string, const char*, int> tiers[] = {
      {design.leaf_part, "leaf", counts.leaf},
      {design.spine_part, "spine", counts.spine},
      {design.core_part, "core", counts.core}};
  bool typical = true, most = true, weighed = true, tall = true;
  double weight = 0, height = 0;
  for (const auto& [id, use, count] : tiers) {
    if (count == 0) continue;
    FabricItem item = item_of(design, catalog, id, use, count, "typical_power_w", "max_power_w");
    const auto ru = catalog.require(id, design.file).number("height_ru");
    typical = typical && item.typical_w.has_value();
    most = most && item.max_w.has_value();
    weighed = weighed && item.weight_kg.has_value();
    tall = tall && ru.has_value();
    counts.switch_power_typical_w += count * item.typical_w.value_or(0);
    counts.switch_power_max_w += count * item.max_w.value_or(0);
    weight += count * item.weight_kg.value_or(0);
    height += count * ru.value_or(0);
    counts.items.push_back(std::move(item));
  }
  if (!typical) counts.switch_power_typical_w = 0;
  if (!most) counts.switch_power_max_w = 0;
  if (weighed) counts.weight_kg = weight;
  if (tall) counts.height_ru = height;
  if (!typical || !most) {
    counts.notes.push_back(fmt::format("{} power of {} is not published: left out.",
                                       !typical && !most ? "The"
                                       : typical         ? "The highest"
                                                         : "The typical",
                                       design.leaf_part));
  }
  if (!weighed) {
    counts.notes.push_back(
        fmt::format("The weight of {} is not published: left out.", design.leaf_part));
  }
}

void add_optics(const FabricDesign& design, const Catalog& catalog, FabricCounts& counts) {
  const std::tuple<std::string, const char*, int> optics[] = {
      {design.switch_transceiver_part, "transceiver in switches", counts.switch_transceivers},
      {design.node_transceiver_part, "transceiver in nodes", counts.node_transceivers}};
  bool typical = true, most = true, any = false;
  double typical_w = 0, max_w = 0;
  for (const auto& [id, use, count] : optics) {
    if (count == 0) continue;
    any = true;
    FabricItem item = item_of(design, catalog, id, use, count, "power_typical_w", "power_max_w");
    typical = typical && item.typical_w.has_value();
    most = most && (item.max_w || item.typical_w);
    typical_w += count * item.typical_w.value_or(0);
    max_w += count * item.max_w.value_or(item.typical_w.value_or(0));
    counts.items.push_back(std::move(item));
  }
  if (any && typical) counts.optics_power_typical_w = typical_w;
  if (any && most) counts.optics_power_max_w = std::max(max_w, typical_w);
  if (any && !most) {
    counts.notes.push_back("The power of the optics is not known: the design names no module.");
  }
}

void add_cables(const FabricDesign& design, const Catalog& catalog, FabricCounts& counts) {
  const auto add = [&](const std::string& id, const char* use, int count) {
    if (count == 0) return;
    counts.items.push_back(
        item_of(design, catalog, id, use, count, "power_typical_w", "power_max_w"));
  };
  add(design.cable_part, "cable of a link", counts.link_cables);
  add(design.joining_cable_part, "cable between the two switches", counts.joining_cables);
  add("", "cable to the fabric manager", counts.management_cables);
  add("", "transceiver for the fabric manager", counts.management_transceivers);
  add("", "backplane cartridge", counts.backplane_cartridges);
}

}  // namespace

void add_items(const FabricDesign& design, const Catalog& catalog, FabricCounts& counts) {
  add_switches(design, catalog, counts);
  add_optics(design, catalog, counts);
  add_cables(design, catalog, counts);
}

}  // namespace rackwright::topology
