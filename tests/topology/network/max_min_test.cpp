#include "topology/network/max_min.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

FlowSet flows_over(const std::vector<std::vector<std::uint32_t>>& paths) {
  FlowSet flows;
  for (const auto& path : paths) flows.add(path);
  return flows;
}

// Bertsekas and Gallager, Data Networks, 6.5.2: one flow over all n unit links and one over each:
// every rate is one half.
TEST(MaxMin, GivesOneHalfToEachOnTheBertsekasGallagerLine) {
  FlowSet flows = flows_over({{0, 1, 2, 3, 4}, {0}, {1}, {2}, {3}, {4}});
  for (const double rate : max_min_rates(std::vector<double>(5, 1.0), flows)) {
    EXPECT_DOUBLE_EQ(rate, 0.5);
  }
}

TEST(MaxMin, SharesASingleBottleneckEvenly) {
  const FlowSet flows = flows_over({{0, 1}, {0, 2}, {0, 3}, {0, 4}});
  const std::vector<double> capacity{8, 100, 100, 100, 1};
  const auto rates = max_min_rates(capacity, flows);
  // The fourth is held to 1 by its own link; the others share the 7 that are left.
  EXPECT_DOUBLE_EQ(rates[0], 7.0 / 3);
  EXPECT_DOUBLE_EQ(rates[1], 7.0 / 3);
  EXPECT_DOUBLE_EQ(rates[2], 7.0 / 3);
  EXPECT_DOUBLE_EQ(rates[3], 1);
}

TEST(MaxMin, CountsMergedFlowsAndShares) {
  // Three equal flows as one class, each with half of its rate over link 0: 3 x 0.5 r = 6, r = 4.
  FlowSet flows = flows_over({{0}});
  flows.count = {3};
  flows.share = {0.5};
  EXPECT_DOUBLE_EQ(max_min_rates(std::vector<double>{6}, flows)[0], 4);
}

TEST(MaxMin, GivesNothingOverAFailedLinkAndNoLimitWithoutLinks) {
  const FlowSet flows = flows_over({{0, 1}, {1}, {}});
  const auto rates = max_min_rates(std::vector<double>{0, 10}, flows);
  EXPECT_DOUBLE_EQ(rates[0], 0);
  EXPECT_DOUBLE_EQ(rates[1], 10);
  EXPECT_TRUE(std::isinf(rates[2]));
}

// Every flow has a link that is full and on which no other flow is faster: the definition of
// max-min fairness, checked on pseudo-random paths.
TEST(MaxMin, LeavesEveryFlowABottleneck) {
  constexpr std::size_t kLinks = 40;
  std::vector<double> capacity(kLinks);
  for (std::size_t l = 0; l < kLinks; ++l) capacity[l] = 1 + static_cast<double>(l * 7 % 11);
  std::vector<std::vector<std::uint32_t>> paths;
  for (std::uint32_t f = 0; f < 200; ++f) {
    paths.push_back({f * 13 % 40, (f * 13 + 7 + f % 5) % 40});
  }
  const FlowSet flows = flows_over(paths);
  const auto rates = max_min_rates(capacity, flows);
  const auto loads = link_loads(kLinks, flows, rates);
  std::vector<double> fastest(kLinks, 0);
  for (std::size_t f = 0; f < paths.size(); ++f) {
    for (const auto link : paths[f]) fastest[link] = std::max(fastest[link], rates[f]);
  }
  for (std::size_t l = 0; l < kLinks; ++l) EXPECT_LE(loads[l], capacity[l] * (1 + 1e-9));
  for (std::size_t f = 0; f < paths.size(); ++f) {
    bool held = false;
    for (const auto link : paths[f]) {
      held = held ||
             (loads[link] > capacity[link] * (1 - 1e-9) && rates[f] > fastest[link] * (1 - 1e-9));
    }
    EXPECT_TRUE(held) << "flow " << f;
  }
}

}  // namespace
}  // namespace rackwright::topology
