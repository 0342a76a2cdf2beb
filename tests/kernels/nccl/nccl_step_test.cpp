#include "kernels/nccl/nccl_step.hpp"

#include <algorithm>
#include <bit>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/collectives/collective_op.hpp"
#include "kernels/measured_backend.hpp"
#include "kernels/rank_groups.hpp"
#include "tests/kernels/nccl/on_ranks.hpp"
#include "tests/kernels/nccl/stand_in_module.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;
using testing::FakeNccl;
using ::testing::HasSubstr;

class NcclStep : public testing::Nccl {};

Operator collective(CollectiveShape shape, std::string_view name = "attention_all_reduce") {
  return {name, OperatorClass::collective, Lane::communication, 2, shape};
}
Operator product() {
  return {"up", OperatorClass::gemm, Lane::compute, 1, GemmShape{64, 64, 64, DataType::bf16}};
}

ServingPlan tensor_parallel(int tp) {
  ServingPlan plan;
  plan.tp = tp;
  return plan;
}

std::unique_ptr<CudaBackend> backend_of(launch::Communicator& ranks, const ServingPlan& plan,
                                        NcclLimits limits = {}) {
  return std::make_unique<CudaBackend>(
      testing::stand_in_module(), ranks.rank(), "stand-in",
      nccl_step_collectives(FakeNccl::table(), ranks, plan, limits));
}

/// Whether some block of this rank begins with these values in bf16.
bool holds(const std::vector<float>& values) {
  return std::ranges::any_of(FakeNccl::memory(), [&](const auto& block) {
    if (block.second < 2 * values.size()) return false;
    const auto* words = static_cast<const std::uint16_t*>(block.first);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::bit_cast<float>(static_cast<std::uint32_t>(words[i]) << 16) != values[i]) {
        return false;
      }
    }
    return true;
  });
}

struct Kind {
  CollectiveKind kind;
  CollectiveOp reference;
};
class NcclStepKind : public NcclStep, public ::testing::WithParamInterface<Kind> {};
INSTANTIATE_TEST_SUITE_P(
    Kinds, NcclStepKind,
    ::testing::Values(Kind{CollectiveKind::all_reduce, CollectiveOp::all_reduce},
                      Kind{CollectiveKind::all_gather, CollectiveOp::all_gather},
                      Kind{CollectiveKind::reduce_scatter, CollectiveOp::reduce_scatter},
                      Kind{CollectiveKind::all_to_all, CollectiveOp::all_to_all},
                      Kind{CollectiveKind::send_recv, CollectiveOp::send_recv}),
    [](const auto& kind) { return std::string(to_string(kind.param.kind)); });

// 96 elements in bf16. What each rank must find is computed without any transfer.
TEST_P(NcclStepKind, RanksFindWhatTheOthersSentInsideTheirSteps) {
  const Kind kind = GetParam();
  for (const int n : {2, 4}) {
    ServingPlan plan = tensor_parallel(n);
    if (kind.kind == CollectiveKind::send_recv) plan = {.tp = 1, .pp = n};
    const auto failures = on_ranks(n, [&](launch::Communicator& ranks) {
      const auto backend = backend_of(ranks, plan);
      const int group = kind.kind == CollectiveKind::send_recv ? 2 : n;
      const OperatorGraph graph{{product(), collective({kind.kind, group, 96 * 2})}};
      const auto step = backend->prepare(graph, {});
      const auto counts = counts_of(kind.reference, 96 * sizeof(float), n);
      EXPECT_TRUE(holds(expected_result(kind.reference, counts, ranks.rank(), n)))
          << n << " ranks, rank " << ranks.rank();
      EXPECT_THAT(backend->choices().at("attention_all_reduce"),
                  HasSubstr("NCCL 2.28.9 " + std::string(to_string(kind.kind))));
    });
    for (const auto& failure : failures) EXPECT_EQ(failure, "");
  }
  EXPECT_EQ(FakeNccl::script().aborts, 0);
}

TEST_F(NcclStep, SymmetricAllReducesUseWindowsThatAreClosedAgain) {
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    const auto backend = backend_of(ranks, tensor_parallel(2));
    CollectiveShape shape{CollectiveKind::all_reduce, 2, 64};
    shape.implementation = AllReduceKind::nccl_symmetric;
    const auto step = backend->prepare({{collective(shape)}}, {});
    EXPECT_GT(FakeNccl::script().open_windows, 0);
    EXPECT_THAT(backend->choices().at("attention_all_reduce"), HasSubstr("symmetric windows"));
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
  EXPECT_EQ(FakeNccl::script().open_windows, 0);
}

CollectiveShape engine_all_reduce(int ranks, double bytes) {
  CollectiveShape shape{CollectiveKind::all_reduce, ranks, bytes};
  shape.implementation = AllReduceKind::engine;
  return shape;
}

TEST_F(NcclStep, EnginesAllReduceByTheOwnKernel) {
  for (const int n : {2, 4, 8}) {
    FakeNccl::reset();
    const auto failures = on_ranks(n, [&](launch::Communicator& ranks) {
      const auto backend = backend_of(ranks, tensor_parallel(n));
      const auto step = backend->prepare({{product(), collective(engine_all_reduce(n, 192))}}, {});
      const auto counts = counts_of(CollectiveOp::all_reduce, 96 * sizeof(float), n);
      EXPECT_TRUE(holds(expected_result(CollectiveOp::all_reduce, counts, ranks.rank(), n)));
      EXPECT_EQ(
          backend->choices().at("attention_all_reduce"),
          "own one-shot all_reduce of " + std::to_string(n) + " ranks over peer memory (CUDA IPC)");
    });
    for (const auto& failure : failures) EXPECT_EQ(failure, "");
    EXPECT_GT(FakeNccl::script().peer_calls, 0);
    EXPECT_EQ(FakeNccl::script().mapped, 0);  // all was unmapped again
  }
}

// vLLM's thresholds: on 8 ranks one-shot below 256 KiB, two-shot from there on. Beyond 1 MiB, the
// block that ranks share, it is NCCL's.
TEST_F(NcclStep, AnEnginesWayDependsOnTheSize) {
  const auto failures = on_ranks(8, [&](launch::Communicator& ranks) {
    const auto backend = backend_of(ranks, tensor_parallel(8));
    const auto choice = [&](double bytes) {
      (void)backend->prepare({{collective(engine_all_reduce(8, bytes))}}, {});
      return backend->choices().at("attention_all_reduce");
    };
    EXPECT_THAT(choice(262142), HasSubstr("own one-shot all_reduce"));
    EXPECT_THAT(choice(262144), HasSubstr("own two-shot all_reduce"));
    EXPECT_THAT(choice(1048576), HasSubstr("own two-shot all_reduce"));
    EXPECT_THAT(choice(1048578), HasSubstr("NCCL 2.28.9 all_reduce of 8 ranks, plain buffers; "
                                           "engines use a kernel of their own up to about 1 MiB"));
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
}

TEST_F(NcclStep, WithoutPeerMemoryAllRanksUseNcclAndSayWhy) {
  FakeNccl::script().bad_rank = 1;
  FakeNccl::script().no_peer_access = true;
  const auto failures = on_ranks(3, [&](launch::Communicator& ranks) {
    const auto backend = backend_of(ranks, tensor_parallel(3));
    const auto step = backend->prepare({{collective(engine_all_reduce(3, 192))}}, {});
    const auto counts = counts_of(CollectiveOp::all_reduce, 96 * sizeof(float), 3);
    EXPECT_TRUE(holds(expected_result(CollectiveOp::all_reduce, counts, ranks.rank(), 3)));
    EXPECT_THAT(backend->choices().at("attention_all_reduce"),
                HasSubstr("plain buffers; no kernel of engines: rank 1: peer access is not "
                          "supported between these two devices"));
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
  EXPECT_EQ(FakeNccl::script().peer_calls, 0);
}

TEST_F(NcclStep, NineRanksAreTooManyForPeerMemory) {
  const auto failures = on_ranks(9, [&](launch::Communicator& ranks) {
    const auto backend = backend_of(ranks, tensor_parallel(9));
    const auto step = backend->prepare({{collective(engine_all_reduce(9, 180))}}, {});
    EXPECT_THAT(backend->choices().at("attention_all_reduce"),
                HasSubstr("no kernel of engines: it takes 2 to 8 ranks, not 9"));
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
}

// A kernel that waits for a peer on the GPU would wait for ever: the abort lets it go.
TEST_F(NcclStep, AnAbortLetsTheOwnKernelGo) {
  auto& script = FakeNccl::script();
  script.bad_rank = 1;
  script.hangs_at_call = 0;
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    const auto backend = backend_of(ranks, tensor_parallel(2), {0.3, 0.3});
    const auto step = backend->prepare({{collective(engine_all_reduce(2, 64))}}, {});
  });
  EXPECT_NE(failures[0], "");
  EXPECT_NE(failures[1], "");
  EXPECT_EQ(script.leave, (std::list<int>{1, 1}));
}

// GPU 0 takes 1 ms an operator, GPU 1 takes 2 ms: both ranks are told 2 ms of the product and of
// the collective, which ends for both at once, 1 ms.
TEST_F(NcclStep, AllRanksAreToldTheSameTimes) {
  std::vector<StepTiming> told(2);
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    MeasuredOptions options;
    options.ranks = &ranks;
    MeasuredBackend backend(backend_of(ranks, tensor_parallel(2)), options);
    const OperatorGraph graph{{product(), collective({CollectiveKind::all_reduce, 2, 64})}};
    told[static_cast<std::size_t>(ranks.rank())] =
        backend.prepare(graph, {})->run(ReplayMode::whole, nullptr);
    (void)backend.prepare(graph, {});
    EXPECT_EQ(backend.measured(), 1U);
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
  for (const StepTiming& timing : told) {
    EXPECT_NEAR(timing.seconds, 4e-3, 1e-9);  // of the slower GPU
    EXPECT_NEAR(timing.operators[0].seconds, 2e-3, 1e-9);
    EXPECT_NEAR(timing.operators[1].seconds, 1e-3, 1e-9);
  }
}

TEST_F(NcclStep, RanksThatComeApartAllSaySo) {
  const auto failures = on_ranks(3, [&](launch::Communicator& ranks) {
    MeasuredOptions options;
    options.ranks = &ranks;
    MeasuredBackend backend(backend_of(ranks, tensor_parallel(3)), options);
    const double bytes = ranks.rank() == 2 ? 4096 : 64;
    (void)backend.prepare({{collective({CollectiveKind::all_reduce, 3, bytes})}}, {});
  });
  for (const auto& failure : failures) {
    EXPECT_THAT(failure, HasSubstr("step 1 of the replay differs between ranks 0 and 2"));
  }
}

TEST_F(NcclStep, ARankWhoseCallFailsEndsAll) {
  auto& script = FakeNccl::script();
  script.bad_rank = 1;
  script.enqueue_error_at_call = 1;
  const auto failures = on_ranks(3, [&](launch::Communicator& ranks) {
    const auto backend = backend_of(ranks, tensor_parallel(3), {5, 5});
    const auto step =
        backend->prepare({{product(), collective({CollectiveKind::all_reduce, 3, 64})}}, {});
  });
  EXPECT_THAT(failures[1], HasSubstr("rank 1: all_reduce: made to fail"));
  EXPECT_THAT(failures[0], HasSubstr("a peer aborted"));
  EXPECT_THAT(failures[2], HasSubstr("a peer aborted"));
  EXPECT_EQ(script.aborts, 6);  // the replica's and the group's communicator of each
  EXPECT_EQ(script.destroys, 0);
}

TEST_F(NcclStep, ARankThatNeverComesEndsAllWithinTheLimit) {
  auto& script = FakeNccl::script();
  script.bad_rank = 0;
  script.hangs_at_call = 0;
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    const auto backend = backend_of(ranks, tensor_parallel(2), {0.3, 0.3});
    const auto step = backend->prepare({{collective({CollectiveKind::all_reduce, 2, 64})}}, {});
  });
  EXPECT_THAT(failures[0] + failures[1], HasSubstr("step: not done within 0.3 s"));
  EXPECT_NE(failures[0], "");
  EXPECT_NE(failures[1], "");
  EXPECT_EQ(script.aborts, 4);
}

// A GPU that fails for a reason of its own leaves the others too.
TEST_F(NcclStep, ARankWithoutAGpuEndsAll) {
  const auto failures = on_ranks(2, [&](launch::Communicator& ranks) {
    CudaModule module = testing::stand_in_module();
    if (ranks.rank() == 1) {
      module.prepare = [](int, const RackwrightCudaOperator*, int, RackwrightCudaStep**,
                          char* message) {
        std::snprintf(message, RACKWRIGHT_CUDA_TEXT, "cudaMalloc: out of memory");
        return 2;
      };
    }
    CudaBackend backend(module, ranks.rank(), "stand-in",
                        nccl_step_collectives(FakeNccl::table(), ranks, tensor_parallel(2)));
    const auto step = backend.prepare({{collective({CollectiveKind::all_reduce, 2, 64})}}, {});
  });
  EXPECT_EQ(failures[1], "cudaMalloc: out of memory");
  EXPECT_THAT(failures[0], HasSubstr("a peer aborted"));
}

// TP 2 x DP 2 x PP 2 on 8 ranks: neighbours share layers, an expert group is four, a stage's next
// is four further on.
TEST(RankGroups, StagesAreOutermost) {
  ServingPlan plan;
  plan.tp = 2, plan.dp = 2, plan.pp = 2;
  const auto tensor = rank_group(collective({CollectiveKind::all_reduce, 2, 64}), plan);
  const auto expert = rank_group(collective({CollectiveKind::all_to_all, 4, 64}), plan);
  const auto stage = rank_group(collective({CollectiveKind::send_recv, 2, 64}), plan);
  EXPECT_EQ(tensor.colour(2), tensor.colour(3));
  EXPECT_NE(tensor.colour(1), tensor.colour(2));
  EXPECT_EQ(expert.colour(0), expert.colour(3));
  EXPECT_NE(expert.colour(3), expert.colour(4));
  EXPECT_EQ(stage.colour(1), stage.colour(5));
  EXPECT_NE(stage.colour(1), stage.colour(2));
  EXPECT_NE(stage.colour(0), stage.colour(1));
}

// 4 ranks of 1,200 rows each, the first takes 1.6 of the mean: 480 rows of every rank, 240 the
// others. A combine brings them back.
TEST(RankGroups, TheHeaviestRankGetsItsShareAndSendsItBack) {
  CollectiveShape shape{CollectiveKind::all_to_all, 4, 0};
  shape.imbalance = 1.6;
  EXPECT_EQ(routed_elements(shape, 1200, 3, 0), 480U);
  EXPECT_EQ(routed_elements(shape, 1200, 0, 3), 240U);
  shape.exchange.combine = true;
  EXPECT_EQ(routed_elements(shape, 1200, 0, 3), 480U);
  EXPECT_EQ(routed_elements(shape, 1200, 3, 0), 240U);
}

// An uneven exchange there and back, as dispatch and combine of a mixture of experts.
TEST_F(NcclStep, AnUnevenExchangeRunsThereAndBack) {
  const auto failures = on_ranks(4, [&](launch::Communicator& ranks) {
    ServingPlan plan;
    plan.dp = 4, plan.ep = 4;
    const auto backend = backend_of(ranks, plan, {5, 5});
    CollectiveShape dispatch{CollectiveKind::all_to_all, 4, 1200 * 2};
    dispatch.imbalance = 1.6, dispatch.expert_exchange = true;
    CollectiveShape combine = dispatch;
    combine.exchange.combine = true;
    const auto step = backend->prepare(
        {{collective(dispatch, "expert_dispatch"), collective(combine, "expert_combine")}}, {});
    EXPECT_THAT(backend->choices().at("expert_dispatch"),
                HasSubstr("plain uneven exchange (heaviest rank 1.60 of the mean): engines use "
                          "DeepEP"));
  });
  for (const auto& failure : failures) EXPECT_EQ(failure, "");
}

}  // namespace
}  // namespace rackwright::kernels
