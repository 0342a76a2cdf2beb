#include <cmath>

#include <gtest/gtest.h>

#include "kernels/own/number_formats.hpp"
#include "kernels/own/on_host.hpp"
#include "kernels/own/shape_checks.hpp"
#include "tests/kernels/own/device_memory.hpp"

namespace rackwright::kernels::own {
namespace {

using testing::kRounding;
using testing::Memory;
using testing::random_bf16;
using testing::value;

struct MxCase {
  ThreadOrder order;
  int m, n, k;
};
class MxGemm : public ::testing::TestWithParam<MxCase> {};
INSTANTIATE_TEST_SUITE_P(Shapes, MxGemm,
                         ::testing::Values(MxCase{ThreadOrder::forward, 1, 64, 128},
                                           MxCase{ThreadOrder::backward, 16, 72, 160},
                                           MxCase{ThreadOrder::shuffled, 17, 40, 288},
                                           MxCase{ThreadOrder::shuffled, 70, 136, 96}));

// The weights are exact in bf16, so only the output is rounded; the float sums of at most 288
// products of up to 6 x 2 stay within 1e-3.
TEST_P(MxGemm, IsTheProductOfDoublePrecision) {
  const auto [order, m, n, k] = GetParam();
  RandomSource random(61);
  auto left = random_bf16(static_cast<std::size_t>(m) * k, random);
  Memory<std::uint32_t> weight(static_cast<std::size_t>(n) * k / 8);
  Memory<std::uint8_t> scale(static_cast<std::size_t>(n) * k / 32);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] = static_cast<std::uint32_t>(random.below(1ULL << 32));
  }
  for (std::size_t i = 0; i < scale.size(); ++i) {
    scale[i] = static_cast<std::uint8_t>(122 + random.below(7));  // 2^-5 to 2
  }
  Memory<Bf16> output(static_cast<std::size_t>(m) * n, Bf16{0x7fff});
  HostExecutor executor(order);
  run_on_host(executor,
              MxGemmArgs{left.input(), weight.input(), scale.input(), output.view(), m, n, k});
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double exact = 0;
      for (int x = 0; x < k; ++x) {
        const std::size_t at = static_cast<std::size_t>(j) * k + x;
        const double w = from_e2m1(weight[at / 8] >> (4 * (at % 8)) & 15U) *
                         std::ldexp(1.0, scale[at / 32] - 127);
        exact += value(left[static_cast<std::size_t>(i) * k + x]) * w;
      }
      ASSERT_NEAR(value(output[static_cast<std::size_t>(i) * n + j]), exact,
                  kRounding * std::abs(exact) + 1e-3)
          << i << " " << j;
    }
  }
}

// Three experts with 3, 0 and 20 rows: each part is the product that the kernel gives by itself,
// which the test above compares with double precision.
TEST(MxGemm, OfGroupsIsTheProductOfEachWithItsOwnWeights) {
  constexpr int kN = 72, kK = 160, kGroups = 3, kRows = 23;
  RandomSource random(62);
  auto left = random_bf16(kRows * kK, random);
  Memory<std::uint32_t> weight(kGroups * kN * kK / 8);
  Memory<std::uint8_t> scale(kGroups * kN * kK / 32);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] = static_cast<std::uint32_t>(random.below(1ULL << 32));
  }
  for (std::size_t i = 0; i < scale.size(); ++i) {
    scale[i] = static_cast<std::uint8_t>(124 + random.below(4));
  }
  Memory<std::int32_t> first_row(kGroups + 1);
  const int rows[] = {3, 0, 20};
  for (int g = 0; g < kGroups; ++g) first_row[g + 1] = first_row[g] + rows[g];
  Memory<Bf16> together(kRows * kN, Bf16{0x7fff}), apart(kRows * kN, Bf16{0x7fff});
  HostExecutor executor(ThreadOrder::shuffled);
  run_on_host(executor, MxGemmArgs{left.input(), weight.input(), scale.input(), together.view(), 20,
                                   kN, kK, kGroups, first_row.input()});
  for (int g = 0; g < kGroups; ++g) {
    if (rows[g] == 0) continue;
    const std::size_t row = static_cast<std::size_t>(first_row[g]);
    run_on_host(executor, MxGemmArgs{{left.data() + row * kK, rows[g] * kK},
                                     {weight.data() + g * kN * kK / 8, kN * kK / 8},
                                     {scale.data() + g * kN * kK / 32, kN * kK / 32},
                                     {apart.data() + row * kN, rows[g] * kN},
                                     rows[g],
                                     kN,
                                     kK});
  }
  for (std::size_t i = 0; i < together.size(); ++i) {
    ASSERT_EQ(together[i].bits, apart[i].bits) << i;
  }
}

// All 16 codes, two equal scales of 2: the E2M1 values (OCP MX 1.0) doubled.
TEST(MxGemm, WideningIsExactForEveryCode) {
  for (std::uint32_t code = 0; code < 16; ++code) {
    std::uint32_t first = 0, second = 0;
    widen_e2m1(code | code << 4 | code << 8 | code << 12, 0x40004000U, first, second);
    EXPECT_EQ(low_bf16(first), 2 * from_e2m1(code));
    EXPECT_EQ(high_bf16(first), 2 * from_e2m1(code));
    EXPECT_EQ(low_bf16(second), 2 * from_e2m1(code));
    EXPECT_EQ(high_bf16(second), 2 * from_e2m1(code));
  }
}

TEST(MxGemm, ShapesThatSplitABlockAreRefused) {
  HostExecutor executor;
  MxGemmArgs args;
  args.m = 1, args.n = 8, args.k = 48;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
}

}  // namespace
}  // namespace rackwright::kernels::own
