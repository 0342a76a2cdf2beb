#include "profiler/nvml/gpu_match.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rackwright::profiler::nvml {

namespace {

using BusId = std::array<unsigned, 4>;  ///< domain, bus, device, function

std::optional<BusId> parse(std::string_view text) {
  constexpr std::string_view kBehind = "::.";
  BusId id{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t part = 0; part < id.size(); ++part) {
    const auto [next, error] = std::from_chars(at, end, id[part], 16);
    if (error != std::errc()) return std::nullopt;
    at = next;
    if (part == kBehind.size()) break;
    if (at == end || *at++ != kBehind[part]) return std::nullopt;
  }
  return at == end ? std::optional(id) : std::nullopt;
}

}  // namespace

bool same_bus(std::string_view a, std::string_view b) {
  const auto first = parse(a), second = parse(b);
  return first && second && *first == *second;
}

std::optional<std::size_t> find_by_bus(const std::vector<std::string>& bus_ids,
                                       std::string_view bus_id) {
  const auto at = std::find_if(bus_ids.begin(), bus_ids.end(),
                               [&](const std::string& one) { return same_bus(one, bus_id); });
  if (at == bus_ids.end()) return std::nullopt;
  return static_cast<std::size_t>(at - bus_ids.begin());
}

}  // namespace rackwright::profiler::nvml
