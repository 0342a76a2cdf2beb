#include "topology/thermal/liquid.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace rackwright::topology {

namespace {

/// y = intercept + slope x by least squares.
struct Line {
  double intercept = 0, slope = 0;
};

template <class Rows, class X, class Y>
Line fit_line(const Rows& rows, X x_of, Y y_of) {
  double mean_x = 0, mean_y = 0;
  const double n = static_cast<double>(rows.size());
  for (const auto& row : rows) {
    mean_x += x_of(row) / n;
    mean_y += y_of(row) / n;
  }
  double xx = 0, xy = 0;
  for (const auto& row : rows) {
    xx += (x_of(row) - mean_x) * (x_of(row) - mean_x);
    xy += (x_of(row) - mean_x) * (y_of(row) - mean_y);
  }
  if (!(xx > 0)) throw std::invalid_argument("a line needs two different points");
  return {mean_y - xy / xx * mean_x, xy / xx};
}

}  // namespace

Coolant coolant_at(std::vector<CoolantPoint> table, Temperature temperature) {
  if (table.empty()) throw std::invalid_argument("a coolant needs at least one table point");
  std::sort(table.begin(), table.end(), [](const CoolantPoint& a, const CoolantPoint& b) {
    return a.temperature_c < b.temperature_c;
  });
  const double t = temperature.celsius();
  const double held = std::clamp(t, table.front().temperature_c, table.back().temperature_c);
  std::size_t upper = 1;
  while (upper + 1 < table.size() && table[upper].temperature_c < held) ++upper;
  const CoolantPoint& a = table[upper - 1];
  const CoolantPoint& b = table[std::min(upper, table.size() - 1)];
  const double span = b.temperature_c - a.temperature_c;
  const double share = span > 0 ? (held - a.temperature_c) / span : 0.0;
  Coolant coolant;
  coolant.density = Density::from_si(std::lerp(a.density_kg_per_m3, b.density_kg_per_m3, share));
  coolant.specific_heat = SpecificHeat::from_si(
      std::lerp(a.specific_heat_j_per_kg_k, b.specific_heat_j_per_kg_k, share));
  coolant.extrapolated = held != t;
  return coolant;
}

TemperatureDelta liquid_temperature_rise(Power heat, VolumeFlow flow, const Coolant& coolant) {
  return heat / (coolant.density * coolant.specific_heat * flow);
}

VolumeFlow liquid_flow_for_rise(Power heat, TemperatureDelta rise, const Coolant& coolant) {
  return heat / (coolant.density * coolant.specific_heat * rise);
}

double ReturnLimitLaw::flow_lpm(double supply_c) const {
  if (supply_c >= return_c) return std::numeric_limits<double>::infinity();
  return heat_lpm_k / (return_c - supply_c);
}

ReturnLimitLaw fit_return_limit(const std::vector<RequiredFlow>& rows) {
  if (rows.size() < 2) throw std::invalid_argument("a return limit needs two rows");
  const Line line = fit_line(
      rows, [](const RequiredFlow& r) { return 1 / r.flow_lpm; },
      [](const RequiredFlow& r) { return r.supply_c; });
  return {-line.slope, line.intercept};
}

double DropLaw::drop_kpa(double flow_lpm) const {
  return (linear_kpa_per_lpm + square_kpa_per_lpm2 * flow_lpm) * flow_lpm;
}

DropLaw fit_drop(const std::vector<DropPoint>& rows) {
  if (rows.empty()) throw std::invalid_argument("a pressure drop needs a row");
  const auto flow = [](const DropPoint& r) { return r.flow_lpm; };
  const auto conductance = [](const DropPoint& r) { return r.drop_kpa / r.flow_lpm; };
  double square = 0, mean = 0;
  for (const DropPoint& row : rows) {
    square += conductance(row) / flow(row) / static_cast<double>(rows.size());
    mean += conductance(row) / static_cast<double>(rows.size());
  }
  if (rows.size() == 1) return {0, square};
  const Line line = fit_line(rows, flow, conductance);
  if (line.intercept < 0) return {0, square};
  if (line.slope < 0) return {mean, 0};
  return {line.intercept, line.slope};
}

TemperatureDelta cdu_approach(TemperatureDelta rated_approach, Power heat, Power rated_heat) {
  return rated_approach * (heat / rated_heat);
}

}  // namespace rackwright::topology
