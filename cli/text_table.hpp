#pragma once

#include <string>
#include <vector>

namespace rackwright::cli {

/// Columns of text for a terminal. Numbers on the right, names on the left.
class TextTable {
 public:
  enum class Align { left, right };
  struct Column {
    std::string head;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// Missing cells are empty; more cells than columns are an std::invalid_argument.
  void add(std::vector<std::string> cells);
  /// Head, a rule, rows; two blanks between columns, none at the end of a line.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Characters of a UTF-8 text.
[[nodiscard]] std::size_t width_of(const std::string& text);

/// A share in per cent, one decimal, no sign.
[[nodiscard]] std::string percent_cell(double share);

}  // namespace rackwright::cli
