#include "topology/power/power_chain.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"
#include "topology/power/failure_table.hpp"

namespace rackwright::topology {
namespace {

using testing::feed;

Catalog parts_with_whips() {
  auto parts = testing::parts();
  for (Part& part : parts) {
    if (part.id != "shelf") continue;
    part.facts["ac_whip_count"] = testing::fact(2);
    part.facts["ac_whip_a"] = testing::fact(30);
  }
  return Catalog(parts);
}

/// Every tray 6 kW, every switch 1 kW: 18 x 6 + 9 x 1 = 117 kW.
ChainDemand even_demand(const PowerChain& chain) {
  ChainDemand demand;
  for (const ChainBus& bus : chain.buses) {
    std::vector<double> watts;
    for (const ChainLoad& load : bus.loads) watts.push_back(load.slot[0] == 'c' ? 6000 : 1000);
    demand.bus_w.push_back(watts);
  }
  return demand;
}

TEST(PowerChain, InputIsLoadPlusLosses) {
  const PowerChain chain = make_power_chain(testing::liquid_rack(), parts_with_whips());
  const ChainDemand demand = even_demand(chain);
  for (const PowerFailure& failure : single_failures(chain)) {
    const ChainState state = solve(chain, demand, failure);
    EXPECT_NEAR(state.load_w, 117e3, 1e-6);
    EXPECT_NEAR(state.input_w, state.load_w + state.bar_loss_w + state.psu_loss_w,
                1e-9 * state.input_w)
        << failure.what;
  }
}

// 117 kW over eight equal shelves: 14.625 kW and 286.8 A of 51 V each.
TEST(PowerChain, EqualShelvesShareEqually) {
  const PowerChain chain = make_power_chain(testing::liquid_rack(), parts_with_whips());
  const ChainState state = solve(chain, even_demand(chain));
  for (const SourceState& source : state.sources) {
    EXPECT_NEAR(source.output_w, 14625, 1e-6);
    EXPECT_NEAR(source.output_a, 286.76, 0.01);
  }
  EXPECT_NEAR(state.buses[0].amps, 2294.1, 0.1);
}

// A shelf of six PSUs on two whips: three on each, one a phase. Without one PSU its whip carries
// two phases; the neutral carries as much as one of them.
TEST(PowerChain, PhasesAfterAPsuLoss) {
  const PowerChain chain = make_power_chain(testing::liquid_rack(), parts_with_whips());
  ASSERT_EQ(chain.circuits.size(), 16U);
  const ChainState whole = solve(chain, even_demand(chain));
  EXPECT_NEAR(whole.circuits[0].neutral_a(), 0, 1e-9);
  EXPECT_NEAR(whole.circuits[0].imbalance(), 0, 1e-12);
  PowerFailure failure;
  failure.psus = {{0, 0}};
  const ChainState state = solve(chain, even_demand(chain), failure);
  EXPECT_NEAR(state.circuits[0].amps[0], 0, 1e-12);
  EXPECT_NEAR(state.circuits[0].amps[1], state.circuits[0].amps[2], 1e-9);
  EXPECT_NEAR(state.circuits[0].neutral_a(), state.circuits[0].amps[1], 1e-9);
  EXPECT_NEAR(state.circuits[0].imbalance(), 0.5, 1e-12);
}

// 277.1 V to neutral at power factor 0.98: 14.625 kW of a shelf at 97.4 % or so over six PSUs is
// 2.5 kW or 9.2 A each.
TEST(PowerChain, WhipCurrentIsThatOfOnePsuAPhase) {
  const PowerChain chain = make_power_chain(testing::liquid_rack(), parts_with_whips());
  const ChainState state = solve(chain, even_demand(chain));
  const double psu_w = state.sources[0].input_w / 6;
  EXPECT_NEAR(state.circuits[0].largest_a(), psu_w / (480 / std::sqrt(3.0) * 0.98), 1e-9);
  EXPECT_NEAR(state.circuits[0].largest_a(), 9.2, 0.05);
  EXPECT_NEAR(state.feeds[0].watts, state.input_w / 2, 1e-6);
}

// Feed A on the four top shelves: after feed B all 142 kW x 0.97 of a GB300 pass one section,
// 2,700 A at 51 V, over the 1,400 A of its rating. With A and B alternating below and above both
// halves stay under it.
TEST(PowerChain, FeedAOnAllTopShelvesOverloadsASection) {
  RackDesign rack = testing::liquid_rack();
  rack.buses[0].section_limit_a = testing::fact(1400);
  const auto fullest = [&](const RackDesign& design) {
    const PowerChain chain = make_power_chain(design, parts_with_whips());
    ChainDemand demand = even_demand(chain);
    for (double& w : demand.bus_w[0]) w *= 138e3 / 117e3;
    PowerFailure lost;
    lost.feeds = {1};
    return solve(chain, demand, lost).buses[0].section_a;
  };
  EXPECT_LT(fullest(rack), 1400);
  for (std::size_t i = 0; i < 8; ++i) rack.buses[0].sources[i].feed = i < 4 ? "B" : "A";
  EXPECT_NEAR(fullest(rack), 138e3 / 51, 0.1);
  EXPECT_GT(fullest(rack), 1400);
}

// Three feeds, each node on all of them: after one the other two carry half each.
TEST(PowerChain, ThreeFeedsAreJudgedByTheRack) {
  RackDesign rack = testing::air_rack();
  rack.feeds = {feed("A", 60), feed("B", 60), feed("C", 60)};
  for (PowerBus& bus : rack.buses) {
    bus.sources = {{bus.id + "A", bus.id, "A", 2, 3300},
                   {bus.id + "B", bus.id, "B", 2, 3300},
                   {bus.id + "C", bus.id, "C", 2, 3300}};
  }
  const PowerChain chain = make_power_chain(rack, testing::catalog());
  ChainDemand demand;
  demand.bus_w.assign(4, {10200});
  PowerFailure lost;
  lost.feeds = {2};
  const ChainState state = solve(chain, demand, lost);
  EXPECT_NEAR(state.feeds[0].watts, 20400, 1e-6);
  EXPECT_NEAR(state.feeds[1].watts, 20400, 1e-6);
  EXPECT_EQ(state.feeds[2].watts, 0);
}

// Droop of the ORv3 HPR class, 50 V to 49 V: a shelf with five PSUs of six takes 5/47 of the load.
TEST(PowerChain, DroopSharesByThePsusThatLive) {
  auto parts = testing::parts();
  for (Part& part : parts) {
    if (part.id != "shelf") continue;
    part.facts["no_load_voltage_v"] = testing::fact(50);
    part.facts["full_load_voltage_v"] = testing::fact(49);
  }
  const PowerChain chain = make_power_chain(testing::liquid_rack(), Catalog(parts));
  PowerFailure failure;
  failure.psus = {{0, 0}};
  const ChainState state = solve(chain, even_demand(chain), failure);
  EXPECT_NEAR(state.sources[0].output_w / state.load_w, 5.0 / 47, 1e-9);
  EXPECT_LT(state.buses[0].worst_v, 50);
  EXPECT_GT(state.buses[0].worst_v, 49);
}

TEST(PowerChain, ABusWithoutSupplyIsReported) {
  RackDesign rack = testing::air_rack();
  for (PowerBus& bus : rack.buses) {
    for (PowerSource& source : bus.sources) source.feed = "A";
  }
  const PowerChain chain = make_power_chain(rack, testing::catalog());
  ChainDemand demand;
  demand.bus_w.assign(4, {10200});
  PowerFailure lost;
  lost.feeds = {0};
  EXPECT_FALSE(solve(chain, demand, lost).supplied());
}

}  // namespace
}  // namespace rackwright::topology
