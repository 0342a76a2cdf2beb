#include "common/timestamp.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace rackwright {

std::optional<double> parse_timestamp(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::array<unsigned, 6> fields{};
  std::size_t first_length = 0;
  double fraction = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto [next, error] = std::from_chars(at, end, fields[i]);
    if (error != std::errc{}) return std::nullopt;
    if (i == 0) first_length = static_cast<std::size_t>(next - at);
    at = next;
    if (i + 1 == fields.size()) break;
    if (at == end || std::string_view("-/ T:").find(*at) == std::string_view::npos) {
      return std::nullopt;
    }
    ++at;
  }
  if (at != end && *at == '.') {
    const auto [next, error] = std::from_chars(at, end, fraction);
    if (error != std::errc{}) return std::nullopt;
  }
  const bool year_first = first_length == 4;
  const auto date =
      year_first
          ? std::chrono::year_month_day{std::chrono::year(static_cast<int>(fields[0])),
                                        std::chrono::month(fields[1]), std::chrono::day(fields[2])}
          : std::chrono::year_month_day{std::chrono::year(static_cast<int>(fields[2])),
                                        std::chrono::month(fields[0]), std::chrono::day(fields[1])};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return 86400.0 * static_cast<double>(days) + 3600.0 * fields[3] + 60.0 * fields[4] + fields[5] +
         fraction;
}

}  // namespace rackwright
