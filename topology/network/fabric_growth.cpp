#include "topology/network/fabric_growth.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "topology/network/fabric_links.hpp"

namespace rackwright::topology {

namespace {

std::optional<double> of_all(const RackEvaluation& rack, const char* key, int racks) {
  const Figure* figure = rack.figures.find(key);
  return figure != nullptr ? std::optional(figure->estimate.value * racks) : std::nullopt;
}

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{:.6g}", *value) : "";
}

std::string percent_cell(const std::optional<double>& share) {
  return share ? fmt::format("{:.4g}", 100 * *share) : "";
}

std::string cabling_cells(const std::optional<CableTotals>& t) {
  if (!t) return ",,,,,";
  return fmt::format("{},{:.6g},{:.4g},{},{},{:.6g}", t->cables, t->ordered_m, t->longest_m,
                     t->modules, t->fibres, t->optics_w.high);
}

struct Series {
  const char* name;
  const char* colour;
  std::function<double(const GrowthPoint&)> value;  ///< 0 or less: not drawn
};

struct Panel {
  const char* title;
  std::vector<Series> series;
  double top, height;
};

constexpr double kLeft = 70, kWidth = 600, kRight = 150;
constexpr double kLabelGap = 34, kLineGap = 13;  ///< least distance of labels

/// "0.001", "10", "2 k", "5 M": decades of an axis.
std::string short_number(double value) {
  constexpr double kKilo = 1e3, kMega = 1e6;
  if (value >= kMega) return fmt::format("{:g} M", value / kMega);
  if (value >= kKilo) return fmt::format("{:g} k", value / kKilo);
  return fmt::format("{:g}", value);
}

/// Both axes logarithmic; whole decades upwards.
class LogPlot {
 public:
  LogPlot(const std::vector<GrowthPoint>& points, const Panel& panel) : panel_(panel) {
    x0_ = std::log10(points.front().racks);
    x1_ = std::max(x0_ + 1e-9, std::log10(points.back().racks));
    double low = 0, high = 0;
    for (const GrowthPoint& point : points) {
      for (const Series& one : panel.series) {
        const double value = one.value(point);
        if (value <= 0) continue;
        low = low > 0 ? std::min(low, value) : value;
        high = std::max(high, value);
      }
    }
    if (low <= 0) return;
    drawn_ = true;
    y0_ = std::floor(std::log10(low));
    y1_ = std::max(y0_ + 1, std::ceil(std::log10(high)));
  }
  [[nodiscard]] bool drawn() const { return drawn_; }
  [[nodiscard]] double x(double value) const {
    return kLeft + kWidth * (std::log10(value) - x0_) / (x1_ - x0_);
  }
  [[nodiscard]] double y(double value) const {
    return panel_.top + panel_.height * (1 - (std::log10(value) - y0_) / (y1_ - y0_));
  }
  /// Decades and sizes with their labels; of sizes too close together the later one.
  [[nodiscard]] std::string axes(const std::vector<GrowthPoint>& points) const {
    std::string svg = fmt::format(
        "<text x=\"{0}\" y=\"{1}\" font-weight=\"bold\">{2}</text>\n"
        "<rect x=\"{0}\" y=\"{3}\" width=\"{4}\" height=\"{5}\" fill=\"none\" "
        "stroke=\"#888\"/>\n",
        kLeft, panel_.top - 8, panel_.title, panel_.top, kWidth, panel_.height);
    for (double decade = y0_; decade <= y1_ + 0.5; decade += 1) {
      const double at = y(std::pow(10, decade));
      svg += fmt::format(
          "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>\n"
          "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
          kLeft, kLeft + kWidth, at, kLeft - 6, at + 4, short_number(std::pow(10, decade)));
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double at = x(points[i].racks);
      if (i + 1 < points.size() && x(points.back().racks) - at < kLabelGap) continue;
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", at,
                         panel_.top + panel_.height + 16, points[i].racks);
    }
    return svg;
  }

 private:
  const Panel& panel_;
  double x0_ = 0, x1_ = 1, y0_ = 0, y1_ = 1;
  bool drawn_ = false;
};

struct EndLabel {
  double y;
  const Series* series;
};

/// Lines with their names at the right end, moved apart where they would overlap.
std::string panel_svg(const std::vector<GrowthPoint>& points, const Panel& panel) {
  const LogPlot plot(points, panel);
  if (!plot.drawn()) return "";
  std::string svg = plot.axes(points);
  std::vector<EndLabel> labels;
  for (const Series& one : panel.series) {
    std::string line;
    double last_y = 0;
    for (const GrowthPoint& point : points) {
      const double value = one.value(point);
      if (value <= 0) continue;
      last_y = plot.y(value);
      line += fmt::format("{}{:.1f},{:.1f}", line.empty() ? "" : " ", plot.x(point.racks), last_y);
    }
    if (line.empty()) continue;
    svg += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                       line, one.colour);
    labels.push_back({last_y + 4, &one});
  }
  std::sort(labels.begin(), labels.end(),
            [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) labels[i].y = std::max(labels[i].y, labels[i - 1].y + kLineGap);
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\">{}</text>\n", kLeft + kWidth + 8,
                       labels[i].y, labels[i].series->colour, labels[i].series->name);
  }
  return svg;
}

}  // namespace

std::vector<int> growth_sizes(int most) {
  std::vector<int> sizes;
  for (int decade = 1; decade <= most; decade *= 10) {
    for (const int step : {1, 2, 5}) {
      if (decade * step < most) sizes.push_back(decade * step);
    }
  }
  sizes.push_back(most);
  return sizes;
}

GrowthPoint grow(const FabricDesign& design, const Catalog& catalog, int racks,
                 const std::optional<GrowthRack>& rack) {
  GrowthPoint point;
  point.racks = racks;
  const int nodes = racks * std::max(1, design.scale_up_domain_gpus / design.gpus_per_node);
  point.counts = count_fabric(design, nodes, catalog);
  const FabricPlan plan = plan_fabric(design, nodes);
  if (!rack) {
    for_each_link(design, plan, [&](const FabricLink&) { ++point.links; });
    return point;
  }
  auto links = list_links(design, plan);
  point.links = static_cast<long long>(links.size());
  point.rack_power_w = of_all(*rack->evaluation, "power.rack_ac.design_envelope", racks);
  point.liquid_heat_w = of_all(*rack->evaluation, "liquid.heat.design_envelope", racks);
  point.air_heat_w = of_all(*rack->evaluation, "air.heat.design_envelope", racks);
  const CablePlan cables =
      plan_cabling(design, std::move(links), *rack->layout, *rack->design, catalog);
  point.cabling = total_cabling(cables, catalog);
  CableLoads loads = load_channels(cables, catalog);
  double fullest = 0;
  for (const ChannelLoad& load : loads.channels) fullest = std::max(fullest, load.known_fill());
  point.fullest_fill = fullest;
  point.violations = std::move(loads.violations);
  return point;
}

std::string growth_csv(const std::vector<GrowthPoint>& points) {
  std::string csv =
      "racks,nodes,gpus,leaf,spine,core,node_leaf_links,leaf_spine_links,spine_core_links,"
      "links_walked,switch_power_max_w,rack_power_w,liquid_heat_w,air_heat_w,pulled_cables,"
      "cable_ordered_m,longest_cable_m,modules,fibres,optics_power_max_w,fullest_channel_pct,"
      "seconds\n";
  for (const GrowthPoint& point : points) {
    const FabricCounts& counts = point.counts;
    csv += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{:.6g},{},{},{},{},{},{:.6f}\n", point.racks, counts.nodes,
        counts.gpus, counts.leaf, counts.spine, counts.core, counts.node_leaf_cables,
        counts.leaf_spine_cables, counts.spine_core_cables, point.links, counts.switch_power_max_w,
        cell(point.rack_power_w), cell(point.liquid_heat_w), cell(point.air_heat_w),
        cabling_cells(point.cabling), percent_cell(point.fullest_fill), point.seconds);
  }
  return csv;
}

std::string growth_svg(const FabricDesign& design, const std::vector<GrowthPoint>& points) {
  constexpr double kKilowatt = 1e3;
  const auto of_racks = [](std::optional<double> GrowthPoint::*watts) {
    return [watts](const GrowthPoint& p) { return (p.*watts).value_or(0) / kKilowatt; };
  };
  const auto of_cabling = [](const std::function<double(const CableTotals&)>& value) {
    return [value](const GrowthPoint& p) { return p.cabling ? value(*p.cabling) : 0; };
  };
  const Panel panels[] = {
      {"count",
       {{"links", "#2e8b57", [](const GrowthPoint& p) { return static_cast<double>(p.links); }},
        {"GPUs", "#8a5a00", [](const GrowthPoint& p) { return p.counts.gpus; }},
        {"cable ordered, m", "#b03a2e",
         of_cabling([](const CableTotals& t) { return t.ordered_m; })},
        {"switches", "#1b6ca8",
         [](const GrowthPoint& p) { return p.counts.leaf + p.counts.spine + p.counts.core; }}},
       64,
       230},
      {"power and heat, kW",
       {{"racks, AC input", "#8a5a00", of_racks(&GrowthPoint::rack_power_w)},
        {"heat to liquid", "#1b6ca8", of_racks(&GrowthPoint::liquid_heat_w)},
        {"heat to air", "#b03a2e", of_racks(&GrowthPoint::air_heat_w)},
        {"switches, maximum", "#2e8b57",
         [](const GrowthPoint& p) { return p.counts.switch_power_max_w / kKilowatt; }},
        {"modules and plugs", "#555",
         of_cabling([](const CableTotals& t) { return t.optics_w.high / kKilowatt; })}},
       354,
       190},
      {"seconds to compute",
       {{"this size alone", "#555", [](const GrowthPoint& p) { return p.seconds; }}},
       604,
       110}};
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} 770\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"{}\" y=\"24\" font-size=\"14\">{}: growth from {} to {} racks, {} GPUs</text>\n",
      kLeft + kWidth + kRight, kLeft, design.id, points.front().racks, points.back().racks,
      points.back().counts.gpus);
  for (const Panel& panel : panels) svg += panel_svg(points, panel);
  return svg + fmt::format("<text x=\"{}\" y=\"752\" text-anchor=\"middle\">racks</text>\n</svg>\n",
                           kLeft + kWidth / 2);
}

}  // namespace rackwright::topology
