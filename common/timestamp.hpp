#pragma once

#include <optional>
#include <string_view>

namespace rackwright {

/// Seconds since 1970 of a local time as loggers write it: "2024-04-03 11:08:14.958" (also with
/// slashes or a T) and "07-17-2024 07:02:47.866" (month first). Nothing for any other text.
[[nodiscard]] std::optional<double> parse_timestamp(std::string_view text);

}  // namespace rackwright
