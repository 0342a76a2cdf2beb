#include "kernels/own/number_formats.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright::kernels::own {
namespace {

// OCP OFP8 1.0, table 1: S.1111.110 is 448, S.0001.000 is 2^-6, S.0000.001 is 2^-9.
TEST(NumberFormats, E4M3HasTheValuesOfItsSpecification) {
  EXPECT_EQ(from_e4m3(0x7e), 448);
  EXPECT_EQ(from_e4m3(0x08), std::ldexp(1.0F, -6));
  EXPECT_EQ(from_e4m3(0x01), std::ldexp(1.0F, -9));
  EXPECT_EQ(from_e4m3(0xb8), -1);
}

// OCP MX 1.0, section 5.3.3: the eight magnitudes of E2M1.
TEST(NumberFormats, E2M1HasTheValuesOfItsSpecification) {
  const float values[] = {0, 0.5F, 1, 1.5F, 2, 3, 4, 6};
  for (std::uint32_t code = 0; code < 8; ++code) {
    EXPECT_EQ(from_e2m1(code), values[code]);
    EXPECT_EQ(from_e2m1(code | 8U), -values[code]);
    EXPECT_EQ(to_e2m1(values[code]), code);
  }
}

TEST(NumberFormats, EveryE4M3CodeIsItsOwnNearest) {
  for (std::uint32_t code = 0; code < 256; ++code) {
    if ((code & 0x7fU) == 0x7fU) continue;  // NaN
    EXPECT_EQ(to_e4m3(from_e4m3(code)), code);
  }
}

// Halfway between neighbours: to the even code. Above the largest: the largest.
TEST(NumberFormats, TiesGoToEvenAndLargeValuesSaturate) {
  EXPECT_EQ(from_e4m3(to_e4m3(1.0625F)), 1);      // between 1 and 1.125
  EXPECT_EQ(from_e4m3(to_e4m3(1.1875F)), 1.25F);  // between 1.125 and 1.25
  EXPECT_EQ(from_e4m3(to_e4m3(std::ldexp(1.0F, -10))), 0);
  EXPECT_EQ(from_e4m3(to_e4m3(-1e9F)), -448);
  EXPECT_EQ(from_e2m1(to_e2m1(2.5F)), 2);
  EXPECT_EQ(from_e2m1(to_e2m1(0.75F)), 1);
  EXPECT_EQ(from_e2m1(to_e2m1(5)), 4);
  EXPECT_EQ(from_e2m1(to_e2m1(7)), 6);
}

// 448 = 1.75 x 2^8 has its own scale 2^0; 12 = 1.5 x 2^3 in FP4 (largest exponent 2) 2^1.
TEST(NumberFormats, AnMxScaleIsAPowerOfTwo) {
  EXPECT_EQ(from_e8m0(to_e8m0(448, 8)), 1);
  EXPECT_EQ(from_e8m0(to_e8m0(12, 2)), 2);
  EXPECT_EQ(to_e8m0(0, 2), 0U);
}

// Every code but the NaN, in each of the four places.
TEST(Widening, OfE4m3IsExact) {
  for (std::uint32_t code = 0; code < 256; ++code) {
    if ((code & 0x7f) == 0x7f) continue;
    std::uint32_t first = 0, second = 0;
    widen_e4m3(code | 0x38U << 8 | code << 16 | 0xb8U << 24, first, second);
    EXPECT_EQ(low_bf16(first), from_e4m3(code));
    EXPECT_EQ(high_bf16(first), 1);
    EXPECT_EQ(low_bf16(second), from_e4m3(code));
    EXPECT_EQ(high_bf16(second), -1);
  }
}

}  // namespace
}  // namespace rackwright::kernels::own
