#include "workloads/operator_graph.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace rackwright::workloads {
namespace {

ModelConfig shipped(const std::string& id) {
  return read_model_config(std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads/models" /
                           (id + ".json"));
}

OperatorGraph lowered(const std::string& id, const ServingPlan& plan, const StepShape& step) {
  OperatorGraph graph;
  Lowering(shipped(id), plan).lower(step, graph);
  return graph;
}

/// `sequences` decoding, each with `context` tokens.
StepShape decode(std::uint32_t sequences, double context, double clipped = 0) {
  StepShape step;
  step.decode_sequences = sequences;
  step.decode_context = sequences * context;
  step.decode_context_clipped = sequences * (clipped > 0 ? clipped : context);
  step.decode_longest = static_cast<std::uint32_t>(context);
  return step;
}

/// One prompt of `tokens`, all of whose tokens are sampled (so that the LM head sees them).
StepShape prompt(std::uint32_t tokens) {
  StepShape step;
  step.prefill_sequences = 1;
  step.prefill_tokens = step.prefill_finished = tokens;
  step.prefill_pairs = step.prefill_pairs_clipped = 0.5 * tokens * (tokens + 1.0);
  step.prefill_context = tokens;
  return step;
}

const Operator& find(const OperatorGraph& graph, std::string_view name) {
  const auto at = std::find_if(graph.operators.begin(), graph.operators.end(),
                               [name](const Operator& op) { return op.name == name; });
  if (at == graph.operators.end()) throw std::runtime_error("no " + std::string(name));
  return *at;
}
bool has(const OperatorGraph& graph, std::string_view name) {
  return std::any_of(graph.operators.begin(), graph.operators.end(),
                     [name](const Operator& op) { return op.name == name; });
}
template <class Shape>
Shape shape(const OperatorGraph& graph, std::string_view name) {
  return std::get<Shape>(find(graph, name).shape);
}

/// Of GEMMs, experts and attention, repeats included.
double model_flops(const OperatorGraph& graph) {
  double flops = 0;
  for (const Operator& op : graph.operators) {
    if (op.op_class == OperatorClass::elementwise || op.op_class == OperatorClass::sampling)
      continue;
    flops += op.repeat * work_of(op).flops;
  }
  return flops;
}

ServingPlan tensor(int tp) {
  ServingPlan plan;
  plan.tp = tp;
  plan.ep = 0;
  return plan;
}
ServingPlan expert(int dp, double skew = 0) {
  ServingPlan plan;
  plan.dp = dp;
  plan.ep = 0;
  plan.weights = DataType::fp8_block;
  plan.expert_skew = skew;
  return plan;
}

/// Bytes that a kernel of this size reads and writes in bf16; scores are fp32.
double bytes_of(const ElementwiseSize& size) {
  const double all = size.rows * size.width;
  switch (size.kernel) {
    case ElementwiseKernel::norm:
      return (2 + 2) * all;
    case ElementwiseKernel::residual_norm:
      return (4 + 4) * all;
    case ElementwiseKernel::gated_activation:
      return (4 + 2) * all;
    case ElementwiseKernel::route:
      return 4 * all + size.rows * size.top_k * (4 + 4);
    case ElementwiseKernel::expert_sum:
      return 2 * all * size.top_k + 2 * all;
    case ElementwiseKernel::top_k:
      return 2 * 4 * all + 4 * size.rows * size.top_k;
    case ElementwiseKernel::sample:
      return (2 + 4 + 4) * all;
    case ElementwiseKernel::gather:
      return (2 + 2) * all;
    case ElementwiseKernel::rotary_append:  // the rotated keys are written in place and cached
      return 2 * size.rows *
             (2.0 * (size.heads + size.kv_heads) * size.head_dim +
              (size.latent > 0 ? 2.0 * size.latent + size.head_dim
                               : 3.0 * size.kv_heads * size.head_dim));
    case ElementwiseKernel::other:
      return 0;
  }
  return 0;
}

class LoweringSizes : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, LoweringSizes,
                         ::testing::Values("llama-3.1-8b", "qwen3-30b-a3b", "deepseek-v3",
                                           "deepseek-v3.2", "gpt-oss-120b"));

// The sizes of a memory-bound operator are those that its bytes came from.
TEST_P(LoweringSizes, GiveTheBytesOfTheOperator) {
  for (const StepShape& step : {decode(64, 5000), prompt(3000)}) {
    const auto graph = lowered(GetParam(), tensor(1), step);
    for (const Operator& op : graph.operators) {
      const auto* shape = std::get_if<ElementwiseShape>(&op.shape);
      if (shape == nullptr) continue;
      EXPECT_NE(shape->size.kernel, ElementwiseKernel::other) << op.name;
      const double bytes = shape->bytes_read + shape->bytes_written;
      EXPECT_NEAR(bytes_of(shape->size), bytes, 1e-9 * bytes) << op.name;
    }
  }
}

// 8 experts, skew 1, one of each token: the harmonic weights 1, 1/2 … 1/8 over their sum 761/280.
TEST(HeaviestRankPicks, FollowPopularity) {
  const auto one_rank = heaviest_rank_picks(8, 1, 1, 1.0, 7);
  ASSERT_EQ(one_rank.size(), 8U);
  EXPECT_NEAR(one_rank[0], 280.0 / 761, 1e-12);
  EXPECT_NEAR(one_rank[7], 35.0 / 761, 1e-12);
  // The most popular expert alone outweighs any two of the rest but those of rank 2 and 3.
  const auto four = heaviest_rank_picks(8, 1, 4, 1.0, 7);
  ASSERT_EQ(four.size(), 2U);
  EXPECT_GE(four[0] + four[1], 1.0 / 4);
  EXPECT_EQ(heaviest_rank_picks(8, 2, 4, 0, 7), (std::vector<double>{0.25, 0.25}));
}

TEST(Lowering, LlamaShapesUnderTensorParallelism) {
  const auto graph = lowered("llama-3.1-70b", tensor(8), decode(64, 1000));
  const auto qkv = shape<GemmShape>(graph, "qkv_proj");
  EXPECT_EQ(qkv.m, 64);
  EXPECT_EQ(qkv.n, 1280);  // 8 query heads and one K and V head of 128
  EXPECT_EQ(qkv.k, 8192);
  EXPECT_EQ(find(graph, "qkv_proj").repeat, 80U);
  EXPECT_EQ(shape<GemmShape>(graph, "o_proj").k, 1024);
  EXPECT_EQ(shape<GemmShape>(graph, "gate_up_proj").n, 7168);  // 2 x 28672 / 8
  EXPECT_EQ(shape<GemmShape>(graph, "down_proj").k, 3584);
  EXPECT_EQ(shape<GemmShape>(graph, "lm_head").n, 16032);
  const auto attention = shape<AttentionShape>(graph, "attention_decode");
  EXPECT_EQ(attention.heads, 8);
  EXPECT_EQ(attention.kv_heads, 1);
  EXPECT_EQ(attention.kv_tokens, 64000);
}

TEST(Lowering, TwoAllReducesPerLayerCarryTheHiddenState) {
  const auto graph = lowered("llama-3.1-70b", tensor(8), decode(64, 1000));
  for (const char* name : {"attention_all_reduce", "mlp_all_reduce"}) {
    EXPECT_EQ(find(graph, name).repeat, 80U);
    EXPECT_EQ(find(graph, name).lane, Lane::communication);
    EXPECT_EQ(shape<CollectiveShape>(graph, name).bytes, 64 * 8192 * 2.0);
  }
  EXPECT_FALSE(has(lowered("llama-3.1-70b", tensor(1), decode(64, 1000)), "mlp_all_reduce"));
}

TEST(Lowering, FlopsOfAllTensorParallelRanksAreThoseOfOne) {
  for (const auto& step : {decode(64, 1000), prompt(2048)}) {
    const double one = model_flops(lowered("llama-3.1-70b", tensor(1), step));
    EXPECT_NEAR(8 * model_flops(lowered("llama-3.1-70b", tensor(8), step)) / one, 1.0, 1e-12);
  }
}

TEST(Lowering, DecodeFlopsAreThoseOfTheModel) {
  const ModelConfig model = shipped("llama-3.1-70b");
  const double flops = model_flops(lowered("llama-3.1-70b", tensor(1), decode(64, 1000)));
  EXPECT_NEAR(flops / (64 * flops_per_token(model, 1000)), 1.0, 1e-12);
}

TEST(Lowering, PromptFlopsAreThoseOfTheModel) {
  // A token of a prompt of 1024 sees 512.5 tokens on average.
  for (const char* id : {"deepseek-v3", "mixtral-8x7b", "qwen3-235b-a22b", "llama-3.1-405b"}) {
    const ModelConfig model = shipped(id);
    const double flops = model_flops(lowered(id, tensor(1), prompt(1024)));
    EXPECT_NEAR(flops / (1024 * flops_per_token(model, 512.5)), 1.0, 1e-12) << id;
  }
}

TEST(Lowering, WindowedLayersUseTheClippedSums) {
  const auto graph = lowered("gpt-oss-120b", tensor(8), decode(10, 1000, 128));
  double pairs = 0;
  for (const Operator& op : graph.operators) {
    if (op.op_class != OperatorClass::attention_decode) continue;
    const auto attention = std::get<AttentionShape>(op.shape);
    EXPECT_EQ(op.repeat, 18U);
    EXPECT_EQ(attention.pairs, attention.window == 128 ? 1280 : 10000);
    EXPECT_TRUE(attention.sinks);
    pairs += attention.pairs;
  }
  EXPECT_EQ(pairs, 11280);
}

TEST(Lowering, WindowedPrefillReadsAtMostOneWindowBeforeTheChunk) {
  StepShape step = prompt(500);
  step.prefill_context = 4500;  // a chunk in the middle of a prompt
  const auto graph = lowered("gpt-oss-120b", tensor(1), step);
  for (const Operator& op : graph.operators) {
    if (op.op_class != OperatorClass::attention_prefill) continue;
    const auto attention = std::get<AttentionShape>(op.shape);
    EXPECT_EQ(attention.kv_tokens, attention.window == 128 ? 628 : 4500);
  }
}

TEST(Lowering, AbsorptionsHaveTheFlopsAndBytesOfTheirBatchedProducts) {
  const auto graph = lowered("deepseek-v3", expert(32), decode(32 * 64, 4000));
  for (const char* name : {"q_absorb", "v_absorb"}) {
    const auto work = work_of(find(graph, name));
    // 128 heads x [64, 128] x [128, 512] (and the other way round) in bf16.
    EXPECT_NEAR(work.flops, 2.0 * 64 * 128 * 128 * 512, 1);
    EXPECT_NEAR(work.weight_bytes, 2.0 * 128 * 128 * 512, 1);
    EXPECT_NEAR(work.memory_bytes, 2.0 * 128 * (128 * 512 + 64 * (128 + 512)), 1);
    EXPECT_EQ(find(graph, name).repeat, 61U);
  }
}

TEST(Lowering, LatentAttentionSharesTheDownProjectionAndSplitsTheHeads) {
  const auto graph = lowered("deepseek-v3", tensor(8), decode(64, 1000));
  EXPECT_EQ(shape<GemmShape>(graph, "qkv_a_proj").n, 1536 + 576);  // whole on each rank
  EXPECT_EQ(shape<GemmShape>(graph, "q_b_proj").n, 16 * 192);
  EXPECT_EQ(shape<GemmShape>(graph, "o_proj").k, 16 * 128);
  EXPECT_FALSE(has(graph, "kv_b_proj"));
  const auto attention = shape<LatentAttentionShape>(graph, "attention_decode");
  EXPECT_FALSE(attention.prefill);
  EXPECT_EQ(attention.heads, 16);
  EXPECT_EQ(attention.kv_tokens, 64000);
  const auto chunk = lowered("deepseek-v3", tensor(8), prompt(1000));
  EXPECT_TRUE(shape<LatentAttentionShape>(chunk, "attention_prefill").prefill);
  EXPECT_EQ(shape<GemmShape>(chunk, "kv_b_proj").m, 1000);
  EXPECT_EQ(shape<GemmShape>(chunk, "kv_b_proj").n, 16 * 256);
}

TEST(Lowering, SparseIndexerScoresAllAndAttentionReadsTopK) {
  const auto graph = lowered("deepseek-v3.2", expert(32), decode(32, 10000, 2048));
  const auto scores = work_of(find(graph, "indexer_scores"));
  EXPECT_EQ(scores.flops, 2.0 * 64 * 128 * 10000);
  // Keys of 128 B in FP8; the query side is small.
  EXPECT_NEAR(scores.memory_bytes, 10000 * 128.0, 20000);
  EXPECT_EQ(shape<LatentAttentionShape>(graph, "attention_decode").kv_tokens, 2048);
}

TEST(Lowering, SparsePrefillRunsAbsorbedBeyondTopK) {
  StepShape step = prompt(8192);
  // Pairs seen by queries that keep 2048 keys: 2048 x 2049 / 2 + 6144 x 2048.
  step.prefill_pairs_clipped = 2098176.0 + 12582912.0;
  const auto graph = lowered("deepseek-v3.2", tensor(8), step);
  const auto attention = shape<LatentAttentionShape>(graph, "attention_prefill");
  EXPECT_FALSE(attention.prefill);
  EXPECT_EQ(attention.pairs, 14681088.0);
  EXPECT_TRUE(has(graph, "q_absorb_prefill"));
  EXPECT_FALSE(has(graph, "kv_b_proj"));
  EXPECT_TRUE(has(lowered("deepseek-v3.2", tensor(8), prompt(1000)), "kv_b_proj"));
}

TEST(Lowering, TensorParallelExpertsNeedNoExchange) {
  const auto graph = lowered("gpt-oss-120b", tensor(8), decode(64, 1000, 128));
  for (const Operator& op : graph.operators) {
    if (const auto* collective = std::get_if<CollectiveShape>(&op.shape)) {
      EXPECT_NE(collective->kind, CollectiveKind::all_to_all) << op.name;
    }
  }
  EXPECT_EQ(find(graph, "moe_all_reduce").repeat, 36U);
  EXPECT_EQ(shape<ExpertShape>(graph, "experts").rank_tokens, 64 * 4 / 8.0);
  EXPECT_EQ(shape<ExpertShape>(graph, "experts").type, DataType::mxfp4);
  EXPECT_EQ(shape<GemmShape>(graph, "qkv_proj").type, DataType::bf16);
}

TEST(Lowering, DispatchIsFp8WithScalesAndCombineBf16) {
  // 1024 sequences on 32 ranks: 32 tokens x 8 copies of 7168 B + 56 fp32 scales.
  const auto graph = lowered("deepseek-v3", expert(32), decode(1024, 1000));
  const auto dispatch = shape<CollectiveShape>(graph, "expert_dispatch");
  EXPECT_EQ(dispatch.bytes, 256 * (7168.0 + 224));
  EXPECT_EQ(dispatch.kind, CollectiveKind::all_to_all);
  EXPECT_TRUE(dispatch.expert_exchange);
  EXPECT_EQ(dispatch.ranks, 32);
  EXPECT_EQ(shape<CollectiveShape>(graph, "expert_combine").bytes, 256 * 14336.0);
  EXPECT_EQ(find(graph, "expert_combine").repeat, 58U);
}

TEST(Lowering, DataParallelAttentionTakesTheFullestRank) {
  // 33 sequences on 32 ranks: one rank has two of them, and twice the context.
  const auto graph = lowered("deepseek-v3", expert(32), decode(33, 1000));
  EXPECT_EQ(shape<GemmShape>(graph, "q_b_proj").m, 2);
  EXPECT_DOUBLE_EQ(shape<LatentAttentionShape>(graph, "attention_decode").kv_tokens, 2000);
}

TEST(Lowering, ExpertTokensAreConserved) {
  for (const double skew : {0.0, 0.4, 0.8}) {
    const auto graph = lowered("deepseek-v3", expert(32, skew), decode(1024, 1000));
    const auto experts = shape<ExpertShape>(graph, "experts");
    EXPECT_EQ(experts.tokens, 1024);
    EXPECT_GE(experts.rank_tokens * 32, 1024 * 8.0 * (1 - 1e-12));
    if (skew == 0) {
      EXPECT_EQ(experts.rank_tokens * 32, 1024 * 8.0);
    } else {
      EXPECT_GT(experts.rank_tokens * 32, 1024 * 8.0 * 1.05);
    }
    EXPECT_LE(experts.touched_experts, 8.0);
  }
}

TEST(Lowering, ExpertsThatAreNotFullySpreadAreCutAcross) {
  ServingPlan plan = tensor(8);
  plan.ep = 2;
  const auto experts =
      shape<ExpertShape>(lowered("mixtral-8x7b", plan, decode(64, 100)), "experts");
  EXPECT_EQ(experts.local_experts, 4);
  EXPECT_EQ(experts.intermediate, 14336 / 4);
  EXPECT_EQ(experts.rank_tokens, 64.0);  // 64 x 2 / 2
}

TEST(Lowering, PipelineRunsMicroBatchesThroughItsStage) {
  ServingPlan plan = tensor(2);
  plan.pp = 4;
  const auto graph = lowered("llama-3.1-70b", plan, decode(64, 1000));
  EXPECT_EQ(shape<GemmShape>(graph, "qkv_proj").m, 16);
  EXPECT_EQ(find(graph, "qkv_proj").repeat, 80U);  // 20 layers x 4 micro-batches
  EXPECT_EQ(shape<CollectiveShape>(graph, "stage_send").bytes, 16 * 8192 * 2.0);
  // The 8 GPUs together do the work of one GPU alone, but for the LM head: each graph is that of
  // the last stage, so it counts four times.
  const double head = 2.0 * 64 * 128256 * 8192;
  const double one = model_flops(lowered("llama-3.1-70b", tensor(1), decode(64, 1000)));
  EXPECT_NEAR((8 * model_flops(graph) - 3 * head) / one, 1.0, 1e-12);
}

TEST(Lowering, ContextParallelismCutsContextAndPrompt) {
  ServingPlan plan = tensor(1);
  plan.cp = 4;
  const auto graph = lowered("llama-3.1-8b", plan, decode(8, 4000));
  EXPECT_EQ(shape<AttentionShape>(graph, "attention_decode").kv_tokens, 8000);
  EXPECT_TRUE(has(graph, "context_query_all_gather"));
  EXPECT_EQ(shape<GemmShape>(lowered("llama-3.1-8b", plan, prompt(1000)), "qkv_proj").m, 250);
}

TEST(Lowering, DraftTokensAreVerifiedTogether) {
  ServingPlan plan = tensor(8);
  plan.speculative = SpeculativeDraft{3, 0.7, 0.1};
  const auto graph = lowered("llama-3.1-70b", plan, decode(16, 1000));
  EXPECT_EQ(shape<GemmShape>(graph, "qkv_proj").m, 64);
  EXPECT_EQ(shape<GemmShape>(graph, "lm_head").m, 64);
  EXPECT_EQ(shape<AttentionShape>(graph, "attention_decode").kv_tokens, 16000);
  EXPECT_EQ(shape<AttentionShape>(graph, "attention_decode").pairs, 64000);
}

TEST(Lowering, VisionTowerEncodesImageTokens) {
  StepShape step = prompt(1000);
  EXPECT_FALSE(has(lowered("qwen3-vl-30b-a3b", tensor(1), step), "vision_qkv_proj"));
  step.prefill_image_tokens = 576;  // one image of 48 x 48 patches
  const auto graph = lowered("qwen3-vl-30b-a3b", tensor(1), step);
  EXPECT_EQ(shape<GemmShape>(graph, "vision_qkv_proj").m, 2304);
  EXPECT_EQ(find(graph, "vision_qkv_proj").repeat, 27U);
  EXPECT_EQ(shape<AttentionShape>(graph, "vision_attention").pairs, 2304.0 * 2304);
}

TEST(Lowering, EveryStepHasOneHostOperator) {
  const auto graph = lowered("llama-3.1-8b", tensor(1), decode(12, 100));
  EXPECT_EQ(find(graph, "host").repeat, 1U);
  EXPECT_EQ(shape<HostShape>(graph, "host").sequences, 12);
  EXPECT_EQ(lowered("llama-3.1-8b", tensor(1), StepShape{}).operators.size(), 1U);
}

TEST(Lowering, MixedStepHasOnePassOfGemmsAndBothAttentions) {
  StepShape step = prompt(1000);
  step.prefill_finished = 1;
  step.decode_sequences = 24;
  step.decode_context = step.decode_context_clipped = 24000;
  const auto graph = lowered("llama-3.1-8b", tensor(1), step);
  EXPECT_EQ(shape<GemmShape>(graph, "qkv_proj").m, 1024);
  EXPECT_EQ(shape<GemmShape>(graph, "lm_head").m, 25);
  EXPECT_EQ(shape<AttentionShape>(graph, "attention_prefill").pairs, 500500);
  EXPECT_EQ(shape<AttentionShape>(graph, "attention_decode").pairs, 24000);
}

TEST(Lowering, ReusesTheGraphWithoutAllocation) {
  const Lowering lowering(shipped("deepseek-v3"), expert(32, 0.5));
  OperatorGraph graph;
  lowering.lower(prompt(4096), graph);
  lowering.lower(decode(256, 1000), graph);
  const Operator* before = graph.operators.data();
  const auto size = graph.operators.size();
  lowering.lower(decode(256, 1000), graph);
  EXPECT_EQ(graph.operators.data(), before);
  EXPECT_EQ(graph.operators.size(), size);
}

TEST(Lowering, RefusesPlansThatDisagreeWithTheModel) {
  ServingPlan plan = tensor(4);
  plan.ep = 4;
  EXPECT_THROW(Lowering(shipped("llama-3.1-8b"), plan), std::invalid_argument);
  plan.ep = 3;
  EXPECT_THROW(Lowering(shipped("mixtral-8x7b"), plan), std::invalid_argument);
}

// ---- expert load
// ---------------------------------------------------------------------------------

TEST(ExpertLoad, BalancedByHand) {
  // 4 experts, one choice, two ranks: 2 x (1 - (3/4)^2) = 0.875 after two tokens.
  const ExpertLoad load(4, 1, 2, 0);
  EXPECT_EQ(load.imbalance(), 1);
  EXPECT_NEAR(load.touched(2), 0.875, 1e-12);
  EXPECT_EQ(load.touched(0), 0);
  EXPECT_NEAR(load.touched(1e6), 2, 1e-12);
}

TEST(ExpertLoad, SkewedByHand) {
  // Two experts of popularity 1 and 1/2 are picked with 2/3 and 1/3; the rank of the first gets
  // 2/3 of the tokens, 4/3 of the mean, and is reached by at least one of two with 1 - 1/9.
  const ExpertLoad load(2, 1, 2, 1.0);
  EXPECT_NEAR(load.imbalance(), 4.0 / 3.0, 1e-12);
  EXPECT_NEAR(load.touched(1), 2.0 / 3.0, 1e-12);
  EXPECT_NEAR(load.touched(2), 8.0 / 9.0, 1e-12);
}

TEST(ExpertLoad, NoExpertIsPickedTwiceByOneToken) {
  // Two choices of two experts: both are always picked, however skewed.
  EXPECT_NEAR(ExpertLoad(2, 2, 2, 3.0).imbalance(), 1.0, 1e-12);
  // One rank holds everything.
  EXPECT_NEAR(ExpertLoad(128, 8, 1, 0.8).imbalance(), 1.0, 1e-12);
}

TEST(ExpertLoad, GrowsWithSkewAndTokens) {
  double last = 1;
  for (const double skew : {0.2, 0.5, 0.8, 1.1}) {
    const ExpertLoad load(256, 8, 32, skew);
    EXPECT_GT(load.imbalance(), last);
    last = load.imbalance();
    EXPECT_LT(load.touched(10), load.touched(100));
    EXPECT_LE(load.touched(1e9), 8.0 + 1e-9);
  }
}

TEST(ExpertLoad, SpareSlotsHoldSecondCopies) {
  // 72 ranks of 4 slots hold 256 experts and 32 copies.
  const ExpertLoad load(256, 8, 72, 0);
  EXPECT_EQ(load.local_experts(), 4);
  EXPECT_NEAR(load.touched(1), 4 * 8.0 / 288, 1e-12);
}

}  // namespace
}  // namespace rackwright::workloads
