#include "results/validation/point_case.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace rackwright::results {

PointAnswer PointAnswer::none(std::string reason) {
  PointAnswer answer;
  answer.excluded = std::move(reason);
  return answer;
}

PointAnswer PointAnswer::about(double value, double relative) {
  PointAnswer answer;
  answer.value = value;
  answer.low = value * (1 - relative);
  answer.high = value * (1 + relative);
  return answer;
}

std::vector<ValidationRow> answer_points(const ValidationRequest& request,
                                         const PointTable& table) {
  CsvReader::Options options;
  options.required = table.columns;
  options.required.insert(options.required.end(), {"case_id", "unit", table.value, table.group});
  std::vector<ValidationRow> rows;
  for (const auto& path : request.paths) {
    CsvReader csv(path, options);
    while (csv.next()) {
      const auto published = csv.optional_number(table.value);
      const PointAnswer answer =
          published ? table.answer(csv) : PointAnswer::none("no printed value");
      ValidationRow row;
      row.row = csv.cell("case_id");
      row.group = csv.cell(table.group);
      row.unit = csv.cell("unit");
      row.measured = published.value_or(0);
      row.predicted = answer.value;
      row.low = answer.low;
      row.high = answer.high;
      row.extrapolated = answer.extrapolated;
      row.excluded = answer.excluded;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::set<std::string> words_of(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.insert(word);
      word.clear();
    }
  }
  if (!word.empty()) words.insert(word);
  return words;
}

const topology::Part* part_in(const topology::Catalog& catalog, const std::set<std::string>& words,
                              std::string_view fact) {
  const topology::Part* best = nullptr;
  std::size_t most = 0;
  for (const auto& [id, part] : catalog.parts()) {
    const auto own = words_of(id);
    const bool named = std::all_of(own.begin(), own.end(),
                                   [&](const std::string& word) { return words.contains(word); });
    const bool has_fact = std::any_of(part.facts.begin(), part.facts.end(), [&](const auto& entry) {
      return entry.first.starts_with(fact) && entry.second.value;
    });
    if (named && has_fact && own.size() > most) {
      best = &part;
      most = own.size();
    }
  }
  return best;
}

std::optional<double> value_of(const topology::Part& part, const std::string& fact) {
  const auto found = part.facts.find(fact);
  return found == part.facts.end() ? std::nullopt : found->second.value;
}

std::optional<double> number_after(std::string_view text, std::string_view prefix) {
  const auto at = text.find(prefix);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + prefix.size());
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace rackwright::results
