#include "kernels/cuda_backend.hpp"

#include <cstdio>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/kernels/backend_contract.hpp"

// A module whose step takes 2 ms an operator, and a whole step as told by the first operator's m:
// 1 ms for each.
struct RackwrightCudaStep {
  int count = 0;
  double whole_s = 0;
};

namespace rackwright::kernels {
namespace {

using ::testing::HasSubstr;

int open_steps = 0;

int prepare(int device, const RackwrightCudaOperator* operators, int count,
            RackwrightCudaStep** out, char message[RACKWRIGHT_CUDA_TEXT]) {
  if (device == 9) {
    std::snprintf(message, RACKWRIGHT_CUDA_TEXT, "cudaSetDevice: cudaErrorInvalidDevice (101)");
    return 101;
  }
  *out = new RackwrightCudaStep{count, count > 0 ? operators[0].m * 1e-3 : 0};
  ++open_steps;
  return 0;
}
int run(RackwrightCudaStep* step, int mode, RackwrightCudaObserver observer, void* context,
        RackwrightCudaTimes* out, char* /*message*/) {
  out->total_s = mode == RACKWRIGHT_CUDA_WHOLE ? step->whole_s : 2e-3 * step->count;
  for (int i = 0; mode == RACKWRIGHT_CUDA_PER_OPERATOR && i < step->count; ++i) {
    if (observer != nullptr) observer(context, i, 1);
    out->operator_s[i] = 2e-3;
    if (observer != nullptr) observer(context, i, 0);
  }
  return 0;
}
void release(RackwrightCudaStep* step) {
  --open_steps;
  delete step;
}

std::unique_ptr<Backend> stand_in() {
  return std::make_unique<CudaBackend>(CudaModule{prepare, run, release}, 0, "Stand-in GPU");
}

workloads::Operator product_of_rows(double m) {
  return {"up", workloads::OperatorClass::gemm, workloads::Lane::compute, 1,
          workloads::GemmShape{m, 64, 64, workloads::DataType::bf16}};
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Cuda, BackendContract, ::testing::Values(&stand_in));
}

namespace {

TEST(CudaBackend, TheGapIsOverlapWhereTheStepIsShorterAndLaunchWhereItIsLonger) {
  const auto backend = stand_in();
  const auto shorter = backend->prepare({{product_of_rows(3), product_of_rows(3)}}, {});
  EXPECT_NEAR(shorter->run(ReplayMode::whole, nullptr).overlap_s, 1e-3, 1e-12);  // 4 ms - 3 ms
  EXPECT_EQ(shorter->run(ReplayMode::whole, nullptr).launch_s, 0);
  const auto longer = backend->prepare({{product_of_rows(7), product_of_rows(7)}}, {});
  EXPECT_NEAR(longer->run(ReplayMode::whole, nullptr).launch_s, 3e-3, 1e-12);
}

TEST(CudaBackend, StepsAreReleased) {
  const int before = open_steps;
  { const auto step = stand_in()->prepare({{product_of_rows(1)}}, {}); }
  EXPECT_EQ(open_steps, before);
}

TEST(CudaBackend, AFailedCallIsPassedOn) {
  CudaBackend backend({prepare, run, release}, 9, "none");
  try {
    (void)backend.prepare({}, {});
    FAIL();
  } catch (const BackendUnavailable& error) {
    EXPECT_THAT(error.what(), HasSubstr("cudaErrorInvalidDevice (101)"));
  }
}

TEST(CudaBackend, TheBuiltModuleWithoutADriverNamesTheRemedy) {
  if (!std::filesystem::exists(RACKWRIGHT_CUDA_MODULE)) GTEST_SKIP() << "no CUDA module built";
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "this machine has a driver";
  CudaBackend backend(open_cuda_module(RACKWRIGHT_CUDA_MODULE), 0, "none");
  try {
    (void)backend.prepare({{product_of_rows(1)}}, {});
    FAIL();
  } catch (const BackendUnavailable& error) {
    EXPECT_THAT(error.what(), HasSubstr("install driver"));
  }
}

// 4 sequences with 4000 cached tokens in all, one query token each.
TEST(CudaBackend, AttentionTakesEqualSequences) {
  workloads::AttentionShape shape;
  shape.sequences = 4, shape.query_tokens = 4, shape.kv_tokens = 4000;
  shape.heads = 32, shape.kv_heads = 8, shape.head_dim = 128, shape.window = 128;
  const auto op = to_cuda({"attention", workloads::OperatorClass::attention_decode,
                           workloads::Lane::compute, 3, shape});
  EXPECT_EQ(op.kind, RACKWRIGHT_CUDA_DECODE);
  EXPECT_EQ(op.keys, 1000);
  EXPECT_EQ(op.query_tokens, 1);
  EXPECT_EQ(op.repeat, 3);
  EXPECT_EQ(op.window, 128);
}

TEST(CudaBackend, WhatHasNoKernelIsRefusedByName) {
  workloads::CollectiveShape shape;
  shape.ranks = 8;
  const workloads::Operator op{"tp_all_reduce", workloads::OperatorClass::collective,
                               workloads::Lane::communication, 1, shape};
  try {
    (void)to_cuda(op);
    FAIL();
  } catch (const BackendUnavailable& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("tp_all_reduce: the CUDA module has no kernel for collectives"));
  }
  EXPECT_THROW((void)to_cuda({"proj", workloads::OperatorClass::gemm, workloads::Lane::compute, 1,
                              workloads::GemmShape{1, 64, 64, workloads::DataType::nvfp4}}),
               BackendUnavailable);
}

}  // namespace
}  // namespace rackwright::kernels
