#pragma once

#include <string_view>

#include "common/json_document.hpp"

/// Counts of a published config; a wrong one is recorded as a problem.
namespace rackwright::workloads {

inline constexpr NumberRange kCount{.min = 1, .max = 1e8};
inline constexpr NumberRange kCountOrZero{.min = 0, .max = 1e8};

inline int positive(ObjectReader& reader, std::string_view key) {
  return static_cast<int>(reader.integer(key, kCount));
}
inline int positive_or(ObjectReader& reader, std::string_view key, int fallback) {
  return static_cast<int>(reader.integer_or(key, fallback, kCount));
}
inline int count_or(ObjectReader& reader, std::string_view key, int fallback) {
  return static_cast<int>(reader.integer_or(key, fallback, kCountOrZero));
}

}  // namespace rackwright::workloads
