#include "topology/power/busbar_ladder.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace rackwright::topology {

namespace {

/// A source without droop is as stiff as the solver resolves.
constexpr double kStiffOhm = 1e-9;

struct TapCurrent {
  double amps = 0;
  double slope = 0;  ///< d amps / d volts, negative
};

/// Current of a constant-power load behind a contact: (V - r I) I = P, the smaller root. Nothing
/// when V^2 < 4 P r.
std::optional<TapCurrent> tap_current(double volts, const LadderLoad& load) {
  if (load.watts <= 0) return TapCurrent{};
  if (volts <= 0) return std::nullopt;
  if (load.contact_ohm <= 0) {
    return TapCurrent{load.watts / volts, -load.watts / (volts * volts)};
  }
  const double rest = volts * volts - 4 * load.watts * load.contact_ohm;
  if (rest <= 0) return std::nullopt;
  const double root = std::sqrt(rest);
  const double amps = 2 * load.watts / (volts + root);
  return TapCurrent{amps, -amps / root};
}

/// Positions that differ are nodes of their own; with an ideal bar there is one.
struct Nodes {
  std::vector<double> positions;
  std::vector<std::size_t> of_source, of_load;
};

Nodes make_nodes(const std::vector<LadderSource>& sources, const std::vector<LadderLoad>& loads,
                 bool ideal) {
  Nodes nodes;
  for (const auto& s : sources) nodes.positions.push_back(ideal ? 0 : s.position);
  for (const auto& l : loads) nodes.positions.push_back(ideal ? 0 : l.position);
  std::sort(nodes.positions.begin(), nodes.positions.end());
  nodes.positions.erase(std::unique(nodes.positions.begin(), nodes.positions.end()),
                        nodes.positions.end());
  const auto index = [&](double position) {
    const auto at = std::lower_bound(nodes.positions.begin(), nodes.positions.end(), position);
    return static_cast<std::size_t>(at - nodes.positions.begin());
  };
  for (const auto& s : sources) nodes.of_source.push_back(index(ideal ? 0 : s.position));
  for (const auto& l : loads) nodes.of_load.push_back(index(ideal ? 0 : l.position));
  return nodes;
}

/// Solves the tridiagonal system; false when a pivot is not positive.
bool solve_tridiagonal(std::vector<double> diagonal, const std::vector<double>& off,
                       std::vector<double>& right) {
  const std::size_t n = diagonal.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) {
      const double factor = off[i - 1] / diagonal[i - 1];
      diagonal[i] -= factor * off[i - 1];
      right[i] -= factor * right[i - 1];
    }
    if (!(diagonal[i] > 0)) return false;
  }
  for (std::size_t i = n; i-- > 0;) {
    if (i + 1 < n) right[i] -= off[i] * right[i + 1];
    right[i] /= diagonal[i];
  }
  return true;
}

/// The largest imbalance of currents below any cut between two positions.
void fill_sections(const std::vector<LadderSource>& sources, const std::vector<LadderLoad>& loads,
                   LadderSolution& result) {
  std::vector<std::pair<double, double>> taps;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    taps.emplace_back(sources[i].position, result.source_a[i]);
  }
  for (std::size_t i = 0; i < loads.size(); ++i) {
    taps.emplace_back(loads[i].position, -result.load_a[i]);
  }
  std::sort(taps.begin(), taps.end());
  double below = 0;
  for (std::size_t i = 0; i + 1 < taps.size(); ++i) {
    below += taps[i].second;
    if (taps[i + 1].first <= taps[i].first || std::abs(below) <= result.section_a) continue;
    result.section_a = std::abs(below);
    result.section_position = taps[i + 1].first;
  }
}

struct System {
  const std::vector<LadderSource>& sources;
  const std::vector<LadderLoad>& loads;
  Nodes nodes;
  std::vector<double> off;       ///< minus the conductance between neighbours
  std::vector<double> diagonal;  ///< without loads
  std::vector<double> injected;  ///< no-load voltage over droop

  double droop(std::size_t i) const { return std::max(sources[i].droop_ohm, kStiffOhm); }
};

System make_system(const std::vector<LadderSource>& sources, const std::vector<LadderLoad>& loads,
                   double ohm_per_unit) {
  System s{sources, loads, make_nodes(sources, loads, !(ohm_per_unit > 0)), {}, {}, {}};
  const std::size_t n = s.nodes.positions.size();
  s.diagonal.assign(n, 0.0);
  s.injected.assign(n, 0.0);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double g = 1 / (ohm_per_unit * (s.nodes.positions[i + 1] - s.nodes.positions[i]));
    s.off.push_back(-g);
    s.diagonal[i] += g;
    s.diagonal[i + 1] += g;
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    s.diagonal[s.nodes.of_source[i]] += 1 / s.droop(i);
    s.injected[s.nodes.of_source[i]] += sources[i].no_load_v / s.droop(i);
  }
  return s;
}

/// Newton from the highest no-load voltage; nothing on collapse.
std::optional<std::vector<double>> node_voltages(const System& s) {
  double highest = 0;
  for (const auto& source : s.sources) highest = std::max(highest, source.no_load_v);
  std::vector<double> volts(s.diagonal.size(), highest);
  for (int sweep = 0; sweep < 200; ++sweep) {
    std::vector<double> diagonal = s.diagonal, right = s.injected;
    for (std::size_t i = 0; i < s.loads.size(); ++i) {
      const std::size_t at = s.nodes.of_load[i];
      const auto tap = tap_current(volts[at], s.loads[i]);
      if (!tap) return std::nullopt;
      diagonal[at] += tap->slope;
      right[at] -= tap->amps - tap->slope * volts[at];
    }
    if (!solve_tridiagonal(diagonal, s.off, right)) return std::nullopt;
    double change = 0;
    for (std::size_t i = 0; i < volts.size(); ++i) {
      change = std::max(change, std::abs(right[i] - volts[i]));
    }
    volts = std::move(right);
    if (change <= 1e-12 * highest) return volts;
    if (!(*std::min_element(volts.begin(), volts.end()) > 0)) return std::nullopt;
  }
  return volts;  // at the very edge of collapse Newton is only linear; the step is below 1e-9 by
                 // then
}

void check(const std::vector<LadderSource>& sources, const std::vector<LadderLoad>& loads,
           double ohm_per_unit) {
  if (sources.empty()) throw std::invalid_argument("a busbar needs a source");
  bool negative = ohm_per_unit < 0;
  int stiff = 0;
  for (const auto& s : sources) {
    negative = negative || s.droop_ohm < 0;
    stiff += s.droop_ohm <= 0;
  }
  for (const auto& l : loads) negative = negative || l.contact_ohm < 0 || l.watts < 0;
  if (negative) throw std::invalid_argument("resistances and loads of a busbar are not negative");
  if (stiff > 1 && !(ohm_per_unit > 0)) {
    throw std::invalid_argument("several stiff sources on an ideal bar share in no defined way");
  }
}

}  // namespace

LadderSolution solve_ladder(const std::vector<LadderSource>& sources,
                            const std::vector<LadderLoad>& loads, double ohm_per_unit) {
  check(sources, loads, ohm_per_unit);
  const System system = make_system(sources, loads, ohm_per_unit);
  LadderSolution result;
  const auto volts = node_voltages(system);
  if (!volts) {
    result.collapsed = true;
    return result;
  }
  double delivered = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const double v = (*volts)[system.nodes.of_load[i]];
    const double amps = tap_current(v, loads[i]).value_or(TapCurrent{}).amps;
    result.load_a.push_back(amps);
    result.load_v.push_back(v - amps * loads[i].contact_ohm);
    delivered += loads[i].watts;
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const double v = (*volts)[system.nodes.of_source[i]];
    const double amps = (sources[i].no_load_v - v) / system.droop(i);
    result.source_a.push_back(amps);
    result.source_w += amps * v;
  }
  result.bar_loss_w = result.source_w - delivered;
  fill_sections(sources, loads, result);
  return result;
}

double copper_resistance_ratio(double celsius) {
  return 1 + 0.00393 * (celsius - 20);  // 1/K, annealed copper at 20 degC (IEC 60028)
}

}  // namespace rackwright::topology
