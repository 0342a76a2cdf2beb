#include "topology/fact_reader.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace rackwright::topology {

namespace {

using Json = nlohmann::ordered_json;

void check_range(ObjectReader& reader, std::string_view key, const Fact& fact) {
  if (fact.low && fact.high && *fact.low > *fact.high) {
    reader.problem(key, "low <= high", fmt::format("{} > {}", *fact.low, *fact.high));
  }
  if (!fact.value) return;
  if ((fact.low && *fact.low > *fact.value) || (fact.high && *fact.high < *fact.value)) {
    reader.problem(key, "low <= value <= high",
                   fmt::format("{} outside {} to {}", *fact.value, fact.low.value_or(*fact.value),
                               fact.high.value_or(*fact.value)));
  }
}

Fact read_fact_object(ObjectReader& parent, std::string_view key, const FactOrigin& inherited,
                      NumberRange range) {
  ObjectReader reader = parent.object(key);
  const FactOrigin origin = read_origin(reader, inherited);
  Fact fact;
  fact.source = origin.source;
  fact.status = origin.status;
  fact.confidence = origin.confidence;
  fact.condition = reader.text_or("condition", "");
  fact.note = reader.text_or("note", "");
  fact.low = reader.optional_number("low", range);
  fact.high = reader.optional_number("high", range);
  if (reader.raw("value").is_string() && !has_unit(key)) {
    fact.text = reader.raw("value").get<std::string>();
  } else {
    fact.value = reader.optional_number("value", range);
  }
  reader.finish();
  check_range(parent, key, fact);
  return fact;
}

bool is_condition(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) || text[i] == '_')) {
    ++i;
  }
  if (i == 0 || i == text.size()) return false;
  static const std::vector<std::string> units{"a", "c",  "cfm", "k",   "kw",  "lpm",
                                              "m", "ms", "v",   "pct", "rpm", "w"};
  return std::find(units.begin(), units.end(), text.substr(i)) != units.end();
}

}  // namespace

const std::vector<std::string>& status_words() {
  static const std::vector<std::string> words{"published", "derived", "estimated"};
  return words;
}

const std::vector<std::string>& confidence_words() {
  static const std::vector<std::string> words{"high", "medium", "low"};
  return words;
}

FactOrigin read_origin(ObjectReader& reader, const FactOrigin& inherited) {
  FactOrigin origin = inherited;
  if (reader.has("source") || inherited.source.empty()) origin.source = reader.text("source");
  if (reader.has("source") && origin.source.empty()) {
    reader.problem("source", "where the numbers come from", "an empty text");
  }
  origin.status = reader.choice_or("status", inherited.status, status_words());
  origin.confidence = reader.choice_or("confidence", inherited.confidence, confidence_words());
  return origin;
}

Fact read_fact(ObjectReader& reader, std::string_view key, const FactOrigin& origin,
               NumberRange range) {
  const Json& value = reader.raw(key);
  if (value.is_object()) return read_fact_object(reader, key, origin, range);
  Fact fact;
  fact.source = origin.source;
  fact.status = origin.status;
  fact.confidence = origin.confidence;
  if (value.is_string() && !has_unit(key)) {
    fact.text = value.get<std::string>();
  } else {
    fact.value = reader.optional_number(key, range);
  }
  return fact;
}

const std::vector<std::string>& known_units() {
  // A ratio ends in the unit of its divisor; units of more than one word are listed whole.
  static const std::vector<std::string> units{
      "a",
      "awg",
      "bel",
      "c",
      "cfm",
      "cfm_per_kw",
      "cfu_per_ml",
      "count",
      "db",
      "db_a",
      "db_per_km",
      "deg",
      "factor",
      "fit",
      "gb",
      "gb_per_s",
      "gbit_per_s",
      "gpm_per_hp",
      "h",
      "hz",
      "j",
      "j_per_k",
      "j_per_kg_k",
      "k",
      "k_per_w",
      "ka",
      "kg",
      "kg_per_m",
      "kg_per_m3",
      "kpa",
      "kva",
      "l",
      "l_per_kwh",
      "lpm",
      "lpm_per_kw",
      "m",
      "m2",
      "m3",
      "mm",
      "mpa_s",
      "ms",
      "n",
      "ns",
      "ns_per_m",
      "ou",
      "pa",
      "pct",
      "pct_per_month",
      "pct_per_year",
      "per_day",
      "ph",
      "pj_per_bit",
      "ppm",
      "rpm",
      "ru",
      "s",
      "tbit_per_s",
      "um",
      "us_per_cm",
      "usd",
      "v",
      "w",
      "w_per_m_k",
      "w_per_w",
      "weeks",
  };
  return units;
}

std::string unit_of_key(std::string_view key) {
  std::string_view head = key;
  const std::size_t at = key.rfind("_at_");
  if (at != std::string_view::npos && is_condition(key.substr(at + 4))) head = key.substr(0, at);
  std::string best;
  for (const std::string& unit : known_units()) {
    const std::string suffix = "_" + unit;
    if (head.size() > suffix.size() && head.ends_with(suffix) && unit.size() > best.size()) {
      best = unit;
    }
  }
  return best;
}

bool has_unit(std::string_view key) {
  return !unit_of_key(key).empty();
}

}  // namespace rackwright::topology
