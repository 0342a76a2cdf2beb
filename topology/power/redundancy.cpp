#include "topology/power/redundancy.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace rackwright::topology {

namespace {

double rating(const PowerSource& source) {
  return source.psus * source.psu_w;
}

double rating_on(const PowerBus& bus, const std::string& feed) {
  double sum = 0;
  for (const PowerSource& source : bus.sources) {
    if (source.feed == feed) sum += rating(source);
  }
  return sum;
}

int sources_on(const PowerBus& bus, const std::string& feed) {
  return static_cast<int>(std::count_if(bus.sources.begin(), bus.sources.end(),
                                        [&](const PowerSource& s) { return s.feed == feed; }));
}

bool has_shelves(const PowerBus& bus) {
  return bus.boundary == "busbar DC";
}

void add_source_failures(const PowerBus& bus, std::vector<BusFailure>& failures) {
  const double total = bus_rating_w(bus);
  const int sources = static_cast<int>(bus.sources.size());
  double largest_psu = 0, largest_source = 0;
  std::string shelf;
  for (const PowerSource& source : bus.sources) {
    largest_psu = std::max(largest_psu, source.psus > 0 ? source.psu_w : 0.0);
    if (rating(source) > largest_source) {
      largest_source = rating(source);
      shelf = source.id;
    }
  }
  failures.push_back({"PSU", "one PSU", "", total - largest_psu, sources});
  if (has_shelves(bus)) {
    failures.push_back({"shelf", "shelf " + shelf, "", total - largest_source, sources - 1});
  }
}

}  // namespace

double bus_rating_w(const PowerBus& bus) {
  double sum = 0;
  for (const PowerSource& source : bus.sources) sum += rating(source);
  return sum;
}

std::vector<BusFailure> bus_failures(const PowerBus& bus, const std::vector<Feed>& feeds) {
  const double total = bus_rating_w(bus);
  const int sources = static_cast<int>(bus.sources.size());
  std::vector<BusFailure> failures{{"none", "", "", total, sources}};
  if (sources == 0) return failures;
  add_source_failures(bus, failures);
  std::set<std::string> used;
  for (const PowerSource& source : bus.sources) used.insert(source.feed);
  for (const Feed& feed : feeds) {
    if (!used.contains(feed.id)) continue;
    const double on_feed = rating_on(bus, feed.id);
    if (has_shelves(bus) && feed.circuits > 1 && feed.circuits >= sources_on(bus, feed.id)) {
      failures.push_back({"whip", fmt::format("one whip of feed {}", feed.id), feed.id,
                          total - on_feed / feed.circuits, sources});
    }
    if (used.size() > 1) {
      failures.push_back({"feed", "feed " + feed.id, feed.id, total - on_feed,
                          sources - sources_on(bus, feed.id)});
    }
  }
  return failures;
}

bool is_promised(const PowerBus& bus, const BusFailure& failure) {
  const auto promised = [&](const char* unit) {
    return std::find(bus.promised.begin(), bus.promised.end(), unit) != bus.promised.end();
  };
  if (failure.unit == "none") return true;
  if (failure.unit == "PSU") return promised("psu") || promised("shelf") || promised("feed");
  if (failure.unit == "shelf") return promised("shelf") || promised("feed");
  if (failure.unit == "whip") return promised("shelf") || promised("feed");
  return promised("feed");
}

double feed_share(const PowerBus& bus, const std::string& feed, const std::string& lost) {
  if (feed == lost) return 0;
  const double total = bus_rating_w(bus) - (lost.empty() ? 0.0 : rating_on(bus, lost));
  return total > 0 ? rating_on(bus, feed) / total : 0.0;
}

}  // namespace rackwright::topology
