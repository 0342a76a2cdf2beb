#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/titles.hpp"

namespace rackwright::results {

namespace {

using topology::TimelineLane;

constexpr double kWidth = 1170, kLeft = 58, kRight = 200, kHeight = 190, kLaneTop = 24;

struct Axis {
  double low = 0, high = 1, step = 1;
  [[nodiscard]] double y(double v) const { return kLaneTop + kHeight * (high - v) / (high - low); }
};

Axis axis_of(const TimelineLane& lane) {
  double low = 1e300, high = -1e300;
  for (const double v : lane.min) low = std::min(low, v);
  for (const double v : lane.max) high = std::max(high, v);
  for (const auto& line : lane.lines) {
    low = std::min(low, line.value);
    high = std::max(high, line.value);
  }
  if (!(high > low)) high = low + 1;
  Axis axis;
  axis.step = nice_step(high - low, 4);
  axis.low = std::floor(low / axis.step) * axis.step;
  axis.high = std::ceil(high / axis.step) * axis.step;
  return axis;
}

/// One value of each kind per column, all finite.
bool is_complete(const TimelineLane& lane) {
  const std::size_t n = lane.t_s.size();
  if (n == 0 || lane.min.size() != n || lane.mean.size() != n || lane.max.size() != n) return false;
  const auto finite = [](const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  };
  return finite(lane.t_s) && finite(lane.min) && finite(lane.mean) && finite(lane.max);
}

/// Places labels at the right so that none covers another.
std::vector<double> spread(std::vector<double> ys, double distance) {
  std::vector<std::size_t> order(ys.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return ys[a] < ys[b]; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    ys[order[i]] = std::max(ys[order[i]], ys[order[i - 1]] + distance);
  }
  // Back up from the lower end, so that the last label stays beside the plot.
  double limit = kLaneTop + kHeight - 8;
  for (std::size_t i = order.size(); i-- > 0;) {
    ys[order[i]] = std::min(ys[order[i]], limit);
    limit = ys[order[i]] - distance;
  }
  return ys;
}

/// Text of an axis value with the decimals of the step.
std::string axis_text(double value, double step) {
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  if (std::abs(value) < step / 2) return "0";
  std::string text = fmt::format("{:.{}f}", std::abs(value), decimals);
  if (value < 0) text.insert(0, "\u2212");
  return text;
}

double end_of(const TimelineLane& lane, std::size_t column, double end_s) {
  if (column + 1 < lane.t_s.size()) return lane.t_s[column + 1];
  if (column == 0) return end_s;
  return std::min(end_s, 2 * lane.t_s[column] - lane.t_s[column - 1]);
}

struct Plot {
  Axis axis;
  double end_s = 1;
  std::string unit;
  [[nodiscard]] double x(double t) const { return kLeft + (kWidth - kLeft - kRight) * t / end_s; }
};

std::string grid_svg(const Plot& plot) {
  std::string svg;
  const Axis& axis = plot.axis;
  for (double v = axis.low; v <= axis.high + axis.step / 2; v += axis.step) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0} {1:.1f}H{2:.1f}\"/><text class=\"e\" x=\"{3}\" "
        "y=\"{4:.1f}\">{5}</text>",
        kLeft, axis.y(v), kWidth - kRight, kLeft - 8, axis.y(v) + 4, axis_text(v, axis.step));
  }
  const double tick = nice_step(plot.end_s, 10);
  for (double t = 0; t <= plot.end_s * (1 + 1e-9); t += tick) {
    svg += fmt::format("<text class=\"m\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", plot.x(t),
                       kLaneTop + kHeight + 18, axis_text(t, tick));
  }
  return svg + fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">s</text>", kWidth - kRight + 22,
                           kLaneTop + kHeight + 18);
}

/// Band from lowest to highest window of each column, the part above the lowest passed limit in the
/// colour of violation, and the mean; steps, never smoothed.
std::string band_svg(const TimelineLane& lane, const Plot& plot, const std::string& id) {
  const Axis& axis = plot.axis;
  std::string band = "M", back;
  std::string line = fmt::format("M{:.1f} {:.1f}", plot.x(0), axis.y(lane.mean.front()));
  for (std::size_t i = 0; i < lane.t_s.size(); ++i) {
    const double x0 = plot.x(lane.t_s[i]);
    const double x1 = plot.x(end_of(lane, i, plot.end_s));
    band += fmt::format("{}{:.1f} {:.1f}H{:.1f}", i == 0 ? "" : "L", x0, axis.y(lane.max[i]), x1);
    back = fmt::format("L{:.1f} {:.1f}H{:.1f}", x1, axis.y(lane.min[i]), x0) + back;
    line += fmt::format("V{:.1f}H{:.1f}", axis.y(lane.mean[i]), x1);
  }
  std::string svg = fmt::format(
      "<defs><path id=\"{0}-band\" d=\"{1}{2}Z\"/></defs><use class=\"band\" "
      "href=\"#{0}-band\"/>",
      id, band, back);
  const TimelineLane::Line* passed = nullptr;
  for (const auto& limit : lane.lines) {
    if (limit.is_limit && lane.peak > limit.value &&
        (passed == nullptr || limit.value < passed->value)) {
      passed = &limit;
    }
  }
  if (passed != nullptr) {
    svg += fmt::format(
        "<clipPath id=\"{0}-over\"><rect x=\"{1}\" y=\"0\" width=\"{2}\" height=\"{3:.1f}\"/>"
        "</clipPath><use class=\"over\" href=\"#{0}-band\" clip-path=\"url(#{0}-over)\"/>",
        id, kLeft, kWidth - kLeft - kRight, axis.y(passed->value));
  }
  return svg + fmt::format("<path class=\"mean\" d=\"{}\"/>", line);
}

std::string lines_svg(const TimelineLane& lane, const Plot& plot) {
  std::vector<double> label_y{plot.axis.y(lane.average)};
  for (const auto& limit : lane.lines) label_y.push_back(plot.axis.y(limit.value));
  label_y = spread(label_y, 30);
  const double x = kWidth - kRight + 10;
  std::string svg;
  for (std::size_t i = 0; i < lane.lines.size(); ++i) {
    const auto& limit = lane.lines[i];
    svg += fmt::format(
        "<path class=\"{0}\" d=\"M{1} {2:.1f}H{3:.1f}\"/><text class=\"b {0}t\" x=\"{4:.1f}\" "
        "y=\"{5:.1f}\">{6} {7}</text><text x=\"{4:.1f}\" y=\"{8:.1f}\">{9}</text>",
        limit.is_limit ? "limitline" : "envline", kLeft, plot.axis.y(limit.value), kWidth - kRight,
        x, label_y[i + 1], format_significant(limit.value, 3), escape(plot.unit),
        label_y[i + 1] + 14, escape(shortened(limit.label, 32)));
  }
  return svg + fmt::format(
                   "<text class=\"b meant\" x=\"{0:.1f}\" y=\"{1:.1f}\">mean {2} {3}</text><text "
                   "x=\"{0:.1f}\" y=\"{4:.1f}\">P99 {5} {3}{6}</text>",
                   x, label_y[0], format_significant(lane.average, 3), escape(plot.unit),
                   label_y[0] + 14, format_significant(lane.p99, 3),
                   lane.window.empty() ? "" : fmt::format(" ({})", escape(lane.window)));
}

/// Value, time and window of the peak; beside it, and never over the lane's own title.
std::string peak_svg(const TimelineLane& lane, const Plot& plot) {
  const double x = plot.x(lane.peak_t_s);
  const double y = plot.axis.y(lane.peak);
  const bool left = lane.peak_t_s > plot.end_s * 0.6;
  std::string words = fmt::format("peak {} {} at {:.0f} s", format_significant(lane.peak, 3),
                                  plot.unit, lane.peak_t_s);
  double above = 0;
  for (const auto& limit : lane.lines) {
    if (limit.is_limit && lane.peak > limit.value)
      above = std::max(above, share_above(lane, limit.value));
  }
  if (above > 0) {
    words += fmt::format(" · above the limit at most {} % of the time",
                         format_significant(std::max(above * 100, 0.1), 2));
  }
  return fmt::format(
      "<circle class=\"peak\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/><text class=\"halo b{}\" "
      "x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
      x, y, left ? " e" : "", x + (left ? -10 : 10), std::max(y - 8, kLaneTop + 8.0),
      escape(words));
}

std::string lane_svg(const TimelineLane& lane, double end_s, const std::string& id) {
  const Plot plot{axis_of(lane), end_s, lane.unit == "degC" ? "°C" : lane.unit};
  std::string svg = fmt::format(
      "<svg class=\"lane\" role=\"img\" aria-label=\"{0}, {1}: mean {2}, peak {3}; its load cases "
      "are in the "
      "table below\" viewBox=\"0 0 {4} {5}\" width=\"{4}\" height=\"{5}\"><text x=\"{6}\" "
      "y=\"11\"><tspan "
      "class=\"b\">{0}, {1}</tspan> {7}</text>",
      escape(lane.label), escape(plot.unit), format_significant(lane.average, 3),
      format_significant(lane.peak, 3), kWidth, kLaneTop + kHeight + 26, kLeft, escape(lane.note));
  svg += grid_svg(plot) + band_svg(lane, plot, id) + lines_svg(lane, plot) + peak_svg(lane, plot);
  return svg + "</svg>";
}

/// The lane for the chart script; values to four digits.
std::string lane_script(const TimelineLane& lane) {
  const auto rounded = [](const std::vector<double>& values) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const double v : values) {
      const double step = std::pow(10.0, std::floor(std::log10(std::max(std::abs(v), 1e-9))) - 3);
      list.push_back(std::stod(fmt::format("{:.6g}", std::round(v / step) * step)));
    }
    return list;
  };
  nlohmann::ordered_json json;
  json["label"] = lane.label;
  json["unit"] = lane.unit == "degC" ? "°C" : lane.unit;
  json["note"] = lane.note;
  json["average"] = format_significant(lane.average, 3);
  json["p99"] = format_significant(lane.p99, 3);
  json["window"] = lane.window;
  json["mean_at"] = lane.average;
  json["peak"] = {{"value", lane.peak}, {"t", lane.peak_t_s}};
  json["t"] = rounded(lane.t_s);
  json["min"] = rounded(lane.min);
  json["mean"] = rounded(lane.mean);
  json["max"] = rounded(lane.max);
  json["lines"] = nlohmann::ordered_json::array();
  for (const auto& line : lane.lines) {
    json["lines"].push_back(
        {{"label", line.label}, {"value", line.value}, {"limit", line.is_limit}});
  }
  std::string text = json.dump();
  // "</" would end the script element.
  for (std::size_t at = text.find("</"); at != std::string::npos; at = text.find("</", at + 3)) {
    text.replace(at, 2, "<\\/");
  }
  return text;
}

std::string case_table(const ReportContext& context, const Candidate& c) {
  std::string out = table_open("cases", "The load cases, one rack",
                               {{"Load case"},
                                {"GPU modules", true},
                                {"Busbar or node DC", true},
                                {"Rack AC input", true},
                                {"Rack AC, P99 of 1 s", true},
                                {"Judges"}});
  const char* judges[] = {"limits", "efficiency", "context", "context", "context"};
  for (int i = 0; i < topology::kLoadCaseCount; ++i) {
    const auto load_case = static_cast<topology::LoadCase>(i);
    const std::string key(topology::key_of(load_case));
    if (load_case == topology::LoadCase::as_measured &&
        c.evaluation.figures.find("power.rack_ac." + key) == nullptr) {
      continue;  // nothing was measured on this rack's device
    }
    const auto cell = [&](const std::string& figure) {
      const std::string html = figure_html(context, c, figure, {.glyph = true});
      return html.empty() ? std::string("–") : html;
    };
    const std::string ac = cell("power.rack_ac." + key);
    out += fmt::format(
        "<tr><th scope=\"row\">({}) {}</th><td class=\"num\" data-head=\"GPU modules\">{}</td>"
        "<td class=\"num\" data-head=\"Busbar or node DC\">{}</td><td class=\"num\" "
        "data-head=\"Rack "
        "AC input\">{}</td><td class=\"num\" data-head=\"Rack AC, P99 of 1 s\">{}</td>"
        "<td data-head=\"Judges\">{}</td></tr>\n",
        static_cast<char>('a' + i), to_string(load_case),
        ac == "–" ? blank_box() : cell("power.module." + key),
        ac == "–" ? blank_box() : cell("power.bus." + key), ac == "–" ? blank_box() : ac,
        cell("power.rack_ac." + key + ".p99"), judges[i]);
  }
  return out + table_close();
}

}  // namespace

std::string timeline_section(const ReportContext& context, const Candidate& candidate,
                             std::size_t index) {
  const auto& lanes = candidate.evaluation.timelines;
  std::string out = section_open(
      fmt::format("time-{}", index), timeline_title(candidate.evaluation),
      fmt::format("{}, one rack, load case (b): the recorded traffic scaled to SLO capacity. Band: "
                  "lowest to highest window of a column; line: its mean.",
                  escape(candidate.evaluation.rack)));
  if (lanes.empty()) {
    out +=
        "<p>A trace needs a predicted step time: see the blanks of this rack in section 12.</p>\n";
  }
  double end_s = 0;
  for (const TimelineLane& lane : lanes) {
    if (lane.t_s.size() > 1) end_s = std::max(end_s, lane.t_s.back() + lane.t_s[1] - lane.t_s[0]);
  }
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    if (!is_complete(lanes[i])) continue;
    const std::string id = fmt::format("lane-{}-{}", index, i);
    out += fmt::format(
        "<figure class=\"chart\" data-chart=\"{0}\"><div class=\"scroll drawn\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"Chart, scrolls sideways on narrow screens\">{1}</div>"
        "<div class=\"live\" hidden></div></figure>"
        "<script type=\"application/json\" id=\"{0}\">{2}</script>\n",
        id, lane_svg(lanes[i], std::max(end_s, 1.0), id), lane_script(lanes[i]));
  }
  return out + case_table(context, candidate) + "</section>\n";
}

}  // namespace rackwright::results
