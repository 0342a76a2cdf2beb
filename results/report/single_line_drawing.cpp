#include "results/report/single_line_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "results/report/html.hpp"
#include "topology/limits.hpp"

namespace rackwright::results {

namespace {

using topology::FailureRow;

/// Load in service and worst margin over single failures of one node.
struct NodeMargin {
  std::optional<FailureRow> service;
  std::optional<double> worst;
  std::string failure;
};

constexpr double kBox = 124, kGap = 12, kEdge = 24;
constexpr double kUpstream = 76;  // of one level of PDU, busway or UPS
constexpr const char* kFeedColours[] = {"#1f5fa8", "#b3541e", "#3c7d3c", "#7a3c8f"};

class SingleLine {
 public:
  explicit SingleLine(const topology::RackEvaluation& evaluation)
      : evaluation_(evaluation), chain_(evaluation.power.chain) {
    demand_ = &evaluation.power.cases.front().second;
    state_ = topology::solve(chain_, *demand_);
    const auto& report = evaluation.failures;
    for (const FailureRow& row :
         topology::rack_failure_table(report.model, report.loads.front().second)) {
      if (row.domain == "power") note(row);
    }
    for (std::size_t u = 0; u < chain_.upstream.size(); ++u) depth_ = std::max(depth_, level(u));
    const double sources = static_cast<double>(chain_.sources.size());
    width_ = std::max(900.0, 2 * kEdge + sources * (kBox + kGap) - kGap);
  }

  std::string draw() {
    title();
    out_ += fmt::format("<g transform=\"translate(0,{:.0f})\">\n", kUpstream * depth_);
    upstream();
    feeds();
    sources();
    buses();
    out_ += "</g>\n";
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
               "width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\" aria-label=\"Single-line diagram "
               "of "
               "{2}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" "
               "height=\"100%\" fill=\"#ffffff\"/>\n",
               width_, bottom_ + kUpstream * depth_, escape(evaluation_.rack)) +
           out_ + "</svg>\n";
  }

 private:
  void note(const FailureRow& row) {
    NodeMargin& node = nodes_[row.level + "|" + row.node];
    if (row.failure_unit == "none") node.service = row;
    const auto margin = row.margin();
    if (!margin || row.failure_unit == "none") return;
    if (!node.worst || *margin < *node.worst - 1e-12) {
      node.worst = margin;
      node.failure = row.failure;
    }
  }

  void text(double x, double y, const std::string& words, const char* style = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#1a1a1a\" {}>{}</text>\n", x, y,
                        style, escape(words));
  }

  void line(double x1, double y1, double x2, double y2, const char* colour, double thick = 1.5) {
    out_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
        "stroke-width=\"{:.1f}\"/>\n",
        x1, y1, x2, y2, colour, thick);
  }

  static const char* fill_of(std::optional<double> margin) {
    if (!margin) return "#f2f2f2";
    if (*margin < 0) return "#f6c9c4";
    return *margin < 0.05 ? "#fbe7b8" : "#dcefdc";
  }

  /// A box with its lines; filled by the smaller of the margins in service and after a failure.
  void box(double x, double y, double w, double h, const NodeMargin& node,
           const std::vector<std::string>& lines) {
    std::optional<double> least = node.worst;
    if (node.service && node.service->margin()) {
      least = std::min(least.value_or(1.0), *node.service->margin());
    }
    out_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\" fill=\"{}\" "
        "stroke=\"#444444\"/>\n",
        x, y, w, h, fill_of(least));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      text(x + 6, y + 15 + 14 * static_cast<double>(i), lines[i],
           i == 0 ? "font-weight=\"bold\"" : "");
    }
  }

  static std::string load_text(const NodeMargin& node) {
    if (!node.service) return "not loaded";
    const FailureRow& row = *node.service;
    const bool watts = row.unit == "W";
    const double scale = watts ? 1e-3 : 1.0;
    const std::string unit = watts ? "kW" : row.unit;
    if (!row.limit) return fmt::format("{:.1f} {}, limit blank", row.load * scale, unit);
    return fmt::format("{:.1f} of {:.1f} {}", row.load * scale, *row.limit * scale, unit);
  }

  static std::string signed_percent(double share) {
    return fmt::format("{}{:.1f} %", share < 0 ? "−" : "+", std::abs(share) * 100);
  }

  static std::string margin_text(const NodeMargin& node) {
    if (!node.worst) return "no limit known";
    return signed_percent(*node.worst) + " worst failure";
  }

  /// A blank efficiency is no loss of zero.
  std::string loss_text() const {
    const bool known = std::all_of(chain_.buses.begin(), chain_.buses.end(),
                                   [](const topology::ChainBus& b) { return b.loss_known; });
    return known ? topology::watts_text(state_.psu_loss_w) + " lost in PSUs"
                 : std::string("loss in PSUs not published");
  }

  void title() {
    text(kEdge, 24, fmt::format("{}: single line, design envelope", evaluation_.rack),
         "font-size=\"15\" font-weight=\"bold\"");
    text(kEdge, 42,
         fmt::format("{} at rack AC input, {} to the loads, {}; loads in service, margin "
                     "after the worst single failure",
                     topology::watts_text(state_.input_w), topology::watts_text(state_.load_w),
                     loss_text()));
  }

  double feed_x(std::size_t f) const {
    const double step = (width_ - 2 * kEdge) / static_cast<double>(chain_.feeds.size());
    return kEdge + step * (static_cast<double>(f) + 0.5);
  }

  static const char* colour_of(std::size_t feed) { return kFeedColours[feed % 4]; }

  void feeds() {
    for (std::size_t f = 0; f < chain_.feeds.size(); ++f) {
      const topology::Feed& feed = chain_.feeds[f];
      const NodeMargin& node = nodes_["feed|feed " + feed.id];
      const double x = feed_x(f) - 95;
      box(x, 60, 190, 62, node,
          {fmt::format("Feed {}: {:.0f} V, {} phase{}", feed.id, feed.volts_line_to_line,
                       feed.phases, feed.phases > 1 ? "s" : ""),
           load_text(node) + (feed.breaker_a > 0
                                  ? fmt::format(" ({} x {:.0f} A)", feed.circuits, feed.breaker_a)
                                  : ""),
           fmt::format("{:.1f} kVA, power factor {:.2f}",
                       state_.feeds[f].watts * 1e-3 / feed.power_factor, feed.power_factor),
           margin_text(node)});
      const double rail = 138 + 10 * static_cast<double>(f);
      line(feed_x(f), 122, feed_x(f), rail, colour_of(f));
      double left = feed_x(f), right = left;
      for (std::size_t s = 0; s < chain_.sources.size(); ++s) {
        if (chain_.sources[order_[s]].feed != f) continue;
        left = std::min(left, source_x(s) + kBox / 2);
        right = std::max(right, source_x(s) + kBox / 2);
      }
      line(left, rail, right, rail, colour_of(f));
    }
  }

  int level(std::size_t u) const {
    int below = 0;
    for (const std::size_t b : chain_.upstream[u].below) below = std::max(below, level(b));
    return below + 1;
  }

  double upstream_x(std::size_t u) const {
    const auto feeds = topology::feeds_of(chain_, u);
    double sum = 0;
    for (const std::size_t f : feeds) sum += feed_x(f);
    return feeds.empty() ? width_ / 2 : sum / static_cast<double>(feeds.size());
  }

  static double upstream_y(int level) { return 60 - kUpstream * level; }

  void upstream() {
    for (std::size_t u = 0; u < chain_.upstream.size(); ++u) {
      const topology::ChainUpstream& unit = chain_.upstream[u];
      const NodeMargin& node = nodes_[unit.kind + "|" + unit.id];
      const double x = upstream_x(u), y = upstream_y(level(u));
      for (const std::size_t f : unit.feeds) line(x, y + 48, feed_x(f), 60, colour_of(f));
      for (const std::size_t b : unit.below) {
        line(x, y + 48, upstream_x(b), upstream_y(level(b)), "#444444");
      }
      std::string what = unit.id;
      if (unit.units > 1) what += fmt::format(", {} units", unit.units);
      if (unit.scheme) what += ", " + unit.scheme->text;
      if (unit.racks > 1) what += fmt::format(", {:.3g} racks", unit.racks);
      box(x - 95, y, 190, 48, node, {what, load_text(node), margin_text(node)});
    }
  }

  /// CDUs hang on the same tree: what drives their pumps, and what they draw.
  double cooling(double y) {
    const auto& liquid = evaluation_.failures.model.liquid;
    if (!liquid) return y;
    double x = kEdge;
    for (const topology::CduUnit& cdu : liquid->cdus) {
      std::string supply;
      for (const std::string& id : cdu.supply) supply += (supply.empty() ? " on " : " or ") + id;
      const NodeMargin& node = nodes_["CDU input|" + cdu.id];
      box(x, y, 190, 48, node,
          {cdu.id + (supply.empty() ? ", supply blank" : supply),
           node.service ? load_text(node) : "input blank",
           fmt::format("pumps and controls, {:.3g} racks", liquid->racks)});
      for (std::size_t f = 0; f < chain_.feeds.size(); ++f) {
        const bool drives =
            std::find(cdu.supply.begin(), cdu.supply.end(), chain_.feeds[f].id) != cdu.supply.end();
        if (drives)
          line(x + 20 + 12 * static_cast<double>(f), y, x + 20 + 12 * static_cast<double>(f),
               y - 10, colour_of(f), 3);
      }
      x += 190 + kGap;
    }
    return y + 72;
  }

  double source_x(std::size_t place) const {
    const double free =
        width_ - 2 * kEdge - static_cast<double>(chain_.sources.size()) * (kBox + kGap) + kGap;
    return kEdge + free / 2 + static_cast<double>(place) * (kBox + kGap);
  }

  std::string whips_text(const topology::ChainSource& source) {
    std::vector<std::size_t> own = source.circuit;
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
    const NodeMargin& node = nodes_["whip|" + chain_.circuits[own.front()].id];
    if (!node.service) return "";
    const FailureRow& row = *node.service;
    return fmt::format("{} x {:.1f}{} A", own.size(), row.load,
                       row.limit ? fmt::format(" / {:.0f}", *row.limit) : "");
  }

  void sources() {
    for (std::size_t place = 0; place < chain_.sources.size(); ++place) {
      const topology::ChainSource& source = chain_.sources[order_[place]];
      const double x = source_x(place), middle = x + kBox / 2;
      const double rail = 138 + 10 * static_cast<double>(source.feed);
      line(middle, rail, middle, 214, colour_of(source.feed));
      out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", middle,
                          rail, colour_of(source.feed));
      text(middle + 4, 200, whips_text(source), "font-size=\"10\"");
      const NodeMargin& node = nodes_["PSU|" + source.id];
      box(x, 214, kBox, 62, node,
          {source.id + ", feed " + chain_.feeds[source.feed].id,
           fmt::format("{} PSUs of {}", source.circuit.size(), topology::watts_text(source.psu_w)),
           load_text(node), margin_text(node)});
      line(middle, 276, middle, 318, "#444444");
    }
  }

  void buses() {
    for (std::size_t b = 0; b < chain_.buses.size(); ++b) {
      const topology::ChainBus& bus = chain_.buses[b];
      double left = width_, right = 0;
      for (std::size_t place = 0; place < order_.size(); ++place) {
        if (chain_.sources[order_[place]].bus != b) continue;
        left = std::min(left, source_x(place));
        right = std::max(right, source_x(place) + kBox);
      }
      if (right <= left) continue;
      line(left, 318, right, 318, bar_colour(bus), 5);
      loads(b, left, right);
      if (bus.shelves) shelf_bus(bus, left);
    }
  }

  /// Red where a section is over its rating after a failure, as the boxes are.
  const char* bar_colour(const topology::ChainBus& bus) {
    const NodeMargin& section = nodes_["busbar section|" + bus.id];
    return section.worst && *section.worst < 0 ? "#b3261e" : "#222222";
  }

  void shelf_bus(const topology::ChainBus& bus, double left) {
    const NodeMargin& section = nodes_["busbar section|" + bus.id];
    std::string words = bus.id;
    if (section.service) {
      words += fmt::format(": {:.0f} V DC, fullest section {}, {}", bus.volts, load_text(section),
                           margin_text(section));
      if (!section.failure.empty()) words += " (" + section.failure + ")";
    }
    constexpr double kCharacter = 5.6;  // the words hide the taps behind them
    line(left, 334, left + kCharacter * static_cast<double>(words.size()), 334, "#ffffff", 14);
    text(left, 338, words);
  }

  void loads(std::size_t b, double left, double right) {
    const topology::ChainBus& bus = chain_.buses[b];
    std::vector<std::pair<std::string, std::pair<int, double>>> groups;
    std::map<std::string, std::pair<std::string, std::string>> ends;  // first and last slot
    for (std::size_t i = 0; i < bus.loads.size(); ++i) {
      std::string name = bus.loads[i].slot;
      while (bus.loads.size() > 1 && !name.empty() && name.back() >= '0' && name.back() <= '9') {
        name.pop_back();
      }
      const double watts = demand_->bus_w[b][i];
      auto at = std::find_if(groups.begin(), groups.end(),
                             [&](const auto& g) { return g.first == name; });
      if (at == groups.end()) at = groups.insert(groups.end(), {name, {0, 0.0}});
      auto& [first, last] = ends[name];
      if (first.empty()) first = bus.loads[i].slot;
      last = bus.loads[i].slot;
      ++at->second.first;
      at->second.second += watts;
    }
    const double step =
        (right - left) / static_cast<double>(std::max<std::size_t>(groups.size(), 1));
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto& [name, sums] = groups[g];
      const double middle = left + step * (static_cast<double>(g) + 0.5);
      const double w = std::min(step - 6, 190.0);
      line(middle, 318, middle, 372, "#444444");
      box(middle - w / 2, 372, w, 48, {},
          {sums.first > 1
               ? fmt::format("{} loads, {} to {}", sums.first, ends[name].first, ends[name].second)
               : ends[name].first,
           topology::watts_text(sums.second) + (bus.shelves ? " busbar DC" : " node DC"),
           sums.first > 1 ? topology::watts_text(sums.second / sums.first) + " each" : ""});
    }
    footer();
  }

  double worst_margin(const std::string& unit) const {
    double least = 1;
    for (const FailureRow& row : evaluation_.failures.worst) {
      if (row.failure_unit != unit || row.domain != "power" || row.level == "CDU input") continue;
      least = std::min(least, row.margin().value_or(1.0));
    }
    return least;
  }

  void footer() {
    if (footed_) return;
    footed_ = true;
    double y = cooling(446);
    text(kEdge, y, "Smallest margin after each failure unit", "font-weight=\"bold\"");
    std::vector<std::pair<std::string, FailureRow>> worst;
    const double service = worst_margin("none");
    for (const FailureRow& row : evaluation_.failures.worst) {
      if (row.domain != "power" || row.level == "CDU input" || !row.margin()) continue;
      const auto at = std::find_if(worst.begin(), worst.end(),
                                   [&](const auto& w) { return w.first == row.failure_unit; });
      if (at == worst.end()) {
        worst.emplace_back(row.failure_unit, row);
      } else if (*row.margin() < *at->second.margin()) {
        at->second = row;
      }
    }
    std::erase_if(worst, [&](const auto& w) {
      return w.first != "none" &&
             *w.second.margin() > service - 5e-4;  // watts of a fan move nothing
    });
    for (const auto& [unit, row] : worst) {
      text(kEdge, y += 16,
           fmt::format("{}: {} at {}{}", unit == "none" ? "in service" : unit,
                       signed_percent(*row.margin()), place_text(row),
                       row.failure.empty() ? "" : " (" + row.failure + " lost)"));
    }
    bottom_ = y + 34;
    text(kEdge, y + 22, "Red: over its limit; amber: under 5 % margin; grey: limit not published.",
         "font-size=\"10\"");
  }

  const topology::RackEvaluation& evaluation_;
  const topology::PowerChain& chain_;
  const topology::ChainDemand* demand_ = nullptr;
  topology::ChainState state_;
  std::map<std::string, NodeMargin> nodes_;
  std::vector<std::size_t> order_ = ordered(chain_);
  std::string out_;
  double width_ = 0, bottom_ = 560;
  int depth_ = 0;  ///< levels above the feeds
  bool footed_ = false;

  /// By bus, then from the top of the rack down.
  static std::vector<std::size_t> ordered(const topology::PowerChain& chain) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < chain.sources.size(); ++i) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const auto& x = chain.sources[a];
      const auto& y = chain.sources[b];
      return x.bus != y.bus ? x.bus < y.bus : x.position > y.position;
    });
    return order;
  }
};

}  // namespace

std::string single_line_svg(const topology::RackEvaluation& evaluation) {
  const auto& cases = evaluation.power.cases;
  if (cases.empty() || cases.front().first != topology::LoadCase::design_envelope) return "";
  if (evaluation.power.chain.feeds.empty()) return "";
  return SingleLine(evaluation).draw();
}

}  // namespace rackwright::results
