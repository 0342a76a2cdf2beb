#include "results/report/cabling_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "results/report/cabling_style.hpp"
#include "results/report/html.hpp"

namespace rackwright::results {

namespace {

using topology::CableLoads;
using topology::CablePlan;
using topology::FabricTier;
using topology::PlacedDevice;
using topology::PlacedRack;
using topology::PulledCable;
using topology::Side;
using topology::TrayGraph;

constexpr double kUnitPixels = 15;  // the least that tray text needs
constexpr double kMargin = 28, kHead = 92, kFoot = 46;
constexpr double kThinnest = 2;  // px

const char* tier_class(const CablePlan& plan, const PulledCable& cable) {
  const FabricTier lower = plan.links[static_cast<std::size_t>(cable.links.front())].lower.tier;
  if (lower == FabricTier::node || lower == FabricTier::manager) return "node";
  return lower == FabricTier::leaf ? "tier" : "core";
}

std::string open_svg(double width, double height, const std::string& label) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" width=\"{:.0f}\" "
      "height=\"{:.0f}\" viewBox=\"0 0 {:.0f} {:.0f}\"><style>{}</style>\n",
      escape(label), width, height, width, height, kCablingStyle);
}

/// Cables of one part and tier that take the same managers of the same two racks.
struct CableRun {
  int a_rack = 0, b_rack = 0;
  Side a_side = Side::left, b_side = Side::left;
  bool in_rack = false;
  const char* tier = "node";
  std::string part;
  bool copper = false;
  int cables = 0;
  double area_m2 = 0;
  double low_z = 1e9, high_z = 0;  ///< of in-rack runs
  double a_low_z = 1e9, b_low_z = 1e9;
  int lane = 0;
};

/// The elevation of one row.
class RowElevation {
 public:
  RowElevation(const CablePlan& plan, const CableLoads& loads, int row)
      : plan_(&plan), trays_(plan.floor, plan.layout.practice), row_(row) {
    for (std::size_t r = 0; r < plan.floor.racks.size(); ++r) {
      const PlacedRack& rack = plan.floor.racks[r];
      if (rack.row != row) continue;
      racks_.push_back(static_cast<int>(r));
      width_m_ = std::max(width_m_, rack.x_m + rack.width_m);
      scale_ = kUnitPixels / rack.unit_m;
    }
    for (const auto& channel : loads.channels) {
      if (!channel.in_rack && (fullest_ == nullptr || channel.cables > fullest_->cables)) {
        fullest_ = &channel;
      }
    }
    collect_runs();
  }

  std::string svg() {
    const double width = 2 * kMargin + width_m_ * scale_;
    const double height = kHead + (plan_->floor.tray_m + kTrayDepth) * scale_ + kFoot;
    const std::string title =
        fmt::format("Row {}: {} cables on {} racks", row_ + 1, cables_, racks_.size());
    std::string out = open_svg(std::max(width, 760.0), height, title);
    out += fmt::format("<text class=\"title\" x=\"{}\" y=\"30\">{}</text>", kMargin, escape(title));
    out += legend();
    out += tray();
    for (const int r : racks_) out += rack(r);
    out += stubs();
    for (const CableRun& run : runs_) out += line(run);
    return out + scale_bar() + "</svg>\n";
  }

 private:
  static constexpr double kTrayDepth = 0.30;  // m drawn for the lanes over the tray's bottom

  double x(double metres) const { return kMargin + metres * scale_; }
  double y(double z_m) const { return kHead + (plan_->floor.tray_m + kTrayDepth - z_m) * scale_; }

  const PlacedDevice& device(int d) const {
    return plan_->floor.devices[static_cast<std::size_t>(d)];
  }
  bool here(int rack) const {
    return plan_->floor.racks[static_cast<std::size_t>(rack)].row == row_;
  }

  void collect_runs() {
    std::map<std::tuple<bool, int, int, bool, bool, std::string, std::string>, CableRun> runs;
    for (const PulledCable& cable : plan_->cables) {
      bool counted = false;
      for (std::size_t i = 0; i < cable.legs.size(); ++i) {
        const auto &from = cable.ends[0], &to = cable.ends[i + 1];
        const PlacedDevice &a = device(from.device), &b = device(to.device);
        if (!here(a.rack) && !here(b.rack)) continue;
        counted = true;
        const auto& leg = cable.legs[i];
        const char* tier = tier_class(*plan_, cable);
        CableRun& run = runs[{leg.in_rack, a.rack, b.rack, leg.first_side == Side::right,
                              leg.other_side == Side::right, tier, cable.part}];
        run.a_rack = a.rack, run.b_rack = b.rack;
        run.a_side = leg.first_side, run.b_side = leg.other_side;
        run.in_rack = leg.in_rack;
        run.tier = tier;
        run.part = cable.part;
        run.copper = !topology::is_fibre(cable.medium);
        ++run.cables;
        const double za = port_z_m(plan_->floor, a), zb = port_z_m(plan_->floor, b);
        run.low_z = std::min({run.low_z, za, zb});
        run.high_z = std::max({run.high_z, za, zb});
        run.a_low_z = std::min(run.a_low_z, za);
        run.b_low_z = std::min(run.b_low_z, zb);
      }
      cables_ += counted ? 1 : 0;
    }
    for (auto& [key, run] : runs) runs_.push_back(run);
    std::stable_sort(runs_.begin(), runs_.end(),
                     [](const CableRun& a, const CableRun& b) { return a.cables > b.cables; });
    for (std::size_t i = 0; i < runs_.size(); ++i) runs_[i].lane = static_cast<int>(i);
  }

  std::string legend() const {
    struct Item {
      const char* css;
      const char* text;
    };
    std::string out;
    double at = kMargin;
    std::set<std::string> tiers;
    for (const CableRun& run : runs_) tiers.insert(run.tier);
    for (const Item& item : {Item{"node", "node to leaf"}, Item{"tier", "leaf to spine"},
                             Item{"core", "spine to core"}}) {
      if (tiers.count(item.css) == 0) continue;
      out += fmt::format(
          "<path class=\"run {}\" stroke-width=\"4\" d=\"M{:.0f} 52h28\"/>"
          "<text x=\"{:.0f}\" y=\"56\">{}</text>",
          item.css, at, at + 34, item.text);
      at += 136;
    }
    out += fmt::format(
        "<path class=\"run cu\" stroke=\"var(--ink)\" stroke-width=\"3\" "
        "d=\"M{:.0f} 52h28\"/><text x=\"{:.0f}\" y=\"56\">copper (dashed)</text>",
        at, at + 34);
    if (fullest_ != nullptr) {
      out += fmt::format(
          "<text class=\"note\" x=\"{:.0f}\" y=\"56\">fullest tray {:.1f} % of its "
          "cross-section, limit {:.0f} %{}</text>",
          at + 160, 100 * fullest_->known_fill(), 100 * plan_->layout.practice.fill_limit,
          fullest_->blank_cables > 0 ? "; copper of blank diameter left out" : "");
    }
    return out;
  }

  std::string tray() const {
    return fmt::format(
        "<rect class=\"tray\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\"/>",
        x(0), y(plan_->floor.tray_m + kTrayDepth), width_m_ * scale_, kTrayDepth * scale_);
  }

  std::string rack(int r) const {
    const PlacedRack& rack = plan_->floor.racks[static_cast<std::size_t>(r)];
    const double bay = rack.x_m + (rack.width_m - rack.opening_m) / 2;
    std::string out = fmt::format(
        "<rect class=\"frame\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>"
        "<rect class=\"bay\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>"
        "<text class=\"m\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
        x(rack.x_m), y(rack.height_m), rack.width_m * scale_, rack.height_m * scale_, x(bay),
        y(rack.base_m() + rack.units * rack.unit_m), rack.opening_m * scale_,
        rack.units * rack.unit_m * scale_, x(rack.x_m + rack.width_m / 2), y(0) + 17,
        escape(rack.name));
    for (const PlacedDevice& d : plan_->floor.devices) {
      if (d.rack != r) continue;
      const double top = rack.base_m() + (d.unit - 1 + d.height) * rack.unit_m;
      const double h = d.height * rack.unit_m * scale_;
      // Both ends stay free for the plugs.
      const auto room = static_cast<std::size_t>(0.8 * rack.opening_m * scale_ / 6.2);
      out += fmt::format(
          "<g><title>{}</title><rect class=\"{}\" x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" "
          "height=\"{:.2f}\"/><text class=\"small m\" x=\"{:.1f}\" y=\"{:.2f}\">{}</text></g>",
          escape(fmt::format("{}, U{:g}, {}", d.name, d.unit, d.part)),
          d.tier == FabricTier::node ? "dev" : "sw", x(bay), y(top) + 0.5, rack.opening_m * scale_,
          h - 1, x(bay) + rack.opening_m * scale_ / 2, y(top) + h / 2 + 3.6,
          escape(shortened(d.name, room)));
    }
    return out;
  }

  /// From each plug to the side of the opening.
  std::string stubs() const {
    std::map<std::string, std::string> paths;
    for (const PulledCable& cable : plan_->cables) {
      for (std::size_t i = 0; i < cable.legs.size(); ++i) {
        stub(cable, cable.ends[0], cable.legs[i].first_side, paths);
        stub(cable, cable.ends[i + 1], cable.legs[i].other_side, paths);
      }
    }
    std::string out;
    for (const auto& [tier, path] : paths) {
      out += fmt::format("<path class=\"stub {}\" d=\"{}\"/>", tier, path);
    }
    return out;
  }
  void stub(const PulledCable& cable, const topology::CableEnd& end, Side side,
            std::map<std::string, std::string>& paths) const {
    const PlacedDevice& d = device(end.device);
    if (!here(d.rack)) return;
    const PlacedRack& rack = plan_->floor.racks[static_cast<std::size_t>(d.rack)];
    const double bay = rack.x_m + (rack.width_m - rack.opening_m) / 2;
    const double edge = side == Side::left ? bay : bay + rack.opening_m;
    // Drawn from the last tenth of the opening on, so that the names stay readable.
    const double inner =
        side == Side::left ? edge + 0.1 * rack.opening_m : edge - 0.1 * rack.opening_m;
    const double shift = (end.cage % 8 - 3.5) * 0.8;
    paths[tier_class(*plan_, cable)] +=
        fmt::format("M{:.1f} {:.1f}H{:.1f}", x(inner), y(port_z_m(plan_->floor, d)) + shift,
                    x(TrayGraph::manager_x(rack, side)));
  }

  /// Lanes share the width of a manager and the depth of the tray; many runs lie on each other.
  double lane_x(int rack, Side side, int lane) const {
    const PlacedRack& placed = plan_->floor.racks[static_cast<std::size_t>(rack)];
    const double space = std::max(0.04, (placed.width_m - placed.opening_m) / 2) * scale_ - 6;
    const int lanes = std::max(1, static_cast<int>(space / 3));
    return x(TrayGraph::manager_x(placed, side)) + (lane % lanes - (lanes - 1) / 2.0) * 3;
  }
  double lane_y(int lane) const {
    const int lanes = static_cast<int>((kTrayDepth * scale_ - 8) / 3);
    return y(plan_->floor.tray_m) - 4 - (lane % lanes) * 3;
  }

  /// Where the shortest way of a run passes to another row.
  double leaves_at(const CableRun& run) {
    const int from = trays_.exit_of(run.a_rack, run.a_side);
    for (const int id : trays_.path(from, trays_.exit_of(run.b_rack, run.b_side))) {
      const auto& segment = trays_.segments()[static_cast<std::size_t>(id)];
      if (segment.cross) return trays_.points()[static_cast<std::size_t>(segment.from)].x_m;
    }
    return width_m_;
  }

  std::string line(const CableRun& run) {
    const double wide = std::max(kThinnest, std::sqrt(static_cast<double>(run.cables)) * 0.7);
    const auto& racks = plan_->floor.racks;
    const std::string title =
        fmt::format("{} to {}: {} x {}", racks[static_cast<std::size_t>(run.a_rack)].name,
                    racks[static_cast<std::size_t>(run.b_rack)].name, run.cables,
                    run.part.empty() ? "no part" : run.part);
    std::string path;
    if (run.in_rack) {
      path = fmt::format("M{:.1f} {:.1f}V{:.1f}", lane_x(run.a_rack, run.a_side, run.lane),
                         y(run.low_z), y(run.high_z));
    } else {
      const double level = lane_y(run.lane);
      const bool a = here(run.a_rack), b = here(run.b_rack);
      const double away = a && b ? 0 : x(leaves_at(run));
      const double ax = a ? lane_x(run.a_rack, run.a_side, run.lane) : away;
      const double bx = b ? lane_x(run.b_rack, run.b_side, run.lane) : away;
      path = a ? fmt::format("M{:.1f} {:.1f}V{:.1f}", ax, y(run.a_low_z), level)
               : fmt::format("M{:.1f} {:.1f}", ax, level);
      path += fmt::format("H{:.1f}", bx);
      if (b) path += fmt::format("V{:.1f}", y(run.b_low_z));
    }
    return fmt::format(
        "<path class=\"run {}{}\" stroke-width=\"{:.1f}\" d=\"{}\"><title>{}</title>"
        "</path>\n",
        run.tier, run.copper ? " cu" : "", wide, path, escape(title));
  }

  std::string scale_bar() const {
    const double base = y(0) + 36;
    return fmt::format(
        "<path stroke=\"var(--ink)\" d=\"M{0:.1f} {1:.1f}v-4v4h{2:.1f}v-4\" "
        "fill=\"none\"/><text x=\"{3:.1f}\" y=\"{1:.1f}\">1 m</text>",
        x(0), base, scale_, x(0) + scale_ + 6);
  }

  const CablePlan* plan_;
  TrayGraph trays_;
  int row_;
  std::vector<int> racks_;
  double width_m_ = 0, scale_ = 1;
  const topology::ChannelLoad* fullest_ = nullptr;
  std::vector<CableRun> runs_;
  int cables_ = 0;
};

/// Step 1 to 7 of the ramp; the last ends at the limit, 8 is over it.
int fill_step(double fill, double limit) {
  if (fill > limit) return 8;
  return std::clamp(1 + static_cast<int>(fill / limit * 7), 1, 7);
}

}  // namespace

std::string row_elevation_svg(const topology::CablePlan& plan, const topology::CableLoads& loads,
                              int row) {
  return RowElevation(plan, loads, row).svg();
}

std::string floor_plan_svg(const topology::CablePlan& plan, const topology::CableLoads& loads) {
  double width_m = 0, depth_m = 0;
  for (const PlacedRack& rack : plan.floor.racks) {
    width_m = std::max(width_m, rack.x_m + rack.width_m);
    depth_m = std::max(depth_m, rack.y_m + rack.depth_m);
  }
  constexpr double kWidest = 1200, kTrayBand = 0.3;
  const double scale = std::min(120.0, (kWidest - 2 * kMargin) / std::max(width_m, 1.0));
  const auto x = [&](double m) { return kMargin + m * scale; };
  const auto y = [&](double m) { return kHead + (m + kTrayBand) * scale; };
  const double limit = plan.layout.practice.fill_limit;
  int most = 0;
  for (const auto& c : loads.channels) most = std::max(most, c.in_rack ? 0 : c.cables);
  const std::string title =
      fmt::format("{}: {} racks, {} cables, at most {} in a tray", plan.layout.name,
                  plan.floor.racks.size(), plan.cables.size(), most);
  std::string out = open_svg(std::max(760.0, 2 * kMargin + width_m * scale),
                             kHead + (depth_m + kTrayBand) * scale + kFoot, title);
  out += fmt::format("<text class=\"title\" x=\"{}\" y=\"30\">{}</text>", kMargin, escape(title));
  for (int step = 1; step <= 8; ++step) {
    const double at = kMargin + (step - 1) * 62;
    out += fmt::format(
        "<rect class=\"{} seg\" x=\"{:.0f}\" y=\"44\" width=\"14\" height=\"14\"/>"
        "<text x=\"{:.0f}\" y=\"56\">{}</text>",
        step == 8 ? "over" : fmt::format("f{}", step), at, at + 18,
        step == 8 ? std::string("over") : fmt::format("{:.0f} %", 100 * limit * step / 7));
  }
  out += fmt::format(
      "<text class=\"note\" x=\"{:.0f}\" y=\"76\">share of the tray's cross-section, "
      "known diameters; number: cables</text>",
      kMargin);
  for (const PlacedRack& rack : plan.floor.racks) {
    out += fmt::format(
        "<g><title>{}</title><rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" "
        "width=\"{:.1f}\" height=\"{:.1f}\"/>"
        "<text class=\"m\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>",
        escape(rack.name), rack.network ? "sw" : "dev", x(rack.x_m), y(rack.y_m),
        rack.width_m * scale, rack.depth_m * scale, x(rack.x_m + rack.width_m / 2),
        y(rack.y_m + rack.depth_m / 2) + 4, escape(rack.name));
  }
  TrayGraph trays(plan.floor, plan.layout.practice);
  for (const auto& channel : loads.channels) {
    if (channel.segment < 0) continue;
    const auto& segment = trays.segments()[static_cast<std::size_t>(channel.segment)];
    const auto& a = trays.points()[static_cast<std::size_t>(segment.from)];
    const auto& b = trays.points()[static_cast<std::size_t>(segment.to)];
    const int step = fill_step(channel.known_fill(), limit);
    const double band = 0.2 * scale;
    const double px = x(std::min(a.x_m, b.x_m)) - (segment.cross ? band / 2 : 0);
    const double py = y(std::min(a.y_m, b.y_m)) - (segment.cross ? 0 : band + 3);
    const double w = segment.cross ? band : std::abs(a.x_m - b.x_m) * scale;
    const double h = segment.cross ? std::abs(a.y_m - b.y_m) * scale : band;
    out += fmt::format(
        "<g><title>{}</title><rect class=\"{} seg\" x=\"{:.1f}\" y=\"{:.1f}\" "
        "width=\"{:.1f}\" height=\"{:.1f}\"/>",
        escape(fmt::format("{}: {} cables, {:.1f} %", channel.name, channel.cables,
                           100 * channel.known_fill())),
        step == 8 ? "over" : fmt::format("f{}", step), px, py, w, h);
    if (w >= 34 && h >= 12) {
      out += fmt::format("<text class=\"small m\" x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>",
                         px + w / 2, py + h / 2 + 3.8, step >= 5 ? " style=\"fill:var(--bg)\"" : "",
                         channel.cables);
    }
    out += "</g>\n";
  }
  const double base = kHead + (depth_m + kTrayBand) * scale + 30;
  out += fmt::format(
      "<path stroke=\"var(--ink)\" d=\"M{0:.1f} {1:.1f}v-4v4h{2:.1f}v-4\" "
      "fill=\"none\"/><text x=\"{3:.1f}\" y=\"{1:.1f}\">1 m; port face and tray at "
      "the upper edge of each row</text>",
      x(0), base, scale, x(0) + scale + 6);
  return out + "</svg>\n";
}

}  // namespace rackwright::results
