#include "kernels/analytical/power_model.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

PowerModel model() {
  PowerModel power;
  power.idle_active = 0.2;
  power.flop_coefficient = 0.8;
  power.byte_coefficient = 0.4;
  power.cap_share = 1;
  power.frequency_exponent = 2;
  power.lowest_frequency = 0.1;
  return power;
}

TEST(PowerModel, AddsWhatTheKernelDoes) {
  EXPECT_NEAR(model().demand({0.5, 0.5, 0, 0}), 0.2 + 0.4 + 0.2, 1e-6);
  EXPECT_NEAR(model().demand({}), 0.2, 1e-12);
}

TEST(PowerModel, IsHeldAtTdpWithoutStretchingTheCalibratedTime) {
  const CappedKernel kernel = model().capped(1.0, {1, 1, 0, 0}, 1, 700, 0);
  EXPECT_DOUBLE_EQ(kernel.watts, 700);
  EXPECT_DOUBLE_EQ(kernel.seconds, 1.0);
}

TEST(PowerModel, ALowerCapStretchesTheShareThatFollowsTheClock) {
  // 0.2 + 0.8 x 0.5 = 0.6 of 1000 W. Cap 300 W: dynamic power falls from 400 W to 100 W, a quarter;
  // with P ~ f^2 the clock halves. Half of the time follows it: 0.5 / 0.5 + 0.5 = 1.5 s.
  const CappedKernel kernel = model().capped(1.0, {0.5, 0, 0, 0}, 0.5, 1000, 300);
  EXPECT_NEAR(kernel.watts, 300, 1e-3);
  EXPECT_NEAR(kernel.seconds, 1.5, 1e-5);
}

TEST(PowerModel, ACapAboveTheDemandChangesNothing) {
  const CappedKernel kernel = model().capped(1.0, {0.5, 0, 0, 0}, 0.5, 1000, 700);
  EXPECT_NEAR(kernel.watts, 600, 1e-3);
  EXPECT_DOUBLE_EQ(kernel.seconds, 1.0);
}

}  // namespace
}  // namespace rackwright::kernels
