#include <cmath>
#include <cstring>
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

class OneShot : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, OneShot, ::testing::Values(2, 4, 8));

// Buffers of all ranks in one process, as peer memory is on a node.
TEST_P(OneShot, EveryRankGetsTheSameBitsAndTheSumOfAll) {
  const int ranks = GetParam();
  for (const int values : {8, 2056, 8192}) {
    RandomSource random(11);
    std::vector<Memory<Bf16>> inputs, outputs;
    for (int rank = 0; rank < ranks; ++rank) {
      inputs.push_back(random_bf16(static_cast<std::size_t>(values), random));
      outputs.emplace_back(static_cast<std::size_t>(values));
    }
    OneShotArgs args;
    args.ranks = ranks;
    args.values = values;
    for (int rank = 0; rank < ranks; ++rank) args.input[rank] = inputs[rank].input();
    for (int rank = 0; rank < ranks; ++rank) {
      args.output = outputs[rank].view();
      HostExecutor executor(rank % 2 == 0 ? ThreadOrder::forward : ThreadOrder::shuffled);
      run_on_host(executor, args);
      EXPECT_EQ(std::memcmp(outputs[rank].data(), outputs[0].data(), outputs[0].size() * 2), 0);
    }
    for (int i = 0; i < values; ++i) {
      double exact = 0, magnitude = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        exact += value(inputs[rank][i]);
        magnitude += std::abs(value(inputs[rank][i]));
      }
      // bf16 rounding of the sum, and float sums of 8 terms: 8 x 2^-24 of their magnitudes.
      ASSERT_NEAR(value(outputs[0][i]), exact, kRounding * std::abs(exact) + 5e-7 * magnitude);
    }
  }
}

TEST(OneShotShapes, RefusesWhatItDoesNotHold) {
  HostExecutor executor(ThreadOrder::forward);
  OneShotArgs args;
  args.ranks = 9;
  args.values = 8;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
  args.ranks = 2;
  args.values = 12;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
}

}  // namespace
}  // namespace rackwright::kernels::own
