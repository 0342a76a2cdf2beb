#include "workloads/operator.hpp"

#include <gtest/gtest.h>

namespace rackwright::workloads {
namespace {

OperatorWork work_of_shape(const OperatorShape& shape) {
  Operator op;
  op.shape = shape;
  op.repeat = 7;  // must not matter
  return work_of(op);
}

CollectiveShape collective(CollectiveKind kind, int ranks, double bytes,
                           AllReduceKind implementation = AllReduceKind::nccl) {
  CollectiveShape shape;
  shape.kind = kind;
  shape.ranks = ranks;
  shape.bytes = bytes;
  shape.implementation = implementation;
  return shape;
}

TEST(WorkOf, GemmInBf16) {
  // 2 x 4 x 6 x 8 = 384 FLOP; A 64 B + B 96 B + C 48 B.
  const auto work = work_of_shape(GemmShape{4, 6, 8, DataType::bf16});
  EXPECT_EQ(work.flops, 384);
  EXPECT_EQ(work.weight_bytes, 96);
  EXPECT_EQ(work.memory_bytes, 208);
}

TEST(WorkOf, QuantisedGemmIncludesTheQuantiser) {
  // A: 32 elements read in bf16 (64 B), written and read in fp8 (64 B); B 48 B; C 48 B.
  const auto work = work_of_shape(GemmShape{4, 6, 8, DataType::fp8});
  EXPECT_EQ(work.flops, 384);
  EXPECT_EQ(work.weight_bytes, 48);
  EXPECT_EQ(work.memory_bytes, 224);
}

TEST(WorkOf, DecodeAttentionReadsTheCacheOnce) {
  AttentionShape shape;
  shape.sequences = shape.query_tokens = 4;
  shape.pairs = shape.kv_tokens = 1000;
  shape.heads = 8;
  shape.kv_heads = 1;
  shape.head_dim = 128;
  const auto work = work_of_shape(shape);
  EXPECT_EQ(work.flops, 4 * 8 * 128 * 1000);
  EXPECT_EQ(work.exponentials, 8000);
  // K and V 2 x 1000 x 128 x 2 B; queries and outputs 2 x 4 x 1024 x 2 B.
  EXPECT_EQ(work.memory_bytes, 512000 + 16384);
  shape.kv_type = DataType::fp8;
  EXPECT_EQ(work_of_shape(shape).memory_bytes, 256000 + 16384);
}

TEST(WorkOf, PrefillAttentionCountsTheDiagonal) {
  AttentionShape shape;
  shape.prefill = true;
  shape.sequences = 1;
  shape.query_tokens = shape.kv_tokens = 4;
  shape.pairs = 10;  // 4 x 5 / 2
  shape.heads = shape.kv_heads = 1;
  shape.head_dim = 64;
  EXPECT_EQ(work_of_shape(shape).flops, 2560);  // 4 x 64 x 10
}

LatentAttentionShape deepseek_heads(int heads) {
  LatentAttentionShape shape;
  shape.heads = heads;
  shape.latent = 512;
  shape.rope = 64;
  shape.nope = 128;
  shape.v = 128;
  return shape;
}

TEST(WorkOf, AbsorbedLatentAttentionReadsTheLatentOnceForAllHeads) {
  auto shape = deepseek_heads(128);
  shape.sequences = shape.query_tokens = 1;
  shape.pairs = shape.kv_tokens = 1000;
  const auto work = work_of_shape(shape);
  // 2 x 128 x (576 + 512) x 1000 FLOP; cache 1000 x 576 x 2 B, query and output 128 x 1088 x 2 B.
  EXPECT_EQ(work.flops, 278528000);
  EXPECT_EQ(work.memory_bytes, 1152000 + 278528);
  EXPECT_EQ(work.exponentials, 128000);
}

TEST(WorkOf, UnabsorbedLatentAttentionHasKeysOfEachHead) {
  auto shape = deepseek_heads(2);
  shape.prefill = true;
  shape.sequences = 1;
  shape.query_tokens = shape.kv_tokens = 4;
  shape.pairs = 10;
  const auto work = work_of_shape(shape);
  // 2 x 2 x (192 + 128) x 10 FLOP; Q, K 192 and V, O 128 wide: (4 + 4) x 2 x 320 x 2 B.
  EXPECT_EQ(work.flops, 12800);
  EXPECT_EQ(work.memory_bytes, 10240);
}

TEST(WorkOf, ExpertsReadTouchedWeightsOnce) {
  ExpertShape shape;
  shape.rank_tokens = 16;
  shape.touched_experts = 2;
  shape.hidden = 8;
  shape.intermediate = 4;
  const auto work = work_of_shape(shape);
  EXPECT_EQ(work.flops, 3072);        // 2 x 3 x 16 x 8 x 4
  EXPECT_EQ(work.weight_bytes, 384);  // 2 experts x 3 x 32 x 2 B
  // Per pair: 16 in, 16 out; activation 16 in, 8 out; 8 in, 16 out = 80 B.
  EXPECT_EQ(work.memory_bytes, 384 + 16 * 80);
}

TEST(WorkOf, RingAllReduceSendsTwiceTheBufferLessOneShare) {
  const auto work = work_of_shape(collective(CollectiveKind::all_reduce, 8, 800));
  EXPECT_EQ(work.wire_bytes, 1400);  // 2 x 7/8 x 800
  EXPECT_EQ(work_of_shape(collective(CollectiveKind::all_reduce, 1, 800)).wire_bytes, 0);
}

TEST(WorkOf, EngineAllReduceIsOneShotWhileSmall) {
  const auto sent = [](int ranks, double bytes) {
    return work_of_shape(
               collective(CollectiveKind::all_reduce, ranks, bytes, AllReduceKind::engine))
        .wire_bytes;
  };
  EXPECT_EQ(sent(8, 262143), 7 * 262143.0);
  EXPECT_EQ(sent(8, 262144), 1.75 * 262144);
  EXPECT_EQ(sent(4, 524287), 3 * 524287.0);
  EXPECT_EQ(sent(4, 524288), 1.5 * 524288);
  EXPECT_EQ(sent(2, 1e9), 1e9);
}

TEST(WorkOf, GathersAndExchangesSendAllButTheirOwnShare) {
  EXPECT_EQ(work_of_shape(collective(CollectiveKind::all_gather, 4, 400)).wire_bytes, 300);
  EXPECT_EQ(work_of_shape(collective(CollectiveKind::reduce_scatter, 4, 400)).wire_bytes, 300);
  auto exchange = collective(CollectiveKind::all_to_all, 4, 400);
  EXPECT_EQ(work_of_shape(exchange).wire_bytes, 300);
  exchange.imbalance = 1.5;
  EXPECT_EQ(work_of_shape(exchange).wire_bytes, 450);
  EXPECT_EQ(work_of_shape(collective(CollectiveKind::send_recv, 2, 400)).wire_bytes, 400);
}

TEST(WorkOf, ElementwiseMovesWhatItReadsAndWrites) {
  const auto work = work_of_shape(ElementwiseShape{100, 50, 30});
  EXPECT_EQ(work.memory_bytes, 150);
  EXPECT_EQ(work.flops, 30);
  EXPECT_EQ(work_of_shape(HostShape{64}).memory_bytes, 0);
}

TEST(OperatorClass, NamesAreThoseOfTheEnumeration) {
  EXPECT_EQ(to_string(OperatorClass::gemm), "gemm");
  EXPECT_EQ(to_string(OperatorClass::host), "host");
  EXPECT_EQ(to_string(CollectiveKind::send_recv), "send_recv");
}

}  // namespace
}  // namespace rackwright::workloads
