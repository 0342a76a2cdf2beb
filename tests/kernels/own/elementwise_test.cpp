#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/own/on_host.hpp"

namespace rackwright::kernels::own {
namespace {

/// bf16 has 8 significant bits, so rounding to nearest is within 2^-8 of the value (half a step of
/// 2^-7 where the significand is 1). The float sums before it add far less at these sizes.
constexpr double kRounding = 1.0 / 256 * 1.001;

struct AlignedBf16 {
  explicit AlignedBf16(std::size_t count) : words((count + 7) / 8), size(count) {}
  Bf16* data() { return reinterpret_cast<Bf16*>(words.data()); }
  View<Bf16> view() { return {data(), static_cast<std::int64_t>(size)}; }
  View<const Bf16> input() { return {data(), static_cast<std::int64_t>(size)}; }
  double at(std::size_t i) { return to_float(data()[i]); }
  void fill(RandomSource& random) {
    for (std::size_t i = 0; i < size; ++i) {
      data()[i] = to_bf16(static_cast<float>(2 * random.uniform() - 1));
    }
  }
  std::vector<Word16> words;
  std::size_t size;
};

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
  AlignedBf16 input(count), residual(count), weight(hidden), output(count), sum(count);
  input.fill(random);
  residual.fill(random);
  weight.fill(random);
  HostExecutor executor(order);
  run_on_host(executor, RmsNormArgs{input.input(), residual.input(), weight.input(), output.view(),
                                    sum.view(), rows, hidden, 1e-5F});
  for (int row = 0; row < rows; ++row) {
    const std::size_t first = static_cast<std::size_t>(row) * hidden;
    double squares = 0;
    for (int i = 0; i < hidden; ++i) {
      const double exact = input.at(first + i) + residual.at(first + i);
      ASSERT_NEAR(sum.at(first + i), exact, kRounding * std::abs(exact));
      squares += sum.at(first + i) * sum.at(first + i);
    }
    const double scale = 1 / std::sqrt(squares / hidden + 1e-5);
    for (int i = 0; i < hidden; ++i) {
      const double exact = sum.at(first + i) * scale * weight.at(i);
      ASSERT_NEAR(output.at(first + i), exact, kRounding * std::abs(exact)) << row << " " << i;
    }
  }
}

TEST_P(Elementwise, SiluMulIsThatOfDoublePrecision) {
  const auto [order, rows, width] = GetParam();
  RandomSource random(8);
  AlignedBf16 gate_up(static_cast<std::size_t>(rows) * width * 2);
  AlignedBf16 output(static_cast<std::size_t>(rows) * width);
  gate_up.fill(random);
  HostExecutor executor(order);
  run_on_host(executor, SiluMulArgs{gate_up.input(), output.view(), rows, width});
  for (int row = 0; row < rows; ++row) {
    const std::size_t first = static_cast<std::size_t>(row) * width;
    for (int i = 0; i < width; ++i) {
      const double gate = gate_up.at(2 * first + i);
      const double exact = gate / (1 + std::exp(-gate)) * gate_up.at(2 * first + width + i);
      ASSERT_NEAR(output.at(first + i), exact, kRounding * std::abs(exact)) << row << " " << i;
    }
  }
}

TEST(RmsNorm, AWidthItCannotHoldIsRefused) {
  HostExecutor executor;
  RmsNormArgs args;
  args.rows = 1;
  args.hidden = 16392;
  EXPECT_THROW(run_on_host(executor, args), KernelFault);
  args.hidden = 12;
  EXPECT_THROW(run_on_host(executor, args), KernelFault);
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
