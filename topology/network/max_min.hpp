#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rackwright::topology {

/// Flows and the links they cross, in compressed rows. A flow may stand for `count` equal ones, and
/// may send only a share of its rate over a link (packet spray).
struct FlowSet {
  std::vector<std::uint32_t> first{0};  ///< of each flow its first use; one more at the end
  std::vector<std::uint32_t> link;      ///< of each use
  std::vector<double> share;            ///< of each use; empty: 1 everywhere
  std::vector<double> count;            ///< of each flow; empty: 1 everywhere

  [[nodiscard]] std::size_t size() const { return first.size() - 1; }
  /// A flow over whole links.
  void add(std::span<const std::uint32_t> links);
};

/// Rate of each flow (of one of a merged class) in the max-min fair allocation: no rate can grow
/// without one that is no larger shrinking. Progressive filling with lazy buckets, exact: the link
/// with the lowest (capacity - frozen) / active weight freezes its flows, again and again
/// (Bertsekas and Gallager, Data Networks, 6.5.2). A flow without links is not limited: infinity.
/// A flow over a link of capacity 0 gets 0. Links are numbered within `capacity`.
[[nodiscard]] std::vector<double> max_min_rates(std::span<const double> capacity,
                                                const FlowSet& flows);

/// Load of each link when every flow carries `amount[f]` (bytes, or bytes/s).
[[nodiscard]] std::vector<double> link_loads(std::size_t links, const FlowSet& flows,
                                             std::span<const double> amount);

}  // namespace rackwright::topology
