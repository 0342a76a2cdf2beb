#include "topology/network/collective_bounds.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace rackwright::topology {

namespace {

using workloads::CollectiveKind;

class Bounds {
 public:
  explicit Bounds(const CollectivePlace& place) : place_(place) {}

  void add(std::string name, double scale_up, double scale_out) {
    AlgorithmBound bound{std::move(name), scale_up, scale_out, 0, ""};
    if (place_.scale_up_bytes_per_s > 0) {
      bound.seconds = scale_up / place_.scale_up_bytes_per_s;
      bound.limit = fmt::format("scale-up port of a GPU, {:.0f} GB/s one way",
                                place_.scale_up_bytes_per_s / 1e9);
    }
    if (scale_out > 0) {
      const double across = scale_out / place_.scale_out_bytes_per_s;
      if (across > bound.seconds) {
        bound.seconds = across;
        bound.limit =
            fmt::format("NIC of a GPU, {:.1f} GB/s one way", place_.scale_out_bytes_per_s / 1e9);
      }
    }
    all_.push_back(std::move(bound));
  }
  std::vector<AlgorithmBound> sorted() {
    std::stable_sort(all_.begin(), all_.end(),
                     [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
    return std::move(all_);
  }

 private:
  const CollectivePlace& place_;
  std::vector<AlgorithmBound> all_;
};

void add_all_reduce(Bounds& bounds, double s, const CollectivePlace& place) {
  const double n = place.ranks, g = std::min(place.ranks, std::max(1, place.domain));
  const bool across = place.ranks > place.domain;
  const double ring = 2 * (n - 1) / n * s;
  bounds.add("ring", g > 1 ? ring : 0, across ? ring / g : 0);
  // Two domains are each other's only neighbour in a tree; in a larger one a node has three.
  const double tree = std::ceil(n / g) > 2 ? 2 * s : s;
  bounds.add("double binary tree", g > 1 ? 2 * s : 0, across ? tree / g : 0);
  if (!across) {
    bounds.add("one-shot", (n - 1) * s, 0);
    if (place.in_network_reduction) bounds.add("in-network (NVLS)", s * (1 + 1 / n), 0);
    return;
  }
  const double domains = std::ceil(n / g);
  const double inside = g > 1 ? 2 * (g - 1) / g * s : 0;
  bounds.add("hierarchical", inside, 2 * (domains - 1) / domains * s / g);
  const bool adds = place.in_network_reduction && g > 1;
  const double reduced = s * (1 + 1 / g);
  if (adds) {
    bounds.add("hierarchical, in-network inside (NVLS)", reduced,
               2 * (domains - 1) / domains * s / g);
  }
  if (!place.reducing_fabric) return;
  bounds.add("hierarchical, in-network across (SHARP)", inside, s / g);
  if (adds) bounds.add("in-network inside and across (NVLS and SHARP)", reduced, s / g);
}

/// All-gather and reduce-scatter move the same bytes in opposite directions.
void add_gather(Bounds& bounds, double s, const CollectivePlace& place) {
  const double n = place.ranks, g = std::min(place.ranks, std::max(1, place.domain));
  const bool across = place.ranks > place.domain;
  const double total = (n - 1) / n * s;
  bounds.add("ring", g > 1 ? total : 0, across ? total / g : 0);
  if (!across) return;
  const double domains = std::ceil(n / g);
  bounds.add("hierarchical", g > 1 ? (g - 1) / g * s : 0, (domains - 1) / domains * s / g);
}

void add_exchange(Bounds& bounds, double s, const CollectivePlace& place, double skew) {
  const double n = place.ranks, g = std::min(place.ranks, std::max(1, place.domain));
  bounds.add("all-to-all", skew * (g - 1) / n * s, skew * (n - g) / n * s);
}

}  // namespace

std::vector<AlgorithmBound> collective_bounds(CollectiveKind kind, double bytes,
                                              const CollectivePlace& place, double skew) {
  if (place.ranks <= 1 || bytes <= 0) return {};
  Bounds bounds(place);
  switch (kind) {
    case CollectiveKind::all_reduce:
      add_all_reduce(bounds, bytes, place);
      break;
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
      add_gather(bounds, bytes, place);
      break;
    case CollectiveKind::all_to_all:
      add_exchange(bounds, bytes, place, skew);
      break;
    case CollectiveKind::send_recv: {
      const bool across = place.ranks > place.domain;
      bounds.add("send", across ? 0 : bytes, across ? bytes : 0);
      break;
    }
  }
  return bounds.sorted();
}

double bus_factor(CollectiveKind kind, int ranks) {
  if (kind == CollectiveKind::send_recv || ranks < 1) return 1;
  const double share = (ranks - 1.0) / ranks;
  return kind == CollectiveKind::all_reduce ? 2 * share : share;
}

}  // namespace rackwright::topology
