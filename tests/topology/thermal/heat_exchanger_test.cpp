#include "topology/thermal/heat_exchanger.hpp"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

TEST(CounterflowEffectiveness, OfThreeCasesInClosedForm) {
  EXPECT_NEAR(counterflow_effectiveness(1, 1), 0.5, 1e-12);
  // (1 - exp(-1)) / (1 - 0.5 exp(-1)) = 0.63212 / 0.81606 = 0.7746.
  EXPECT_NEAR(counterflow_effectiveness(2, 0.5), 0.7746, 5e-5);
  EXPECT_NEAR(counterflow_effectiveness(1, 0), 0.6321, 5e-5);
}

TEST(CounterflowEffectiveness, IsInvertedByTheTransferUnits) {
  for (const double ratio : {0.0, 0.3, 0.9, 1.0}) {
    EXPECT_NEAR(counterflow_transfer_units(counterflow_effectiveness(2.5, ratio), ratio), 2.5,
                1e-9);
  }
  EXPECT_THROW((void)counterflow_transfer_units(1, 0.5), std::invalid_argument);
}

// 1,368 kW at 4 K approach, water at 1,200 l/min on both sides: 83.0 kW/K.
const RatedExchanger kXdu1350{1.368e6, 4, 83.0e3, 83.0e3};

TEST(ExchangerApproach, IsTheRatedOneAtTheRatedPoint) {
  EXPECT_NEAR(exchanger_approach_k(kXdu1350, 1.368e6, 83.0e3, 83.0e3), 4, 1e-9);
}

TEST(ExchangerApproach, AtTheRatedFlowsGoesWithHeat) {
  EXPECT_NEAR(exchanger_approach_k(kXdu1350, 0.684e6, 83.0e3, 83.0e3), 2, 1e-9);
}

TEST(ExchangerApproach, OfHalfTheLoopFlowByHand) {
  // Rating: e = 16.482 / 20.482 = 0.80471, N = 4.1205, UA = 342.0 kW/K. Half the loop flow: its
  // half of UA x 0.5^0.8 = 0.57435, so UA = 342.0 x 2 / (1 / 0.57435 + 1) = 249.5 kW/K; least 41.5
  // kW/K, N = 6.0127, C = 0.5: decay exp(-3.0063) = 0.04947, e = 0.95053 / 0.97527 = 0.97463. 0.684
  // MW: span 0.684e6 / (0.97463 x 41.5e3) = 16.911 K, less the rise of 16.482 K: 0.429 K.
  EXPECT_NEAR(exchanger_approach_k(kXdu1350, 0.684e6, 41.5e3, 83.0e3), 0.429, 0.002);
}

TEST(ExchangerApproach, LessFacilityWaterNeverBringsTheSuppliesCloser) {
  double last = 0;
  for (double facility = 160e3; facility > 60e3; facility -= 10e3) {
    const double approach = exchanger_approach_k(kXdu1350, 1.2e6, 83e3, facility);
    EXPECT_GT(approach, last);
    last = approach;
  }
}

TEST(DarcyFriction, OfColebrookAtAHundredThousand) {
  EXPECT_NEAR(darcy_friction(1e5, 1e-4), 0.018514, 1e-6);
  EXPECT_NEAR(darcy_friction(1000, 1e-4), 0.064, 1e-12);
}

TEST(DarcyFriction, HasNoStepBetweenLaminarAndTurbulent) {
  for (const double re : {2300.0, 4000.0}) {
    EXPECT_NEAR(darcy_friction(re - 1e-6, 1e-4), darcy_friction(re + 1e-6, 1e-4), 1e-9);
  }
}

}  // namespace
}  // namespace rackwright::topology
