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

/// The flows without the links that one flow alone crosses: those are a cap of that flow. Of a
/// permutation more than half of all uses go.
struct Reduced {
  FlowSet flows;
  std::vector<std::pair<double, std::uint32_t>> caps;  ///< rising, with their flow
  std::vector<std::uint32_t> users;                    ///< of each link that is left
};

Reduced reduce(std::span<const double> capacity, const FlowSet& flows) {
  Reduced reduced;
  reduced.users.assign(capacity.size(), 0);
  for (const std::uint32_t link : flows.link) ++reduced.users[link];
  reduced.flows.first.reserve(flows.first.size());
  reduced.flows.link.reserve(flows.link.size());
  reduced.flows.count = flows.count;
  for (std::size_t f = 0; f < flows.size(); ++f) {
    double cap = std::numeric_limits<double>::infinity();
    for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
      const std::uint32_t link = flows.link[use];
      if (reduced.users[link] == 1) {
        cap = std::min(cap, capacity[link] / weight_of(flows, f, use));
        reduced.users[link] = 0;
        continue;
      }
      reduced.flows.link.push_back(link);
      if (!flows.share.empty()) reduced.flows.share.push_back(flows.share[use]);
    }
    reduced.flows.first.push_back(static_cast<std::uint32_t>(reduced.flows.link.size()));
    if (cap < std::numeric_limits<double>::infinity()) {
      reduced.caps.emplace_back(cap, static_cast<std::uint32_t>(f));
    }
  }
  if (!std::is_sorted(reduced.caps.begin(), reduced.caps.end())) {
    std::sort(reduced.caps.begin(), reduced.caps.end());
  }
  return reduced;
}

/// Progressive filling. What a step reads of a link lies together in memory; unweighted flows, the
/// common case, need no weight of a use.
template <bool kWeighted>
class Filling {
 public:
  Filling(std::span<const double> capacity, const Reduced& reduced)
      : flows_(reduced.flows),
        caps_(reduced.caps),
        links_(capacity.size()),
        first_(capacity.size() + 1, 0) {
    for (std::size_t link = 0; link < capacity.size(); ++link) {
      links_[link].left = capacity[link];
      links_[link].open = reduced.users[link];
      first_[link + 1] = first_[link] + reduced.users[link];
    }
    uses_.resize(flows_.link.size());
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    for (std::size_t f = 0; f < flows_.size(); ++f) {
      for (std::size_t use = flows_.first[f]; use < flows_.first[f + 1]; ++use) {
        links_[flows_.link[use]].active += weight(f, use);
        uses_[next[flows_.link[use]]++] = static_cast<std::uint32_t>(f);
      }
    }
  }

  std::vector<double> run() {
    rate_.assign(flows_.size(), kOpen);
    for (std::size_t l = 0; l < links_.size(); ++l) {
      if (links_[l].open > 0) heap_.push_back({level(l), static_cast<std::uint32_t>(l)});
    }
    std::make_heap(heap_.begin(), heap_.end(), later);
    auto cap = caps_.begin();
    while (!heap_.empty()) {
      // The top is a lower bound of every level to come: a cap below it holds its flow first.
      for (; cap != caps_.end() && cap->first <= heap_.front().level; ++cap) {
        if (rate_[cap->second] == kOpen) freeze_flow(cap->second, std::max(cap->first, 0.0));
      }
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
      freeze(entry.link, std::max(now, 0.0));
    }
    for (; cap != caps_.end(); ++cap) {
      rate_[cap->second] = std::min(rate_[cap->second], std::max(cap->first, 0.0));
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

  void freeze_flow(std::uint32_t flow, double rate) {
    rate_[flow] = rate;
    for (std::size_t use = flows_.first[flow]; use < flows_.first[flow + 1]; ++use) {
      Link& link = links_[flows_.link[use]];
      const double part = weight(flow, use);
      link.left -= rate * part;
      link.active -= part;
      --link.open;
    }
  }
  void freeze(std::uint32_t link, double rate) {
    for (std::uint32_t place = first_[link]; place < first_[link + 1]; ++place) {
      if (rate_[uses_[place]] == kOpen) freeze_flow(uses_[place], rate);
    }
  }

  const FlowSet& flows_;
  const std::vector<std::pair<double, std::uint32_t>>& caps_;
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
  const Reduced reduced = reduce(capacity, flows);
  return weighted ? Filling<true>(capacity, reduced).run()
                  : Filling<false>(capacity, reduced).run();
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
