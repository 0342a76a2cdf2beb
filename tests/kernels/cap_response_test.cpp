#include "kernels/analytical/cap_response.hpp"

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

TEST(CapResponse, StretchesTheClockBoundShare) {
  // Half of the dynamic power (200 - 40) is left at 120 W; y = 1 halves the clock. With half of the
  // time clock-bound: 1 / (0.5 / 0.5 + 0.5) = 2/3.
  const CapResponse response{0.5, 1, 1e-3};
  EXPECT_NEAR(response.speed(120, 200, 40), 2.0 / 3, 1e-12);
}

TEST(CapResponse, DoesNothingAboveTheUncappedPowerAndFallsWithTheCap) {
  const CapResponse response{0.8, 2, 1e-3};
  EXPECT_EQ(response.speed(250, 200, 40), 1);
  double last = 1;
  for (double cap = 190; cap > 50; cap -= 10) {
    const double speed = response.speed(cap, 200, 40);
    EXPECT_LT(speed, last);
    EXPECT_LE(CapResponse::watts(cap, 200), cap);
    last = speed;
  }
}

}  // namespace
}  // namespace rackwright::kernels
