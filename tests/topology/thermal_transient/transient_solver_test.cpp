#include "topology/thermal/transient/transient_solver.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/thermal_transient/networks.hpp"

namespace rackwright::topology {
namespace {

TEST(TransientSolver, OneMassFollowsTheExponential) {
  // R C = 0.05 x 200 = 10 s; after 10 s of 600 W: 30 (1 - 1/e) = 18.963617 K over 25 degC.
  const auto network = testing::single_rc(200, 0.05);
  TransientSolver solver(network, {25, 25});
  solver.set_source(0, 600);
  ASSERT_TRUE(solver.advance(10, 0.05));
  EXPECT_NEAR(solver.celsius(0), 25 + 30 * (1 - std::exp(-1.0)), 2e-5);
}

TEST(TransientSolver, TwoMassesFollowTheirTwoModes) {
  // C 1 J/K each, G 1 W/K between them and from the second to the room: eigenvalues of
  // [[1, -1], [-1, 2]] are (3 -/+ sqrt 5)/2. From (1, 0) K, the first is
  // a^2 exp(-l1 t) + b^2 exp(-l2 t) with a^2 = (5 + sqrt 5)/10, b^2 = (5 - sqrt 5)/10.
  ThermalNetwork network;
  network.add_node("a", 1);
  network.add_node("b", 1);
  network.add_boundary("room");
  network.conduct(0, 1, 1);
  network.conduct(1, 2, 1);
  TransientSolver solver(network, {1, 0, 0});
  ASSERT_TRUE(solver.advance(2, 0.002));
  const double root = std::sqrt(5.0);
  const double expected = (5 + root) / 10 * std::exp(-(3 - root) / 2 * 2) +
                          (5 - root) / 10 * std::exp(-(3 + root) / 2 * 2);
  EXPECT_NEAR(solver.celsius(0), expected, 1e-6);
}

double ladder_at(double end_s, double step_s) {
  const auto network = testing::cauer_ladder();
  TransientSolver solver(network, {0, 0, 0, 0, 0});
  double t = 0;
  for (bool high = true; t < end_s - 1e-9; high = !high) {
    solver.set_source(0, high ? 1000 : 300);
    const double length = std::min(10.0, end_s - t);
    EXPECT_TRUE(solver.advance(length, step_s));
    t += length;
  }
  return solver.celsius(0);
}

TEST(TransientSolver, LadderUnderASquareWaveAgreesWithTheMatrixExponential) {
  // 20 s square wave, starting high from 0 K; values by the matrix exponential in another language.
  EXPECT_NEAR(ladder_at(109.99, 0.01), 42.206163, 1e-6);
  EXPECT_NEAR(ladder_at(199.99, 0.01), 21.768002, 1e-6);
  EXPECT_NEAR(ladder_at(200, 0.1), 21.762432, 2e-5);
}

TEST(TransientSolver, ErrorFallsBetweenThreeAndFiveTimesWhenTheStepHalves) {
  // Second order: published errors of the scheme at 200 s are 1.0e-3, 2.5e-4, 6.2e-5 K.
  constexpr double kExact = 21.7624318;
  const double steps[] = {1, 0.5, 0.25};
  const double published[] = {1.0e-3, 2.5e-4, 6.2e-5};
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(std::abs(ladder_at(200, steps[i]) - kExact), published[i], 0.1 * published[i]);
  }
}

TEST(TransientSolver, AStiffNodeNeitherRingsNorLimitsTheStep) {
  // Time constants 1e-6 s and 10 s, steps of 1 s: an A-stable but not L-stable scheme would ring.
  ThermalNetwork network;
  network.add_node("die", 1e-3);
  network.add_node("sink", 100);
  network.add_boundary("room");
  network.conduct(0, 1, 1000);
  network.conduct(1, 2, 10);
  TransientSolver solver(network, {90, 20, 20});
  solver.set_source(0, 100);
  double last = 20;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(solver.step(1));
    EXPECT_GE(solver.celsius(0), last);
    last = solver.celsius(0);
    EXPECT_NEAR(solver.celsius(0) - solver.celsius(1), 0.1, 0.01);  // 100 W / 1000 W/K
  }
}

TEST(TransientSolver, ATubeDelaysAStepByItsTransitTime) {
  // 200 cells of 1 J/K on 20 W/K: 10 s of transit; the cells in series are the gamma distribution
  // with mean 10 s and standard deviation 10 / sqrt 200 = 0.71 s. Half way at about 10 s.
  ThermalNetwork network;
  const int inlet = network.add_boundary("inlet");
  const int flow = network.add_flow(20);
  int upstream = inlet;
  for (int i = 0; i < 200; ++i) {
    const int cell = network.add_node("cell", 1);
    network.advect(upstream, cell, flow);
    upstream = cell;
  }
  TransientSolver solver(network, std::vector<double>(201, 20.0));
  solver.set_boundary(inlet, 30);
  ASSERT_TRUE(solver.advance(7, 0.02));
  EXPECT_LT(solver.celsius(upstream), 20.01);
  ASSERT_TRUE(solver.advance(3, 0.02));
  // Erlang distribution function at its mean: 0.5094 for 200 stages (0.5 + 1 / (3 sqrt(2 pi n))).
  EXPECT_NEAR(solver.celsius(upstream), 25.094, 0.01);
  ASSERT_TRUE(solver.advance(3, 0.02));
  EXPECT_GT(solver.celsius(upstream), 29.99);
}

TEST(TransientSolver, EveryJouleIsAccountedFor) {
  auto network = testing::cauer_ladder();
  network.conduct(2, 4, 3.0);
  network.set_leakage(0, {60, 0.015, 40});
  TransientSolver solver(network, {40, 40, 40, 40, 40});
  for (int i = 0; i < 300; ++i) {
    solver.set_source(0, i % 3 == 0 ? 1000 : 200);
    if (i == 100) solver.set_flow(0, 40);
    if (i == 200) solver.set_boundary(4, 45);
    ASSERT_TRUE(solver.advance(0.37, 0.1));
  }
  EXPECT_GT(solver.ledger().leakage_j, 60 * 100.0);
  EXPECT_GT(solver.ledger().carried_j, solver.ledger().to_boundaries_j);
  EXPECT_LT(solver.ledger().closure(), 1e-9);
  EXPECT_NEAR(solver.ledger().source_j, 111 * (1000 + 2 * 200) / 3.0, 1e-6);
}

TEST(TransientSolver, SettlesAtTheSteadyState) {
  auto network = testing::cauer_ladder();
  network.set_leakage(0, {80, 0.012, 60});
  auto inputs = ThermalInputs::of(network, 40);
  inputs.source_w[0] = 1100;
  const auto steady = steady_temperatures(network, inputs);
  TransientSolver solver(network, {40, 40, 40, 40, 40});
  solver.set_source(0, 1100);
  ASSERT_TRUE(solver.advance(400, 0.5));
  for (int i = 0; i < 4; ++i)
    EXPECT_NEAR(solver.celsius(i), steady.celsius[static_cast<std::size_t>(i)], 1e-6);
}

TEST(TransientSolver, LeakageThatOutgrowsTheCoolingIsReportedAndNotClamped) {
  // Past the fold of 651.3 W (see RunawayStartsWhereTheFoldIs): no steady state, so it must run
  // away in finite time, and must not before the fold.
  auto network = testing::single_rc(20, 0.1);
  network.set_leakage(0, {50, 0.02, 30});
  TransientSolver lost(network, {30, 30});
  lost.set_source(0, 800);
  EXPECT_FALSE(lost.advance(600, 0.1));
  EXPECT_LT(lost.time_s(), 600);
  EXPECT_GT(lost.celsius(0), 30 + 0.1 * 850);
  TransientSolver held(network, {30, 30});
  held.set_source(0, 600);
  EXPECT_TRUE(held.advance(600, 0.1));
}

TEST(TransientSolver, StoppedFlowWarmsAtPowerOverHeatCapacity) {
  // No path out: 1120 W on 15 + 80 + 350 + 120 = 565 J/K is 1.98230 K/s once the ladder has
  // settled.
  const auto network = testing::cauer_ladder();
  TransientSolver solver(network, {40, 40, 40, 40, 40});
  solver.set_flow(0, 0);
  solver.set_source(0, 1120);
  ASSERT_TRUE(solver.advance(60, 0.1));
  const double before = solver.celsius(3);
  ASSERT_TRUE(solver.advance(10, 0.1));
  EXPECT_NEAR(solver.celsius(3) - before, 10 * 1120 / 565.0, 1e-6);
}

TEST(TransientSolver, StepsThatRepeatShareOneFactor) {
  const auto network = testing::cauer_ladder();
  TransientSolver solver(network, {0, 0, 0, 0, 0});
  for (int i = 0; i < 50; ++i) {
    solver.set_source(0, 10.0 * i);
    ASSERT_TRUE(solver.advance(1, 0.1));
  }
  EXPECT_EQ(solver.factorisations(), 1);
}

}  // namespace
}  // namespace rackwright::topology
