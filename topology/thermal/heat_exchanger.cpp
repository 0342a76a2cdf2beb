#include "topology/thermal/heat_exchanger.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace rackwright::topology {

namespace {

constexpr double kTurbulentExponent = 0.8;
constexpr double kEqualRatio = 1e-9;  ///< of both capacity flows, where the formula is 0 / 0

double colebrook(double reynolds, double roughness) {
  double x = 8;  // 1 / sqrt(f)
  for (int i = 0; i < 50; ++i) {
    x = -2 * std::log10(roughness / 3.7 + 2.51 * x / reynolds);
  }
  return 1 / (x * x);
}

}  // namespace

double counterflow_effectiveness(double transfer_units, double capacity_ratio) {
  if (capacity_ratio > 1 - kEqualRatio) return transfer_units / (1 + transfer_units);
  const double decay = std::exp(-transfer_units * (1 - capacity_ratio));
  return (1 - decay) / (1 - capacity_ratio * decay);
}

double counterflow_transfer_units(double effectiveness, double capacity_ratio) {
  if (!(effectiveness >= 0 && effectiveness < 1)) {
    throw std::invalid_argument("an effectiveness lies in [0, 1)");
  }
  if (capacity_ratio > 1 - kEqualRatio) return effectiveness / (1 - effectiveness);
  return std::log((1 - capacity_ratio * effectiveness) / (1 - effectiveness)) /
         (1 - capacity_ratio);
}

double exchanger_approach_k(const RatedExchanger& rated, double heat_w, double loop_w_per_k,
                            double facility_w_per_k) {
  const auto smaller = [](double a, double b) { return std::min(a, b); };
  // Loop return over facility supply: approach plus the rise of the loop.
  const double span = rated.approach_k + rated.heat_w / rated.loop_w_per_k;
  const double least = smaller(rated.loop_w_per_k, rated.facility_w_per_k);
  const double most = std::max(rated.loop_w_per_k, rated.facility_w_per_k);
  const double effectiveness = rated.heat_w / (least * span);
  if (effectiveness >= 1) return std::numeric_limits<double>::infinity();
  const double ua = counterflow_transfer_units(effectiveness, least / most) * least;
  const double loop_half = std::pow(loop_w_per_k / rated.loop_w_per_k, kTurbulentExponent);
  const double facility_half =
      std::pow(facility_w_per_k / rated.facility_w_per_k, kTurbulentExponent);
  const double ua_now = ua * 2 / (1 / loop_half + 1 / facility_half);
  const double least_now = smaller(loop_w_per_k, facility_w_per_k);
  const double most_now = std::max(loop_w_per_k, facility_w_per_k);
  const double now = counterflow_effectiveness(ua_now / least_now, least_now / most_now);
  return heat_w / (now * least_now) - heat_w / loop_w_per_k;
}

double darcy_friction(double reynolds, double relative_roughness) {
  constexpr double kLaminar = 2300, kTurbulent = 4000;
  if (!(reynolds > 0)) return 0;
  if (reynolds <= kLaminar) return 64 / reynolds;
  if (reynolds >= kTurbulent) return colebrook(reynolds, relative_roughness);
  const double span = kTurbulent - kLaminar;
  const double t = (reynolds - kLaminar) / span;
  const double a = 64 / kLaminar, b = colebrook(kTurbulent, relative_roughness);
  const double slope_a = -a / kLaminar * span;
  const double step = 1;
  const double slope_b = (colebrook(kTurbulent + step, relative_roughness) - b) / step * span;
  const double u = 1 - t;
  return a * (1 + 2 * t) * u * u + slope_a * t * u * u + b * t * t * (3 - 2 * t) -
         slope_b * t * t * u;
}

}  // namespace rackwright::topology
