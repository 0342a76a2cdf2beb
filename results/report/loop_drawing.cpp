#include "results/report/loop_drawing.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "results/report/html.hpp"

namespace rackwright::results {

namespace {

using topology::CoolantBranch;
using topology::CoolantView;

constexpr const char* kLoopStyle = R"(
.loop{--bg:#fff;--surface:#f4f6f8;--ink:#14181d;--ink2:#434c57;--rule:#8d97a3;--cold:#0b5cad;
--warm:#b3420a;--fws:#00805f;background:var(--bg);fill:var(--ink);
font-family:Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:12px;
font-variant-numeric:tabular-nums lining-nums}
@media (prefers-color-scheme:dark){.loop{--bg:#13161a;--surface:#1c2026;--ink:#eef1f4;
--ink2:#bcc4cd;--rule:#6b7683;--cold:#7ab8ff;--warm:#f08a4b;--fws:#3fe0ac}}
.loop .t{font-size:16px;font-weight:650}.loop .n{fill:var(--ink2)}.loop .e{text-anchor:end}
.loop .m{text-anchor:middle}.loop .b{fill:var(--surface);stroke:var(--rule)}
.loop .c{stroke:var(--cold);fill:none}.loop .w{stroke:var(--warm);fill:none}
.loop .f{stroke:var(--fws);fill:none}.loop .main{stroke-width:5}.loop .br{stroke-width:2}
.loop .v{fill:var(--bg);stroke:var(--ink2)}.loop .hot{font-weight:650;fill:var(--warm)}
)";

constexpr double kLoopWidth = 980, kLoopTop = 96, kLoopRow = 22;
constexpr double kSupplyX = 330, kReturnX = 700, kCduX = 96, kCduWidth = 150;

std::string text(double x, double y, const std::string& kind, const std::string& what) {
  return fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, y, kind,
                     escape(what));
}

std::string line(double x1, double y1, double x2, double y2, const char* kind) {
  return fmt::format("<path d=\"M{:.0f} {:.1f}L{:.0f} {:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                     kind);
}

/// Two triangles tip to tip, as in piping drawings.
std::string valve(double x, double y) {
  return fmt::format(
      "<path d=\"M{:.0f} {:.1f}v10l12 -10v10z\" class=\"v\"><title>shut-off valve</title></path>\n",
      x, y - 5);
}

std::string tooltip(const CoolantBranch& branch) {
  std::string out = fmt::format("{}: {:.2f} kW to coolant, {:.2f} l/min", branch.slot,
                                branch.heat_w / 1e3, branch.flow_lpm);
  for (const auto& [name, kpa] : branch.component_drop_kpa) {
    out += fmt::format("; {} {:.1f} kPa", name, kpa);
  }
  return out;
}

std::string branch_row(const CoolantBranch& branch, double y, bool hottest) {
  const double plate = 470, width = 100;
  std::string out = fmt::format("<g><title>{}</title>\n", escape(tooltip(branch)));
  out += line(kSupplyX, y, plate, y, "c br") + line(plate + width, y, kReturnX, y, "w br");
  out += valve(kSupplyX + 22, y);
  for (const double x : {kSupplyX + 70, kReturnX - 70}) {
    out += fmt::format("<circle cx=\"{:.0f}\" cy=\"{:.1f}\" r=\"4\" class=\"v\"/>\n", x, y);
  }
  out += fmt::format(
      "<rect x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.0f}\" height=\"16\" rx=\"2\" class=\"b\"/>\n",
      plate, y - 8, width);
  out += text(plate + width / 2, y + 4, "m", branch.slot);
  out += text(kReturnX + 72, y + 4, "e", fmt::format("{:.2f}", branch.flow_lpm));
  out += text(kReturnX + 138, y + 4, "e",
              branch.drop_kpa ? fmt::format("{:.1f}", *branch.drop_kpa) : "–");
  out +=
      text(kReturnX + 206, y + 4,
           hottest || (branch.return_limit_c && branch.return_c > *branch.return_limit_c) ? "e hot"
                                                                                          : "e",
           fmt::format("{:.1f}", branch.return_c));
  out += text(kReturnX + 268, y + 4, "e n",
              branch.return_limit_c ? fmt::format("{:.0f}", *branch.return_limit_c) : "–");
  return out + "</g>\n";
}

std::string cdu_box(const CoolantView& view, double y, double height) {
  std::string out = fmt::format(
      "<rect x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"3\" class=\"b\"/>\n",
      kCduX, y, kCduWidth, height);
  double at = y + 18;
  const auto add = [&](const std::string& what, const char* kind) {
    out += text(kCduX + kCduWidth / 2, at, kind, what);
    at += 16;
  };
  add(shortened(view.cdu.empty() ? "CDU blank" : view.cdu, 24), "m");
  if (view.cdu.find(view.cdu_place) == std::string::npos) add(view.cdu_place, "m n");
  add(fmt::format("{} for {:.3g} rack{}", view.cdus_installed, view.racks_per_cdu,
                  view.racks_per_cdu == 1 ? "" : "s"),
      "m n");
  if (view.cdu_capacity_w) add(fmt::format("{:.0f} kW each", *view.cdu_capacity_w / 1e3), "m n");
  if (view.cdu_head_kpa) add(fmt::format("{:.0f} kPa head", *view.cdu_head_kpa), "m n");
  if (view.approach_k) add(fmt::format("needs {:.1f} K approach", *view.approach_k), "m n");
  return out;
}

std::string heads() {
  const double y = kLoopTop - 14;
  return text(kReturnX + 72, y, "e n", "l/min") + text(kReturnX + 138, y, "e n", "kPa") +
         text(kReturnX + 206, y, "e n", "out °C") + text(kReturnX + 268, y, "e n", "limit °C");
}

}  // namespace

std::string coolant_loop_svg(const topology::RackEvaluation& evaluation) {
  if (!evaluation.coolant || evaluation.coolant->branches.empty()) return "";
  const CoolantView& view = *evaluation.coolant;
  const double rows = static_cast<double>(view.branches.size()) * kLoopRow;
  const double bottom = kLoopTop + std::max(rows, 200.0), foot = bottom + 14;
  const double height = bottom + 74;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"loop\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "role=\"img\" aria-label=\"Coolant loop of {2}\">\n<style>{3}</style>\n",
      kLoopWidth, height, escape(evaluation.rack), kLoopStyle);
  out += text(16, 28, "t", fmt::format("Coolant loop of {}, design envelope", evaluation.rack));
  out +=
      text(16, 48, "n",
           fmt::format("{}; {:.0f} kW to {:.1f} l/min{}; modelled, trays sized for equal outlets",
                       view.coolant, view.heat_w / 1e3, view.flow_lpm,
                       view.drop_kpa ? fmt::format(" at {:.1f} kPa", *view.drop_kpa)
                                     : std::string("; drop not published")));
  out += heads();
  // Feeds from the foot: supply below, return over it.
  out += line(kCduX + kCduWidth, foot, kSupplyX, foot, "c main");
  out += line(kSupplyX, foot, kSupplyX, kLoopTop - 4, "c main");
  out += line(kReturnX, kLoopTop - 4, kReturnX, foot + 26, "w main");
  out += line(kReturnX, foot + 26, kCduX + kCduWidth / 2, foot + 26, "w main");
  out += line(kCduX + kCduWidth / 2, foot + 26, kCduX + kCduWidth / 2, foot, "w main");
  out += text(kSupplyX - 8, foot - 8, "e n", fmt::format("TCS {:.1f} °C", view.supply_c));
  out += text(kReturnX - 8, foot + 18, "e n", fmt::format("return {:.1f} °C", view.return_c));
  const double box = bottom - 150;
  out += line(20, box + 30, kCduX, box + 30, "f main") +
         line(20, box + 100, kCduX, box + 100, "f main");
  out += text(20, box + 22, "n", fmt::format("FWS {:.1f} °C", view.fws_supply_c));
  out += text(20, box + 92, "n", "FWS return");
  out += cdu_box(view, box, foot + 12 - box);
  out += text(16, foot + 50, "n",
              fmt::format("Dew point of the room {:.1f} °C. Triangles: valves; circles: quick "
                          "disconnects; point at a tray for the drop of each part.",
                          view.dew_point_c));
  std::size_t hottest = 0;
  for (std::size_t i = 0; i < view.branches.size(); ++i) {
    if (view.branches[i].return_c > view.branches[hottest].return_c) hottest = i;
  }
  for (std::size_t i = 0; i < view.branches.size(); ++i) {
    out += branch_row(view.branches[i], bottom - (static_cast<double>(i) + 0.5) * kLoopRow,
                      i == hottest);
  }
  return out + "</svg>\n";
}

std::string coolant_branch_csv(const topology::RackEvaluation& evaluation) {
  if (!evaluation.coolant || evaluation.coolant->branches.empty()) return "";
  const CoolantView& view = *evaluation.coolant;
  std::string out = "slot,heat_w,flow_lpm,drop_kpa,supply_c,return_c,return_limit_c,valve";
  for (const auto& [name, kpa] : view.branches.front().component_drop_kpa) {
    std::string key = name;
    std::replace(key.begin(), key.end(), ' ', '_');
    out += "," + key + "_kpa";
  }
  out += "\n";
  const auto optional = [](const std::optional<double>& value, const char* format) {
    return value ? fmt::format(fmt::runtime(format), *value) : std::string();
  };
  for (const CoolantBranch& branch : view.branches) {
    out += fmt::format("{},{:.1f},{:.3f},{},{:.2f},{:.2f},{},{}", branch.slot, branch.heat_w,
                       branch.flow_lpm, optional(branch.drop_kpa, "{:.2f}"), branch.supply_c,
                       branch.return_c, optional(branch.return_limit_c, "{:.1f}"),
                       branch.valve_open ? "open" : "shut");
    for (const auto& [name, kpa] : branch.component_drop_kpa) out += fmt::format(",{:.2f}", kpa);
    out += "\n";
  }
  out += fmt::format("rack,{:.1f},{:.3f},{},{:.2f},{:.2f},{},", view.heat_w, view.flow_lpm,
                     optional(view.drop_kpa, "{:.2f}"), view.supply_c, view.return_c,
                     optional(view.branches.front().return_limit_c, "{:.1f}"));
  out.append(view.branches.front().component_drop_kpa.size(), ',');
  return out + "\n";
}

}  // namespace rackwright::results
