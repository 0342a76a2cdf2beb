#include "topology/thermal/flow_network.hpp"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

const FlowResistance kQuadratic{0, 1e6, 2};

std::shared_ptr<const PressureCurve> fan() {
  return std::make_shared<PressureCurve>(std::vector<CurvePoint>{{0, 500}, {0.02, 350}, {0.04, 0}});
}

/// Flow sums to zero at every inner node.
void expect_balance(const FlowNetwork& network, const FlowNetwork::Solution& solution) {
  EXPECT_TRUE(solution.converged);
  double largest = 0;
  for (const double flow : solution.flow_m3_per_s) largest = std::max(largest, std::abs(flow));
  EXPECT_LE(solution.largest_imbalance_m3_per_s, 1e-10 * largest);
  EXPECT_LT(solution.iterations, 40) << network.branches() << " branches";
}

TEST(FlowNetwork, TwoOrificesInParallelSplitWithTheRootOfTheirResistances) {
  FlowNetwork network;
  const int in = network.add_node(0.01), out = network.add_fixed_node(0);
  network.add_branch(in, out, {0, 1e6, 2});
  network.add_branch(in, out, {0, 4e6, 2});
  const auto solution = network.solve();
  expect_balance(network, solution);
  // q1 / q2 = sqrt(4) = 2, so 2/3 and 1/3 of 0.01; dp = 1e6 x (0.01 x 2/3)^2 = 44.4 Pa.
  EXPECT_NEAR(solution.flow_m3_per_s[0], 0.01 * 2 / 3, 1e-12);
  EXPECT_NEAR(solution.pressure_pa[in], 44.444444, 1e-5);
}

TEST(FlowNetwork, LaminarBranchesAreLinear) {
  FlowNetwork network;
  const int in = network.add_fixed_node(100), middle = network.add_node(),
            out = network.add_fixed_node(0);
  network.add_branch(in, middle, {1e4, 0, 2});
  network.add_branch(middle, out, {3e4, 0, 2});
  const auto solution = network.solve();
  EXPECT_NEAR(solution.flow_m3_per_s[0], 100 / 4e4, 1e-15);
  EXPECT_NEAR(solution.pressure_pa[middle], 75, 1e-9);
}

TEST(FlowNetwork, APowerLawKeepsItsExponent) {
  // dp = 2000 q^1.75: q = (100 / 2000)^(1/1.75) = 0.180574.
  FlowNetwork network;
  const int in = network.add_fixed_node(100), out = network.add_fixed_node(0);
  network.add_branch(in, out, {0, 2000, 1.75});
  EXPECT_NEAR(network.solve().flow_m3_per_s[0], std::pow(0.05, 1 / 1.75), 1e-9);
}

TEST(FlowNetwork, FansInParallelShareTheFlow) {
  // n equal fans in parallel: the pressure of one at q / n.
  FlowNetwork network;
  const int room = network.add_fixed_node(0), plenum = network.add_node();
  for (int i = 0; i < 4; ++i) network.add_driven_branch(room, plenum, {}, fan());
  const int exit = network.add_branch(plenum, room, {0, 2e4, 2});
  const auto solution = network.solve();
  expect_balance(network, solution);
  const double flow = solution.flow_m3_per_s[exit];
  EXPECT_NEAR(fan()->pressure(flow / 4), 2e4 * flow * flow, 1e-6);
  // The same as one branch of four machines.
  FlowNetwork merged;
  const int a = merged.add_fixed_node(0), b = merged.add_node();
  merged.add_driven_branch(a, b, {}, fan(), 1, 4);
  const int out = merged.add_branch(b, a, {0, 2e4, 2});
  EXPECT_NEAR(merged.solve().flow_m3_per_s[out], flow, 1e-10);
}

TEST(FlowNetwork, FansInSeriesDoubleTheHead) {
  FlowNetwork network;
  const int room = network.add_fixed_node(0), one = network.add_node(), two = network.add_node();
  network.add_driven_branch(room, one, {}, fan());
  network.add_driven_branch(one, two, {}, fan());
  const int exit = network.add_branch(two, room, {0, 1e6, 2});
  const auto solution = network.solve();
  const double flow = solution.flow_m3_per_s[exit];
  EXPECT_NEAR(2 * fan()->pressure(flow), 1e6 * flow * flow, 1e-6);
}

TEST(FlowNetwork, FlowGoesWithSpeedAgainstAQuadraticLoss) {
  const auto flow = [](double speed) {
    FlowNetwork network;
    const int room = network.add_fixed_node(0), plenum = network.add_node();
    network.add_driven_branch(room, plenum, {}, fan(), speed);
    const int exit = network.add_branch(plenum, room, {0, 5e5, 2});
    return network.solve().flow_m3_per_s[exit];
  };
  EXPECT_NEAR(flow(0.8), 0.8 * flow(1), 1e-12);
}

TEST(FlowNetwork, AFailedFanLetsAirBack) {
  // Three fans press into a plenum; the fourth stands still and is an opening.
  FlowNetwork network;
  const int room = network.add_fixed_node(0), plenum = network.add_node();
  for (int i = 0; i < 3; ++i) network.add_driven_branch(room, plenum, {}, fan());
  const int failed = network.add_branch(room, plenum, {0, 1e6, 2});
  const int exit = network.add_branch(plenum, room, {0, 2e4, 2});
  const auto solution = network.solve();
  expect_balance(network, solution);
  EXPECT_LT(solution.flow_m3_per_s[failed], 0);
  network.set_open(failed, false);  // a back-draught flap
  EXPECT_GT(network.solve().flow_m3_per_s[exit], solution.flow_m3_per_s[exit]);
}

TEST(FlowNetwork, AClosedValveTakesNoFlowAndTheOthersShareIt) {
  FlowNetwork network;
  const int in = network.add_node(0.009), out = network.add_fixed_node(0);
  for (int i = 0; i < 3; ++i) network.add_branch(in, out, kQuadratic);
  network.set_open(1, false);
  const auto solution = network.solve();
  expect_balance(network, solution);
  EXPECT_EQ(solution.flow_m3_per_s[1], 0);
  EXPECT_NEAR(solution.flow_m3_per_s[0], 0.0045, 1e-14);
}

TEST(FlowNetwork, InterchangeableBranchesCarryTheSame) {
  FlowNetwork network;
  const int in = network.add_node(1e-3), out = network.add_fixed_node(0);
  for (int i = 0; i < 18; ++i) network.add_branch(in, out, {1e5, 1e9, 2});
  const auto solution = network.solve();
  for (int i = 1; i < 18; ++i) {
    EXPECT_NEAR(solution.flow_m3_per_s[i], solution.flow_m3_per_s[0], 1e-15);
  }
}

TEST(FlowNetwork, ConvergesOnALadderWithoutFlowInItsRungs) {
  // A balanced bridge: the middle rung carries nothing.
  FlowNetwork network;
  const int in = network.add_fixed_node(1000), out = network.add_fixed_node(0);
  const int a = network.add_node(), b = network.add_node();
  network.add_branch(in, a, kQuadratic);
  network.add_branch(in, b, kQuadratic);
  network.add_branch(a, out, kQuadratic);
  network.add_branch(b, out, kQuadratic);
  const int rung = network.add_branch(a, b, kQuadratic);
  const auto solution = network.solve();
  expect_balance(network, solution);
  EXPECT_NEAR(solution.flow_m3_per_s[rung], 0, 1e-9);
  EXPECT_NEAR(solution.pressure_pa[a], 500, 1e-7);
}

TEST(FlowNetwork, RefusesAPartThatDoesNotBalance) {
  FlowNetwork network;
  const int a = network.add_node(1e-3), b = network.add_node(0);
  network.add_branch(a, b, kQuadratic);
  EXPECT_THROW((void)network.solve(), std::invalid_argument);
  network.set_inflow(b, -1e-3);
  EXPECT_NEAR(network.solve().flow_m3_per_s[0], 1e-3, 1e-15);
}

TEST(Orifice, IsTheBernoulliLossOfItsJet) {
  // 0.01 m2 at Cd 0.6 and 0.1 m3/s: 1.2 / 2 x (0.1 / 0.006)^2 = 166.7 Pa.
  EXPECT_NEAR(orifice(0.01, 0.6, 1.2).drop_pa(0.1), 166.667, 1e-3);
}

}  // namespace
}  // namespace rackwright::topology
