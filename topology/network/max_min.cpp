#include "topology/network/max_min.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace rackwright::topology {

namespace {

/// The flows of each link, in compressed rows.
struct LinkUses {
  std::vector<std::uint32_t> first, flow;
  std::vector<double> weight;  ///< count x share of each use; empty: 1
};

double weight_of(const FlowSet& flows, std::size_t flow, std::size_t use) {
  return (flows.count.empty() ? 1 : flows.count[flow]) *
         (flows.share.empty() ? 1 : flows.share[use]);
}

LinkUses transpose(std::size_t links, const FlowSet& flows) {
  LinkUses uses;
  uses.first.assign(links + 1, 0);
  for (const std::uint32_t link : flows.link) ++uses.first[link + 1];
  for (std::size_t l = 0; l < links; ++l) uses.first[l + 1] += uses.first[l];
  uses.flow.resize(flows.link.size());
  const bool weighted = !flows.share.empty() || !flows.count.empty();
  if (weighted) uses.weight.resize(flows.link.size());
  std::vector<std::uint32_t> next(uses.first.begin(), uses.first.end() - 1);
  for (std::size_t f = 0; f < flows.size(); ++f) {
    for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
      const std::uint32_t place = next[flows.link[use]]++;
      uses.flow[place] = static_cast<std::uint32_t>(f);
      if (weighted) uses.weight[place] = weight_of(flows, f, use);
    }
  }
  return uses;
}

class Filling {
 public:
  Filling(std::span<const double> capacity, const FlowSet& flows)
      : flows_(flows),
        uses_(transpose(capacity.size(), flows)),
        left_(capacity.begin(), capacity.end()),
        active_(capacity.size(), 0),
        rate_(flows.size(), kOpen) {
    for (std::size_t link = 0; link < capacity.size(); ++link) {
      for (std::uint32_t use = uses_.first[link]; use < uses_.first[link + 1]; ++use) {
        active_[link] += uses_.weight.empty() ? 1 : uses_.weight[use];
      }
      if (active_[link] > 0) heap_.push_back({level(link), static_cast<std::uint32_t>(link)});
    }
    std::make_heap(heap_.begin(), heap_.end(), later);
  }

  std::vector<double> run() {
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      const Entry entry = heap_.back();
      heap_.pop_back();
      if (open_[entry.link] == 0) continue;
      // Flows that froze elsewhere only raise a link's level: an entry is a lower bound.
      const double now = level(entry.link);
      if (now > entry.level * (1 + kRounding)) {
        heap_.push_back({now, entry.link});
        std::push_heap(heap_.begin(), heap_.end(), later);
        continue;
      }
      freeze(entry.link, std::max(now, 0.0));
    }
    return std::move(rate_);
  }

 private:
  static constexpr double kOpen = std::numeric_limits<double>::infinity();
  static constexpr double kRounding = 1e-12;
  struct Entry {
    double level;
    std::uint32_t link;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.level != b.level ? a.level > b.level : a.link > b.link;
  }
  double level(std::size_t link) const { return left_[link] / active_[link]; }

  void freeze(std::uint32_t link, double rate) {
    for (std::uint32_t use = uses_.first[link]; use < uses_.first[link + 1]; ++use) {
      const std::uint32_t flow = uses_.flow[use];
      if (rate_[flow] != kOpen) continue;
      rate_[flow] = rate;
      for (std::size_t other = flows_.first[flow]; other < flows_.first[flow + 1]; ++other) {
        const double weight = weight_of(flows_, flow, other);
        left_[flows_.link[other]] -= rate * weight;
        active_[flows_.link[other]] -= weight;
        --open_[flows_.link[other]];
      }
    }
  }

  const FlowSet& flows_;
  LinkUses uses_;
  std::vector<double> left_, active_;  ///< capacity that frozen flows leave; weight of open flows
  std::vector<double> rate_;
  std::vector<Entry> heap_;
  std::vector<std::uint32_t> open_ = count_open();

  std::vector<std::uint32_t> count_open() const {
    std::vector<std::uint32_t> open(left_.size());
    for (std::size_t l = 0; l < open.size(); ++l) open[l] = uses_.first[l + 1] - uses_.first[l];
    return open;
  }
};

}  // namespace

void FlowSet::add(std::span<const std::uint32_t> links) {
  link.insert(link.end(), links.begin(), links.end());
  first.push_back(static_cast<std::uint32_t>(link.size()));
}

std::vector<double> max_min_rates(std::span<const double> capacity, const FlowSet& flows) {
  return Filling(capacity, flows).run();
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
