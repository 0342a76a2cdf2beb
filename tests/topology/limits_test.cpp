#include "topology/limits.hpp"

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

Estimate watts(double low, double value, double high) {
  return between(low, value, high, {"W", Origin::modelled, "tray"});
}

TEST(Margin, IsRelativeToTheLimit) {
  EXPECT_NEAR(margin_of(136.2, 132.0), -0.0318, 1e-4);
  EXPECT_NEAR(margin_of(66, 132), 0.5, 1e-12);
}

TEST(Margin, WithoutAnyRoomIsNegative) {
  EXPECT_LE(margin_of(2, 0), -1);
  EXPECT_LE(margin_of(2, -3), -1);
}

TEST(LimitState, IsNearBelowFivePercentOrWhenTheIntervalTouchesZero) {
  const auto state = [](Estimate load, double limit) {
    return make_limit({"id", "power", "name"}, load, exact(limit, {"W"}), "").state;
  };
  EXPECT_EQ(state(watts(80, 80, 80), 100), LimitState::met);
  EXPECT_EQ(state(watts(96, 96, 96), 100), LimitState::near);
  EXPECT_EQ(state(watts(70, 80, 100), 100), LimitState::near);
  EXPECT_EQ(state(watts(90, 101, 110), 100), LimitState::violated);
}

TEST(Limit, CarriesTheIntervalOfLoadAndLimit) {
  const Limit limit =
      make_limit({"id", "power", "name"}, watts(70, 80, 90), between(95, 100, 105, {"W"}), "");
  EXPECT_NEAR(limit.margin, 0.2, 1e-12);
  EXPECT_NEAR(limit.margin_low, 5.0 / 95, 1e-12);
  EXPECT_NEAR(limit.margin_high, 35.0 / 105, 1e-12);
}

TEST(SortLimits, PutsTheWorstFirstAndBlanksLast) {
  std::vector<Limit> limits{make_limit({"b", "power", ""}, watts(1, 1, 1), exact(2, {"W"}), ""),
                            make_blank_limit({"c", "power", ""}, watts(1, 1, 1), ""),
                            make_limit({"a", "power", ""}, watts(3, 3, 3), exact(2, {"W"}), "")};
  sort_limits(limits);
  EXPECT_EQ(limits[0].id, "a");
  EXPECT_EQ(limits[1].id, "b");
  EXPECT_EQ(limits[2].id, "c");
}

}  // namespace
}  // namespace rackwright::topology
