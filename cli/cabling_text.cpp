#include "cli/cabling_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/text_table.hpp"

namespace rackwright::cli {

namespace {

using topology::CableTotals;
using topology::KnownSum;
using topology::Medium;

constexpr double kNanosecond = 1e-9, kMicrosecond = 1e-6;

std::string range(double low, double high, int digits = 0) {
  if (low == high) return fmt::format("{:.{}f}", low, digits);
  return fmt::format("{:.{}f} to {:.{}f}", low, digits, high, digits);
}
std::string with_blank(const std::string& text, const KnownSum& sum) {
  if (sum.known == 0) return "blank";
  return sum.blank == 0 ? text : text + fmt::format(" + {} blank", sum.blank);
}

std::string media_text(const CableTotals& totals) {
  TextTable table({{"medium"},
                   {"cables", TextTable::Align::right},
                   {"routed m", TextTable::Align::right},
                   {"ordered m", TextTable::Align::right}});
  for (int m = 0; m < topology::kMediumCount; ++m) {
    const auto& medium = totals.media[static_cast<std::size_t>(m)];
    if (medium.cables == 0) continue;
    table.add({topology::name_of(static_cast<Medium>(m)), std::to_string(medium.cables),
               fmt::format("{:.0f}", medium.routed_m), fmt::format("{:.0f}", medium.ordered_m)});
  }
  table.add({"total", std::to_string(totals.cables), fmt::format("{:.0f}", totals.routed_m),
             fmt::format("{:.0f}", totals.ordered_m)});
  return table.text();
}

/// The fullest tray and the fullest manager, by cables.
const topology::ChannelLoad* fullest(const topology::CableLoads& loads, bool in_rack) {
  const topology::ChannelLoad* best = nullptr;
  for (const auto& load : loads.channels) {
    if (load.in_rack != in_rack) continue;
    if (best == nullptr || load.cables > best->cables) best = &load;
  }
  return best;
}

std::string channel_text(const topology::ChannelLoad* load) {
  if (load == nullptr) return "none";
  std::string text = fmt::format("{:.1f} % ({} cables", 100 * load->known_fill(), load->cables);
  if (load->blank_cables > 0) text += fmt::format(", {} of unknown diameter", load->blank_cables);
  return text + "; " + load->name + ")";
}

std::string figures_text(const CablingResult& r) {
  const CableTotals& t = r.totals;
  TextTable table({{"figure"}, {"value"}});
  table.add({"longest cable needed, m", fmt::format("{:.1f}", t.longest_m)});
  table.add({"copper within 0.5 m of its reach", std::to_string(t.at_cliff)});
  table.add({"optical modules", std::to_string(t.modules)});
  table.add({"fibres", std::to_string(t.fibres)});
  table.add({"modules and active plugs, W",
             with_blank(range(t.optics_w.low, t.optics_w.high), t.optics_w)});
  table.add({"cables and modules, USD list",
             with_blank(range(t.cost_usd.low, t.cost_usd.high), t.cost_usd)});
  std::string weight = fmt::format("{:.1f}", t.weight_kg);
  if (t.average_weight_cables > 0) weight += ", copper by planning average";
  if (t.blank_weight_cables > 0) weight += fmt::format(" + {} blank", t.blank_weight_cables);
  table.add({"cable weight, kg", weight});
  table.add({"fullest tray", channel_text(fullest(r.loads, false))});
  table.add({"fullest manager", channel_text(fullest(r.loads, true))});
  table.add({"cable delay node to node, ns",
             fmt::format("{:.0f} mean, {:.0f} longest", t.latency.across_mean_s() / kNanosecond,
                         t.latency.across_max_s() / kNanosecond)});
  table.add({fmt::format("cable time of {} small all-reduce{}, us", r.collectives,
                         r.collectives == 1 ? "" : "s"),
             fmt::format("{:.2f}", r.step_cable_time_s() / kMicrosecond)});
  table.add({"module failures a year",
             range(t.reliability.failures_per_year_low, t.reliability.failures_per_year_high, 1)});
  table.add({"spare modules on the shelf", std::to_string(t.reliability.spares)});
  table.add({"links failing a year (field rate)",
             fmt::format("{:.1f}", t.reliability.links_failing_per_year)});
  return table.text();
}

std::string racks_text(const CablingResult& r) {
  TextTable table({{"rack"},
                   {"row", TextTable::Align::right},
                   {"out over tray", TextTable::Align::right},
                   {"modules and plugs W", TextTable::Align::right},
                   {"blocked cm2", TextTable::Align::right},
                   {"of opening", TextTable::Align::right}});
  for (std::size_t i = 0; i < r.loads.racks.size(); ++i) {
    const auto& rack = r.loads.racks[i];
    const auto& placed = r.plan.floor.racks[i];
    std::string blocked = fmt::format("{:.0f}", rack.blocked_known_m2 * 1e4);
    if (rack.blocked_blank_run_m > 0) {
      blocked += fmt::format(" + {:.1f} m x blank diameter", rack.blocked_blank_run_m);
    }
    table.add({placed.name, std::to_string(placed.row + 1), std::to_string(rack.cables_out),
               range(rack.optics_typical_w, rack.optics_max_w), blocked,
               fmt::format("{:.1f} %", 100 * rack.blocked_known_m2 / rack.opening_m2)});
  }
  return table.text();
}

}  // namespace

std::string cabling_text(const CablingResult& r, const std::string& title) {
  std::string text = title + "\n\n" + media_text(r.totals);
  if (r.plan.backplane.cartridges_per_rack > 0) {
    const auto& b = r.plan.backplane;
    text += fmt::format(
        "factory cables apart: {} racks x {} cartridges with {} pairs each rack, none to pull\n",
        b.racks, b.cartridges_per_rack, b.pairs_per_rack);
  }
  text += "\n" + figures_text(r) + "\n";
  constexpr std::size_t kRacksShown = 24;
  if (r.loads.racks.size() <= kRacksShown) text += racks_text(r) + "\n";
  text += r.ports.problems.empty()
              ? fmt::format(
                    "port map: {} ports used, {} idle; none twice, rails aligned, cages split "
                    "as they can\n",
                    r.ports.used, r.ports.idle)
              : fmt::format("port map: {} problems\n", r.ports.problems.size());
  for (const std::string& problem : r.ports.problems) text += "violated: " + problem + "\n";
  for (const std::string& violation : r.loads.violations) text += "violated: " + violation + "\n";
  for (const auto& blank : r.loads.requirements) {
    text += fmt::format("blank: {}, {}: must be {}, else {}\n", blank.part, blank.input,
                        blank.solved, blank.effect);
  }
  for (const std::string& note : r.plan.notes) text += "note: " + note + "\n";
  text += fmt::format("layout: {} ({}); practice: {} ({}, {})\n", r.plan.layout.id,
                      r.plan.layout.source, r.plan.layout.practice.id,
                      r.plan.layout.practice.source, r.plan.layout.practice.confidence);
  return text;
}

nlohmann::ordered_json cabling_json(const CablingResult& r) {
  const CableTotals& t = r.totals;
  nlohmann::ordered_json json;
  json["layout"] = r.plan.layout.id;
  json["nodes"] = r.nodes;
  json["racks"] = r.plan.floor.racks.size();
  json["cables"] = t.cables;
  nlohmann::ordered_json media = nlohmann::ordered_json::object();
  for (int m = 0; m < topology::kMediumCount; ++m) {
    const auto& medium = t.media[static_cast<std::size_t>(m)];
    if (medium.cables == 0) continue;
    media[topology::name_of(static_cast<Medium>(m))] = {
        {"cables", medium.cables}, {"routed_m", medium.routed_m}, {"ordered_m", medium.ordered_m}};
  }
  json["media"] = media;
  json["routed_m"] = t.routed_m;
  json["ordered_m"] = t.ordered_m;
  json["longest_m"] = t.longest_m;
  json["modules"] = t.modules;
  json["fibres"] = t.fibres;
  json["factory_cartridges"] = r.plan.backplane.racks * r.plan.backplane.cartridges_per_rack;
  json["factory_pairs_per_rack"] = r.plan.backplane.pairs_per_rack;
  const auto sum = [](const KnownSum& s) {
    return nlohmann::ordered_json{
        {"low", s.low}, {"high", s.high}, {"known_items", s.known}, {"blank_items", s.blank}};
  };
  json["optics_w"] = sum(t.optics_w);
  json["cost_usd"] = sum(t.cost_usd);
  json["weight_kg"] = t.weight_kg;
  json["weight_blank_cables"] = t.blank_weight_cables;
  json["latency_node_to_node_mean_s"] = t.latency.across_mean_s();
  json["latency_node_to_node_max_s"] = t.latency.across_max_s();
  json["collectives"] = r.collectives;
  json["step_cable_time_s"] = r.step_cable_time_s();
  json["module_failures_per_year"] = {t.reliability.failures_per_year_low,
                                      t.reliability.failures_per_year_high};
  json["spare_modules"] = t.reliability.spares;
  json["racks_detail"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < r.loads.racks.size(); ++i) {
    const auto& rack = r.loads.racks[i];
    json["racks_detail"].push_back({{"rack", r.plan.floor.racks[i].name},
                                    {"cables_out", rack.cables_out},
                                    {"optics_typical_w", rack.optics_typical_w},
                                    {"optics_max_w", rack.optics_max_w},
                                    {"blank_power_plugs", rack.blank_power_plugs},
                                    {"blocked_known_m2", rack.blocked_known_m2},
                                    {"blocked_blank_run_m", rack.blocked_blank_run_m},
                                    {"opening_m2", rack.opening_m2},
                                    {"cable_weight_kg", rack.weight_kg}});
  }
  json["ports"] = {{"used", r.ports.used}, {"idle", r.ports.idle}, {"problems", r.ports.problems}};
  json["violations"] = r.loads.violations;
  json["requirements"] = nlohmann::ordered_json::array();
  for (const auto& blank : r.loads.requirements) {
    json["requirements"].push_back({{"part", blank.part},
                                    {"input", blank.input},
                                    {"solved", blank.solved},
                                    {"effect", blank.effect}});
  }
  json["notes"] = r.plan.notes;
  return json;
}

std::string layouts_text(const std::vector<CablingResult>& results, const std::string& title) {
  const auto right = TextTable::Align::right;
  TextTable table({{"layout"},
                   {"racks", right},
                   {"cables", right},
                   {"copper", right},
                   {"multimode", right},
                   {"single-mode", right},
                   {"ordered m", right},
                   {"longest m", right},
                   {"USD list", right},
                   {"optics W", right},
                   {"kg", right},
                   {"fullest tray", right},
                   {"ns across", right},
                   {"us step", right}});
  for (const CablingResult& r : results) {
    const CableTotals& t = r.totals;
    const auto count = [&](Medium m) { return t.media[static_cast<std::size_t>(m)].cables; };
    const int copper = count(Medium::passive_copper) + count(Medium::active_copper) +
                       count(Medium::active_electrical);
    const auto* tray = fullest(r.loads, false);
    table.add({r.plan.layout.id, std::to_string(r.plan.floor.racks.size()),
               std::to_string(t.cables), std::to_string(copper),
               std::to_string(count(Medium::multimode)), std::to_string(count(Medium::single_mode)),
               fmt::format("{:.0f}", t.ordered_m), fmt::format("{:.1f}", t.longest_m),
               with_blank(range(t.cost_usd.low, t.cost_usd.high), t.cost_usd),
               with_blank(range(t.optics_w.low, t.optics_w.high), t.optics_w),
               fmt::format("{:.1f}", t.weight_kg),
               tray ? fmt::format("{:.1f} %{}", 100 * tray->known_fill(),
                                  tray->blank_cables > 0 ? " + blank" : "")
                    : "none",
               fmt::format("{:.0f}", t.latency.across_max_s() / kNanosecond),
               fmt::format("{:.2f}", r.step_cable_time_s() / kMicrosecond)});
  }
  std::string text = title + "\n\n" + table.text();
  text +=
      "\nUSD list: cables and modules with a published price, blank ones counted apart. Optics W: "
      "modules and active plugs, typical to highest.\nns across: cables of the longest way node to "
      "node over the top tier. us step: cable time of "
      "the small all-reduces over all nodes in a step (double tree, --collectives of them).\n";
  return text;
}

std::string as_built_text(const topology::AsBuiltCheck& check, const std::string& list) {
  std::string text = fmt::format("{}: {} of {} designed links sit right, {} found\n", list,
                                 check.right_links, check.designed_links, check.found_links);
  if (check.findings.empty()) return text + "no fault\n";
  TextTable table(
      {{"fault"}, {"rack"}, {"unit"}, {"device"}, {"port"}, {"belongs to"}, {"found"}, {"cables"}});
  for (const auto& f : check.findings) {
    std::string cables;
    for (const std::string& label : f.cables) cables += (cables.empty() ? "" : " ") + label;
    table.add({topology::name_of(f.fault), f.rack, f.unit, f.device, f.port, f.expected, f.found,
               cables});
  }
  return text + fmt::format("{} faults\n\n", check.findings.size()) + table.text();
}

nlohmann::ordered_json as_built_json(const topology::AsBuiltCheck& check) {
  nlohmann::ordered_json json;
  json["designed_links"] = check.designed_links;
  json["found_links"] = check.found_links;
  json["right_links"] = check.right_links;
  json["findings"] = nlohmann::ordered_json::array();
  for (const auto& f : check.findings) {
    json["findings"].push_back({{"fault", topology::name_of(f.fault)},
                                {"rack", f.rack},
                                {"unit", f.unit},
                                {"device", f.device},
                                {"port", f.port},
                                {"expected", f.expected},
                                {"found", f.found},
                                {"cables", f.cables},
                                {"where", f.where}});
  }
  return json;
}

}  // namespace rackwright::cli
