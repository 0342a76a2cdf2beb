#include "common/csv_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace rackwright {

std::ifstream open_input(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  const auto fail = [&](const char* found) {
    return InputError(InputProblem{path.string(), 0, "", "a readable file", found});
  };
  if (status.type() == std::filesystem::file_type::not_found) throw fail("no such file");
  if (std::filesystem::is_directory(status)) throw fail("a folder");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw fail("a file that cannot be read (permission?)");
  return stream;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream = open_input(path);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

CsvReader::CsvReader(const std::filesystem::path& path, Options options)
    : file_(path.string()), stream_(open_input(path)), options_(std::move(options)) {
  if (!options_.header.empty()) {
    header_ = options_.header;
  } else {
    std::string record;
    do {
      if (!read_record(record)) {
        throw InputError(InputProblem{file_, 0, "", "a header line", "an empty file"});
      }
    } while (record.empty());
    split(record);
    header_ = cells_;
    if (!header_.empty() && header_[0].starts_with("\xEF\xBB\xBF")) header_[0].erase(0, 3);
    cells_.clear();
  }
  std::vector<InputProblem> problems;
  for (const auto& name : options_.required) {
    if (column(name)) continue;
    std::string found = "no such column";
    if (const auto near = nearest_word(name, header_); !near.empty()) {
      found += fmt::format("; nearest is \"{}\"", near);
    }
    problems.push_back({file_, line_, name, "a column of this name", found});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

bool CsvReader::read_record(std::string& record) {
  record.clear();
  line_ = next_line_;
  bool quoted = false;
  bool any = false;
  for (int c = stream_.get(); c != std::char_traits<char>::eof(); c = stream_.get()) {
    any = true;
    if (c == '"') quoted = !quoted;
    if (c == '\n') {
      ++next_line_;
      if (!quoted) break;
    }
    record += static_cast<char>(c);
    if (record.size() > options_.max_line_bytes) {
      throw InputError(InputProblem{
          file_, line_, "", fmt::format("a line of at most {} bytes", options_.max_line_bytes),
          "a longer one (not a CSV file?)"});
    }
  }
  if (quoted) {
    throw InputError(InputProblem{file_, line_, "", "a closing quote", "the end of the file"});
  }
  if (record.ends_with('\r')) record.pop_back();
  return any;
}

void CsvReader::split(const std::string& record) {
  cells_.clear();
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < record.size(); ++i) {
    const char c = record[i];
    if (quoted) {
      if (c == '"' && i + 1 < record.size() && record[i + 1] == '"') {
        cell += '"';
        ++i;
      } else if (c == '"') {
        quoted = false;
      } else {
        cell += c;
      }
    } else if (c == '"' && cell.empty()) {
      quoted = true;
    } else if (c == ',') {
      cells_.push_back(std::move(cell));
      cell.clear();
    } else {
      cell += c;
    }
  }
  cells_.push_back(std::move(cell));
}

bool CsvReader::next() {
  std::string record;
  do {
    if (!read_record(record)) return false;
  } while (record.empty());
  split(record);
  if (cells_.size() != header_.size()) {
    throw InputError(InputProblem{file_, line_, "", fmt::format("{} cells", header_.size()),
                                  fmt::format("{} (a truncated line?)", cells_.size())});
  }
  return true;
}

std::optional<std::size_t> CsvReader::column(std::string_view name) const {
  const auto it = std::find(header_.begin(), header_.end(), name);
  if (it == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(it - header_.begin());
}

const std::string& CsvReader::cell(std::string_view name) const {
  const auto index = column(name);
  if (!index) {
    throw InputError(
        InputProblem{file_, 0, std::string(name), "a column of this name", "no such column"});
  }
  return cells_.at(*index);
}

bool CsvReader::blank(std::string_view name) const {
  const auto index = column(name);
  return !index || cells_.at(*index).find_first_not_of(" \t") == std::string::npos;
}

InputError CsvReader::error(std::string_view name, std::string expected) const {
  const auto index = column(name);
  const std::string found = index ? fmt::format("\"{}\"", cells_.at(*index)) : "no such column";
  return InputError(InputProblem{file_, line_, std::string(name), std::move(expected), found});
}

double CsvReader::number(std::string_view name, double min) const {
  std::string_view text = cell(name);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw error(name, "a finite number");
  }
  if (value < min) throw error(name, fmt::format("a number of at least {}", min));
  return value;
}

std::optional<double> CsvReader::optional_number(std::string_view name, double min) const {
  if (blank(name)) return std::nullopt;
  return number(name, min);
}

long long CsvReader::integer(std::string_view name, long long min) const {
  const double value = number(name);
  if (value != std::floor(value) || std::abs(value) > 9e15) throw error(name, "a whole number");
  if (value < static_cast<double>(min)) {
    throw error(name, fmt::format("a whole number of at least {}", min));
  }
  return static_cast<long long>(value);
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace rackwright
