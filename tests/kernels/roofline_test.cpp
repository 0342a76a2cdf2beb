#include "kernels/analytical/roofline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"

namespace rackwright::kernels {
namespace {

TEST(PNorm, JoinsTwoLimits) {
  EXPECT_NEAR(p_norm(3, 4, 2), 5.0, 1e-6);   // Pythagoras
  EXPECT_NEAR(p_norm(3, 4, 50), 4.0, 1e-5);  // nearly the maximum
  EXPECT_DOUBLE_EQ(p_norm(0, 7, 2), 7.0);
  EXPECT_NEAR(p_norm(2, 2, -1), 1.0, 1e-6);    // 1 / (1/2 + 1/2)
  EXPECT_NEAR(p_norm(1, 100, -4), 1.0, 1e-6);  // nearly the minimum
}

TEST(GemmModel, AddsLaunchAndTheLargerLimit) {
  // 2 x 1000^3 = 2 GFLOP at 0.5 x 1 PFLOP/s: 4 us. 3 x 10^6 elements of 2 B at 1 TB/s: 6 us.
  // (4^2 + 6^2)^(1/2) = 7.2111 us, and 3 us of launch.
  const GemmModel model{3e-6, 0.5, 1.0, 2.0, 0, 0};
  const workloads::GemmShape shape{1000, 1000, 1000, workloads::DataType::bf16};
  EXPECT_NEAR(model.seconds(shape, 2, 2, 1e15, 1e12, 0) * 1e6, 10.2111, 1e-3);
}

TEST(GemmModel, QuantisedTypesPayForThePassOverTheActivations) {
  // m k (2 + 1) = 3 MB at 0.5 TB/s: 6 us more than without.
  const GemmModel with{0, 1, 1, 2, 0.5, 0};
  const GemmModel without{0, 1, 1, 2, 0, 0};
  const workloads::GemmShape shape{1000, 1000, 1000, workloads::DataType::fp8};
  EXPECT_NEAR(
      (with.seconds(shape, 1, 1, 1e15, 1e12, 0) - without.seconds(shape, 1, 1, 1e15, 1e12, 0)) *
          1e6,
      6.0, 1e-6);
}

TEST(WaveWaste, CountsWholeWavesOfTiles) {
  // 128 x 2048 on 10 multiprocessors: 16 tiles of 128 x 128 are 2 waves, 2 x 10 x 16,384 / 0.9 =
  // 364,089; 8 tiles of 128 x 256 are one wave, 10 x 32,768 = 327,680. 262,144 elements asked for.
  EXPECT_NEAR(wave_waste(128, 2048, 10), 1.25, 1e-9);
  EXPECT_DOUBLE_EQ(wave_waste(128, 2048, 0), 1);
}

TEST(PricedRows, MeetsTheNextTileHalfWay) {
  EXPECT_DOUBLE_EQ(priced_rows(8), 8);
  EXPECT_NEAR(priced_rows(36), 48, 1e-9);  // sqrt(36 x 64)
  EXPECT_DOUBLE_EQ(priced_rows(64), 64);
  EXPECT_NEAR(priced_rows(72), 96, 1e-9);  // sqrt(72 x 128)
  EXPECT_DOUBLE_EQ(priced_rows(4000), 4000);
}

TEST(ElementwiseModel, IsBoundByMemoryWhenLarge) {
  // 1 GB at 0.8 x 1 TB/s = 1.25 ms; a launch of 2 us does not show.
  EXPECT_NEAR((ElementwiseModel{2e-6, 0.8, 2}.seconds(1e9, 1e12)) * 1e3, 1.25, 1e-4);
}

TEST(Parameter, NamesWhatIsMissing) {
  CalibratedModel model;
  model.operation = "gemm";
  try {
    static_cast<void>(parameter(model, "t0_s"));
    FAIL() << "found a missing parameter";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("t0_s"));
  }
}

}  // namespace
}  // namespace rackwright::kernels
