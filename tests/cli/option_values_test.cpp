#include "cli/option_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/environment_options.hpp"
#include "common/input_error.hpp"

namespace rackwright::cli {
namespace {

using ::testing::HasSubstr;

TEST(ParseCount, ReadsWholeNumbersOnly) {
  EXPECT_EQ(parse_count("127", "--nodes", 1), 127U);
  for (const char* text : {"-1", "1.5", "nan", "12x", "", "99999999999999999999999"}) {
    EXPECT_THROW(static_cast<void>(parse_count(text, "--nodes", 1)), InputError) << text;
  }
  EXPECT_THROW(static_cast<void>(parse_count("0", "--nodes", 1)), InputError);
}

TEST(ParsePositive, RefusesNegativeNanAndInfinite) {
  EXPECT_DOUBLE_EQ(parse_positive("1e6", "--demand"), 1e6);
  for (const char* text : {"-1", "0", "nan", "inf", "many", ""}) {
    EXPECT_THROW(static_cast<void>(parse_positive(text, "--demand")), InputError) << text;
  }
}

TEST(ParseList, SplitsAtCommas) {
  EXPECT_THAT(parse_list("a,b", "--racks"), ::testing::ElementsAre("a", "b"));
  EXPECT_THROW(static_cast<void>(parse_list("a,,b", "--racks")), InputError);
}

TEST(EnvironmentOptions, ReadQuantitiesWithUnits) {
  EnvironmentOptions options;
  options.air_inlet = "80.6degF";
  options.tcs_flow = "89l/min";
  options.rack_power_cap = "120kW";
  const auto parsed = options.parse(7);
  EXPECT_NEAR(*parsed.air_inlet_c, 27, 1e-9);
  EXPECT_NEAR(*parsed.tcs_flow_lpm, 89, 1e-9);
  EXPECT_NEAR(*parsed.rack_power_cap_w, 120e3, 1e-6);
  EXPECT_FALSE(parsed.gpu_power_cap_w.has_value());
  EXPECT_EQ(parsed.seed, 7U);
}

TEST(EnvironmentOptions, NameEveryValueWithoutAUnitOrOutOfRange) {
  EnvironmentOptions options;
  options.gpu_power_cap = "600";
  options.air_inlet = "270degC";
  try {
    static_cast<void>(options.parse(1));
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_EQ(error.problems().size(), 2U);
    EXPECT_THAT(error.what(), HasSubstr("--gpu-power-cap"));
    EXPECT_THAT(error.what(), HasSubstr("--air-inlet: expected -20 to 60 degC"));
  }
}

}  // namespace
}  // namespace rackwright::cli
