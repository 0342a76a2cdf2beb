#include "profiler/nvml/gpu_match.hpp"

#include <gtest/gtest.h>

#include "profiler/measured_power.hpp"

namespace rackwright::profiler::nvml {
namespace {

TEST(GpuMatch, NvmlAndCudaWriteOneBusDifferently) {
  EXPECT_TRUE(same_bus("00000000:1B:00.0", "0000:1b:00.0"));
  EXPECT_FALSE(same_bus("00000000:1B:00.0", "0000:3b:00.0"));
  EXPECT_FALSE(same_bus("00000001:1B:00.0", "0000:1b:00.0"));
  EXPECT_FALSE(same_bus("", ""));
  EXPECT_FALSE(same_bus("0000:1b:00", "0000:1b:00"));
}

TEST(GpuMatch, APositionIsFoundByBusAndNotByNumber) {
  const std::vector<std::string> node = {"00000000:1B:00.0", "00000000:3B:00.0"};
  EXPECT_EQ(find_by_bus(node, "0000:3b:00.0"), 1U);
  EXPECT_EQ(find_by_bus(node, "0000:5b:00.0"), std::nullopt);
}

/// 100 W before the work and 900 W while it is traced must not be in what is stated of it.
TEST(MeasuredPower, IsStatedOverTheWindowForPowerOnly) {
  Recording recording;
  NameTable name(recording.names);
  const auto power = name("power"), watt = name("W");
  for (int second = 0; second <= 30; ++second) {
    const double watts = second <= 10 ? 100 : second <= 20 ? 500 : 900;
    recording.counters.push_back({0, power, watt, static_cast<double>(second), 0, watts});
  }
  recording.windows = {{"headline", 10.5, 10, false, true}, {"traced kernels", 20.5, 10, true}};
  const auto measured = measured_power(recording);
  ASSERT_EQ(measured.size(), 1U);
  EXPECT_EQ(measured[0].refusal, "");
  EXPECT_NEAR(measured[0].mean_w, 500, 1e-9);
  EXPECT_NEAR(measured[0].window_s, 9, 1e-9);  // readings at 11 to 20 s
}

}  // namespace
}  // namespace rackwright::profiler::nvml
