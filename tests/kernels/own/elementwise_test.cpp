#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/own/on_host.hpp"
#include "kernels/own/shape_checks.hpp"
#include "tests/kernels/own/device_memory.hpp"

namespace rackwright::kernels::own {
namespace {

using testing::kRounding;
using testing::Memory;
using testing::random_bf16;
using testing::value;

struct Case {
  ThreadOrder order;
  int rows, width;
};
class Elementwise : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Shapes, Elementwise,
                         ::testing::Values(Case{ThreadOrder::forward, 1, 8},
                                           Case{ThreadOrder::backward, 3, 2056},
                                           Case{ThreadOrder::shuffled, 2, 4096},
                                           Case{ThreadOrder::forward, 2, 7168},
                                           Case{ThreadOrder::shuffled, 1, 16384}));

TEST_P(Elementwise, RmsNormIsThatOfDoublePrecision) {
  const auto [order, rows, hidden] = GetParam();
  const std::size_t count = static_cast<std::size_t>(rows) * hidden;
  RandomSource random(7);
  auto input = random_bf16(count, random), residual = random_bf16(count, random);
  auto weight = random_bf16(hidden, random);
  Memory<Bf16> output(count), sum(count);
  HostExecutor executor(order);
  run_on_host(executor, RmsNormArgs{input.input(), residual.input(), weight.input(), output.view(),
                                    sum.view(), rows, hidden, 1e-5F});
  for (int row = 0; row < rows; ++row) {
    const std::size_t first = static_cast<std::size_t>(row) * hidden;
    double squares = 0;
    for (int i = 0; i < hidden; ++i) {
      const double exact = value(input[first + i]) + value(residual[first + i]);
      ASSERT_NEAR(value(sum[first + i]), exact, kRounding * std::abs(exact));
      squares += value(sum[first + i]) * value(sum[first + i]);
    }
    const double scale = 1 / std::sqrt(squares / hidden + 1e-5);
    for (int i = 0; i < hidden; ++i) {
      const double exact = value(sum[first + i]) * scale * value(weight[i]);
      ASSERT_NEAR(value(output[first + i]), exact, kRounding * std::abs(exact)) << row << " " << i;
    }
  }
}

// Without a residual: heads, which a warp norms, and wide rows.
TEST_P(Elementwise, RmsNormAloneIsThatOfDoublePrecision) {
  const auto [order, given_rows, width] = GetParam();
  for (const auto& [rows, hidden] : {std::pair{given_rows, width}, std::pair{9 * given_rows, 128},
                                     std::pair{8 * given_rows, 200}, std::pair{5, 256}}) {
    const std::size_t count = static_cast<std::size_t>(rows) * hidden;
    RandomSource random(9);
    auto input = random_bf16(count, random), weight = random_bf16(hidden, random);
    Memory<Bf16> output(count);
    RmsNormArgs args;
    args.input = input.input(), args.weight = weight.input(), args.output = output.view();
    args.rows = rows, args.hidden = hidden, args.epsilon = 1e-5F;
    HostExecutor executor(order);
    run_on_host(executor, args);
    for (std::size_t first = 0; first < count; first += hidden) {
      double squares = 0;
      for (int i = 0; i < hidden; ++i) squares += std::pow(value(input[first + i]), 2);
      const double scale = 1 / std::sqrt(squares / hidden + 1e-5);
      for (int i = 0; i < hidden; ++i) {
        const double exact = value(input[first + i]) * scale * value(weight[i]);
        ASSERT_NEAR(value(output[first + i]), exact, kRounding * std::abs(exact)) << hidden;
      }
    }
  }
}

TEST_P(Elementwise, SiluMulIsThatOfDoublePrecision) {
  const auto [order, rows, width] = GetParam();
  RandomSource random(8);
  auto gate_up = random_bf16(static_cast<std::size_t>(rows) * width * 2, random);
  Memory<Bf16> output(static_cast<std::size_t>(rows) * width);
  HostExecutor executor(order);
  run_on_host(executor, SiluMulArgs{gate_up.input(), output.view(), rows, width});
  for (int row = 0; row < rows; ++row) {
    const std::size_t first = static_cast<std::size_t>(row) * width;
    for (int i = 0; i < width; ++i) {
      const double gate = value(gate_up[2 * first + i]);
      const double exact = gate / (1 + std::exp(-gate)) * value(gate_up[2 * first + width + i]);
      ASSERT_NEAR(value(output[first + i]), exact, kRounding * std::abs(exact)) << row << " " << i;
    }
  }
}

// 4 blocks over 2500 words: two whole tiles of 1024, a part of one, and a block with nothing to do.
TEST(StreamCopy, CopiesEveryWord) {
  for (const auto order : {ThreadOrder::forward, ThreadOrder::backward, ThreadOrder::shuffled}) {
    Memory<Word16> from(2500), to(2500);
    for (std::uint32_t i = 0; i < 2500; ++i) from[i] = Word16{{i, ~i, 3 * i, 7}};
    HostExecutor executor(order);
    run_on_host(executor, StreamCopyArgs{from.input(), to.view(), 4});
    EXPECT_EQ(std::memcmp(from.data(), to.data(), 2500 * sizeof(Word16)), 0);
  }
}

// Mean 0 and variance 1/3 of a uniform number in [-1, 1): 10000 of them within 5 standard errors
// (0.0058 and 0.003).
TEST(FillRandom, IsUniformAndTheSameForTheSameSeed) {
  Memory<Bf16> first(10000), again(10000), other(10000);
  HostExecutor executor(ThreadOrder::shuffled);
  run_on_host(executor, FillRandomArgs{first.view(), 1, 3});
  run_on_host(executor, FillRandomArgs{again.view(), 1, 2});
  run_on_host(executor, FillRandomArgs{other.view(), 2, 3});
  double sum = 0, squares = 0, equal = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    sum += value(first[i]);
    squares += value(first[i]) * value(first[i]);
    ASSERT_EQ(first[i].bits, again[i].bits);
    equal += first[i].bits == other[i].bits ? 1 : 0;
    ASSERT_NE(first[i].bits & 0x7f, 0x7f);  // NaN of E4M3 (OCP FP8 1.0, table 1)
    ASSERT_NE(first[i].bits >> 8 & 0x7f, 0x7f);
  }
  EXPECT_NEAR(sum / 10000, 0, 5 * 0.0058);
  EXPECT_NEAR(squares / 10000, 1.0 / 3, 5 * 0.003);
  EXPECT_LT(equal, 500);
}

TEST(RmsNorm, AWidthItCannotHoldIsRefused) {
  HostExecutor executor;
  RmsNormArgs args;
  args.rows = 1;
  args.hidden = 16392;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
  args.hidden = 12;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
}

// 1.5 = 0x3fc0, and 1 + 2^-8 lies halfway between 1 and the next bf16: ties go to the even 1.
TEST(Bf16, RoundsToNearestAndTiesToEven) {
  EXPECT_EQ(to_bf16(1.5F).bits, 0x3fc0);
  EXPECT_EQ(to_bf16(1.00390625F).bits, 0x3f80);
  EXPECT_EQ(to_bf16(1.01171875F).bits, 0x3f82);
  EXPECT_TRUE(std::isnan(to_float(to_bf16(std::nanf("")))));
}

}  // namespace
}  // namespace rackwright::kernels::own
