#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/thermal_transient/networks.hpp"
#include "topology/thermal/transient/thermal_network.hpp"

namespace rackwright::topology {
namespace {

TEST(SteadyTemperatures, RiseIsPowerTimesResistance) {
  const auto network = testing::single_rc(100, 0.03);
  auto inputs = ThermalInputs::of(network, 40);
  inputs.source_w[0] = 1000;
  const auto steady = steady_temperatures(network, inputs);
  EXPECT_NEAR(steady.celsius[0], 70, 1e-9);  // 40 + 1000 x 0.03
  EXPECT_EQ(steady.celsius[1], 40);
}

TEST(SteadyTemperatures, AStreamWarmsByPowerOverItsHeatCapacityRate) {
  // Tray 1 then tray 2 in series on 50 W/K: 300 / 50 = 6 K, then 400 / 50 = 8 K more.
  ThermalNetwork network;
  const int inlet = network.add_boundary("inlet");
  const int first = network.add_node("first", 10);
  const int second = network.add_node("second", 10);
  const int air = network.add_flow(50);
  network.advect(inlet, first, air);
  network.advect(first, second, air);
  auto inputs = ThermalInputs::of(network, 25);
  inputs.source_w[1] = 300;
  inputs.source_w[2] = 400;
  const auto steady = steady_temperatures(network, inputs);
  EXPECT_NEAR(steady.celsius[1], 31, 1e-9);
  EXPECT_NEAR(steady.celsius[2], 39, 1e-9);
}

TEST(SteadyTemperatures, AFilmFollowsTheFlowWithItsExponent) {
  // R = 0.01 + 0.02 (1/2)^-0.5 = 0.01 + 0.0282843 at half the rated flow; inlet-referenced fluid
  // node held at 30 by a boundary.
  ThermalNetwork network;
  const int plate = network.add_node("plate", 0);
  const int fluid = network.add_boundary("fluid");
  const int flow = network.add_flow(60);
  network.convect(plate, fluid, flow, {0.01, 0.02, 120, 0.5});
  auto inputs = ThermalInputs::of(network, 30);
  inputs.source_w[0] = 1000;
  EXPECT_NEAR(steady_temperatures(network, inputs).celsius[0], 30 + 38.2842712, 1e-6);
}

TEST(SteadyTemperatures, LeakageSolvesItsOwnEquation) {
  // 40 degC room, R 0.05 K/W, 800 W, leakage 100 W at 40 degC growing 1 % per K.
  // T - 80 = 5 exp(0.01 (T - 40)); by hand: T = 88.1018: 5 exp(0.481018) = 8.0886 … iterate:
  // x = T - 80: x = 5 e^0.4 e^(x/100) = 7.459123 e^(x/100); x = 8.0859 -> 7.459123 x 1.084217 =
  // 8.08731; x = 8.0875 -> 8.08744. Fixed point 8.08745.
  auto network = testing::single_rc(1, 0.05);
  network.set_leakage(0, {100, 0.01, 40});
  auto inputs = ThermalInputs::of(network, 40);
  inputs.source_w[0] = 800;
  const auto steady = steady_temperatures(network, inputs);
  ASSERT_FALSE(steady.runaway);
  EXPECT_NEAR(steady.celsius[0], 88.08745, 2e-4);
  // Loop gain R dP/dT = 0.05 x 0.01 x 8.08745 / 0.05 = 0.0808745.
  EXPECT_NEAR(steady.loop_gain, 0.0808745, 1e-5);
}

TEST(SteadyTemperatures, RunawayStartsWhereTheFoldIs) {
  // T = Ta + R (P + L exp(b (T - Ta))) has a solution exactly while b R L exp(b R P) <= 1/e. With
  // R = 0.1, b = 0.02, L = 50: 0.1 exp(0.002 P) = 0.36788 gives P = 500 ln 3.6788 = 651.29 W.
  auto network = testing::single_rc(1, 0.1);
  network.set_leakage(0, {50, 0.02, 30});
  auto inputs = ThermalInputs::of(network, 30);
  const double fold = 500 * std::log(10 / std::exp(1.0));
  inputs.source_w[0] = fold - 0.01;
  const auto held = steady_temperatures(network, inputs);
  ASSERT_FALSE(held.runaway);
  EXPECT_LT(held.loop_gain, 1);
  EXPECT_GT(held.loop_gain, 0.98);
  inputs.source_w[0] = fold + 0.01;
  EXPECT_TRUE(steady_temperatures(network, inputs).runaway);
}

TEST(SteadyTemperatures, AnInsulatedPartHasNone) {
  ThermalNetwork network;
  network.add_node("alone", 10);
  network.add_boundary("room");
  EXPECT_TRUE(steady_temperatures(network, ThermalInputs::of(network, 20)).insulated);
}

TEST(SteadyTemperatures, MoreLoadAtFixedFlowNeverCoolsAnyNode) {
  const auto network = testing::cauer_ladder();
  auto inputs = ThermalInputs::of(network, 40);
  inputs.source_w[0] = 1000;
  const auto before = steady_temperatures(network, inputs);
  for (std::size_t node = 0; node < 4; ++node) {
    auto more = inputs;
    more.source_w[node] += 50;
    const auto after = steady_temperatures(network, more);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_GE(after.celsius[i], before.celsius[i]);
    EXPECT_GT(after.celsius[node], before.celsius[node]);
  }
}

}  // namespace
}  // namespace rackwright::topology
