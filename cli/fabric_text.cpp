#include "cli/fabric_text.hpp"

#include <fmt/format.h>

#include "cli/text_table.hpp"

namespace rackwright::cli {

namespace {

using Json = nlohmann::ordered_json;

Json blank_or(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string shown(const std::optional<double>& value, int digits = 0) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "blank";
}

Json items_json(const topology::FabricCounts& counts) {
  Json items = Json::array();
  for (const auto& item : counts.items) {
    items.push_back({{"part", item.part},
                     {"name", item.name},
                     {"use", item.use},
                     {"quantity", item.quantity},
                     {"typical_w", blank_or(item.typical_w)},
                     {"max_w", blank_or(item.max_w)},
                     {"weight_kg", blank_or(item.weight_kg)},
                     {"price_usd", blank_or(item.price_usd)}});
  }
  return items;
}

std::string items_text(const topology::FabricCounts& counts) {
  using Align = TextTable::Align;
  TextTable table({{"bill of material"},
                   {"use"},
                   {"quantity", Align::right},
                   {"typical W", Align::right},
                   {"max W", Align::right},
                   {"kg", Align::right},
                   {"USD each", Align::right}});
  for (const auto& item : counts.items) {
    table.add({item.name, item.use, std::to_string(item.quantity), shown(item.typical_w),
               shown(item.max_w), shown(item.weight_kg, 1), shown(item.price_usd)});
  }
  return table.text();
}

}  // namespace

Json counts_json(const topology::FabricDesign& design, const topology::FabricCounts& counts) {
  Json json;
  json["design"] = design.id;
  json["nodes"] = counts.nodes;
  json["gpus"] = counts.gpus;
  json["scalable_units"] = counts.scalable_units;
  json["planes"] = counts.planes;
  json["leaf"] = counts.leaf;
  json["spine"] = counts.spine;
  json["core"] = counts.core;
  json["node_leaf_cables"] = counts.node_leaf_cables;
  json["leaf_spine_cables"] = counts.leaf_spine_cables;
  json["spine_core_cables"] = counts.spine_core_cables;
  json["joining_links"] = counts.joining_links;
  json["joining_cables"] = counts.joining_cables;
  json["link_cables"] = counts.link_cables;
  json["management_cables"] = counts.management_cables;
  json["fibres"] = counts.fibres;
  json["backplane_pairs"] = counts.backplane_pairs;
  json["backplane_cartridges"] = counts.backplane_cartridges;
  json["switch_transceivers"] = counts.switch_transceivers;
  json["node_transceivers"] = counts.node_transceivers;
  json["management_transceivers"] = counts.management_transceivers;
  json["spare_leaf_ports"] = counts.spare_leaf_ports;
  json["spare_spine_ports"] = counts.spare_spine_ports;
  json["spare_core_ports"] = counts.spare_core_ports;
  json["switch_power_typical_w"] = counts.switch_power_typical_w;
  json["switch_power_max_w"] = counts.switch_power_max_w;
  json["optics_power_typical_w"] = blank_or(counts.optics_power_typical_w);
  json["optics_power_max_w"] = blank_or(counts.optics_power_max_w);
  json["switch_weight_kg"] = blank_or(counts.weight_kg);
  json["switch_height_ru"] = blank_or(counts.height_ru);
  json["bisection_bytes_per_s_one_direction"] = counts.bisection_bytes_per_s;
  json["oversubscription"] = counts.oversubscription;
  json["core_oversubscription"] = counts.core_oversubscription;
  json["assumed_tiers"] = design.assumed_tiers;
  json["items"] = items_json(counts);
  json["notes"] = counts.notes;
  json["source"] = design.source;
  return json;
}

std::string counts_text(const topology::FabricDesign& design,
                        const topology::FabricCounts& counts) {
  TextTable rows({{"quantity"}, {"count", TextTable::Align::right}});
  const auto add = [&](const char* name, double value) {
    rows.add({name, fmt::format("{:.0f}", value)});
  };
  const auto add_some = [&](const char* name, double value) {
    if (value != 0) add(name, value);
  };
  add("nodes", counts.nodes);
  add("GPUs", counts.gpus);
  add_some("planes", counts.planes > 1 ? counts.planes : 0);
  add("leaf switches", counts.leaf);
  add("spine switches", counts.spine);
  add("core switches", counts.core);
  add("links node to leaf", counts.node_leaf_cables);
  add("links leaf to spine", counts.leaf_spine_cables);
  add("links spine to core", counts.spine_core_cables);
  add_some("links between the two switches", counts.joining_links);
  add_some("cables between the two switches", counts.joining_cables);
  add("cables of links", counts.link_cables);
  add_some("fibres in them", static_cast<double>(counts.fibres));
  add_some("wire pairs in the backplane", static_cast<double>(counts.backplane_pairs));
  add_some("backplane cartridges", counts.backplane_cartridges);
  add("transceivers in switches", counts.switch_transceivers);
  add("transceivers in nodes", counts.node_transceivers);
  add_some("transceivers for management", counts.management_transceivers);
  add("spare leaf ports", counts.spare_leaf_ports);
  add("spare spine ports", counts.spare_spine_ports);
  add("spare core ports", counts.spare_core_ports);
  add_some("switch power typical, W", counts.switch_power_typical_w);
  add_some("switch power maximum, W", counts.switch_power_max_w);
  rows.add({"optics power typical, W", shown(counts.optics_power_typical_w)});
  rows.add({"optics power maximum, W", shown(counts.optics_power_max_w)});
  rows.add({"weight of switches, kg", shown(counts.weight_kg, 1)});
  rows.add({"height of switches, RU", shown(counts.height_ru)});
  add("bisection one direction, GB/s", counts.bisection_bytes_per_s / 1e9);
  rows.add({"oversubscription at the leaf", fmt::format("{:.3g}", counts.oversubscription)});
  rows.add({"oversubscription at the core", fmt::format("{:.3g}", counts.core_oversubscription)});
  std::string text = fmt::format("{}: {}\n\n{}", design.id, design.name, rows.text());
  text += "\n" + items_text(counts) + "\n";
  for (const auto& note : counts.notes) text += "note: " + note + "\n";
  return text + "source: " + design.source + "\n";
}

Json traffic_json(const topology::FabricDesign& design, const TrafficAnswer& answer) {
  Json json = {{"design", design.id},
               {"traffic", answer.traffic},
               {"routing", answer.routing},
               {"endpoints", answer.endpoints},
               {"flows", answer.flows},
               {"without_path", answer.endpoints - answer.flows},
               {"mean_share_of_line_rate", answer.share.mean},
               {"least_share", answer.share.least},
               {"median_share", answer.share.median},
               {"most_share", answer.share.most}};
  if (answer.up_alone) {
    json["mean_share_way_up_alone"] = *answer.up_alone;
    json["expected_share_of_first_hash"] = blank_or(answer.first_hash);
  }
  if (answer.whole) json["mean_share_with_nothing_failed"] = *answer.whole;
  return json;
}

std::string traffic_text(const topology::FabricDesign& design, const TrafficAnswer& answer) {
  std::string text = fmt::format(
      "{}: {} of {} NICs, {}, exact max-min rates\n\n"
      "mean {:.1f} % of line rate, slowest {:.1f} %, median {:.1f} %, fastest {:.1f} %\n",
      design.id, answer.traffic == "shift" ? "each leaf to the next" : "a random permutation",
      answer.endpoints, answer.routing, 100 * answer.share.mean, 100 * answer.share.least,
      100 * answer.share.median, 100 * answer.share.most);
  if (answer.up_alone) {
    text += fmt::format("the way up alone: mean {:.1f} %\n", 100 * *answer.up_alone);
    if (answer.first_hash) {
      text += fmt::format(
          "the first hash alone leaves {:.1f} % in the mean: of n = {} uplinks of a leaf that k "
          "flows "
          "are hashed onto, (1 - 1/n)^k stay empty{}\n",
          100 * *answer.first_hash, answer.uplinks,
          answer.core ? "; the spines hash once more, towards the core" : "");
    }
    text +=
        "flows that parted on the way up meet again on the few links from spine to leaf: the rest "
        "of "
        "the loss\n";
  }
  if (answer.whole) {
    text += fmt::format("with nothing failed: mean {:.1f} %\n", 100 * *answer.whole);
  }
  if (answer.flows < answer.endpoints) {
    text += fmt::format("{} pairs have no path on the fabric\n", answer.endpoints - answer.flows);
  }
  return text;
}

Json expectation_json(const topology::CollectiveExpectation& expectation) {
  Json json;
  json["expected_s"] = expectation.seconds;
  json["relative_error"] = expectation.relative_error;
  json["extrapolated"] = expectation.extrapolated;
  json["algbw_bytes_per_s"] = expectation.algorithm_bytes_per_s;
  json["busbw_bytes_per_s"] = expectation.bus_bytes_per_s;
  json["bound_s"] = expectation.bound_seconds;
  json["bound_busbw_bytes_per_s"] = expectation.bound_bus_bytes_per_s;
  json["fabric_share"] = expectation.fabric_share;
  json["bottleneck"] = expectation.bottleneck;
  json["algorithms"] = Json::array();
  for (const auto& algorithm : expectation.algorithms) {
    json["algorithms"].push_back({{"name", algorithm.name},
                                  {"bound_s", algorithm.seconds},
                                  {"scale_up_bytes", algorithm.scale_up_bytes},
                                  {"scale_out_bytes", algorithm.scale_out_bytes},
                                  {"limit", algorithm.limit}});
  }
  json["reasons"] = expectation.reasons;
  return json;
}

std::string expectation_text(const topology::CollectiveExpectation& expectation) {
  using Align = TextTable::Align;
  std::string text = fmt::format(
      "expected  {:.4g} us   algbw {:.1f} GB/s   busbw {:.1f} GB/s   (+-{:.0f} %)\n"
      "bound     {:.4g} us   busbw {:.1f} GB/s\n\n",
      expectation.seconds * 1e6, expectation.algorithm_bytes_per_s / 1e9,
      expectation.bus_bytes_per_s / 1e9, 100 * expectation.relative_error,
      expectation.bound_seconds * 1e6, expectation.bound_bus_bytes_per_s / 1e9);
  TextTable table({{"algorithm"},
                   {"bound us", Align::right},
                   {"scale-up GB", Align::right},
                   {"NIC GB", Align::right},
                   {"limit"}});
  for (const auto& algorithm : expectation.algorithms) {
    table.add({algorithm.name, fmt::format("{:.4g}", algorithm.seconds * 1e6),
               fmt::format("{:.4g}", algorithm.scale_up_bytes / 1e9),
               fmt::format("{:.4g}", algorithm.scale_out_bytes / 1e9), algorithm.limit});
  }
  text += table.text() + "\n";
  for (const auto& reason : expectation.reasons) text += reason + "\n";
  return text;
}

}  // namespace rackwright::cli
