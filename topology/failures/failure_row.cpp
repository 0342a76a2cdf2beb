#include "topology/failures/failure_row.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "common/csv_reader.hpp"

namespace rackwright::topology {

namespace {

std::string number_cell(double value) {
  return fmt::format("{:.6g}", value);
}

std::string optional_cell(const std::optional<double>& value) {
  return value ? number_cell(*value) : "";
}

}  // namespace

std::optional<double> FailureRow::margin() const {
  if (lost) return -1.0;
  if (!limit) return std::nullopt;
  if (lower_bound) return *limit > 0 ? std::optional((load - *limit) / *limit) : std::nullopt;
  if (!(*limit > base)) return load > *limit ? std::optional(-1.0) : std::nullopt;
  return (*limit - load) / (*limit - base);
}

std::string failure_text(const FailureRow& row) {
  if (row.failure.empty()) return "";
  if (row.failure_unit != "branch" && row.failure_unit != "leak") return "Loss of " + row.failure;
  std::string text = row.failure;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

std::string place_text(const FailureRow& row) {
  if (row.node.find(row.level) != std::string::npos) return row.node;
  if (row.level.find(row.node) != std::string::npos) return row.level;
  return row.level + " " + row.node;
}

std::vector<FailureRow> worst_rows(const std::vector<FailureRow>& table) {
  std::vector<FailureRow> worst;
  std::map<std::pair<std::string, std::string>, std::size_t> known;
  for (const FailureRow& row : table) {
    const auto [at, added] = known.try_emplace({row.level, row.failure_unit}, worst.size());
    if (added) {
      worst.push_back(row);
      continue;
    }
    FailureRow& held = worst[at->second];
    const auto margin = row.margin(), best = held.margin();
    const bool worse = margin && best ? *margin < *best - 1e-12
                                      : !margin && !best && row.load > held.load * (1 + 1e-12);
    if (worse || (margin && !best)) held = row;
  }
  return worst;
}

FailureMatrix failure_matrix(const std::vector<FailureRow>& worst) {
  FailureMatrix matrix;
  const auto index = [](auto& list, const auto& same) {
    return static_cast<std::size_t>(std::find_if(list.begin(), list.end(), same) - list.begin());
  };
  for (const FailureRow& row : worst) {
    const auto unit =
        index(matrix.units, [&](const std::string& u) { return u == row.failure_unit; });
    if (unit == matrix.units.size()) matrix.units.push_back(row.failure_unit);
  }
  for (const FailureRow& row : worst) {
    const auto unit =
        index(matrix.units, [&](const std::string& u) { return u == row.failure_unit; });
    const auto at = index(matrix.lines, [&](const auto& line) { return line.level == row.level; });
    if (at == matrix.lines.size()) {
      matrix.lines.push_back(
          {row.domain, row.level, std::vector<const FailureRow*>(matrix.units.size(), nullptr)});
    }
    matrix.lines[at].rows[unit] = &row;
  }
  std::erase_if(matrix.lines, [](const FailureMatrix::Line& line) {
    const bool cooling = line.domain == "liquid" || line.domain == "air";
    return !cooling && std::none_of(line.rows.begin(), line.rows.end(),
                                    [](const FailureRow* row) { return row && row->margin(); });
  });
  return matrix;
}

std::string table_csv(const std::string& load_case, const std::vector<FailureRow>& table,
                      bool head) {
  std::string out;
  if (head) {
    out =
        "load_case,domain,failure_unit,failure,level,node,boundary,unit,load,load_low,load_high,"
        "limit,margin_pct\n";
  }
  for (const FailureRow& row : table) {
    const auto margin = row.margin();
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_cell(load_case), row.domain,
                       csv_cell(row.failure_unit), csv_cell(row.failure), row.level,
                       csv_cell(row.node), row.boundary, row.unit,
                       row.lost ? "lost" : number_cell(row.load), optional_cell(row.low),
                       optional_cell(row.high), optional_cell(row.limit),
                       margin ? fmt::format("{:.2f}", *margin * 100) : "");
  }
  return out;
}

}  // namespace rackwright::topology
