#include "kernels/bench/bounds.hpp"

#include <gtest/gtest.h>

#include "tests/kernels/bench/scripted_device.hpp"

namespace rackwright::kernels {
namespace {

using workloads::DataType;

BenchResult result_of(const char* name, double flops, double bytes, double seconds) {
  BenchResult result;
  result.name = name;
  result.work.flops = flops;
  result.work.memory_bytes = bytes;
  result.samples = {{seconds, 0}};
  result.summary = summarise({seconds});
  return result;
}

TEST(Bounds, AreACopyAndAGemmOfEachType) {
  const testing::ScriptedDevice device;
  const auto cases = bound_cases({testing::gemm_case(1), testing::gemm_case(2)}, device);
  ASSERT_EQ(cases.size(), 2U);
  EXPECT_EQ(cases[1].name, "bound/gemm/bf16/n:8192");
}

TEST(Bounds, ShareIsTheLongerOfBothBoundsOverTheTime) {
  const MeasuredBounds bounds = bounds_of(
      {result_of("bound/copy/x", 0, 2e9, 1e-3), result_of("bound/gemm/bf16", 1e12, 1e8, 2e-3)});
  EXPECT_DOUBLE_EQ(bounds.bytes_per_s, 2e12);
  EXPECT_DOUBLE_EQ(bounds.flop_per_s.at(DataType::bf16), 5e14);
  // 1 GB takes 0.5 ms by memory and 1e10 FLOP 0.02 ms by products.
  const auto memory = share_of_bound(result_of("decode", 1e10, 1e9, 1e-3), bounds);
  EXPECT_DOUBLE_EQ(memory.share, 0.5);
  EXPECT_EQ(memory.bound, "copy");
  const auto products = share_of_bound(result_of("prefill", 1e12, 1e8, 4e-3), bounds);
  EXPECT_DOUBLE_EQ(products.share, 0.5);
  EXPECT_EQ(products.bound, "GEMM");
}

TEST(Bounds, WithoutBoundsThereIsNoShare) {
  EXPECT_EQ(share_of_bound(result_of("a", 1, 1, 1), {}).share, 0);
  EXPECT_EQ(share_of_bound(BenchResult{}, {}).share, 0);
}

}  // namespace
}  // namespace rackwright::kernels
