#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/* Small floats of the OCP specifications: FP8 E4M3 (OFP8 1.0), FP4 E2M1 and the scale E8M0 (MX
   1.0). Rounded to nearest, ties to even; larger values saturate. */

/// The code of `value` in a format of one sign bit, kMantissa mantissa bits and exponent bias
/// kBias, whose largest value is `largest`.
template <int kMantissa, int kBias>
RW_BOTH std::uint32_t small_float_code(float value, float largest, int sign_bit) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t sign = (bits >> 31) << sign_bit;
  const float magnitude = float_of(bits & 0x7fffffffU);
  // Adding 2^23 steps leaves the rounded count of steps in the last bits.
  const float steps = float_of(static_cast<std::uint32_t>(127 + 24 - kBias - kMantissa) << 23);
  const float least_normal = float_of(static_cast<std::uint32_t>(128 - kBias) << 23);
  const float clipped = magnitude > largest ? largest : magnitude;
  if (clipped < least_normal) return sign | (bits_of(clipped + steps) - bits_of(steps));
  constexpr int kShift = 23 - kMantissa;
  const std::uint32_t a = bits_of(clipped);
  const std::uint32_t rounded = (a + ((1U << (kShift - 1)) - 1U) + ((a >> kShift) & 1U)) >> kShift;
  return sign | (rounded - (static_cast<std::uint32_t>(127 - kBias) << kMantissa));
}

template <int kMantissa, int kBias>
RW_BOTH float small_float_value(std::uint32_t code, int sign_bit) {
  const std::uint32_t magnitude = code & ((1U << sign_bit) - 1U);
  const std::uint32_t sign = ((code >> sign_bit) & 1U) << 31;
  const float step = float_of(static_cast<std::uint32_t>(128 - kBias - kMantissa) << 23);
  const float value = magnitude < (1U << kMantissa)
                          ? static_cast<float>(magnitude) * step
                          : float_of((magnitude << (23 - kMantissa)) +
                                     (static_cast<std::uint32_t>(127 - kBias) << 23));
  return float_of(bits_of(value) | sign);
}

inline constexpr float kLargestE4M3 = 448;
inline constexpr float kLargestE2M1 = 6;

/// NaN, which no activation should hold, saturates.
RW_BOTH std::uint32_t to_e4m3(float value) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  std::uint16_t pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0F), "f"(value));
  return pair & 0xffU;
#else
  return small_float_code<3, 7>(value, kLargestE4M3, 7);
#endif
}
RW_BOTH float from_e4m3(std::uint32_t code) {
  return small_float_value<3, 7>(code, 7);
}
/// Four E4M3 as two pairs of bf16, exactly: an E4M3 shifted to where bf16 has its exponent is
/// 2^-120 of its value. A NaN, which a cache should not hold, becomes 480.
RW_BOTH void widen_e4m3(std::uint32_t codes, std::uint32_t& first, std::uint32_t& second) {
  constexpr std::uint32_t kTwoTo120 = 0x7b807b80U;
  const std::uint32_t low = permute_bytes(codes, 0, 0x1404U);
  const std::uint32_t high = permute_bytes(codes, 0, 0x3424U);
  first = multiply_bf16((low & 0x80008000U) | (low & 0x7f007f00U) >> 4, kTwoTo120);
  second = multiply_bf16((high & 0x80008000U) | (high & 0x7f007f00U) >> 4, kTwoTo120);
}
RW_BOTH std::uint32_t to_e2m1(float value) {
  return small_float_code<1, 1>(value, kLargestE2M1, 3);
}
RW_BOTH float from_e2m1(std::uint32_t code) {
  return small_float_value<1, 1>(code, 3);
}

/// Scale of an MX block: the exponent of the largest magnitude less that of the largest element
/// (8 of E4M3, 2 of E2M1), as code (OCP MX 1.0, section 6.3).
RW_BOTH std::uint32_t to_e8m0(float largest, int element_exponent) {
  const int code = static_cast<int>((bits_of(largest) >> 23) & 0xffU) - element_exponent;
  return code > 0 ? static_cast<std::uint32_t>(code) : 0U;
}
/// 2^(code - 127).
RW_BOTH float from_e8m0(std::uint32_t code) {
  return float_of(code == 0 ? 0x00400000U : code << 23);
}

RW_BOTH float magnitude_of(float value) {
  return float_of(bits_of(value) & 0x7fffffffU);
}

}  // namespace rackwright::kernels::own
