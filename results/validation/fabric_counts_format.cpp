#include "results/validation/fabric_counts_format.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "topology/network/fabric.hpp"

namespace rackwright::results {

namespace {

struct CountedColumn {
  const char* column;
  int topology::FabricCounts::*count;
  const char* tier;  ///< the tier whose size decides the count, for assumed ones
};
constexpr CountedColumn kColumns[] = {
    {"gpus", &topology::FabricCounts::gpus, ""},
    {"leaf", &topology::FabricCounts::leaf, "leaf"},
    {"spine", &topology::FabricCounts::spine, "spine"},
    {"core", &topology::FabricCounts::core, "core"},
    {"node_leaf_cables", &topology::FabricCounts::node_leaf_cables, "leaf"},
    {"leaf_spine_cables", &topology::FabricCounts::leaf_spine_cables, "leaf"},
    {"spine_core_cables", &topology::FabricCounts::spine_core_cables, "core"}};

/// Nodes of a row: printed, or its GPUs over those of a node.
std::optional<int> nodes_of(const CsvReader& csv, const topology::FabricDesign& design) {
  if (const auto nodes = csv.optional_number("nodes", 1)) return static_cast<int>(*nodes);
  if (const auto gpus = csv.optional_number("gpus", 1)) {
    return static_cast<int>(*gpus) / design.gpus_per_node;
  }
  return std::nullopt;
}

class TableRows {
 public:
  TableRows(const DataLocator& data, std::vector<ValidationRow>& rows)
      : data_(data), catalog_(topology::Catalog::load(data)), rows_(rows) {}

  void add(const CsvReader& csv) {
    const std::string& name = csv.cell("design");
    const auto design = topology::find_published_design(data_, name);
    if (!design) return list(csv, nullptr, nullptr, "no design of this system");
    const auto nodes = nodes_of(csv, *design);
    if (!nodes) return list(csv, &*design, nullptr, "the row names neither nodes nor GPUs");
    try {
      const auto counts = topology::count_fabric(*design, *nodes, catalog_);
      list(csv, &*design, &counts, "");
    } catch (const InputError& error) {
      list(csv, &*design, nullptr, fmt::format("the design refuses: {}", error.what()));
    }
  }

 private:
  void list(const CsvReader& csv, const topology::FabricDesign* design,
            const topology::FabricCounts* counts, const std::string& excluded) {
    for (const CountedColumn& column : kColumns) {
      const auto printed = csv.optional_number(column.column);
      if (!printed) continue;
      ValidationRow row;
      row.row = fmt::format("{} {}", csv.cell("case_id"), column.column);
      row.group = csv.cell("design");
      row.measured = *printed;
      row.predicted = counts != nullptr ? counts->*column.count : 0;
      row.unit = "1";
      row.low = row.high = row.predicted;
      row.excluded = excluded;
      if (design != nullptr && excluded.empty() &&
          std::count(design->assumed_tiers.begin(), design->assumed_tiers.end(), column.tier) > 0) {
        row.excluded = "the design assumes this tier: its source does not print it";
      }
      // A printed 0 cannot be scored as a ratio; what was counted instead must not be lost.
      if (row.excluded.empty() && *printed == 0 && row.predicted != 0) {
        row.excluded = fmt::format("{} counted where 0 is printed", row.predicted);
      }
      rows_.push_back(std::move(row));
    }
  }

  const DataLocator& data_;
  topology::Catalog catalog_;
  std::vector<ValidationRow>& rows_;
};

std::vector<ValidationRow> fabric_count_rows(const ValidationRequest& request,
                                             const DataLocator& data,
                                             const ProgressCallback& progress) {
  std::vector<ValidationRow> rows;
  TableRows table(data, rows);
  for (const auto& path : request.paths) {
    CsvReader csv(path, {.required = {"case_id", "design", "nodes", "leaf"}, .header = {}});
    while (csv.next()) {
      table.add(csv);
      if (progress) progress(csv.cell("case_id"), static_cast<double>(rows.size()), 0);
    }
  }
  return rows;
}

}  // namespace

ValidationFormat fabric_counts_format() {
  ValidationFormat format;
  format.name = "fabric-counts";
  format.summary = "Published counts of switches and cables, integers that must be met";
  format.baseline = "none";
  format.file_suffix = ".csv";
  format.quantities = {"count"};
  format.run = &fabric_count_rows;
  return format;
}

}  // namespace rackwright::results
