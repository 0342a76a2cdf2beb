#include "kernels/own/host_executor.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::kernels::own {
namespace {

using ::testing::HasSubstr;

std::string fault_of(const Launch& launch, const std::function<void(HostThread&)>& body,
                     ThreadOrder order = ThreadOrder::forward) {
  HostExecutor executor(order);
  try {
    executor.run(launch, body);
  } catch (const KernelFault& fault) {
    return fault.what();
  }
  return "no fault";
}

class InEachOrder : public ::testing::TestWithParam<ThreadOrder> {};
INSTANTIATE_TEST_SUITE_P(Orders, InEachOrder,
                         ::testing::Values(ThreadOrder::forward, ThreadOrder::backward,
                                           ThreadOrder::shuffled));

TEST_P(InEachOrder, ABarrierMakesWritesVisible) {
  HostExecutor executor(GetParam());
  std::vector<int> out(3 * 64);
  const View<int> view{out.data(), 3 * 64};
  executor.run({3, 1, 1, 64, 256}, [&](HostThread& t) {
    auto shared = t.shared<int>(0, 64);
    shared.set(t.thread(), t.thread());
    t.sync();
    t.write(view, t.block_x() * 64 + t.thread(), shared.get(63 - t.thread()));
  });
  for (int i = 0; i < 3 * 64; ++i) EXPECT_EQ(out[i], 63 - i % 64);
}

TEST_P(InEachOrder, AButterflyOfShufflesSumsTheWarp) {
  HostExecutor executor(GetParam());
  std::vector<float> out(64);
  const View<float> view{out.data(), 64};
  executor.run({1, 1, 1, 64, 0}, [&](HostThread& t) {
    auto sum = static_cast<float>(t.thread());
    for (int mask = 16; mask > 0; mask /= 2) sum += t.shuffle_xor(sum, mask);
    t.write(view, t.thread(), sum);
  });
  EXPECT_EQ(out[5], 496);             // 0 + … + 31
  EXPECT_EQ(out[40], 496 + 32 * 32);  // 32 + … + 63
}

TEST_P(InEachOrder, ARaceIsFoundWhicheverThreadComesFirst) {
  const auto body = [](HostThread& t) {
    auto shared = t.shared<int>(0, 32);
    shared.set(t.thread(), 1);
    t.sync();
    shared.set(t.thread(), shared.get((t.thread() + 1) % 32));  // no barrier between
  };
  EXPECT_THAT(fault_of({1, 1, 1, 32, 128}, body, GetParam()), HasSubstr("race"));
}

TEST(HostExecutor, AMissingBarrierIsFound) {
  const auto body = [](HostThread& t) {
    if (t.thread() != 0) t.sync();
  };
  EXPECT_THAT(fault_of({1, 1, 1, 64, 0}, body), HasSubstr("1 have ended, 63 wait at a barrier"));
}

TEST(HostExecutor, WorksAgainAfterAFault) {
  HostExecutor executor;
  EXPECT_THROW(executor.run({1, 1, 1, 32, 0},
                            [](HostThread& t) {
                              if (t.thread() < 4) t.sync();
                            }),
               KernelFault);
  int runs = 0;
  executor.run({1, 1, 1, 32, 0}, [&](HostThread& t) {
    t.sync();
    ++runs;
  });
  EXPECT_EQ(runs, 32);
}

TEST(HostExecutor, AccessOutsideGlobalMemoryNamesBlockThreadAndElement) {
  std::vector<int> data(31);
  const View<int> view{data.data(), 31};
  EXPECT_THAT(fault_of({1, 1, 1, 32, 0}, [&](HostThread& t) { t.write(view, t.thread(), 1); }),
              HasSubstr("block (0, 0, 0), thread 31: global memory: elements 31 to 31 of 31"));
}

TEST(HostExecutor, SharedMemoryNobodyWroteIsNotRead) {
  EXPECT_THAT(fault_of({1, 1, 1, 32, 128},
                       [](HostThread& t) { (void)t.shared<int>(0, 32).get(t.thread()); }),
              HasSubstr("nobody wrote"));
}

TEST(HostExecutor, SharedArraysStayWithinTheLaunch) {
  EXPECT_THAT(fault_of({1, 1, 1, 32, 128}, [](HostThread& t) { (void)t.shared<int>(0, 33); }),
              HasSubstr("to byte 132 of the launch's 128"));
}

TEST(HostExecutor, AnAsynchronousCopyLandsOnlyWhenWaitedFor) {
  std::vector<int> data(128, 7);
  const View<const int> view{data.data(), 128};
  const auto copy = [&](HostThread& t, bool wait) {
    auto shared = t.shared<int>(0, 128);
    shared.set16(t.thread() * 4, Word16{{1, 1, 1, 1}});
    t.copy_async16(shared, t.thread() * 4, view, t.thread() * 4, true);
    t.commit_async();
    if (wait) t.wait_async<0>();
    return shared.get(t.thread() * 4);
  };
  HostExecutor executor;
  int early = 0;
  int late = 0;
  executor.run({1, 1, 1, 32, 512}, [&](HostThread& t) { early += copy(t, false); });
  executor.run({1, 1, 1, 32, 512}, [&](HostThread& t) { late += copy(t, true); });
  EXPECT_EQ(early, 32);
  EXPECT_EQ(late, 32 * 7);
}

// A[i][k] = 1 where k == (i + 1) % 16, so row i of A x B is row (i + 1) % 16 of B; PTX ISA,
// fragments of mma.m16n8k16. B[k][n] = 8 k + n, exact in bf16 to 127.
TEST_P(InEachOrder, MmaMultipliesByItsFragments) {
  HostExecutor executor(GetParam());
  float product[16][8] = {};
  executor.run({1, 1, 1, 32, 0}, [&](HostThread& t) {
    const int group = t.lane() / 4;
    const int pair = 2 * (t.lane() % 4);
    const auto a = [](int i, int k) { return k == (i + 1) % 16 ? 1.0F : 0.0F; };
    const auto b = [](int k, int n) { return static_cast<float>(8 * k + n); };
    const std::uint32_t left[4] = {pack_bf16(a(group, pair), a(group, pair + 1)),
                                   pack_bf16(a(group + 8, pair), a(group + 8, pair + 1)),
                                   pack_bf16(a(group, pair + 8), a(group, pair + 9)),
                                   pack_bf16(a(group + 8, pair + 8), a(group + 8, pair + 9))};
    float c[4] = {0.5F, 0.5F, 0.5F, 0.5F};
    t.mma(c, left, pack_bf16(b(pair, group), b(pair + 1, group)),
          pack_bf16(b(pair + 8, group), b(pair + 9, group)));
    product[group][pair] = c[0];
    product[group][pair + 1] = c[1];
    product[group + 8][pair] = c[2];
    product[group + 8][pair + 1] = c[3];
  });
  for (int i = 0; i < 16; ++i) {
    for (int n = 0; n < 8; ++n) {
      EXPECT_EQ(product[i][n], static_cast<float>(8 * ((i + 1) % 16) + n) + 0.5F) << i << " " << n;
    }
  }
}

}  // namespace
}  // namespace rackwright::kernels::own
