#include "kernels/cuda_backend.hpp"

#include <cstdio>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data_locator.hpp"
#include "common/input_error.hpp"
#include "tests/kernels/backend_contract.hpp"
#include "workloads/workload.hpp"

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
int choice(RackwrightCudaStep* /*step*/, int op, char text[RACKWRIGHT_CUDA_TEXT],
           char* /*message*/) {
  std::snprintf(text, RACKWRIGHT_CUDA_TEXT, "algorithm %d", op);
  return 0;
}
void release(RackwrightCudaStep* step) {
  --open_steps;
  delete step;
}

std::unique_ptr<Backend> stand_in() {
  return std::make_unique<CudaBackend>(CudaModule{prepare, run, release, choice}, 0,
                                       "Stand-in GPU");
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
  CudaBackend backend({prepare, run, release, choice}, 9, "none");
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
  const CudaModule module = open_cuda_module(RACKWRIGHT_CUDA_MODULE);
  CudaBackend backend(module, 0, "none");
  const auto failure = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const BackendUnavailable& error) {
      return error.what();
    }
    return "no failure";
  };
  EXPECT_THAT(failure([&] { (void)backend.prepare({{product_of_rows(1)}}, {}); }),
              HasSubstr("install driver"));
  EXPECT_THAT(failure([&] { (void)probe_launches(module, 0, 10); }), HasSubstr("install driver"));
  EXPECT_THAT(failure([&] { (void)probe_transfer(module, 0, 1, 65536, 10); }),
              HasSubstr("install driver"));
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

TEST(CudaBackend, ChoicesComeBackAndCollectivesAreNamedAsLeftOut) {
  workloads::CollectiveShape shape;
  shape.ranks = 8;
  const workloads::Operator collective{"tp_all_reduce", workloads::OperatorClass::collective,
                                       workloads::Lane::communication, 1, shape};
  EXPECT_EQ(to_cuda(collective).kind, RACKWRIGHT_CUDA_NOTHING);
  CudaBackend backend({prepare, run, release, choice}, 0, "Stand-in GPU");
  const auto step = backend.prepare({{product_of_rows(1), collective}}, {});
  const auto& choices = dynamic_cast<CudaPreparedStep&>(*step).choices();
  EXPECT_EQ(choices[0], "algorithm 0");
  EXPECT_THAT(choices[1], HasSubstr("left out: all_reduce between 8 ranks"));
  EXPECT_EQ(backend.choices().at("up"), "algorithm 0");
}

TEST(CudaBackend, WhatHasNoKernelIsRefusedByName) {
  workloads::AttentionShape shape;
  shape.kv_type = workloads::DataType::nvfp4;
  const workloads::Operator op{"attention", workloads::OperatorClass::attention_decode,
                               workloads::Lane::compute, 1, shape};
  try {
    (void)to_cuda(op);
    FAIL();
  } catch (const BackendUnavailable& error) {
    EXPECT_THAT(
        error.what(),
        HasSubstr("attention: the CUDA module has no kernel for attention on a nvfp4 cache"));
  }
}

// Every type of a product that a workload can name.
TEST(CudaBackend, ProductsOfAllTypesAreTaken) {
  using workloads::DataType;
  for (const DataType type :
       {DataType::fp32, DataType::bf16, DataType::fp16, DataType::int8, DataType::fp8,
        DataType::fp8_block, DataType::mxfp4, DataType::nvfp4}) {
    const auto out = to_cuda({"proj", workloads::OperatorClass::gemm, workloads::Lane::compute, 1,
                              workloads::GemmShape{1, 64, 64, type}});
    EXPECT_EQ(out.kind, RACKWRIGHT_CUDA_GEMM);
  }
}

// A norm of 7 tokens of 4096.
TEST(CudaBackend, MemoryBoundWorkGoesToItsKernel) {
  workloads::ElementwiseShape shape{7 * 16384.0, 7 * 16384.0, 0};
  shape.size.kernel = workloads::ElementwiseKernel::residual_norm;
  shape.size.rows = 7, shape.size.width = 4096;
  const auto out =
      to_cuda({"norm", workloads::OperatorClass::elementwise, workloads::Lane::compute, 1, shape});
  EXPECT_EQ(out.kind, RACKWRIGHT_CUDA_ELEMENTWISE);
  EXPECT_EQ(out.kernel, RACKWRIGHT_CUDA_RESIDUAL_NORM);
  EXPECT_EQ(out.rows, 7);
  EXPECT_EQ(out.width, 4096);
  EXPECT_EQ(out.bytes, 2 * 7 * 16384.0);
}

// DeepSeek-V3 (config.json): 128 heads, qk 128 + 64, v 128; latent 512 + 64 when absorbed.
TEST(CudaBackend, LatentAttentionIsUnabsorbedInPrefillAndAbsorbedInDecode) {
  workloads::LatentAttentionShape shape;
  shape.prefill = true, shape.sequences = 1, shape.query_tokens = 100, shape.kv_tokens = 100;
  shape.heads = 128, shape.latent = 512, shape.rope = 64, shape.nope = 128, shape.v = 128;
  const auto prefill = to_cuda(
      {"mla", workloads::OperatorClass::attention_prefill, workloads::Lane::compute, 1, shape});
  EXPECT_EQ(prefill.kind, RACKWRIGHT_CUDA_PREFILL);
  EXPECT_EQ(prefill.head_dim, 192);
  EXPECT_EQ(prefill.value_dim, 128);
  EXPECT_EQ(prefill.kv_heads, 128);
  shape.prefill = false, shape.kv_type = workloads::DataType::fp8;
  const auto decode = to_cuda(
      {"mla", workloads::OperatorClass::attention_decode, workloads::Lane::compute, 1, shape});
  EXPECT_EQ(decode.kind, RACKWRIGHT_CUDA_LATENT_DECODE);
  EXPECT_EQ(decode.head_dim, 576);
  EXPECT_EQ(decode.value_dim, 512);
  EXPECT_EQ(decode.kv_type, RACKWRIGHT_CUDA_FP8);
}

/// Two prompts of 1024 with 256 tokens of images, and 64 sequences of 2000 tokens that decode.
workloads::StepShape mixed_step() {
  workloads::StepShape step;
  step.prefill_sequences = 2, step.prefill_tokens = 2048, step.prefill_finished = 2;
  step.prefill_pairs = step.prefill_pairs_clipped = 2 * 1024 * 1025 / 2.0;
  step.prefill_context = 2048, step.prefill_image_tokens = 256;
  step.decode_sequences = 64, step.decode_longest = 2000;
  step.decode_context = 64 * 2000.0, step.decode_context_clipped = 64 * 128.0;
  return step;
}

// Every operator of a mixed step of every shipped workload, under each of its plans, on shapes that
// the kernels hold.
TEST(CudaBackend, NoOperatorOfTheShippedWorkloadsIsRefused) {
  const DataLocator data({RACKWRIGHT_SOURCE_DIR});
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(RACKWRIGHT_SOURCE_DIR "/workloads")) {
    if (file.path().extension() != ".json") continue;
    ++files;
    const auto workload = workloads::read_workload(file.path(), data, {}, 1);
    for (const auto& plan : workload.plans) {
      const workloads::Lowering lowering(workload.model, plan);
      workloads::OperatorGraph graph;
      lowering.lower(mixed_step(), graph);
      for (const workloads::Operator& op : graph.operators) {
        const CudaOperator out = to_cuda(op);
        EXPECT_EQ(out.kind == RACKWRIGHT_CUDA_STREAM, op.name == "vision_gelu") << op.name;
        if (out.kind == RACKWRIGHT_CUDA_PREFILL || out.kind == RACKWRIGHT_CUDA_DECODE) {
          const bool held = out.head_dim <= 128 || (out.head_dim == 192 && out.value_dim == 128);
          EXPECT_TRUE(held) << file.path() << " " << op.name << " " << out.head_dim;
          EXPECT_EQ(out.full != 0, op.name == "vision_attention") << op.name;
        }
        if (out.kind == RACKWRIGHT_CUDA_LATENT_DECODE) {
          EXPECT_EQ(out.head_dim, 576) << file.path();
        }
      }
    }
  }
  EXPECT_GE(files, 7);
}

}  // namespace
}  // namespace rackwright::kernels
