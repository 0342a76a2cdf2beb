#include "common/quantity_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"

namespace rackwright {
namespace {

TEST(ParseQuantity, TakesTheUnitsUsersWrite) {
  EXPECT_DOUBLE_EQ(parse_power("600W", "x").in(watt), 600);
  EXPECT_DOUBLE_EQ(parse_power("1.2 kW", "x").in(watt), 1200);
  EXPECT_DOUBLE_EQ(parse_temperature("30degC", "x").celsius(), 30);
  EXPECT_NEAR(parse_temperature("86degF", "x").celsius(), 30, 1e-9);
  EXPECT_DOUBLE_EQ(parse_volume_flow("89l/min", "x").in(litre_per_minute), 89);
  // 1,105 CFM is 0.5215 m3/s.
  EXPECT_NEAR(parse_volume_flow("1105cfm", "x").si(), 0.5215, 1e-4);
  // 2.3 psi is 15.86 kPa.
  EXPECT_NEAR(parse_pressure("2.3psi", "x").in(kilopascal), 15.858, 1e-3);
  EXPECT_DOUBLE_EQ(parse_duration("500ms", "x").si(), 0.5);
}

TEST(ParseQuantity, ABareNumberIsAnError) {
  try {
    (void)parse_power("600", "--gpu-power-cap");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "--gpu-power-cap: expected a number with a unit (W, kW, MW, BTU/h), such as "
                 "600W, found \"600\"");
  }
}

TEST(ParseQuantity, WrongDimensionAndNonsenseAreErrors) {
  for (const char* text : {"30", "600degC", "W", "", "nanW", "infW", "6 00W", "600w"}) {
    EXPECT_THROW((void)parse_power(text, "x"), InputError) << text;
  }
}

TEST(ToText, PicksTheReadableUnit) {
  EXPECT_EQ(to_text(700 * watt), "700 W");
  EXPECT_EQ(to_text(142 * kilowatt), "142 kW");
  EXPECT_EQ(to_text(1200 * kilowatt), "1\u2009200 kW");
  EXPECT_EQ(to_text(25 * megawatt), "25.0 MW");
  EXPECT_EQ(to_text(89 * litre_per_minute), "89.0 l/min");
}

}  // namespace
}  // namespace rackwright
