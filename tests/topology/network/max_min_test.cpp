#include "topology/network/max_min.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.hpp"

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

/// Progressive filling as the textbook has it: raise all open flows together until a link is full,
/// hold its flows, begin again. Every step looks at every link.
std::vector<double> rates_step_by_step(std::vector<double> left, const FlowSet& flows) {
  std::vector<double> rate(flows.size(), -1);
  for (;;) {
    std::vector<double> weight(left.size(), 0);
    for (std::size_t f = 0; f < flows.size(); ++f) {
      for (std::size_t use = flows.first[f]; rate[f] < 0 && use < flows.first[f + 1]; ++use) {
        weight[flows.link[use]] += flows.share.empty() ? 1 : flows.share[use];
      }
    }
    std::size_t full = left.size();
    for (std::size_t l = 0; l < left.size(); ++l) {
      if (weight[l] > 0 &&
          (full == left.size() || left[l] / weight[l] < left[full] / weight[full])) {
        full = l;
      }
    }
    if (full == left.size()) return rate;
    const double level = left[full] / weight[full];
    for (std::size_t f = 0; f < flows.size(); ++f) {
      bool crosses = false;
      for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
        crosses = crosses || flows.link[use] == full;
      }
      if (rate[f] >= 0 || !crosses) continue;
      rate[f] = level;
      for (std::size_t use = flows.first[f]; use < flows.first[f + 1]; ++use) {
        left[flows.link[use]] -= level * (flows.share.empty() ? 1 : flows.share[use]);
      }
    }
  }
}

TEST(MaxMin, AgreesWithFillingStepByStepOnRandomNetworks) {
  RandomSource random(7);
  for (int round = 0; round < 60; ++round) {
    const std::size_t links = 3 + random.below(40);
    std::vector<double> capacity(links);
    // Mixed generations: links of 50, 100 and 400; every eighth network has failed links too.
    for (double& c : capacity) {
      const double rates[] = {50, 100, 400, round % 8 == 0 ? 0.0 : 400.0};
      c = rates[random.below(4)];
    }
    FlowSet flows;
    const std::size_t count = 1 + random.below(120);
    for (std::size_t f = 0; f < count; ++f) {
      std::vector<std::uint32_t> path;
      for (std::uint32_t l = 0; l < links; ++l) {
        if (random.below(links) < 3) path.push_back(l);
      }
      if (path.empty()) path.push_back(static_cast<std::uint32_t>(random.below(links)));
      flows.add(path);
      // Every second network is sprayed: a flow sends shares of its rate.
      for (std::size_t use = 0; round % 2 == 1 && use < path.size(); ++use) {
        flows.share.push_back(0.25 + 0.25 * static_cast<double>(random.below(4)));
      }
    }
    const auto expected = rates_step_by_step(capacity, flows);
    const auto rates = max_min_rates(capacity, flows);
    for (std::size_t f = 0; f < count; ++f) {
      EXPECT_NEAR(rates[f], expected[f], 1e-9 * 400) << "round " << round << ", flow " << f;
    }
  }
}

}  // namespace
}  // namespace rackwright::topology
