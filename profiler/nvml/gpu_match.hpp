#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackwright::profiler::nvml {

/// Whether two PCI bus ids name one device: NVML writes the domain with 8 digits, CUDA with 4, and
/// either case of letters occurs. False for a text that is no bus id.
[[nodiscard]] bool same_bus(std::string_view a, std::string_view b);

/// Position of the device at `bus_id` in `bus_ids`: CUDA numbers those that CUDA_VISIBLE_DEVICES
/// leaves, in its order, NVML all of the node.
[[nodiscard]] std::optional<std::size_t> find_by_bus(const std::vector<std::string>& bus_ids,
                                                     std::string_view bus_id);

}  // namespace rackwright::profiler::nvml
