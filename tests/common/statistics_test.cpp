#include "common/statistics.hpp"

#include <gtest/gtest.h>

namespace rackwright {
namespace {

TEST(Quantile, IsTheSmallestValueThatTheShareDoesNotExceed) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  EXPECT_EQ(quantile(values, 0.99), 99);
  EXPECT_EQ(quantile(values, 1.0), 100);
  EXPECT_EQ(quantile(values, 0.0), 1);
  EXPECT_EQ(quantile({3, 1, 2}, 0.9), 3);
}

TEST(Quantile, AndMeanOfNothingAreZero) {
  EXPECT_EQ(quantile({}, 0.5), 0);
  EXPECT_EQ(mean({}), 0);
  EXPECT_EQ(mean({1, 2, 6}), 3);
}

}  // namespace
}  // namespace rackwright
