#pragma once

#include <string>
#include <vector>

namespace rackwright::topology {

/// A constant-power load on a busbar: current = power / voltage behind its contact.
struct LadderLoad {
  double position = 0;     ///< along the bar, in the unit of `ohm_per_unit`
  double watts = 0;        ///< drawn behind the contact
  double contact_ohm = 0;  ///< of the tap
};

/// A supply on a busbar with droop: V = no_load_v - droop_ohm I. A stiff one has a droop of zero.
struct LadderSource {
  double position = 0;
  double no_load_v = 0;
  double droop_ohm = 0;  ///< of the whole shelf: one PSU's over the count that lives
};

struct LadderSolution {
  /// No voltage carries the load: the equations have no real solution. The rest is then empty.
  bool collapsed = false;
  std::vector<double> source_a;  ///< by source; negative where one is driven backwards
  std::vector<double> load_v;    ///< behind the contact, by load
  std::vector<double> load_a;
  double section_a = 0;         ///< largest magnitude through any cross-section
  double section_position = 0;  ///< upper end of that section
  double bar_loss_w = 0;        ///< in bar and contacts
  double source_w = 0;          ///< delivered at the bar by all sources
};

/// Nodal solution of a vertical bar of `ohm_per_unit` with several sources and constant-power taps,
/// by Newton on the voltages: G V = I(V), I = P / V. From above the iteration falls monotonically
/// to the highest solution; a pivot that is not positive proves that there is none (collapse, never
/// clamped). Without resistance all taps see one voltage and sections follow from the balance of
/// currents. Throws std::invalid_argument without sources, for negative resistances, and when
/// neither bar nor droop decides how several stiff sources share.
[[nodiscard]] LadderSolution solve_ladder(const std::vector<LadderSource>& sources,
                                          const std::vector<LadderLoad>& loads,
                                          double ohm_per_unit);

/// Resistance of copper at `celsius` over that at 20 degC: 1 + 0.00393 (T - 20).
[[nodiscard]] double copper_resistance_ratio(double celsius);

}  // namespace rackwright::topology
