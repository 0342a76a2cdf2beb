#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "kernels/own/on_host.hpp"
#include "kernels/own/shape_checks.hpp"
#include "tests/kernels/own/device_memory.hpp"

namespace rackwright::kernels::own {
namespace {

using testing::Memory;
using testing::random_bf16;
using testing::value;

struct QuantCase {
  QuantScheme scheme;
  ThreadOrder order;
  int rows, width;
};
class Quantise : public ::testing::TestWithParam<QuantCase> {};
INSTANTIATE_TEST_SUITE_P(
    Schemes, Quantise,
    ::testing::Values(QuantCase{QuantScheme::fp8_token, ThreadOrder::forward, 3, 48},
                      QuantCase{QuantScheme::fp8_token, ThreadOrder::shuffled, 2, 7168},
                      QuantCase{QuantScheme::fp8_group, ThreadOrder::backward, 3, 384},
                      QuantCase{QuantScheme::fp8_group, ThreadOrder::shuffled, 1, 7168},
                      QuantCase{QuantScheme::mxfp8, ThreadOrder::forward, 2, 4128},
                      QuantCase{QuantScheme::mxfp4, ThreadOrder::shuffled, 2, 2880},
                      QuantCase{QuantScheme::nvfp4, ThreadOrder::backward, 3, 4112},
                      QuantCase{QuantScheme::nvfp4, ThreadOrder::shuffled, 1, 16}));

struct Quantised {
  Memory<std::uint32_t> output;
  Memory<float> scale;
  Memory<std::uint8_t> block_scale;
};

Quantised quantise(const QuantCase& c, Memory<Bf16>& input, float tensor_scale) {
  const std::size_t count = input.size();
  const int group = group_of(c.scheme) == 0 ? c.width : group_of(c.scheme);
  Quantised q{Memory<std::uint32_t>(count / (is_fp4(c.scheme) ? 8 : 4)),
              Memory<float>(count / group, -1), Memory<std::uint8_t>(count / group, 255)};
  HostExecutor executor(c.order);
  run_on_host(executor,
              QuantiseArgs{input.input(), q.output.view(), q.scale.view(), q.block_scale.view(),
                           c.rows, c.width, tensor_scale},
              c.scheme);
  return q;
}

double scale_of(const QuantCase& c, Quantised& q, std::size_t i, double tensor_scale) {
  const std::size_t group = i / (group_of(c.scheme) == 0 ? c.width : group_of(c.scheme));
  switch (c.scheme) {
    case QuantScheme::nvfp4:
      return from_e4m3(q.block_scale[group]) * tensor_scale;
    case QuantScheme::mxfp8:
    case QuantScheme::mxfp4:
      return std::ldexp(1.0, q.block_scale[group] - 127);
    default:
      return q.scale[group];
  }
}

double element_of(const QuantCase& c, Quantised& q, std::size_t i) {
  if (is_fp4(c.scheme)) return from_e2m1(q.output[i / 8] >> (4 * (i % 8)) & 15U);
  return from_e4m3(q.output[i / 4] >> (8 * (i % 4)) & 255U);
}

/// The most that one element may be off, in scales. E4M3: half a step of 2^-3 of its value, half of
/// 2^-9 below 2^-6; the float quotient adds a last place. E2M1: half a step of 1/2 below 2, of
/// its value's binade above. A clipped value (MX scales round down, NV scales are rounded to E4M3)
/// is off by what it exceeds the largest.
double tolerance(const QuantCase& c, double exact) {
  const double most = is_fp4(c.scheme) ? 6 : 448;
  const double clipped = std::max(0.0, std::abs(exact) - most);
  const double steps = is_fp4(c.scheme) ? 1 : 3;
  const double least = is_fp4(c.scheme) ? 1 : std::ldexp(1.0, -6);
  const double binade = std::exp2(std::floor(std::log2(std::max(std::abs(exact), least))));
  return clipped + binade * std::exp2(-steps - 1) * 1.0001;
}

TEST_P(Quantise, EachElementIsTheNearestOfItsFormat) {
  const QuantCase c = GetParam();
  RandomSource random(11);
  auto input = random_bf16(static_cast<std::size_t>(c.rows) * c.width, random, 30);
  for (std::size_t i = 0; i < input.size(); i += 37) input[i] = to_bf16(0.01F);
  const float tensor_scale = 30.0F / (448 * 6);
  Quantised q = quantise(c, input, tensor_scale);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const double scale = scale_of(c, q, i, tensor_scale);
    const double exact = value(input[i]) / scale;
    ASSERT_NEAR(element_of(c, q, i), exact, tolerance(c, exact)) << i << " scale " << scale;
  }
}

// The largest of a group is at the top of the format: within a binade for MX, whose scale is
// the power of two not above it; within the rounding of the E4M3 scale (1/16) for NV.
TEST_P(Quantise, TheScaleFollowsTheLargestOfItsGroup) {
  const QuantCase c = GetParam();
  RandomSource random(12);
  auto input = random_bf16(static_cast<std::size_t>(c.rows) * c.width, random, 30);
  const float tensor_scale = 30.0F / (448 * 6);
  Quantised q = quantise(c, input, tensor_scale);
  const std::size_t group = group_of(c.scheme) == 0 ? c.width : group_of(c.scheme);
  const double top = is_fp4(c.scheme) ? 6 : 448;
  for (std::size_t first = 0; first < input.size(); first += group) {
    double most = 0;
    for (std::size_t i = first; i < first + group; ++i)
      most = std::max(most, std::abs(value(input[i])));
    const double ratio = most / (scale_of(c, q, first, tensor_scale) * top);
    if (c.scheme == QuantScheme::mxfp4 || c.scheme == QuantScheme::mxfp8) {
      EXPECT_LT(ratio * top, is_fp4(c.scheme) ? 8 : 512);
      EXPECT_GE(ratio * top, is_fp4(c.scheme) ? 4 : 256);
    } else {
      EXPECT_NEAR(ratio, 1, c.scheme == QuantScheme::nvfp4 ? 1.0 / 15 : 1e-6);
    }
  }
}

TEST(Quantise, AGroupOfZerosGivesZeros) {
  for (const auto scheme : {QuantScheme::fp8_token, QuantScheme::fp8_group, QuantScheme::mxfp8,
                            QuantScheme::mxfp4, QuantScheme::nvfp4}) {
    Memory<Bf16> input(256);
    Quantised q = quantise({scheme, ThreadOrder::forward, 1, 256}, input, 1);
    for (std::size_t i = 0; i < q.output.size(); ++i) EXPECT_EQ(q.output[i], 0U);
  }
}

TEST(Quantise, AWidthThatSplitsAGroupIsRefused) {
  Memory<Bf16> input(144);
  EXPECT_THROW(quantise({QuantScheme::fp8_group, ThreadOrder::forward, 1, 144}, input, 1),
               ShapeFault);
}

}  // namespace
}  // namespace rackwright::kernels::own
