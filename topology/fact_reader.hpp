#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json_document.hpp"
#include "topology/catalog.hpp"

namespace rackwright::topology {

/// Words of `status` and `confidence`, strongest first.
[[nodiscard]] const std::vector<std::string>& status_words();
[[nodiscard]] const std::vector<std::string>& confidence_words();

/// What a plain number inherits from its part or file.
struct FactOrigin {
  std::string source;
  std::string status = "published";
  std::string confidence = "medium";
};

/// Reads `source`, `status` and `confidence` of `reader`. A missing or empty source is a problem
/// unless `inherited` has one.
[[nodiscard]] FactOrigin read_origin(ObjectReader& reader, const FactOrigin& inherited = {});

/// Reads one fact: a number, null (blank), a text, or an object {"value", "low", "high", "source",
/// "status", "confidence", "condition", "note"}. A missing key is blank. A key with a unit takes no
/// text. Problems: a number outside `range`, low over value, value over high.
[[nodiscard]] Fact read_fact(ObjectReader& reader, std::string_view key, const FactOrigin& origin,
                             NumberRange range = {});

/// True when `key` ends in a known unit, as `max_power_w`, or in a unit and a condition,
/// as `specific_heat_j_per_kg_k_at_40c`.
[[nodiscard]] bool has_unit(std::string_view key);
/// The unit of a key: "w" of `max_power_w`; "" when it has none.
[[nodiscard]] std::string unit_of_key(std::string_view key);
/// Every known unit suffix, sorted.
[[nodiscard]] const std::vector<std::string>& known_units();

}  // namespace rackwright::topology
