#include "topology/network/max_min.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace rackwright::topology {

namespace {

double weight_of(const FlowSet& flows, std::size_t flow, std::size_t use) {
  return (flows.count.empty() ? 1 : flows.count[flow]) *
         (flows.share.empty() ? 1 : flows.share[use]);
}

/// The flows without the links that one flow alone crosses: those are a cap of that flow. Of a
/// permutation more than half of all uses go. The links that are left are numbered anew.
struct Reduced {
  FlowSet flows;
  std::vector<std::pair<double, std::uint32_t>> caps;  ///< rising, with their flow
  std::vector<double> capacity;                        ///< of each link that is left
  std::vector<std::uint32_t> users;                    ///< of each link that is left
};

constexpr std::uint32_t kAlone = std::numeric_limits<std::uint32_t>::max();

/// Numbers of the shared links in what is left, kAlone for the others.
std::vector<std::uint32_t> number_shared(std::span<const double> capacity, const FlowSet& flows,
                                         Reduced& reduced) {
  std::vector<std::uint32_t> number(capacity.size(), 0);
  for (const std::uint32_t link : flows.link) ++number[link];
  const auto shared = static_cast<std::size_t>(
      std::count_if(number.begin(), number.end(), [](std::uint32_t users) { return users > 1; }));
  reduced.capacity.reserve(shared);
  reduced.users.reserve(shared);
  for (std::size_t link = 0; link < number.size(); ++link) {
    if (number[link] < 2) {
      number[link] = kAlone;
      continue;
    }
    reduced.capacity.push_back(capacity[link]);
    reduced.users.push_back(number[link]);
    number[link] = static_cast<std::uint32_t>(reduced.users.size() - 1);
  }
  return number;
}

Reduced reduce(std::span<const double> capacity, const FlowSet& flows) {
  Reduced reduced;
  const std::vector<std::uint32_t> number = number_shared(capacity, flows, reduced);
  reduced.flows.first.reserve(flows.first.size());
  reduced.flows.link.reserve(flows.link.size());
  reduced.flows.count = flows.count;
  reduced.caps.reserve(flows.size());
  for (std::size_t f = 0; f < flows.size(); ++f) {
    double cap = std::numeric_limits<double>::infinity();
    for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
      const std::uint32_t link = flows.link[use];
      if (number[link] == kAlone) {
        cap = std::min(cap, capacity[link] / weight_of(flows, f, use));
        continue;
      }
      reduced.flows.link.push_back(number[link]);
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

/// Links by rising level, one entry each. Levels only rise, so entries lie in buckets of equal
/// width that are put in order when their turn comes: equal levels, of which a fabric of equal
/// links has many, cost no comparison. Order: level, then link.
class LevelQueue {
 public:
  struct Entry {
    double level;
    std::uint32_t link;
  };
  /// `level` of each link; those that are not finite are not taken.
  explicit LevelQueue(std::vector<double> level)
      : level_(std::move(level)), next_(level_.size(), kNone), head_(kBuckets, kNone) {
    double high = 0;
    low_ = std::numeric_limits<double>::infinity();
    for (const double value : level_) {
      if (!std::isfinite(value)) continue;
      low_ = std::min(low_, value);
      high = std::max(high, value);
    }
    per_level_ = high > low_ ? (kBuckets - 1) / (high - low_) : 0;
    for (std::size_t link = level_.size(); link-- > 0;) {
      if (std::isfinite(level_[link])) put(static_cast<std::uint32_t>(link));
    }
    open_bucket();
  }
  [[nodiscard]] bool empty() const { return at_ == sorted_.size() && late_.empty(); }
  [[nodiscard]] const Entry& top() const { return late_is_first() ? late_.front() : sorted_[at_]; }
  Entry pop() {
    Entry entry = top();
    if (late_is_first()) {
      std::pop_heap(late_.begin(), late_.end(), later);
      late_.pop_back();
    } else {
      ++at_;
    }
    if (empty()) open_bucket();
    return entry;
  }
  /// A link that was popped, at a level that is no lower.
  void push(std::uint32_t link, double level) {
    level_[link] = level;
    if (bucket_of(level) > bucket_) {
      put(link);
      if (empty()) open_bucket();
      return;
    }
    late_.push_back({level, link});
    std::push_heap(late_.begin(), late_.end(), later);
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kBuckets = 4096;

  static bool later(const Entry& a, const Entry& b) {
    return a.level != b.level ? a.level > b.level : a.link > b.link;
  }
  [[nodiscard]] bool late_is_first() const {
    return !late_.empty() && (at_ == sorted_.size() || later(sorted_[at_], late_.front()));
  }
  [[nodiscard]] std::size_t bucket_of(double level) const {
    const double place = (level - low_) * per_level_;
    return place < kBuckets - 1 ? static_cast<std::size_t>(std::max(place, 0.0)) : kBuckets - 1;
  }
  void put(std::uint32_t link) {
    std::uint32_t& head = head_[bucket_of(level_[link])];
    next_[link] = head;
    head = link;
  }
  /// Takes the next bucket that holds a link.
  void open_bucket() {
    sorted_.clear();
    at_ = 0;
    for (; bucket_ < kBuckets && sorted_.empty(); ++bucket_) {
      for (std::uint32_t link = head_[bucket_]; link != kNone; link = next_[link]) {
        sorted_.push_back({level_[link], link});
      }
    }
    if (bucket_ > 0 && !sorted_.empty()) --bucket_;
    if (sorted_.empty()) return;
    head_[bucket_] = kNone;
    const auto earlier = [](const Entry& a, const Entry& b) { return later(b, a); };
    if (!std::is_sorted(sorted_.begin(), sorted_.end(), earlier)) {
      std::sort(sorted_.begin(), sorted_.end(), earlier);
    }
  }

  std::vector<double> level_;
  std::vector<std::uint32_t> next_, head_;
  std::vector<Entry> sorted_, late_;  ///< of the open bucket; what was pushed back to it, a heap
  std::size_t at_ = 0, bucket_ = 0;
  double low_ = 0, per_level_ = 0;
};

/// Progressive filling. What a step reads of a link lies together in memory; unweighted flows, the
/// common case, need no weight of a use.
template <bool kWeighted>
class Filling {
 public:
  explicit Filling(const Reduced& reduced)
      : flows_(reduced.flows),
        caps_(reduced.caps),
        links_(reduced.capacity.size()),
        first_(reduced.capacity.size() + 1, 0),
        uses_(flows_.link.size()) {
    for (std::size_t link = 0; link < links_.size(); ++link) {
      links_[link].left = reduced.capacity[link];
      links_[link].open = reduced.users[link];
      first_[link + 1] = first_[link] + reduced.users[link];
    }
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    for (std::size_t f = 0; f < flows_.size(); ++f) {
      for (std::size_t use = flows_.first[f]; use < flows_.first[f + 1]; ++use) {
        const std::uint32_t link = flows_.link[use];
        if constexpr (kWeighted) links_[link].active += weight(f, use);
        uses_[next[link]++] = static_cast<std::uint32_t>(f);
      }
    }
  }

  std::vector<double> run() {
    rate_.assign(flows_.size(), kOpen);
    std::vector<double> levels(links_.size());
    for (std::size_t l = 0; l < links_.size(); ++l) levels[l] = level(l);
    LevelQueue queue(std::move(levels));
    auto cap = caps_.begin();
    while (!queue.empty()) {
      // The top is a lower bound of every level to come: a cap below it holds its flow first.
      for (; cap != caps_.end() && cap->first <= queue.top().level; ++cap) {
        if (rate_[cap->second] == kOpen) freeze_flow(cap->second, std::max(cap->first, 0.0));
      }
      const LevelQueue::Entry entry = queue.pop();
      if (links_[entry.link].open == 0) continue;
      // Flows that froze elsewhere only raise a link's level: an entry is a lower bound.
      const double now = level(entry.link);
      if (now > entry.level * (1 + kRounding)) {
        queue.push(entry.link, now);
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
  struct PlainLink {
    double left = 0;         ///< capacity that frozen flows leave
    std::uint32_t open = 0;  ///< uses by open flows
  };
  struct WeightedLink : PlainLink {
    double active = 0;  ///< weight of open flows
  };
  using Link = std::conditional_t<kWeighted, WeightedLink, PlainLink>;

  double level(std::size_t link) const {
    if constexpr (kWeighted) return links_[link].left / links_[link].active;
    return links_[link].left / links_[link].open;
  }
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
      if constexpr (kWeighted) link.active -= part;
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
};

}  // namespace

void FlowSet::add(std::span<const std::uint32_t> links) {
  link.insert(link.end(), links.begin(), links.end());
  first.push_back(static_cast<std::uint32_t>(link.size()));
}

std::vector<double> max_min_rates(std::span<const double> capacity, const FlowSet& flows) {
  const bool weighted = !flows.share.empty() || !flows.count.empty();
  const Reduced reduced = reduce(capacity, flows);
  return weighted ? Filling<true>(reduced).run() : Filling<false>(reduced).run();
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
