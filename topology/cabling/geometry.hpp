#pragma once

#include <cmath>
#include <numbers>
#include <optional>
#include <span>

namespace rackwright::topology {

/// Diameter of a round bundle of `cables` equal cables: 1.2 d sqrt(n), the factor for the gaps
/// between round cables dressed by hand. A single cable is its own bundle.
[[nodiscard]] inline double bundle_diameter_m(double cable_diameter_m, int cables) {
  if (cables <= 1) return cables == 1 ? cable_diameter_m : 0;
  return 1.2 * cable_diameter_m * std::sqrt(static_cast<double>(cables));
}

/// The same of unequal cables, from the sum of their squared diameters: 1.2 sqrt(sum d2).
[[nodiscard]] inline double bundle_of_squares_m(double squared_diameters_m2) {
  return 1.2 * std::sqrt(squared_diameters_m2);
}

/// Cross-section of a round cable, m2.
[[nodiscard]] inline double cable_area_m2(double diameter_m) {
  return std::numbers::pi / 4 * diameter_m * diameter_m;
}

/// Share of a channel's cross-section that cables take.
[[nodiscard]] inline double fill_share(double cables_area_m2, double channel_area_m2) {
  return cables_area_m2 / channel_area_m2;
}

/// Largest diameter that `cables` cables of unknown diameter may have beside cables of known area
/// so that the channel stays within its limit: pi/4 n d2 + known = limit A. Zero when the known
/// ones already fill it; nothing when there is none of unknown diameter.
[[nodiscard]] inline std::optional<double> largest_diameter_m(int cables, double known_area_m2,
                                                              double channel_area_m2,
                                                              double limit) {
  if (cables <= 0) return std::nullopt;
  const double left = limit * channel_area_m2 - known_area_m2;
  if (left <= 0) return 0;
  return std::sqrt(4 * left / (std::numbers::pi * cables));
}

/// Loss of an optical channel in dB: fibre of `length_m` at `attenuation` dB per km and mated pairs
/// of connectors, the two at the modules counted.
[[nodiscard]] inline double channel_loss_db(double length_m, double attenuation_db_per_km,
                                            int mated_pairs, double loss_per_pair_db) {
  return length_m / 1000 * attenuation_db_per_km + mated_pairs * loss_per_pair_db;
}

/// Smallest of rising `lengths` that is at least `needed`; nothing when all are too short.
[[nodiscard]] inline std::optional<double> next_length_m(std::span<const double> lengths,
                                                         double needed) {
  constexpr double kRounding = 1e-9;
  for (const double length : lengths) {
    if (length + kRounding >= needed) return length;
  }
  return std::nullopt;
}

/// Spares that last over a time in which `expected` failures come, with at least the given chance:
/// the smallest k with Poisson(k; expected) >= confidence.
[[nodiscard]] inline int spares_for(double expected, double confidence) {
  if (!(expected > 0)) return 0;
  // Sums in logarithms: exp(-expected) is zero for large stocks.
  int k = 0;
  double log_term = -expected, sum = std::exp(log_term);
  while (sum < confidence && k < 10'000'000) {
    ++k;
    log_term += std::log(expected / k);
    sum += std::exp(log_term);
  }
  return k;
}

}  // namespace rackwright::topology
