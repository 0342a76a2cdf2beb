#include "topology/network/max_min.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace rackwright::topology {

namespace {

double weight_of(const FlowSet& flows, std::size_t flow, std::size_t use) {
  return (flows.count.empty() ? 1 : flows.count[flow]) *
         (flows.share.empty() ? 1 : flows.share[use]);
}

/// Progressive filling. What a step reads of a link lies together in memory; unweighted flows, the
/// common case, need no weight of a use.
template <bool kWeighted>
class Filling {
 public:
  Filling(std::span<const double> capacity, const FlowSet& flows)
      : flows_(flows), links_(capacity.size()), first_(capacity.size() + 1, 0) {
    for (std::size_t link = 0; link < capacity.size(); ++link) links_[link].left = capacity[link];
    for (std::size_t f = 0; f < flows.size(); ++f) {
      for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
        Link& link = links_[flows.link[use]];
        link.active += weight(f, use);
        ++link.open;
      }
    }
    for (std::size_t l = 0; l < links_.size(); ++l) first_[l + 1] = first_[l] + links_[l].open;
    uses_.resize(flows.link.size());
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    for (std::size_t f = 0; f < flows.size(); ++f) {
      for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
        uses_[next[flows.link[use]]++] = static_cast<std::uint32_t>(f);
      }
    }
  }

  std::vector<double> run() {
    rate_.assign(flows_.size(), kOpen);
    std::size_t left = 0;
    for (std::size_t f = 0; f < flows_.size(); ++f) {
      left += flows_.first[f + 1] > flows_.first[f] ? 1 : 0;
    }
    for (std::size_t l = 0; l < links_.size(); ++l) {
      if (links_[l].open > 0) heap_.push_back({level(l), static_cast<std::uint32_t>(l)});
    }
    std::make_heap(heap_.begin(), heap_.end(), later);
    while (left > 0 && !heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      const Entry entry = heap_.back();
      heap_.pop_back();
      if (links_[entry.link].open == 0) continue;
      // Flows that froze elsewhere only raise a link's level: an entry is a lower bound.
      const double now = level(entry.link);
      if (now > entry.level * (1 + kRounding)) {
        heap_.push_back({now, entry.link});
        std::push_heap(heap_.begin(), heap_.end(), later);
        continue;
      }
      left -= freeze(entry.link, std::max(now, 0.0));
    }
    return std::move(rate_);
  }

 private:
  static constexpr double kOpen = std::numeric_limits<double>::infinity();
  static constexpr double kRounding = 1e-12;
  struct Link {
    double left = 0;         ///< capacity that frozen flows leave
    double active = 0;       ///< weight of open flows
    std::uint32_t open = 0;  ///< uses by open flows
  };
  struct Entry {
    double level;
    std::uint32_t link;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.level != b.level ? a.level > b.level : a.link > b.link;
  }
  double level(std::size_t link) const { return links_[link].left / links_[link].active; }
  double weight(std::size_t flow, std::size_t use) const {
    if constexpr (kWeighted) return weight_of(flows_, flow, use);
    return 1;
  }

  std::size_t freeze(std::uint32_t link, double rate) {
    std::size_t frozen = 0;
    for (std::uint32_t place = first_[link]; place < first_[link + 1]; ++place) {
      const std::uint32_t flow = uses_[place];
      if (rate_[flow] != kOpen) continue;
      rate_[flow] = rate;
      ++frozen;
      for (std::size_t use = flows_.first[flow]; use < flows_.first[flow + 1]; ++use) {
        Link& other = links_[flows_.link[use]];
        const double part = weight(flow, use);
        other.left -= rate * part;
        other.active -= part;
        --other.open;
      }
    }
    return frozen;
  }

  const FlowSet& flows_;
  std::vector<Link> links_;
  std::vector<std::uint32_t> first_, uses_;  ///< the flows of each link, in compressed rows
  std::vector<double> rate_;
  std::vector<Entry> heap_;
};

}  // namespace

void FlowSet::add(std::span<const std::uint32_t> links) {
  link.insert(link.end(), links.begin(), links.end());
  first.push_back(static_cast<std::uint32_t>(link.size()));
}

std::vector<double> max_min_rates(std::span<const double> capacity, const FlowSet& flows) {
  const bool weighted = !flows.share.empty() || !flows.count.empty();
  return weighted ? Filling<true>(capacity, flows).run() : Filling<false>(capacity, flows).run();
}

std::vector<double> link_loads(std::size_t links, const FlowSet& flows,
                               std::span<const double> amount) {
  assert(amount.size() == flows.size());
  std::vector<double> load(links, 0);
  for (std::size_t f = 0; f < flows.size(); ++f) {
    for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
      load[flows.link[use]] += amount[f] * weight_of(flows, f, use);
    }
  }
  return load;
}

}  // namespace rackwright::topology
