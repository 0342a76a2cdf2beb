#include "common/launch/communicator.hpp"

#include <cstring>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "common/launch/shared_ranks.hpp"

namespace rackwright::launch {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

/// Runs `body` on every rank, each on a thread of its own.
void on_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  SharedMemory memory(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&memory, &body, rank] {
      const auto comm = shared_rank(memory, rank);
      body(*comm);
    });
  }
  for (auto& thread : threads) thread.join();
}

template <class T>
std::span<const std::byte> bytes(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}
template <class T>
std::span<std::byte> room(std::vector<T>& values) {
  return std::as_writable_bytes(std::span<T>(values));
}

class Ranks : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Ranks, ::testing::Values(1, 2, 3, 4, 7));

TEST_P(Ranks, AllReduceAddsWhatEveryRankBrings) {
  const int n = GetParam();
  for (const std::size_t length : {1u, 5u, 300'000u}) {
    on_ranks(n, [&](Communicator& comm) {
      std::vector<float> values(length);
      for (std::size_t i = 0; i < length; ++i) {
        values[i] = static_cast<float>(comm.rank() + 1) + static_cast<float>(i % 7);
      }
      comm.all_reduce(values, Reduction::sum);
      for (std::size_t i = 0; i < length; i += 97) {  // 1 + … + n, and n times the rest
        const double expected = n * (n + 1) / 2.0 + n * static_cast<double>(i % 7);
        ASSERT_EQ(values[i], expected) << n << " ranks, element " << i;
      }
    });
  }
}

TEST_P(Ranks, TheLargestOfAllReachesEveryRank) {
  on_ranks(GetParam(), [&](Communicator& comm) {
    std::vector<float> values{static_cast<float>(comm.rank()), -1.0F};
    comm.all_reduce(values, Reduction::max);
    EXPECT_THAT(values, ElementsAre(static_cast<float>(GetParam() - 1), -1.0F));
    EXPECT_EQ(comm.max_of(-comm.rank()), 0);
    EXPECT_EQ(comm.decided(10 + comm.rank()), 10);
  });
}

TEST_P(Ranks, AllGatherKeepsTheOrderOfRanks) {
  on_ranks(GetParam(), [&](Communicator& comm) {
    const std::vector<int> part{10 * comm.rank(), 10 * comm.rank() + 1};
    std::vector<int> all(2 * static_cast<std::size_t>(comm.size()), -1);
    comm.all_gather(bytes(part), room(all));
    for (int r = 0; r < comm.size(); ++r) {
      EXPECT_EQ(all[2 * static_cast<std::size_t>(r)], 10 * r);
      EXPECT_EQ(all[2 * static_cast<std::size_t>(r) + 1], 10 * r + 1);
    }
  });
}

TEST_P(Ranks, ReduceScatterLeavesEachItsPieceOfTheSum) {
  const int n = GetParam();
  on_ranks(n, [&](Communicator& comm) {
    std::vector<float> all(3 * static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = static_cast<float>(100 * comm.rank()) + static_cast<float>(i);
    }
    std::vector<float> part(3);
    comm.reduce_scatter(all, part);
    const float ranks = 100.0F * static_cast<float>(n * (n - 1) / 2);
    const auto at = static_cast<float>(3 * comm.rank());
    const auto times = static_cast<float>(n);
    EXPECT_THAT(part, ElementsAre(ranks + times * at, ranks + times * (at + 1),
                                  ranks + times * (at + 2)));
  });
}

TEST_P(Ranks, BroadcastIsWhatAnyRootHas) {
  for (int root = 0; root < GetParam(); ++root) {
    on_ranks(GetParam(), [&](Communicator& comm) {
      std::vector<int> values(200'000, comm.rank());
      comm.broadcast(room(values), root);
      EXPECT_THAT(values, Each(root));
    });
  }
}

// Rank r sends r x (p + 1) numbers to rank p: rank 0 sends nothing at all.
TEST_P(Ranks, UnevenExchangeBringsEveryPieceToItsPlace) {
  on_ranks(GetParam(), [&](Communicator& comm) {
    std::vector<int> out;
    std::vector<std::size_t> sent, taken;
    std::size_t total = 0;
    for (int peer = 0; peer < comm.size(); ++peer) {
      const int gives = comm.rank() * (peer + 1);
      out.insert(out.end(), static_cast<std::size_t>(gives), 1000 * comm.rank() + peer);
      sent.push_back(sizeof(int) * static_cast<std::size_t>(gives));
      taken.push_back(sizeof(int) * static_cast<std::size_t>(peer * (comm.rank() + 1)));
      total += taken.back() / sizeof(int);
    }
    std::vector<int> in(total, -1);
    comm.all_to_all(bytes(out), sent, room(in), taken);
    std::size_t at = 0;
    for (int peer = 0; peer < comm.size(); ++peer) {
      for (int k = 0; k < peer * (comm.rank() + 1); ++k) {
        ASSERT_EQ(in[at++], 1000 * peer + comm.rank());
      }
    }
  });
}

// A message many times the ring that carries it, in both directions at once, does not lock up.
TEST(Transfer, LargeMessagesPassEachOther) {
  on_ranks(2, [](Communicator& comm) {
    std::vector<int> out(3'000'000, comm.rank()), in(out.size(), -1);
    const Outgoing outgoing{1 - comm.rank(), bytes(out)};
    const Incoming incoming{1 - comm.rank(), room(in)};
    comm.transfer({&outgoing, 1}, {&incoming, 1});
    EXPECT_THAT(in, Each(1 - comm.rank()));
  });
}

TEST(Transfer, MessagesOfAPairKeepTheirOrder) {
  on_ranks(2, [](Communicator& comm) {
    std::vector<int> first(400'000, 1), second(7, 2);
    if (comm.rank() == 0) {
      const std::vector<Outgoing> out{{1, bytes(first)}, {1, bytes(second)}};
      comm.transfer(out, {});
    } else {
      std::vector<int> a(first.size()), b(second.size());
      const std::vector<Incoming> in{{0, room(a)}, {0, room(b)}};
      comm.transfer({}, in);
      EXPECT_THAT(a, Each(1));
      EXPECT_THAT(b, Each(2));
    }
  });
}

TEST(Split, GroupsOfAColourWorkByThemselves) {
  on_ranks(6, [](Communicator& comm) {
    const auto group = comm.split(comm.rank() % 2);
    ASSERT_EQ(group->size(), 3);
    EXPECT_EQ(group->rank(), comm.rank() / 2);
    std::vector<float> values{static_cast<float>(comm.rank())};
    group->all_reduce(values, Reduction::sum);
    EXPECT_EQ(values[0], comm.rank() % 2 == 0 ? 0 + 2 + 4 : 1 + 3 + 5);
    const auto alone = group->split(group->rank());
    EXPECT_EQ(alone->size(), 1);
  });
}

TEST(Texts, AreGatheredOnEveryRank) {
  on_ranks(3, [](Communicator& comm) {
    EXPECT_THAT(comm.gather_texts(std::string(static_cast<std::size_t>(comm.rank()), 'x')),
                ElementsAre("", "x", "xx"));
  });
}

TEST(GivingUp, EndsTheWaitForARankThatDied) {
  SharedMemory memory(2);
  std::thread survivor([&] {
    const auto comm = shared_rank(memory, 0);
    EXPECT_THROW(comm->barrier(), Interrupted);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  memory.give_up();
  survivor.join();
}

}  // namespace
}  // namespace rackwright::launch
