#include "kernels/collectives/collective_bench.hpp"

#include <functional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/launch/shared_ranks.hpp"

namespace rackwright::kernels {
namespace {

void on_ranks(int ranks, const std::function<void(launch::Communicator&)>& body) {
  launch::SharedMemory memory(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&memory, &body, rank] { body(*launch::shared_rank(memory, rank)); });
  }
  for (auto& thread : threads) thread.join();
}

CollectiveSweep quick() {
  CollectiveSweep sweep;
  sweep.repeats = 2;
  sweep.warm_up = 1;
  return sweep;
}

class EveryOp : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ops, EveryOp, ::testing::Range(0, kCollectiveOps), [](const auto& op) {
  return std::string(to_string(static_cast<CollectiveOp>(op.param)));
});

TEST_P(EveryOp, IsRightOnEveryNumberOfRanks) {
  const auto op = static_cast<CollectiveOp>(GetParam());
  for (const int n : {2, 3, 4}) {
    on_ranks(n, [&](launch::Communicator& ranks) {
      const auto collectives = host_collectives(ranks);
      for (const std::size_t bytes : {64UL, 1000UL, 1UL << 20}) {
        const auto row = bench_collective(*collectives, ranks, op, bytes, quick());
        ASSERT_TRUE(row);
        EXPECT_EQ(row->out_of_place.wrong, 0U) << n << " ranks, " << bytes << " bytes";
        EXPECT_GT(row->out_of_place.seconds, 0);
        EXPECT_DOUBLE_EQ(row->out_of_place.algorithm_bytes_per_s * row->out_of_place.seconds,
                         static_cast<double>(row->counts.bytes));
        ASSERT_EQ(row->in_place.has_value(), has_in_place(op));
        if (row->in_place) {
          EXPECT_EQ(row->in_place->wrong, 0U) << n << " ranks, in place";
        }
      }
    });
  }
}

/// Spoils one element of the result on rank 1.
class Faulty final : public Collectives {
 public:
  explicit Faulty(launch::Communicator& ranks) : ranks_(ranks), inner_(host_collectives(ranks)) {}
  [[nodiscard]] std::string name() const override { return "faulty"; }
  [[nodiscard]] std::string device() const override { return ""; }
  void prepare(const CollectiveCall& call) override { inner_->prepare(call); }
  double time(const CollectiveCall& call, int repeats) override {
    return inner_->time(call, repeats);
  }
  [[nodiscard]] std::vector<float> result(const CollectiveCall& call) override {
    auto values = inner_->result(call);
    if (ranks_.rank() == 1) values[2] += 1;
    return values;
  }

 private:
  launch::Communicator& ranks_;
  std::unique_ptr<Collectives> inner_;
};

TEST(Check, CountsWrongElementsOfAnyRankOnAllOfThem) {
  on_ranks(3, [](launch::Communicator& ranks) {
    Faulty collectives(ranks);
    const auto row = bench_collective(collectives, ranks, CollectiveOp::all_reduce, 256, quick());
    ASSERT_TRUE(row);
    EXPECT_EQ(row->out_of_place.wrong, 1U);
  });
}

// Ranks that were told different sweeps do what rank 0 does, and do not lock up.
TEST(Sweep, IsThatOfRankZero) {
  on_ranks(2, [](launch::Communicator& ranks) {
    const auto collectives = host_collectives(ranks);
    CollectiveSweep sweep = quick();
    sweep.repeats = 1 + 3 * ranks.rank();
    sweep.check = ranks.rank() == 0;
    const std::size_t bytes = ranks.rank() == 0 ? 512 : 8;
    const auto row = bench_collective(*collectives, ranks, CollectiveOp::all_gather, bytes, sweep);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->counts.bytes, 512U);
    EXPECT_EQ(row->out_of_place.wrong, 0U);
  });
}

TEST(Sweep, SizesGrowByTheFactorUpToTheLast) {
  CollectiveSweep sweep;
  sweep.from = 8;
  sweep.to = 100;
  EXPECT_THAT(sweep_sizes(sweep), ::testing::ElementsAre(8, 16, 32, 64));
  sweep.factor = 1;
  EXPECT_THROW((void)sweep_sizes(sweep), std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::kernels
