#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "workloads/data_type.hpp"
#include "workloads/serving_plan.hpp"

namespace rackwright::workloads {

/// Classes that traces, power and reports are broken down by.
enum class OperatorClass : std::uint8_t {
  gemm,
  attention_prefill,
  attention_decode,
  moe,
  elementwise,
  sampling,
  collective,
  host
};
inline constexpr int kOperatorClassCount = 8;
[[nodiscard]] std::string_view to_string(OperatorClass c);

enum class Lane : std::uint8_t { compute, communication, copy };

/// C[m,n] = A[m,k] x B[k,n], weights B of `type`, output bf16. A quantised `type` includes the
/// quantiser of A: it reads bf16 and writes `type`, which the GEMM reads again.
struct GemmShape {
  double m = 0, n = 0, k = 0;
  DataType type = DataType::bf16;
  /// Type of the products where it is not that of the weights: bf16 of weight-only kernels.
  std::optional<DataType> math = std::nullopt;
};

/// Attention on one GPU, all sequences of the step together. Shapes are per GPU (after TP).
struct AttentionShape {
  bool prefill = false;
  double sequences = 0;
  double query_tokens = 0;
  double pairs = 0;      ///< query-key pairs per query head, over all sequences
  double kv_tokens = 0;  ///< cached tokens read, over all sequences
  int heads = 0, kv_heads = 0, head_dim = 0;
  DataType kv_type = DataType::bf16;
  int window = 0;
  bool sinks = false;
};

/// MLA on one GPU. Prefill is un-absorbed (head dims qk 192, v 128); decode is absorbed (576 / 512)
/// and reads the latent once for all heads.
struct LatentAttentionShape {
  bool prefill = false;
  double sequences = 0;
  double query_tokens = 0;
  double pairs = 0;
  double kv_tokens = 0;
  int heads = 0;
  int latent = 0, rope = 0, nope = 0, v = 0;
  DataType kv_type = DataType::bf16;
};

/// The grouped GEMMs of one MoE layer on the heaviest rank, with the activation between them.
struct ExpertShape {
  double tokens = 0;           ///< over the whole expert-parallel group
  double rank_tokens = 0;      ///< token-expert pairs on the heaviest rank
  double touched_experts = 0;  ///< experts with at least one token on that rank
  int local_experts = 0;
  int experts = 0, top_k = 0;
  int hidden = 0, intermediate = 0;  ///< intermediate is per GPU (after expert TP)
  int ep = 1, tp = 1;
  bool gated = true;
  DataType type = DataType::bf16;
  double skew = 0;
  std::optional<DataType> math = std::nullopt;  ///< as of GEMM
};

/// Kernels of memory-bound work; `other` is known by its bytes alone.
enum class ElementwiseKernel : std::uint8_t {
  other,
  gather,         ///< rows of a table, by index: the embedding
  norm,           ///< of rows
  residual_norm,  ///< the residual is added first and written back
  rotary_append,  ///< queries and keys rotated, keys and values put into the cache
  gated_activation,
  route,       ///< top_k of a row's scores, with weights
  expert_sum,  ///< the weighted sum of a token's rows
  top_k,       ///< places of a row's highest scores
  sample
};

/// What a memory-bound kernel works on, on one GPU; what a kernel does not use is 0.
struct ElementwiseSize {
  ElementwiseKernel kernel = ElementwiseKernel::other;
  double rows = 0;   ///< tokens; heads of all tokens where each is normed by itself
  double width = 0;  ///< of a row: hidden size, width of the MLP, experts, vocabulary, scores
  double top_k = 0;  ///< taken of a row; rows that a token's sum has here
  int heads = 0, kv_heads = 0, head_dim = 0;  ///< that are rotated
  int latent = 0;                             ///< of MLA, appended beside the rotated key
  DataType kv_type = DataType::bf16;
};

/// Memory-bound work: norms, rotary, KV append, activation, router, permute, sampling.
struct ElementwiseShape {
  double bytes_read = 0, bytes_written = 0, flops = 0;
  ElementwiseSize size = {};
};

enum class CollectiveKind : std::uint8_t {
  all_reduce,
  all_gather,
  reduce_scatter,
  all_to_all,
  send_recv
};
[[nodiscard]] std::string_view to_string(CollectiveKind kind);

/// An expert exchange. Low-latency mode sends every copy of a token, and the `bytes` of the shape
/// count them all. Normal mode (`multiprocessors` > 0) sends a token once to each rank, and over
/// the network once to each node, that holds one of its experts; `bytes` are what the tokens of one
/// rank hold once.
struct ExpertExchange {
  double tokens = 0;        ///< of one rank
  double copies = 1;        ///< experts of a token
  int experts = 0;          ///< over all ranks; 0: not said
  int multiprocessors = 0;  ///< that carry a normal-mode exchange
  bool combine = false;
};

/// Different ones of `places` that `copies` experts, drawn at random, live on.
[[nodiscard]] double places_reached(double places, double copies);

/// Whether an engine's all-reduce of so many bytes takes one step, in which each rank reads all of
/// every other (vLLM csrc/custom_all_reduce.cuh), and not two.
[[nodiscard]] bool engine_sends_one_shot(int ranks, double bytes);

/// `bytes` is nccl-tests' size S: the full buffer (all-gather, reduce-scatter: the total;
/// all-to-all: what one rank sends in all). `imbalance` >= 1 is the heaviest rank's load over the
/// mean. Expert-parallel exchange (`expert_exchange`) is the engines' dispatch or combine kernel.
struct CollectiveShape {
  CollectiveKind kind = CollectiveKind::all_reduce;
  int ranks = 1;
  double bytes = 0;
  AllReduceKind implementation = AllReduceKind::nccl;
  double imbalance = 1;
  bool expert_exchange = false;
  ExpertExchange exchange = {};
};

/// CPU time of the engine between steps; `sequences` scheduled. The device profile prices it.
struct HostShape {
  double sequences = 0;
};

using OperatorShape = std::variant<GemmShape, AttentionShape, LatentAttentionShape, ExpertShape,
                                   ElementwiseShape, CollectiveShape, HostShape>;

struct Operator {
  std::string_view name;  ///< a literal: "qkv_proj"
  OperatorClass op_class = OperatorClass::gemm;
  Lane lane = Lane::compute;
  std::uint32_t repeat = 1;  ///< identical executions in the step (layers of the same kind)
  OperatorShape shape;
};

/// Work of one execution (repeat not applied), on one GPU. The only place bytes and FLOPs come
/// from.
///
/// | shape | FLOPs | memory bytes |
/// |---|---|---|
/// | GEMM | 2mnk | A + B + C; a quantised type reads A in bf16, writes and reads it in the type |
/// | attention | 4 x heads x head_dim x pairs | queries and outputs in bf16, K and V read once |
/// | MLA prefill | 2 x heads x (nope + rope + v) x pairs | as above, K and V per head in bf16 |
/// | MLA decode | 2 x heads x (2 latent + rope) x pairs | the latent cache read once for all heads
/// | | experts | 2 x 3 (2 ungated) x rank_tokens x hidden x intermediate | touched experts' weights
/// once,
///   activations in and out of both GEMMs |
///
/// Exponentials are one per query head and pair. `pairs` counts the diagonal: a prompt of S tokens
/// has S(S+1)/2.
///
/// Wire bytes, n ranks, size S: all-reduce 2(n-1)/n S; all-gather, reduce-scatter, all-to-all
/// (n-1)/n S; send S. The engine's all-reduce sends (n-1) S while it is one-shot (n = 2, or
/// S < 512 KiB for n <= 4, or S < 256 KiB for n <= 8), else as the ring (vLLM
/// csrc/custom_all_reduce.cuh). The heaviest rank's `imbalance` multiplies all-to-all.
struct OperatorWork {
  double flops = 0;
  double exponentials = 0;  ///< softmax
  double weight_bytes = 0;  ///< read once however large the batch
  double memory_bytes = 0;  ///< all HBM traffic, weights included
  double wire_bytes = 0;    ///< sent by this GPU over links, by algorithm volume, not busbw
  DataType type = DataType::bf16;
};
[[nodiscard]] OperatorWork work_of(const Operator& op);

}  // namespace rackwright::workloads
