#include "profiler/nvml/gpu_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/profiler/nvml/stand_in.hpp"

namespace rackwright::profiler::nvml {
namespace {

using rackwright::testing::StandIn;
using ::testing::ElementsAre;
using ::testing::Pair;

GpuSample second_sample(const StandIn& script, const std::string& variant = "full") {
  GpuReader reader(script.open(variant).library, 0);
  GpuSample sample;
  EXPECT_EQ(reader.read(sample), kSuccess);
  return sample;
}

TEST(GpuReader, ConvertsToSi) {
  const GpuSample sample = second_sample(StandIn{{"STEP_US", "100000"}});
  EXPECT_DOUBLE_EQ(sample[Quantity::power_instant], 500);  // 500,000 mW
  EXPECT_DOUBLE_EQ(sample[Quantity::module_power], 600);   // module scope: 100 W above
  EXPECT_DOUBLE_EQ(sample[Quantity::memory_power], 125);
  EXPECT_DOUBLE_EQ(sample[Quantity::temperature], 63);
  EXPECT_DOUBLE_EQ(sample[Quantity::temperature_margin], 24);
  EXPECT_DOUBLE_EQ(sample[Quantity::memory_temperature], 71);
  EXPECT_DOUBLE_EQ(sample[Quantity::sm_clock], 1.98e9);
  EXPECT_DOUBLE_EQ(sample[Quantity::memory_clock], 2.619e9);
  EXPECT_DOUBLE_EQ(sample[Quantity::throttle_reasons], 4);  // software power cap
  EXPECT_DOUBLE_EQ(sample[Quantity::power_cap_time], 2.5);  // 2,500,000,000 ns
}

TEST(GpuReader, TakesTheDriversOwnTime) {
  const GpuSample sample = second_sample(StandIn{{"STEP_US", "100000"}});
  EXPECT_EQ(sample.time_us, 1'700'000'000'100'000);
}

TEST(GpuReader, KnowsItsPlaceInTheRack) {
  const StandIn script{{"OLD_STRUCTS", "1"}};
  const GpuReader reader(script.open().library, 1);
  const GpuPlace& place = reader.identity().place;
  EXPECT_EQ(place.chassis_serial, "1820224");
  EXPECT_EQ(place.slot, 26);
  EXPECT_EQ(place.tray, 16);
  EXPECT_EQ(place.host, 1);
  EXPECT_EQ(place.module, 2);
  EXPECT_EQ(place.clique, 7U);  // by version 2 of the struct, as version 3 is refused
  EXPECT_EQ(place.cluster_uuid, "ab000000000000000000000000000000");
  EXPECT_EQ(reader.identity().compute_capability, "9.0");
  EXPECT_EQ(reader.identity().power_limit_w, 700);
}

TEST(GpuReader, KeepsWhatLimitsTemperatureAndShapesPower) {
  const StandIn script{};
  const GpuReader reader(script.open().library, 0);
  EXPECT_THAT(reader.identity().settings,
              ElementsAre(Pair(194U, -2.0), Pair(251U, 1.0), Pair(274U, 150.0)));
}

TEST(GpuReader, AnUnsupportedFieldStaysBlank) {
  const GpuSample sample = second_sample(StandIn{{"UNSUPPORTED", "186,82"}});
  EXPECT_FALSE(sample.has(Quantity::power_instant));
  EXPECT_FALSE(sample.has(Quantity::module_power));  // the same field, another scope
  EXPECT_FALSE(sample.has(Quantity::memory_temperature));
  EXPECT_TRUE(sample.has(Quantity::power_average));
}

TEST(GpuReader, NothingSupportedIsNoPowerAndNotZero) {
  const GpuSample sample = second_sample(StandIn{{"UNSUPPORTED", "all"}});
  EXPECT_FALSE(sample.has(Quantity::power_instant));
  EXPECT_FALSE(sample.has(Quantity::power_average));
  EXPECT_FALSE(sample.has(Quantity::energy));
}

TEST(GpuReader, AnOldDriverStillGivesPower) {
  const GpuSample sample = second_sample(StandIn{}, "old");
  EXPECT_DOUBLE_EQ(sample[Quantity::power_average], 500);
  EXPECT_FALSE(sample.has(Quantity::energy));
  EXPECT_FALSE(sample.has(Quantity::temperature));
}

TEST(GpuReader, LinkBytesOfBothGenerations) {
  const StandIn four{{"NVLINK", "4"}, {"STEP_US", "1000"}};
  GpuReader old_links(four.open().library, 0);
  GpuSample sample;
  old_links.read(sample);
  EXPECT_EQ(old_links.nvlink_source(), "NVLink up to 4, KiB of all links");
  EXPECT_DOUBLE_EQ(sample[Quantity::nvlink_sent], 2 * 1024);  // 2 KiB after one round

  const StandIn five{{"NVLINK", "5"}, {"STEP_US", "1000"}};
  GpuReader new_links(five.open().library, 0);
  new_links.read(sample);
  EXPECT_EQ(new_links.nvlink_source(), "NVLink 5, bytes per link");
  EXPECT_DOUBLE_EQ(sample[Quantity::nvlink_sent], 18 * 100);  // 18 links of 100 B
}

TEST(GpuReader, GpmIsReadAtTenHertzAtMost) {
  const StandIn script{{"STEP_US", "50000"}};
  GpuReader reader(script.open().library, 0);  // its probe takes the first GPM sample at 0 s
  GpuSample sample;
  reader.read(sample);  // 50 ms
  EXPECT_FALSE(sample.has(Quantity::tensor_active));
  reader.read(sample);  // 100 ms
  EXPECT_DOUBLE_EQ(sample[Quantity::tensor_active], 50);
  EXPECT_DOUBLE_EQ(sample[Quantity::gpm_nvlink_sent], 610.0 * 1048576);  // MiB/s
  EXPECT_DOUBLE_EQ(sample[Quantity::gpm_pcie_sent], 200.0 * 1048576);
  EXPECT_DOUBLE_EQ(sample[Quantity::gpm_pcie_received], 210.0 * 1048576);
  EXPECT_FALSE(sample.has(Quantity::dram_active));  // this metric says NOT_SUPPORTED
  reader.read(sample);                              // 150 ms
  EXPECT_FALSE(sample.has(Quantity::tensor_active));
}

TEST(FieldNumber, ReadsByTheStatedType) {
  FieldValue field{};
  field.value_type = kUnsignedShort;
  field.value.ull = 0xffff'ffff'ffff'0007ULL;
  EXPECT_EQ(field_number(field), 7);
  field.value_type = kLongLong;
  field.value.ll = -3;
  EXPECT_EQ(field_number(field), -3);
  field.value_type = 42;
  EXPECT_TRUE(std::isnan(field_number(field)));
  field.value_type = kInt;
  field.code = kNotSupported;
  EXPECT_TRUE(std::isnan(field_number(field)));
}

}  // namespace
}  // namespace rackwright::profiler::nvml
