#include "cli/option_values.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::cli {

namespace {

InputError wrong(std::string_view option, std::string expected, std::string_view text) {
  return InputError(
      InputProblem{"", 0, std::string(option), std::move(expected), fmt::format("\"{}\"", text)});
}

}  // namespace

std::uint64_t parse_count(std::string_view text, std::string_view option, std::uint64_t min) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min) {
    throw wrong(option, fmt::format("a whole number of at least {}", min), text);
  }
  return value;
}

double parse_positive(std::string_view text, std::string_view option) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
      !(value > 0)) {
    throw wrong(option, "a number above zero", text);
  }
  return value;
}

std::vector<std::string> parse_list(std::string_view text, std::string_view option) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end == begin) throw wrong(option, "names with commas between them", text);
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace rackwright::cli
