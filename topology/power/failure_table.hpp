#pragma once

#include <optional>
#include <string>
#include <vector>

#include "topology/power/power_chain.hpp"

namespace rackwright::topology {

/// Every single failure: each PSU, each shelf (buses of shelves only), each whip or circuit, each
/// feed when there are several. Without the state in service.
[[nodiscard]] std::vector<PowerFailure> single_failures(const PowerChain& chain);
/// Every unordered pair of single failures of units that do not contain each other.
[[nodiscard]] std::vector<PowerFailure> failure_pairs(const PowerChain& chain);

/// One line of the table: what one part carries under one failure.
struct PowerRow {
  std::string failure_unit, failure;
  std::string level;  ///< "PSU", "connector", "busbar section", "busbar voltage", "whip", "feed"
  std::string node;   ///< "A1", "A1 whip 2", "feed A"
  std::string boundary, unit;
  double load = 0;
  std::optional<double> limit;  ///< blank: not published
  bool lower_bound = false;     ///< the limit is a minimum (voltage)
  bool lost = false;            ///< collapsed or without supply: no load can be told
  /// (limit - load) / limit, or (load - limit) / limit at a lower bound; -1 when lost.
  [[nodiscard]] std::optional<double> margin() const;
};

/// Lines of every node that lives, in the order of the chain. Currents are those of the fullest
/// phase; the limit of a whip is count x rating x continuous share.
[[nodiscard]] std::vector<PowerRow> power_rows(const PowerChain& chain, const ChainDemand& demand,
                                               const PowerFailure& failure);
/// In service, then every single failure, then pairs if asked for.
[[nodiscard]] std::vector<PowerRow> failure_table(const PowerChain& chain,
                                                  const ChainDemand& demand, bool pairs = false);
/// The line with the smallest margin of each level under each failure unit, in order of first
/// appearance.
[[nodiscard]] std::vector<PowerRow> worst_rows(const std::vector<PowerRow>& table);
/// CSV with a head: load_case, failure_unit, failure, level, node, boundary, unit, load, limit,
/// margin_pct.
[[nodiscard]] std::string table_csv(const std::string& load_case,
                                    const std::vector<PowerRow>& table, bool head);

}  // namespace rackwright::topology
