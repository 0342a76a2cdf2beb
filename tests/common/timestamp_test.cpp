#include "common/timestamp.hpp"

#include <gtest/gtest.h>

namespace rackwright {
namespace {

TEST(Timestamp, ReadsTheThreeOrdersThatLoggersWrite) {
  // 2024-07-17 is day 19,921 since 1970: 54 years x 365 + 13 leap days + 198.
  const double midnight = 19921.0 * 86400;
  const double clock = 7 * 3600 + 2 * 60 + 47.5;
  EXPECT_DOUBLE_EQ(parse_timestamp("07-17-2024 07:02:47.5").value(), midnight + clock);
  EXPECT_DOUBLE_EQ(parse_timestamp("2024/07/17 07:02:47.500").value(), midnight + clock);
  EXPECT_DOUBLE_EQ(parse_timestamp("2024-07-17T07:02:47.5Z").value(), midnight + clock);
  EXPECT_FALSE(parse_timestamp("yesterday").has_value());
  EXPECT_FALSE(parse_timestamp("2024-13-01 00:00:00").has_value());
}

}  // namespace
}  // namespace rackwright
