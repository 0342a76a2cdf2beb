#include "topology/network/fabric_growth.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "topology/network/fabric_links.hpp"

namespace rackwright::topology {

namespace {

std::optional<double> of_all(const RackEvaluation* rack, const char* key, int racks) {
  const Figure* figure = rack != nullptr ? rack->figures.find(key) : nullptr;
  return figure != nullptr ? std::optional(figure->estimate.value * racks) : std::nullopt;
}

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{:.6g}", *value) : "";
}

struct Series {
  const char* name;
  const char* colour;
  std::function<double(const GrowthPoint&)> value;
};

constexpr double kLeft = 70, kTop = 40, kWidth = 600, kHeight = 360;

class LogPlot {
 public:
  LogPlot(double x_low, double x_high, double y_low, double y_high)
      : x0_(std::log10(x_low)),
        x1_(std::max(x0_ + 1e-9, std::log10(x_high))),
        y0_(std::floor(std::log10(y_low))),
        y1_(std::ceil(std::log10(y_high))) {}
  double x(double value) const { return kLeft + kWidth * (std::log10(value) - x0_) / (x1_ - x0_); }
  double y(double value) const {
    return kTop + kHeight * (1 - (std::log10(value) - y0_) / (y1_ - y0_));
  }
  /// Decades with their labels.
  std::string axes(const std::vector<GrowthPoint>& points) const {
    std::string svg = fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>\n",
        kLeft, kTop, kWidth, kHeight);
    for (double decade = y0_; decade <= y1_ + 0.5; decade += 1) {
      const double at = y(std::pow(10, decade));
      svg += fmt::format(
          "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>\n"
          "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
          kLeft, kLeft + kWidth, at, kLeft - 6, at + 4, std::pow(10, decade));
    }
    for (const GrowthPoint& point : points) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                         x(point.racks), kTop + kHeight + 18, point.racks);
    }
    return svg;
  }

 private:
  double x0_, x1_, y0_, y1_;
};

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
                 const RackEvaluation* rack) {
  GrowthPoint point;
  point.racks = racks;
  const int nodes = racks * std::max(1, design.scale_up_domain_gpus / design.gpus_per_node);
  point.counts = count_fabric(design, nodes, catalog);
  for_each_link(design, plan_fabric(design, nodes), [&](const FabricLink&) { ++point.links; });
  point.rack_power_w = of_all(rack, "power.rack_ac.design_envelope", racks);
  point.liquid_heat_w = of_all(rack, "liquid.heat.design_envelope", racks);
  point.air_heat_w = of_all(rack, "air.heat.design_envelope", racks);
  return point;
}

std::string growth_csv(const std::vector<GrowthPoint>& points) {
  std::string csv =
      "racks,nodes,gpus,leaf,spine,core,node_leaf_links,leaf_spine_links,spine_core_links,"
      "links_walked,switch_power_max_w,rack_power_w,liquid_heat_w,air_heat_w,seconds\n";
  for (const GrowthPoint& point : points) {
    const FabricCounts& counts = point.counts;
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{:.6g},{},{},{},{:.6f}\n", point.racks,
                       counts.nodes, counts.gpus, counts.leaf, counts.spine, counts.core,
                       counts.node_leaf_cables, counts.leaf_spine_cables, counts.spine_core_cables,
                       point.links, counts.switch_power_max_w, cell(point.rack_power_w),
                       cell(point.liquid_heat_w), cell(point.air_heat_w), point.seconds);
  }
  return csv;
}

std::string growth_svg(const FabricDesign& design, const std::vector<GrowthPoint>& points) {
  const Series series[] = {
      {"switches", "#1b6ca8",
       [](const GrowthPoint& p) { return p.counts.leaf + p.counts.spine + p.counts.core; }},
      {"links", "#2e8b57", [](const GrowthPoint& p) { return static_cast<double>(p.links); }},
      {"GPUs", "#8a5a00", [](const GrowthPoint& p) { return p.counts.gpus; }},
      {"seconds to compute", "#b03a2e", [](const GrowthPoint& p) { return p.seconds; }}};
  double low = 1, high = 1;
  for (const GrowthPoint& point : points) {
    for (const Series& one : series) {
      const double value = one.value(point);
      if (value <= 0) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  const LogPlot plot(points.front().racks, points.back().racks, low, high);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
      "font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"{}\" y=\"20\" font-size=\"14\">{}: growth with racks</text>\n",
      kLeft + kWidth + 140, kTop + kHeight + 50, kLeft, design.id);
  svg += plot.axes(points);
  for (const Series& one : series) {
    std::string line;
    double last_y = 0;
    for (const GrowthPoint& point : points) {
      const double value = one.value(point);
      if (value <= 0) continue;
      last_y = plot.y(value);
      line += fmt::format("{}{:.1f},{:.1f}", line.empty() ? "" : " ", plot.x(point.racks), last_y);
    }
    svg += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n"
        "<text x=\"{}\" y=\"{:.1f}\" fill=\"{}\">{}</text>\n",
        line, one.colour, kLeft + kWidth + 8, last_y + 4, one.colour, one.name);
  }
  return svg + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">racks</text>\n</svg>\n",
                           kLeft + kWidth / 2, kTop + kHeight + 38);
}

}  // namespace rackwright::topology
