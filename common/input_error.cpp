#include "common/input_error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace rackwright {

namespace {

std::string join(const std::vector<InputProblem>& problems) {
  if (problems.empty()) throw std::invalid_argument("an InputError needs a problem");
  std::string text;
  for (const auto& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem.text();
  }
  return text;
}

/// Control characters, which a terminal would obey, as "\\x1b".
std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool obeyed = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    obeyed ? result += fmt::format("\\x{:02x}", byte) : result += c;
  }
  return result;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string InputProblem::text() const {
  std::string result;
  if (!file.empty()) result += file;
  if (line > 0) result += fmt::format("{}{}", result.empty() ? "line " : ":", line);
  if (!field.empty()) result += (result.empty() ? "" : ": ") + field;
  if (!result.empty()) result += ": ";
  result += "expected " + expected;
  if (!found.empty()) result += ", found " + found;
  return printable(result);
}

InputError::InputError(InputProblem problem)
    : InputError(std::vector<InputProblem>{std::move(problem)}) {}

InputError::InputError(std::vector<InputProblem> problems)
    : std::runtime_error(join(problems)), problems_(std::move(problems)) {}

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  constexpr std::size_t kLeastBeginning = 3;
  for (const auto& candidate : known) {
    const bool begun = word.size() >= kLeastBeginning && candidate.starts_with(word);
    const std::size_t distance = begun ? 1 : edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace rackwright
