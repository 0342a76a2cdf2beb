#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
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

/// The memory of all ranks in one process, as peer memory is on a node; a thread for each rank.
template <class T>
struct Ranks {
  explicit Ranks(int count, std::size_t values)
      : leave(1, 0), words((values * sizeof(T) + 15) / 16 * 16 / sizeof(T)) {
    for (int rank = 0; rank < count; ++rank) {
      inputs.emplace_back(words);
      outputs.emplace_back(values);
      sums.emplace_back((words / static_cast<std::size_t>(count) + 8) / 8 * 8 + 8);
      flags.emplace_back(kPeerFlags, 0U);
      calls.emplace_back(kPeerBlocks, 0U);
    }
  }
  [[nodiscard]] int count() const { return static_cast<int>(inputs.size()); }

  [[nodiscard]] PeerReduceArgs<T> args(int rank, int values, bool two_shot = false) {
    PeerReduceArgs<T> args;
    for (std::size_t peer = 0; peer < inputs.size(); ++peer) {
      args.input[peer] = inputs[peer].input();
      args.sums[peer] = sums[peer].view();
      args.flags[peer] = flags[peer].view();
    }
    const auto own = static_cast<std::size_t>(rank);
    args.calls = calls[own].view();
    args.leave = leave.view();
    args.output = outputs[own].view();
    args.ranks = count(), args.rank = rank, args.values = values;
    args.two_shot = two_shot ? 1 : 0;
    return args;
  }
  /// Every rank takes blocks in the same order. A fault lets the others go.
  void on_each(const std::function<void(int rank, HostExecutor&)>& body,
               ThreadOrder order = ThreadOrder::forward) {
    std::vector<std::thread> threads;
    for (int rank = 0; rank < count(); ++rank) {
      threads.emplace_back([&, rank] {
        HostExecutor executor(order);
        try {
          body(rank, executor);
        } catch (const std::exception& fault) {
          ADD_FAILURE() << "rank " << rank << ": " << fault.what();
          let_go();
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  void let_go() { *static_cast<volatile int*>(leave.data()) = 1; }

  std::vector<Memory<T>> inputs, outputs, sums;
  std::vector<Memory<std::uint32_t>> flags, calls;
  Memory<int> leave;
  std::size_t words;
};

double number(Bf16 x) {
  return testing::value(x);
}
double number(float x) {
  return static_cast<double>(x);
}

struct Way {
  int ranks;
  bool two_shot;
};
class PeerAllReduce : public ::testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, PeerAllReduce,
                         ::testing::Values(Way{2, false}, Way{4, false}, Way{8, false},
                                           Way{2, true}, Way{3, true}, Way{8, true}),
                         [](const auto& way) {
                           return std::string(way.param.two_shot ? "two" : "one") + "_shot_" +
                                  std::to_string(way.param.ranks);
                         });

/// Every rank gets the same bits, within `rounding` of the sum, and of float sums of 8 terms:
/// 8 x 2^-24 of their magnitudes.
template <class T>
void expect_sums(Ranks<T>& ranks, int values, double rounding) {
  for (auto& output : ranks.outputs) {
    EXPECT_EQ(std::memcmp(output.data(), ranks.outputs[0].data(), output.size() * sizeof(T)), 0);
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(values); ++i) {
    double exact = 0, magnitude = 0;
    for (auto& input : ranks.inputs) {
      exact += number(input[i]);
      magnitude += std::abs(number(input[i]));
    }
    ASSERT_NEAR(number(ranks.outputs[0][i]), exact, rounding * std::abs(exact) + 5e-7 * magnitude);
  }
}

TEST_P(PeerAllReduce, EveryRankGetsTheSameBitsAndTheSumOfAll) {
  for (const int values : {8, 13, 2056, 8192}) {
    const auto [count, two_shot] = GetParam();
    Ranks<Bf16> ranks(count, static_cast<std::size_t>(values));
    RandomSource random(11);
    for (auto& input : ranks.inputs) input = random_bf16(ranks.words, random);
    ranks.on_each([&, two = two_shot](int rank, HostExecutor& executor) {
      run_on_host(executor, ranks.args(rank, values, two));
    });
    expect_sums(ranks, values, kRounding);
  }
}

TEST_P(PeerAllReduce, AddsFloats) {
  constexpr int kValues = 1027;
  const bool two = GetParam().two_shot;
  Ranks<float> ranks(GetParam().ranks, kValues);
  RandomSource random(12);
  for (auto& input : ranks.inputs) {
    for (std::size_t i = 0; i < kValues; ++i) {
      input[i] = static_cast<float>(2 * random.uniform() - 1);
    }
  }
  ranks.on_each(
      [&](int rank, HostExecutor& executor) {
        run_on_host(executor, ranks.args(rank, kValues, two));
      },
      ThreadOrder::backward);
  expect_sums(ranks, kValues, 1.2e-7);  // one rounding to float of the sum
}

// More than its blocks hold at once: 64 blocks x 256 threads x 4 floats = 65,536 values a pass, of
// half the vector in two steps.
TEST(PeerAllReducePasses, ThreadsTakeSeveralWords) {
  constexpr int kValues = 2 * 65536 + 1000;
  for (const bool two : {false, true}) {
    Ranks<float> ranks(2, kValues);
    for (std::size_t i = 0; i < kValues; ++i) {
      ranks.inputs[0][i] = static_cast<float>(i);
      ranks.inputs[1][i] = 1;
    }
    ranks.on_each([&](int rank, HostExecutor& executor) {
      run_on_host(executor, ranks.args(rank, kValues, two));
    });
    for (std::size_t i = 0; i < kValues; ++i) {
      ASSERT_EQ(ranks.outputs[1][i], static_cast<float>(i + 1));
    }
  }
}

// Ranks of different speed, each of which writes its vector anew as soon as its call is over: a
// call that let anyone go too early, or read too soon, would add a value of another call. Sizes
// change between calls, so blocks have counted different numbers of them.
TEST_P(PeerAllReduce, CallsInARowMixNothingUp) {
  constexpr int kCalls = 30;
  const int n = GetParam().ranks;
  const bool two = GetParam().two_shot;
  Ranks<float> ranks(n, 4096);
  std::vector<std::string> wrong(static_cast<std::size_t>(n));
  ranks.on_each([&](int rank, HostExecutor& executor) {
    const auto own = static_cast<std::size_t>(rank);
    for (int call = 1; call <= kCalls; ++call) {
      const int values = call % 3 == 0 ? 4096 : 8;
      if (call % n == rank) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      for (std::size_t i = 0; i < static_cast<std::size_t>(values); ++i) {
        ranks.inputs[own][i] = static_cast<float>(call * (rank + 1));
      }
      run_on_host(executor, ranks.args(rank, values, two));
      const auto sum = static_cast<float>(call * n * (n + 1) / 2);
      for (std::size_t i = 0; i < static_cast<std::size_t>(values); ++i) {
        if (ranks.outputs[own][i] != sum) wrong[own] = "call " + std::to_string(call);
      }
    }
  });
  for (const auto& text : wrong) EXPECT_EQ(text, "");
}

TEST(PeerAllReduceLeave, AWaitingRankEndsWhenItsHostSaysSo) {
  Ranks<float> ranks(2, 64);
  std::thread waits([&] {
    HostExecutor executor;
    run_on_host(executor, ranks.args(0, 64));  // rank 1 never comes
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ranks.let_go();
  waits.join();
}

TEST(PeerAllReduceShapes, RefusesWhatItDoesNotHold) {
  HostExecutor executor;
  Ranks<float> ranks(2, 8);
  auto args = ranks.args(0, 8);
  args.ranks = 9;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
  args = ranks.args(0, 0);
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
  args = ranks.args(0, 8);
  args.rank = 2;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
}

}  // namespace
}  // namespace rackwright::kernels::own
