#include "kernels/analytical/analytical_backend.hpp"

#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "common/random.hpp"
#include "tests/kernels/backend_contract.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;
using ::testing::HasSubstr;

DataLocator source_tree() {
  return DataLocator({RACKWRIGHT_SOURCE_DIR});
}

std::unique_ptr<AnalyticalBackend> load(const char* id, DataType type = DataType::bf16) {
  return AnalyticalBackend::load(id, type, source_tree());
}

Operator gemm(double m, double n, double k, DataType type = DataType::bf16) {
  return {"gemm", OperatorClass::gemm, Lane::compute, 1, GemmShape{m, n, k, type}};
}

Operator all_reduce(int ranks, double bytes, AllReduceKind kind = AllReduceKind::nccl) {
  return {"all_reduce", OperatorClass::collective, Lane::communication, 1,
          CollectiveShape{CollectiveKind::all_reduce, ranks, bytes, kind, 1, false}};
}

double log_uniform(RandomSource& random, double low, double high) {
  return low * std::exp(random.uniform() * std::log(high / low));
}

Operator random_operator(RandomSource& random) {
  const double sequences = std::floor(log_uniform(random, 1, 512));
  const double context = std::floor(log_uniform(random, 1, 65536));
  switch (random.below(5)) {
    case 0:
      return gemm(std::floor(log_uniform(random, 1, 16384)), log_uniform(random, 32, 65536),
                  log_uniform(random, 32, 65536));
    case 1: {
      AttentionShape shape;
      shape.sequences = sequences;
      shape.query_tokens = sequences;
      shape.kv_tokens = shape.pairs = sequences * context;
      shape.kv_heads = 1 + static_cast<int>(random.below(8));
      shape.heads = shape.kv_heads * (1 + static_cast<int>(random.below(8)));
      shape.head_dim = 128;
      return {"decode", OperatorClass::attention_decode, Lane::compute, 1, shape};
    }
    case 2: {
      AttentionShape shape;
      shape.prefill = true;
      shape.sequences = 1;
      shape.query_tokens = shape.kv_tokens = context;
      shape.pairs = context * (context + 1) / 2;
      shape.kv_heads = 8;
      shape.heads = 8 * (1 + static_cast<int>(random.below(8)));
      shape.head_dim = 128;
      return {"prefill", OperatorClass::attention_prefill, Lane::compute, 1, shape};
    }
    case 3: {
      const double bytes = log_uniform(random, 1e3, 1e9);
      return {"copy", OperatorClass::elementwise, Lane::compute, 1,
              ElementwiseShape{bytes, bytes, 0}};
    }
    default:
      return all_reduce(1 << (1 + random.below(3)), log_uniform(random, 256, 1e9));
  }
}

TEST(AnalyticalBackend, NoPredictionBeatsThePhysics) {
  // From the data sheets: FLOP at the highest clock; bytes beyond L2 at the HBM rate; an all-reduce
  // sends its buffer at least once.
  struct Limits {
    const char* id;
    double flops, memory, l2, link;
  };
  for (const Limits& limit : {Limits{"a100-sxm", 312e12, 2039e9, 40e6, 300e9},
                              Limits{"h100-sxm", 989e12 * 1980 / 1830, 3350e9, 50e6, 450e9},
                              Limits{"b200", 2250e12 * 1965 / 1856, 8000e9, 126e6, 900e9}}) {
    const auto backend = load(limit.id);
    RandomSource random(7);
    for (int i = 0; i < 3000; ++i) {
      const Operator op = random_operator(random);
      const OperatorWork work = work_of(op);
      const double seconds = backend->predict(op, {}).seconds;
      const auto* collective = std::get_if<CollectiveShape>(&op.shape);
      const double bound =
          collective != nullptr
              ? std::min(collective->bytes, work.wire_bytes) / limit.link
              : std::max(work.flops / limit.flops, (work.memory_bytes - limit.l2) / limit.memory);
      EXPECT_GE(seconds, bound * (1 - 1e-3)) << limit.id << " " << op.name << " " << i;
    }
  }
}

TEST(AnalyticalBackend, CappedPowerIsNeverAboveTheCapAndTimeStretches) {
  const auto backend = load("h100-sxm");
  RandomSource random(11);
  RankContext capped;
  capped.power_cap_w = 350;
  for (int i = 0; i < 2000; ++i) {
    const Operator op = random_operator(random);
    const OperatorTiming free = backend->predict(op, {});
    const OperatorTiming held = backend->predict(op, capped);
    EXPECT_LE(free.joules / free.seconds, 700 * (1 + 1e-9));
    EXPECT_LE(held.joules / held.seconds, 350 * (1 + 1e-9)) << op.name;
    EXPECT_GE(held.seconds, free.seconds * (1 - 1e-12));
  }
  const Operator large = gemm(8192, 8192, 8192);
  EXPECT_GT(backend->predict(large, capped).seconds, 1.2 * backend->predict(large, {}).seconds);
}

TEST(AnalyticalBackend, ADeviceWithoutCalibrationSaysExtrapolatedAndIsLessCertain) {
  const Operator op = gemm(4096, 8192, 8192);
  const OperatorTiming own = load("h200-sxm")->predict(op, {});
  const OperatorTiming borrowed = load("b200")->predict(op, {});
  EXPECT_FALSE(own.extrapolated);
  EXPECT_TRUE(borrowed.extrapolated);
  EXPECT_GT(borrowed.relative_error, own.relative_error + 0.2);
  EXPECT_TRUE(load("h200-sxm")->predict(gemm(4096, 8192, 8192, DataType::fp8), {}).extrapolated);
}

TEST(AnalyticalBackend, FarOutsideTheTableIsExtrapolated) {
  const auto backend = load("h100-sxm");
  EXPECT_FALSE(backend->predict(gemm(100, 5000, 7000), {}).extrapolated);
  EXPECT_TRUE(backend->predict(gemm(100, 1e6, 7000), {}).extrapolated);
}

TEST(AnalyticalBackend, BlankFactsAreNamed) {
  try {
    static_cast<void>(load("rubin"));
    FAIL() << "predicted a device with blanks";
  } catch (const BackendUnavailable& error) {
    EXPECT_THAT(error.what(), HasSubstr("bf16 dense FLOP/s"));
    EXPECT_THAT(error.what(), HasSubstr("TDP"));
  }
  EXPECT_THROW(static_cast<void>(load("mi355x", DataType::fp8)), BackendUnavailable);
}

TEST(AnalyticalBackend, ACollectiveAcrossDomainsIsBoundByTheAdapters) {
  const auto backend = load("h100-sxm");
  RankContext rank;
  rank.scale_up_domain = 8;
  rank.scale_out_bytes_per_s = 50e9;
  // 8 GB over two nodes: 1 GB a rail, sent once: at least 20 ms; one node needs 8 GB / 450 GB/s.
  EXPECT_GT(backend->predict(all_reduce(16, 8e9), rank).seconds, 0.020);
  EXPECT_LT(backend->predict(all_reduce(16, 8e9), rank).seconds, 0.090);
  rank.scale_out_bytes_per_s = 0;
  EXPECT_THROW(static_cast<void>(backend->predict(all_reduce(16, 8e9), rank)), BackendUnavailable);
}

TEST(AnalyticalBackend, TheEnginesAllReduceIsQuickerOnSmallBuffers) {
  const auto backend = load("h100-sxm");
  EXPECT_LT(backend->predict(all_reduce(8, 16384, AllReduceKind::engine), {}).seconds,
            0.6 * backend->predict(all_reduce(8, 16384), {}).seconds);
  const OperatorTiming symmetric =
      backend->predict(all_reduce(8, 16384, AllReduceKind::nccl_symmetric), {});
  EXPECT_TRUE(symmetric.extrapolated);
}

TEST(AnalyticalBackend, ManyThreadsGetTheSameNumbers) {
  const auto backend = load("h100-sxm");
  const auto graph = testing::small_step();
  StepTiming alone;
  backend->predict(graph, {}, alone);
  std::vector<StepTiming> timings(4);
  {
    std::vector<std::jthread> threads;
    for (StepTiming& timing : timings) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) backend->predict(graph, {}, timing);
      });
    }
  }
  for (const StepTiming& timing : timings) {
    EXPECT_EQ(timing.seconds, alone.seconds);
    EXPECT_EQ(timing.joules, alone.joules);
  }
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Kernels, BackendContract,
                         ::testing::Values(+[]() -> std::unique_ptr<Backend> {
                           return AnalyticalBackend::load("h100-sxm", DataType::bf16,
                                                          DataLocator({RACKWRIGHT_SOURCE_DIR}));
                         }),
                         [](const auto&) { return "Analytical"; });
}  // namespace testing
}  // namespace rackwright::kernels
