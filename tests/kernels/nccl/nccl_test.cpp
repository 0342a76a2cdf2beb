#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "common/launch/shared_ranks.hpp"
#include "kernels/collectives/collective_bench.hpp"
#include "kernels/nccl/nccl_collectives.hpp"
#include "tests/kernels/nccl/on_ranks.hpp"

namespace rackwright::kernels {
namespace {

using testing::FakeNccl;
using ::testing::HasSubstr;
using testing::Nccl;

CollectiveSweep once() {
  CollectiveSweep sweep;
  sweep.repeats = 2;
  sweep.warm_up = 1;
  return sweep;
}

class NcclOps : public Nccl, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Ops, NcclOps, ::testing::Range(0, kCollectiveOps), [](const auto& op) {
  return std::string(to_string(static_cast<CollectiveOp>(op.param)));
});

TEST_P(NcclOps, AreRightPlainInWindowsAndInGraphs) {
  const auto op = static_cast<CollectiveOp>(GetParam());
  for (const int n : {2, 3, 4}) {
    for (const bool special : {false, true}) {
      FakeNccl::script().graphs = 0;
      NcclOptions options;
      options.graph = special;
      options.buffers = special ? NcclBuffers::symmetric : NcclBuffers::plain;
      const auto failures = on_ranks(n, [&](launch::Communicator& ranks) {
        const auto nccl = nccl_collectives(FakeNccl::table(), ranks, "fake", options);
        const auto row = bench_collective(*nccl, ranks, op, 1000, once());
        ASSERT_TRUE(row);
        EXPECT_EQ(row->out_of_place.wrong, 0U) << n << " ranks, graph " << special;
        EXPECT_EQ(row->in_place.has_value(), has_in_place(op));
        if (row->in_place) {
          EXPECT_EQ(row->in_place->wrong, 0U) << n << " ranks, graph " << special;
        }
        EXPECT_DOUBLE_EQ(row->out_of_place.seconds, 1e-3 / 2);  // events 1 ms apart, two calls
      });
      for (const auto& failure : failures) EXPECT_EQ(failure, "");
      EXPECT_EQ(FakeNccl::script().graphs > 0, special);
    }
  }
  EXPECT_EQ(FakeNccl::script().aborts, 0);
  EXPECT_EQ(FakeNccl::script().open_windows, 0);  // all were closed before their memory went
}

// (n - 1) S over a link in one step: 2 x 1,000 bytes of 3 ranks.
TEST_F(Nccl, EngineBuffersReduceOverPeerMemory) {
  for (const bool graph : {false, true}) {
    FakeNccl::reset();
    NcclOptions options;
    options.graph = graph;
    options.buffers = NcclBuffers::engine;
    const auto failures = on_ranks(3, [&](launch::Communicator& ranks) {
      const auto own = nccl_collectives(FakeNccl::table(), ranks, "fake", options);
      EXPECT_THAT(own->name(), HasSubstr("own all-reduce over peer memory"));
      const auto row = bench_collective(*own, ranks, CollectiveOp::all_reduce, 1000, once());
      ASSERT_TRUE(row && row->in_place);
      EXPECT_EQ(row->out_of_place.wrong, 0U);
      EXPECT_EQ(row->in_place->wrong, 0U);
      EXPECT_EQ(row->wire_bytes, 2000);
    });
    for (const auto& failure : failures) EXPECT_EQ(failure, "");
    EXPECT_GT(FakeNccl::script().peer_calls, 0);
  }
}

TEST_F(Nccl, EngineBuffersNeedPeerMemory) {
  FakeNccl::script().bad_rank = 0;
  FakeNccl::script().no_peer_access = true;
  NcclOptions options;
  options.buffers = NcclBuffers::engine;
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    EXPECT_THROW((void)nccl_collectives(FakeNccl::table(), ranks, "fake", options),
                 BackendUnavailable);
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
}

TEST_F(Nccl, WithoutWindowsUsesPlainBuffersAndSaysWhy) {
  FakeNccl::script().windows = 0;
  NcclOptions options;
  options.buffers = NcclBuffers::symmetric;
  on_ranks(2, [&](launch::Communicator& ranks) {
    const auto nccl = nccl_collectives(FakeNccl::table(), ranks, "fake", options);
    EXPECT_EQ(nccl->name(), "NCCL 2.28.9, plain buffers: symmetric windows need NCCL 2.27");
    EXPECT_EQ(
        bench_collective(*nccl, ranks, CollectiveOp::all_reduce, 64, once())->out_of_place.wrong,
        0U);
  });
}

NcclOptions impatient() {
  NcclOptions options;
  options.limits = {0.3, 0.3};
  return options;
}

TEST_F(Nccl, ARankThatNeverComesMakesAllAbortWithinTheLimit) {
  auto& script = FakeNccl::script();
  script.bad_rank = 2;
  script.hangs_at_call = 1;
  const auto start = std::chrono::steady_clock::now();
  const auto failures = on_ranks(4, [&](launch::Communicator& ranks) {
    const auto nccl = nccl_collectives(FakeNccl::table(), ranks, "fake", impatient());
    (void)bench_collective(*nccl, ranks, CollectiveOp::all_reduce, 64, once());
  });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  int late = 0;
  for (std::size_t rank = 0; rank < failures.size(); ++rank) {
    EXPECT_THAT(failures[rank], HasSubstr("rank " + std::to_string(rank) + ": all_reduce: "));
    if (failures[rank].find("not done within 0.3 s") != std::string::npos) ++late;
  }
  EXPECT_GE(late, 1);  // the first; the others see its abort
  EXPECT_EQ(script.aborts, 4);
  EXPECT_EQ(script.destroys, 0);  // abort frees a communicator
}

TEST_F(Nccl, AnAsynchronousErrorOfOneRankAbortsAll) {
  auto& script = FakeNccl::script();
  script.bad_rank = 1;
  script.hangs_at_call = 1;
  script.fails_at_call = 1;
  const auto failures = on_ranks(3, [&](launch::Communicator& ranks) {
    const auto nccl = nccl_collectives(FakeNccl::table(), ranks, "fake", {});
    (void)bench_collective(*nccl, ranks, CollectiveOp::all_gather, 256, once());
  });
  EXPECT_THAT(failures[1], HasSubstr("rank 1: all_gather: made to fail"));
  EXPECT_THAT(failures[0], HasSubstr("rank 0: all_gather: a peer aborted"));
  EXPECT_THAT(failures[2], HasSubstr("rank 2: all_gather: a peer aborted"));
  EXPECT_EQ(script.aborts, 3);
}

TEST_F(Nccl, ACallThatFailsAbortsAll) {
  auto& script = FakeNccl::script();
  script.bad_rank = 0;
  script.enqueue_error_at_call = 0;
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    const auto nccl = nccl_collectives(FakeNccl::table(), ranks, "fake", impatient());
    (void)bench_collective(*nccl, ranks, CollectiveOp::send_recv, 64, once());
  });
  EXPECT_THAT(failures[0], HasSubstr("rank 0: send_recv: made to fail"));
  EXPECT_NE(failures[1], "");
  EXPECT_EQ(script.aborts, 2);
}

TEST_F(Nccl, InitHasATimeLimit) {
  FakeNccl::script().bad_rank = 1;
  FakeNccl::script().init_hangs = true;
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    const NcclComm comm(FakeNccl::table(), ranks, {0.2, 0.2});
  });
  EXPECT_THAT(failures[0] + failures[1], HasSubstr("init: not done within 0.2 s"));
  EXPECT_EQ(FakeNccl::script().aborts, 2);
}

// 4 ranks as tensor parallel 2 x pipeline 2: neighbours are a tensor group.
TEST_F(Nccl, GroupsAreSplitByColour) {
  const auto failures = on_ranks(4, [&](launch::Communicator& ranks) {
    NcclComm world(FakeNccl::table(), ranks);
    const auto tensor_ranks = ranks.split(ranks.rank() / 2);
    const auto pipeline_ranks = ranks.split(ranks.rank() % 2);
    const auto tensor = world.split(ranks.rank() / 2, *tensor_ranks);
    const auto pipeline = world.split(ranks.rank() % 2, *pipeline_ranks);
    float value = static_cast<float>(1 << ranks.rank()), sum = 0;
    const auto add = [&](NcclComm& comm) {
      comm.enqueue("all_reduce", [&](void* handle, char* text) {
        const RackwrightNcclCall call{&value, &sum, 1, RACKWRIGHT_NCCL_FLOAT32, 0, nullptr};
        return comm.calls().all_reduce(handle, &call, text);
      });
      comm.wait("all_reduce");
      return sum;
    };
    EXPECT_EQ(tensor->size(), 2);
    EXPECT_EQ(add(*tensor), ranks.rank() < 2 ? 1 + 2 : 4 + 8);
    EXPECT_EQ(add(*pipeline), ranks.rank() % 2 == 0 ? 1 + 4 : 2 + 8);
    EXPECT_EQ(add(world), 15);
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
  EXPECT_EQ(FakeNccl::script().destroys, 12);  // three communicators on each of four ranks
}

TEST(NcclModule, SaysWhatIsMissing) {
  EXPECT_THROW((void)open_nccl("/nowhere/rackwright_nccl.so"), BackendUnavailable);
  EXPECT_EQ(nccl_version_text(22809), "2.28.9");
}

// The real library: its id is made and reaches every rank; without a GPU the device is refused.
TEST(NcclModule, WithoutADriverNothingIsShared) {
  if (!std::filesystem::exists(RACKWRIGHT_NCCL_MODULE)) {
    GTEST_SKIP() << "built without NCCL: no " RACKWRIGHT_NCCL_MODULE;
  }
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this machine has a driver";
  void* block = nullptr;
  int* leave = nullptr;
  char handle[RACKWRIGHT_PEER_HANDLE] = "", message[RACKWRIGHT_NCCL_TEXT] = "";
  EXPECT_NE(open_nccl(RACKWRIGHT_NCCL_MODULE).share(&block, handle, &leave, message), 0);
  EXPECT_THAT(message, HasSubstr("driver"));
}

TEST(NcclModule, TheRealLibraryMakesAnIdThatAllRanksGet) {
  if (!std::filesystem::exists(RACKWRIGHT_NCCL_MODULE)) {
    GTEST_SKIP() << "built without NCCL: no " RACKWRIGHT_NCCL_MODULE;
  }
  const RackwrightNccl& nccl = open_nccl(RACKWRIGHT_NCCL_MODULE);
  EXPECT_GE(nccl.version(), 22100);
  EXPECT_EQ(nccl.has_windows(), nccl.version() >= 22700 ? 1 : 0);
  launch::SharedMemory memory(3);
  std::vector<std::string> ids(3);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 3; ++rank) {
    threads.emplace_back([&, rank] {
      const auto ranks = launch::shared_rank(memory, rank);
      std::string id(RACKWRIGHT_NCCL_ID, '\0');
      char message[RACKWRIGHT_NCCL_TEXT] = "";
      if (rank == 0) {
        EXPECT_EQ(nccl.unique_id(id.data(), message), 0) << message;
      }
      ranks->broadcast(std::as_writable_bytes(std::span<char>(id)), 0);
      ids[static_cast<std::size_t>(rank)] = id;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_NE(ids[0], std::string(RACKWRIGHT_NCCL_ID, '\0'));
  EXPECT_EQ(ids[1], ids[0]);
  EXPECT_EQ(ids[2], ids[0]);
}

}  // namespace
}  // namespace rackwright::kernels
