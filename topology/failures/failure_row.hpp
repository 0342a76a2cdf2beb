#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rackwright::topology {

/// One line of the failure table: what one part of the rack carries under one failure.
struct FailureRow {
  std::string domain;  ///< "power", "liquid", "air", "network"
  std::string failure_unit, failure;
  std::string level;  ///< "PSU", "busbar section", "whip", "feed", "coolant flow", "tray outlet" …
  std::string node;   ///< "A1", "A1 whip 2", "feed A", "c01"
  std::string boundary, unit;
  double load = 0;
  std::optional<double> limit;  ///< blank: not published
  bool lower_bound = false;     ///< the limit is a minimum (voltage)
  bool lost = false;            ///< collapsed, without supply or without flow: no load can be told
  /// What load and limit are counted from: temperatures as a rise over their supply.
  double base = 0;
  /// 90 % interval of the load: that of the rack's power, over `base`. Blank where the load does not
  /// go with power (asked flow, voltages, counts).
  std::optional<double> low, high;
  /// (limit - load) / (limit - base), or (load - limit) / limit at a lower bound; -1 when lost.
  [[nodiscard]] std::optional<double> margin() const;
};

/// "Loss of shelf A1", "Leak in c01, valve shut"; "" in service.
[[nodiscard]] std::string failure_text(const FailureRow& row);

/// "whip A1 whip 1" is "A1 whip 1", "busbar section busbar" is "busbar section": level and node
/// without saying a word twice.
[[nodiscard]] std::string place_text(const FailureRow& row);

/// The line with the smallest margin of each level under each failure unit, in order of first
/// appearance. Lines without a limit stand for their level where no other line has one.
[[nodiscard]] std::vector<FailureRow> worst_rows(const std::vector<FailureRow>& table);

/// The worst lines as a matrix: a line for each level of the cooling and for each other level
/// that has a limit somewhere or is lost, a column for each failure unit. Points into the lines it
/// is made from.
struct FailureMatrix {
  struct Line {
    std::string domain, level;
    std::vector<const FailureRow*> rows;  ///< by unit; null where the failure leaves no such node
  };
  std::vector<std::string> units;
  std::vector<Line> lines;
};
[[nodiscard]] FailureMatrix failure_matrix(const std::vector<FailureRow>& worst);

/// CSV with a head: load_case, domain, failure_unit, failure, level, node, boundary, unit, load,
/// load_low, load_high, limit, margin_pct.
[[nodiscard]] std::string table_csv(const std::string& load_case,
                                    const std::vector<FailureRow>& table, bool head);

}  // namespace rackwright::topology
