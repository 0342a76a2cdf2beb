#include "kernels/host/host_operator.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "kernels/host/host_attention.hpp"
#include "kernels/host/parallel.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;

TEST(HostParallel, GatherSiluAndScaleAreWhatTheirNamesSay) {
  const HostBuffer rows{1, 2, 3, 4, -1, 0.5, 2, 8};
  HostBuffer gathered(4);
  gather_rows(rows, 4, {1}, gathered);
  EXPECT_EQ(gathered, (HostBuffer{-1, 0.5, 2, 8}));
  HostBuffer activated(2);
  silu_mul(gathered, 2, activated);  // [gate | up] = [-1, 0.5 | 2, 8]
  EXPECT_NEAR(activated[0], -1 / (1 + std::exp(1.0)) * 2, 1e-6);
  EXPECT_NEAR(activated[1], 0.5 / (1 + std::exp(-0.5)) * 8, 1e-6);
  HostBuffer doubled(10);
  scale_into(rows, 2, doubled);
  EXPECT_EQ(doubled[9], 4);  // wraps round: row 1 of 8
  EXPECT_EQ(sum_of(rows), 19.5);
}

TEST(HostParallel, RandomDataAreUniformAndRepeatable) {
  const HostBuffer a = random_buffer(100000, 5);
  EXPECT_EQ(a, random_buffer(100000, 5));
  EXPECT_NE(a, random_buffer(100000, 6));
  double square = 0;
  for (const float v : a) {
    EXPECT_GE(v, -0.5F);
    EXPECT_LT(v, 0.5F);
    square += static_cast<double>(v) * v;
  }
  EXPECT_NEAR(sum_of(a) / 100000, 0, 0.01);
  EXPECT_NEAR(square / 100000, 1.0 / 12, 0.002);  // variance of a uniform of width 1
}

/// softmax(q k^T / sqrt(d)) v in double precision, row r seeing [from, to).
double reference(const HostBuffer& q, const HostBuffer& k, const HostBuffer& v, std::size_t row,
                 std::size_t d, std::size_t dv, std::size_t from, std::size_t to,
                 std::size_t column) {
  double denominator = 0, sum = 0;
  for (std::size_t key = from; key < to; ++key) {
    double dot = 0;
    for (std::size_t i = 0; i < d; ++i) dot += double{q[row * d + i]} * k[key * d + i];
    const double weight = std::exp(dot / std::sqrt(static_cast<double>(d)));
    denominator += weight;
    sum += weight * v[key * dv + column];
  }
  return sum / denominator;
}

TEST(HostAttention, AgreesWithDoublePrecisionWithMaskAndWindow) {
  constexpr std::size_t kQueries = 5, kGroup = 3, kKeys = 20, kDim = 16, kValue = 8;
  const HostBuffer q = random_buffer(kQueries * kGroup * kDim, 1);
  const HostBuffer k = random_buffer(kKeys * kDim, 2);
  const HostBuffer v = random_buffer(kKeys * kValue, 3);
  for (const std::size_t window : {std::size_t{0}, std::size_t{6}}) {
    HostBuffer out(kQueries * kGroup * kValue), scores(kQueries * kGroup * kKeys);
    AttentionBlock block;
    block.q = q.data();
    block.k = k.data();
    block.v = v.data();
    block.out = out.data();
    block.scores = scores.data();
    block.rows = kQueries * kGroup;
    block.keys = kKeys;
    block.qk_dim = block.k_stride = kDim;
    block.v_dim = block.v_stride = kValue;
    block.queries = kQueries;
    block.first_visible = kKeys - kQueries + 1;
    block.window = window;
    attend(block);
    for (std::size_t row = 0; row < block.rows; ++row) {
      const std::size_t to = block.first_visible + row % kQueries;
      const std::size_t from = window > 0 ? to - window : 0;
      for (std::size_t c = 0; c < kValue; ++c) {
        EXPECT_NEAR(out[row * kValue + c], reference(q, k, v, row, kDim, kValue, from, to, c), 1e-5)
            << "row " << row << " column " << c << " window " << window;
      }
    }
  }
}

double checksum_of(const OperatorShape& shape) {
  const auto work = make_host_operator({"op", OperatorClass::gemm, Lane::compute, 1, shape}, 7);
  work->run();
  return work->checksum();
}

TEST(HostOperator, GemmIsTheSumOverColumnAndRowSums) {
  // The sum of all elements of A B is the dot product of A's column sums and B's row sums.
  constexpr std::size_t kM = 33, kN = 17, kK = 40;
  const HostBuffer a = random_buffer(kM * kK, 7), b = random_buffer(kK * kN, 8);
  double expected = 0;
  for (std::size_t i = 0; i < kK; ++i) {
    double column = 0, row = 0;
    for (std::size_t m = 0; m < kM; ++m) column += a[m * kK + i];
    for (std::size_t n = 0; n < kN; ++n) row += b[i * kN + n];
    expected += column * row;
  }
  EXPECT_NEAR(checksum_of(GemmShape{kM, kN, kK, DataType::bf16}), expected, 1e-3);
}

TEST(HostOperator, EveryShapeRunsAndChangesItsOutput) {
  AttentionShape prefill{true, 2, 200, 10100, 200, 8, 2, 64};
  AttentionShape decode{false, 3, 3, 900, 900, 8, 2, 64};
  LatentAttentionShape latent{false, 2, 2, 256, 256, 16, 512, 64, 128, 128};
  LatentAttentionShape latent_prefill{true, 1, 96, 4656, 96, 4, 512, 64, 128, 128};
  ExpertShape experts{32, 24, 6, 8, 16, 2, 64, 48};
  for (const OperatorShape& shape :
       {OperatorShape(prefill), OperatorShape(decode), OperatorShape(latent),
        OperatorShape(latent_prefill), OperatorShape(experts),
        OperatorShape(ElementwiseShape{4096, 2048, 0}),
        OperatorShape(CollectiveShape{CollectiveKind::all_reduce, 4, 65536})}) {
    const double sum = checksum_of(shape);
    EXPECT_TRUE(std::isfinite(sum)) << shape.index();
    EXPECT_NE(sum, 0) << shape.index();
    EXPECT_EQ(sum, checksum_of(shape)) << shape.index();  // same seed, same data
  }
}

TEST(HostOperator, TheEnginesOwnTimeIsNoWorkOfTheCores) {
  EXPECT_EQ(make_host_operator({"host", OperatorClass::host, Lane::compute, 1, HostShape{4}}, 1),
            nullptr);
}

}  // namespace
}  // namespace rackwright::kernels
