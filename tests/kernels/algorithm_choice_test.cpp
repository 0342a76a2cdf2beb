#include "kernels/cuda/algorithm_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/product_padding.hpp"
#include "kernels/cuda/scale_layout.hpp"
#include "tests/kernels/stand_in_cuda.hpp"

namespace rackwright::kernels::cuda {
namespace {

using ::testing::HasSubstr;
using testing::StandInCuda;

/// Takes `ms`, or fails with `code`.
Candidate candidate(StandInCuda& cuda, const std::string& name, double ms, int code = 0) {
  return {name, [&cuda, ms, code](void*) {
            cuda.work(ms);
            return code;
          }};
}

TEST(AlgorithmChoice, TheQuickestIsTakenAndNamed) {
  StandInCuda cuda;
  const Prepared chosen = choose_quickest(
      cuda, "product",
      {candidate(cuda, "slow", 3), candidate(cuda, "quick", 1), candidate(cuda, "broken", 0, 1)},
      {"no cuDNN"});
  EXPECT_EQ(chosen.choice, "quick; quickest of 2 that work of 3, 1 ms, cold cache; no cuDNN");
  const double before = cuda.clock;
  EXPECT_EQ(chosen.run(nullptr), 0);
  EXPECT_EQ(cuda.clock - before, 1);
  EXPECT_TRUE(cuda.open.empty());
}

// The first run of a kernel loads it.
TEST(AlgorithmChoice, TheFirstRunIsNotTimed) {
  StandInCuda cuda;
  int runs = 0;
  Candidate loads{"loads", [&](void*) {
                    cuda.work(runs++ == 0 ? 100 : 1);
                    return 0;
                  }};
  EXPECT_THAT(choose_quickest(cuda, "product", {candidate(cuda, "even", 2), loads}, {}).choice,
              HasSubstr("loads; quickest of 2"));
}

TEST(AlgorithmChoice, WhereNothingRunsTheReasonsAreGiven) {
  StandInCuda cuda;
  try {
    (void)choose_quickest(cuda, "decode", {candidate(cuda, "broken", 0, 1)}, {"no cuDNN: absent"});
    FAIL();
  } catch (const CudaError& error) {
    EXPECT_EQ(error.code(), 801);
    EXPECT_FALSE(error.lost());
    EXPECT_THAT(error.what(),
                HasSubstr("decode: nothing that can run it on this device; no cuDNN"));
  }
  EXPECT_TRUE(cuda.open.empty());
}

TEST(AlgorithmChoice, ACandidateThatSpoilsTheContextEndsTheSearch) {
  StandInCuda cuda;
  int later = 0;
  Candidate next{"next", [&](void*) { return ++later, 0; }};
  try {
    (void)choose_quickest(cuda, "product", {candidate(cuda, "faulty", 0, 700), next}, {});
    FAIL();
  } catch (const CudaError& error) {
    EXPECT_TRUE(error.lost());
    EXPECT_THAT(error.what(), HasSubstr("faulty"));
  }
  EXPECT_EQ(later, 0);
}

TEST(ProductChoice, FallsBackToTheNextScaleModeAndSaysSo) {
  StandInCuda cuda;
  std::vector<ScaleMode> asked;
  const auto candidates = [&](ScaleMode mode) {
    asked.push_back(mode);
    std::vector<Candidate> out;
    if (mode == ScaleMode::outer_vector) out.push_back(candidate(cuda, "fails", 1, 1));
    if (mode == ScaleMode::tensor) out.push_back(candidate(cuda, "works", 1));
    return out;
  };
  const Prepared chosen = choose_product(
      cuda, "product", {ScaleMode::blocks, ScaleMode::outer_vector, ScaleMode::tensor}, candidates);
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_THAT(chosen.choice, HasSubstr("works; "));
  EXPECT_THAT(chosen.choice, HasSubstr("BLK128x128_32F): no algorithm"));
  EXPECT_THAT(chosen.choice, HasSubstr("OUTER_VEC_32F): no algorithm runs"));
}

TEST(ProductChoice, WithoutAnyModeTheProductIsRefused) {
  StandInCuda cuda;
  try {
    (void)choose_product(cuda, "product of m = 8", {ScaleMode::nv16},
                         [](ScaleMode) { return std::vector<Candidate>{}; });
    FAIL();
  } catch (const CudaError& error) {
    EXPECT_EQ(error.code(), 801);
    EXPECT_THAT(error.what(), HasSubstr("product of m = 8: cuBLASLt has none on this device"));
    EXPECT_THAT(error.what(), HasSubstr("VEC16_UE4M3"));
  }
}

// gpt-oss at TP 8: experts of 2880 / 8 = 360, which groups of 32 do not divide.
TEST(ProductPadding, RoundsUpToWhatTheTypeAsks) {
  EXPECT_EQ(padded_sizes(RACKWRIGHT_CUDA_MXFP4, 720, 360).k, 384);
  EXPECT_EQ(padded_sizes(RACKWRIGHT_CUDA_MXFP4, 720, 360).n, 720);
  EXPECT_EQ(padded_sizes(RACKWRIGHT_CUDA_FP8_BLOCK, 576, 200).k, 256);
  EXPECT_EQ(padded_sizes(RACKWRIGHT_CUDA_BF16, 7, 5).k, 5);
  EXPECT_EQ(padding_text(RACKWRIGHT_CUDA_FP8, 64, 64), "");
  EXPECT_EQ(padding_text(RACKWRIGHT_CUDA_MXFP4, 720, 360), "; padded from n = 720, k = 360");
}

// cuBLAS library guide, layout of 1D block scales: in a tile of 128 x 4, element (row, column) is
// at (row % 32) * 16 + (row / 32) * 4 + column; the next four columns are the next 512 bytes.
TEST(ScaleLayout, IsThatOfTheTensorCores) {
  constexpr int kColumns = scale_columns(256, 16);  // 16 scales: four tiles a row of tiles
  EXPECT_EQ(kColumns, 16);
  EXPECT_EQ(scale_place(0, 0, kColumns), 0U);
  EXPECT_EQ(scale_place(1, 0, kColumns), 16U);
  EXPECT_EQ(scale_place(32, 0, kColumns), 4U);
  EXPECT_EQ(scale_place(127, 3, kColumns), 31 * 16 + 3 * 4 + 3U);
  EXPECT_EQ(scale_place(0, 4, kColumns), 512U);
  EXPECT_EQ(scale_place(128, 0, kColumns), 4 * 512U);
  EXPECT_EQ(scale_bytes(129, 256, 16), 2 * 4 * 512U);
  EXPECT_EQ(scale_bytes(1, 33, 32), 512U);  // two scales, rounded up to a tile
}

TEST(ScaleLayout, EveryScaleHasAPlaceOfItsOwn) {
  constexpr int kRows = 200, kColumns = scale_columns(1000, 32);
  std::vector<int> taken(scale_bytes(kRows, 1000, 32));
  for (int row = 0; row < kRows; ++row) {
    for (int i = 0; i < kColumns; ++i) EXPECT_EQ(taken.at(scale_place(row, i, kColumns))++, 0);
  }
}

}  // namespace
}  // namespace rackwright::kernels::cuda
