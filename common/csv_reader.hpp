#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/input_error.hpp"

namespace rackwright {

/// A comma-separated file with a header, read one row at a time in bounded memory. RFC 4180 quotes,
/// CRLF and a UTF-8 byte order mark are accepted.
class CsvReader {
 public:
  struct Options {
    /// Columns that must be present.
    std::vector<std::string> required;
    /// A file without header gets these names.
    std::vector<std::string> header;
    std::size_t max_line_bytes = 1 << 20;
  };

  /// Throws InputError: no such file, a folder, empty, a required column missing.
  CsvReader(const std::filesystem::path& path, Options options);

  /// Reads the next row; false at the end. Blank lines are skipped. Throws InputError when a row
  /// has another number of cells than the header, a quote is not closed, or a line is too long.
  bool next();

  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] std::size_t line() const { return line_; }
  /// A cell of the current row. Throws InputError when there is no such column.
  [[nodiscard]] const std::string& cell(std::string_view name) const;
  [[nodiscard]] const std::string& cell(std::size_t index) const { return cells_.at(index); }
  [[nodiscard]] bool blank(std::string_view name) const;
  /// A finite number. Throws InputError for text, NaN, infinity, or a value under `min`.
  [[nodiscard]] double number(std::string_view name, double min = -1e308) const;
  /// Blank cell or absent column: nothing.
  [[nodiscard]] std::optional<double> optional_number(std::string_view name,
                                                      double min = -1e308) const;
  /// A whole number >= `min`.
  [[nodiscard]] long long integer(std::string_view name, long long min = 0) const;
  /// An InputError about a cell of the current row.
  [[nodiscard]] InputError error(std::string_view name, std::string expected) const;

 private:
  bool read_record(std::string& record);
  void split(const std::string& record);

  std::string file_;
  std::ifstream stream_;
  Options options_;
  std::vector<std::string> header_;
  std::vector<std::string> cells_;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
};

/// A cell for writing: in quotes, its own quotes doubled, where it holds a comma, a quote or a line
/// end (RFC 4180).
[[nodiscard]] std::string csv_cell(const std::string& text);

/// Opens a regular file for reading. Throws InputError that says "no such file", "a folder", or
/// "not readable".
[[nodiscard]] std::ifstream open_input(const std::filesystem::path& path);
/// The whole of a file. Throws as above.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace rackwright
