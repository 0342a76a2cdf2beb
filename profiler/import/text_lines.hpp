#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"

namespace rackwright::profiler {

/// The words of a line, split at blanks.
inline std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlank, end);
  }
  return words;
}

/// The whole of `text` as a number, or nothing.
inline std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

/// Bytes to read, for the share that is done; 0 of a pipe, which does not say.
inline double bytes_of(const std::filesystem::path& path) {
  std::error_code unknown;
  const auto size = std::filesystem::file_size(path, unknown);
  return unknown ? 0 : static_cast<double>(size);
}

inline InputError bad_input(const std::filesystem::path& path, std::size_t line, std::string field,
                            std::string expected, std::string found) {
  return InputError(
      InputProblem{path.string(), line, std::move(field), std::move(expected), std::move(found)});
}

}  // namespace rackwright::profiler
