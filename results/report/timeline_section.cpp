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

constexpr double kWidth = 1190, kLeft = 58, kRight = 200, kHeight = 190, kTop = 24;

struct Axis {
  double low = 0, high = 1, step = 1;
  [[nodiscard]] double y(double v) const { return kTop + kHeight * (high - v) / (high - low); }
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

/// Places labels at the right so that none covers another.
std::vector<double> spread(std::vector<double> ys, double distance) {
  std::vector<std::size_t> order(ys.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return ys[a] < ys[b]; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    ys[order[i]] = std::max(ys[order[i]], ys[order[i - 1]] + distance);
  }
  return ys;
}

std::string lane_svg(const TimelineLane& lane, double end_s) {
  const Axis axis = axis_of(lane);
  const double plot = kWidth - kLeft - kRight;
  const auto x = [&](double t) { return kLeft + plot * t / end_s; };
  std::string svg = fmt::format(
      "<svg class=\"lane\" role=\"img\" aria-label=\"{0}, {1}: mean {2}, peak {3}\" viewBox=\"0 0 "
      "{4} "
      "{5}\" width=\"{4}\" height=\"{5}\">",
      escape(lane.label), escape(lane.unit), format_significant(lane.average, 3),
      format_significant(lane.peak, 3), kWidth, kTop + kHeight + 26);
  const std::string unit = lane.unit == "degC" ? "°C" : lane.unit;
  svg += fmt::format("<text x=\"{}\" y=\"11\"><tspan class=\"b\">{}, {}</tspan> {}</text>", kLeft,
                     escape(lane.label), escape(unit), escape(lane.note));
  for (double v = axis.low; v <= axis.high + axis.step / 2; v += axis.step) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0} {1:.1f}H{2:.1f}\"/><text class=\"e\" x=\"{3}\" "
        "y=\"{4:.1f}\">{5}</text>",
        kLeft, axis.y(v), kWidth - kRight, kLeft - 8, axis.y(v) + 4, format_significant(v, 3));
  }
  const double tick = nice_step(end_s, 10);
  for (double t = 0; t <= end_s; t += tick) {
    svg += fmt::format("<text class=\"m\" x=\"{:.1f}\" y=\"{:.1f}\">{:g}{}</text>", x(t),
                       kTop + kHeight + 18, t, t == 0 ? " s" : "");
  }
  std::string band = "M", back;
  for (std::size_t i = 0; i < lane.t_s.size(); ++i) {
    const double x0 = x(lane.t_s[i]);
    const double x1 = x(i + 1 < lane.t_s.size() ? lane.t_s[i + 1] : end_s);
    band += fmt::format("{}{:.1f} {:.1f}H{:.1f}", i == 0 ? "" : "L", x0, axis.y(lane.max[i]), x1);
    back = fmt::format("L{:.1f} {:.1f}H{:.1f}", x1, axis.y(lane.min[i]), x0) + back;
  }
  std::string line = fmt::format("M{:.1f} {:.1f}", x(0), axis.y(lane.mean.front()));
  for (std::size_t i = 0; i < lane.t_s.size(); ++i) {
    const double x1 = x(i + 1 < lane.t_s.size() ? lane.t_s[i + 1] : end_s);
    line += fmt::format("V{:.1f}H{:.1f}", axis.y(lane.mean[i]), x1);
  }
  svg += fmt::format("<path class=\"band\" d=\"{}{}Z\"/><path class=\"mean\" d=\"{}\"/>", band,
                     back, line);
  std::vector<double> label_y{axis.y(lane.average)};
  for (const auto& limit : lane.lines) label_y.push_back(axis.y(limit.value));
  label_y = spread(label_y, 27);
  for (std::size_t i = 0; i < lane.lines.size(); ++i) {
    const auto& limit = lane.lines[i];
    svg += fmt::format(
        "<path class=\"{0}\" d=\"M{1} {2:.1f}H{3:.1f}\"/><text class=\"b {0}t\" x=\"{4:.1f}\" "
        "y=\"{5:.1f}\">{6} {7}</text><text x=\"{4:.1f}\" y=\"{8:.1f}\">{9}</text>",
        limit.is_limit ? "limitline" : "envline", kLeft, axis.y(limit.value), kWidth - kRight,
        kWidth - kRight + 10, label_y[i + 1], format_significant(limit.value, 3), escape(unit),
        label_y[i + 1] + 13, escape(shortened(limit.label, 34)));
  }
  svg += fmt::format(
      "<text class=\"b meant\" x=\"{0:.1f}\" y=\"{1:.1f}\">mean {2} {3}</text><text x=\"{0:.1f}\" "
      "y=\"{4:.1f}\">P99 {5} {3}{6}</text>",
      kWidth - kRight + 10, label_y[0], format_significant(lane.average, 3), escape(unit),
      label_y[0] + 13, format_significant(lane.p99, 3),
      lane.window.empty() ? "" : fmt::format(" ({})", escape(lane.window)));
  svg += fmt::format(
      "<circle class=\"peak\" cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"4\"/><text class=\"{2}\" "
      "x=\"{3:.1f}\" y=\"{4:.1f}\">peak {5} {6} at {7:.0f} s</text>",
      x(lane.peak_t_s), axis.y(lane.peak), lane.peak_t_s > end_s * 0.6 ? "b e" : "b",
      x(lane.peak_t_s) + (lane.peak_t_s > end_s * 0.6 ? -8 : 8),
      std::max(axis.y(lane.peak) - 7, kTop + 8.0), format_significant(lane.peak, 3), escape(unit),
      lane.peak_t_s);
  return svg + "</svg>";
}

/// The lane for the chart script; values to four digits.
std::string lane_json(const TimelineLane& lane) {
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
  std::string out = table_open("cases", "The four load cases, one rack",
                               {{"Load case"},
                                {"GPU modules", true},
                                {"Busbar or node DC", true},
                                {"Rack AC input", true},
                                {"Rack AC, P99 of 1 s", true},
                                {"Judges"}});
  const char* judges[] = {"limits", "efficiency", "context", "context"};
  for (int i = 0; i < topology::kLoadCaseCount; ++i) {
    const auto load_case = static_cast<topology::LoadCase>(i);
    const std::string key(topology::key_of(load_case));
    const auto cell = [&](const std::string& figure) {
      const std::string html = figure_html(context, c, figure, {.glyph = true});
      return html.empty() ? std::string("–") : html;
    };
    const std::string ac = cell("power.rack_ac." + key);
    out += fmt::format(
        "<tr><th scope=\"row\">({}) {}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td "
        "class=\"num\">{}</td><td class=\"num\">{}</td><td>{}</td></tr>\n",
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
    if (lanes[i].t_s.empty()) continue;
    out += fmt::format(
        "<figure class=\"chart\" data-chart=\"lane-{0}-{1}\"><div class=\"scroll\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"Chart, scrolls sideways\">{2}</div></figure>"
        "<script type=\"application/json\" id=\"lane-{0}-{1}\">{3}</script>\n",
        index, i, lane_svg(lanes[i], std::max(end_s, 1.0)), lane_json(lanes[i]));
  }
  return out + case_table(context, candidate) + "</section>\n";
}

}  // namespace rackwright::results
