#include "topology/power/failure_table.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

namespace rackwright::topology {
namespace {

ChainDemand demand_of(const PowerChain& chain, double total_w) {
  ChainDemand demand;
  for (const ChainBus& bus : chain.buses) {
    demand.bus_w.emplace_back(bus.loads.size(),
                              total_w / static_cast<double>(bus.loads.size() * chain.buses.size()));
  }
  return demand;
}

double worst_margin(const std::vector<FailureRow>& table, const std::string& level,
                    const std::string& unit) {
  for (const FailureRow& row : worst_rows(table)) {
    if (row.level == level && row.failure_unit == unit) return row.margin().value_or(NAN);
  }
  return NAN;
}

// 48 PSUs, 8 shelves, 8 whips (one a shelf), 2 feeds.
TEST(SingleFailures, CountEveryUnit) {
  const PowerChain chain = make_power_chain(testing::liquid_rack(), testing::catalog());
  EXPECT_EQ(single_failures(chain).size(), 66U);
}

// Three shelves of 33 kW at 100 kW, 85 kW and 60 kW: 93.5 kW stay after a PSU, 66 kW after a shelf.
TEST(FailureTable, ThreeShelvesByUnit) {
  RackDesign rack = testing::liquid_rack(4);
  rack.buses[0].sources.pop_back();
  const PowerChain chain = make_power_chain(rack, testing::catalog());
  const auto margin = [&](double watts, const char* unit) {
    return worst_margin(failure_table(chain, demand_of(chain, watts)), "PSU", unit);
  };
  EXPECT_NEAR(margin(85e3, "none"), 1 - 85 / 99.0, 1e-9);
  EXPECT_NEAR(margin(85e3, "PSU"), 1 - 85 / 93.5, 1e-9);
  EXPECT_NEAR(margin(85e3, "shelf"), 1 - 85 / 66.0, 1e-9);
  EXPECT_LT(margin(100e3, "PSU"), 0);
}

TEST(FailureTable, RemovingAShelfNeverRaisesAMargin) {
  for (const char* level : {"PSU", "whip"}) {
    for (const char* unit : {"none", "PSU", "shelf", "feed"}) {
      double last = 1;
      for (int shelves = 8; shelves >= 3; --shelves) {
        RackDesign rack = testing::liquid_rack(8);
        rack.buses[0].sources.resize(static_cast<std::size_t>(shelves));
        auto parts = testing::parts();
        for (Part& part : parts) {
          if (part.id == "shelf") part.facts["ac_whip_a"] = testing::fact(30);
        }
        const PowerChain chain = make_power_chain(rack, Catalog(parts));
        const double margin =
            worst_margin(failure_table(chain, demand_of(chain, 60e3)), level, unit);
        EXPECT_LE(margin, last + 1e-12) << level << ' ' << unit << ' ' << shelves;
        last = margin;
      }
    }
  }
}

// "4+2": any two PSUs. Two PSUs of one node leave 13.2 kW for 10.2 kW.
TEST(FailureTable, AnyTwoPsusOfANode) {
  const PowerChain chain = make_power_chain(testing::air_rack(), testing::catalog());
  const auto table = failure_table(chain, demand_of(chain, 4 * 10200), true);
  EXPECT_NEAR(worst_margin(table, "PSU", "PSU + PSU"), 1 - 10.2 / 13.2, 1e-9);
}

TEST(FailurePairs, LeaveOutWhatIsContained) {
  const PowerChain chain = make_power_chain(testing::air_rack(), testing::catalog());
  for (const PowerFailure& pair : failure_pairs(chain)) {
    const bool contained = !pair.feeds.empty() && !pair.psus.empty() &&
                           chain.sources[pair.psus[0].first].feed == pair.feeds[0];
    EXPECT_FALSE(contained) << pair.what;
  }
}

TEST(TableCsv, OneLineARowWithAHead) {
  const PowerChain chain = make_power_chain(testing::air_rack(), testing::catalog());
  const auto rows = power_rows(chain, demand_of(chain, 40800), {});
  const std::string csv = table_csv("design envelope", rows, true);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), static_cast<long>(rows.size()) + 1);
  // A node group of three 3.3 kW PSUs carries half of 10.2 kW: margin 1 - 5.1 / 9.9 = 48.48 %.
  EXPECT_NE(csv.find("design envelope,power,none,,PSU,n1A,node DC,W,5100,,,9900,48.48"),
            std::string::npos)
      << csv;
}

}  // namespace
}  // namespace rackwright::topology
