#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"

namespace rackwright::topology {

enum class Medium {
  passive_copper,     ///< DAC
  active_copper,      ///< ACC, linear
  active_electrical,  ///< AEC, retimed
  active_optical,     ///< AOC
  multimode,
  single_mode,
  unknown  ///< no part of the catalogue joins the two ends
};
inline constexpr int kMediumCount = 7;
[[nodiscard]] const char* name_of(Medium medium);  ///< "passive copper (DAC)"
[[nodiscard]] bool is_fibre(Medium medium);        ///< a cord between transceivers

/// A pluggable cage as far as the catalogue knows it.
struct CageType {
  std::string form;       ///< "OSFP", "QSFP112", …; "" where blank, "CPO" without pluggables
  bool flat_top = false;  ///< riding heat sink: only flat modules fit
  double gbit_per_s = 0;  ///< of the whole cage
  int links = 1;          ///< that the cage holds
};
/// Reads "32 twin-port OSFP" or "144 MPO-12 CPO"; "" when no known form occurs.
[[nodiscard]] std::string cage_form(const std::string& text);

/// A cable with fixed ends.
struct CableOption {
  std::string part;
  Medium medium = Medium::unknown;
  std::string first_form, other_form;
  int arity = 1;                               ///< far ends: 1, or 2 for a breakout
  double gbit_per_s = 0, lane_gbit_per_s = 0;  ///< lane rate 0 where blank
  double reach_m = 0, flat_top_reach_m = 0;
  std::vector<double> lengths_m;  ///< rising; empty where not published
};
/// A fibre cord.
struct FibreOption {
  std::string part;
  Medium medium = Medium::unknown;
  std::string connector;
  double reach_m = 0;
  std::vector<double> lengths_m;
  int fibres = 0;
  std::optional<double> attenuation_db_per_km, connector_loss_db, budget_db;
  std::string polarity, grade;
};
/// A pluggable optical module.
struct TransceiverOption {
  std::string part;
  Medium medium = Medium::unknown;
  std::string form, connector;
  bool only_flat_top = false;
  double gbit_per_s = 0, lane_gbit_per_s = 0;
  int connectors = 1;
  double reach_m = 0;
};

/// What the catalogue offers, least power and reach first: passive, active, retimed copper, active
/// optical; multimode before single-mode. Parts without ends, rate or reach are left out.
struct CableMedia {
  std::vector<CableOption> cables;
  std::vector<FibreOption> fibres;
  std::vector<TransceiverOption> transceivers;
};
[[nodiscard]] CableMedia read_cable_media(const Catalog& catalog);

/// "0.5, 1, 1.5, 2" as rising numbers. Empty for a text that is not a list of numbers.
[[nodiscard]] std::vector<double> parse_lengths(const std::string& text);

/// True when a module fits the cage and carries its rate.
[[nodiscard]] bool fits(const TransceiverOption& option, const CageType& cage);

/// Lanes that one cord carries: four in a MPO-12, four wavelengths in an LC pair.
inline constexpr int kLanesPerCord = 4;

}  // namespace rackwright::topology
