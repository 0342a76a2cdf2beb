#include "workloads/operator.hpp"

#include <array>
#include <cmath>
#include <type_traits>

namespace rackwright::workloads {
namespace {

static_assert(std::is_trivially_copyable_v<Operator>, "graphs are refilled without allocation");

constexpr double kActivation = 2.0;  // bytes of a bf16 element
constexpr double kKibibyte = 1024.0;

bool is_quantised(DataType type) {
  return bytes_per_element(type) < 2.0;
}

/// Bytes per element of A that a GEMM moves, its quantiser included.
double input_bytes(DataType type) {
  if (!is_quantised(type)) return bytes_per_element(type);
  // A 4-bit weight type with MX or NV scales still gets 8-bit or 4-bit activations of that type.
  return kActivation + 2 * bytes_per_element(type);
}

OperatorWork work(const GemmShape& gemm) {
  OperatorWork result;
  result.type = gemm.math.value_or(gemm.type);
  result.flops = 2 * gemm.m * gemm.n * gemm.k;
  result.weight_bytes = gemm.n * gemm.k * bytes_per_element(gemm.type);
  result.memory_bytes = result.weight_bytes + gemm.m * gemm.k * input_bytes(result.type) +
                        gemm.m * gemm.n * kActivation;
  return result;
}

OperatorWork work(const AttentionShape& attention) {
  OperatorWork result;
  result.type = bytes_per_element(attention.kv_type) < 2 ? attention.kv_type : DataType::bf16;
  const double query_width = static_cast<double>(attention.heads) * attention.head_dim;
  const double key_width = static_cast<double>(attention.kv_heads) * attention.head_dim;
  result.flops = 4 * query_width * attention.pairs;
  result.exponentials = attention.heads * attention.pairs;
  result.memory_bytes = 2 * attention.kv_tokens * key_width * bytes_per_element(attention.kv_type) +
                        2 * attention.query_tokens * query_width * kActivation;
  return result;
}

OperatorWork work(const LatentAttentionShape& mla) {
  OperatorWork result;
  const double heads = mla.heads;
  result.exponentials = heads * mla.pairs;
  if (mla.prefill) {
    const double query_key = mla.nope + mla.rope;
    result.flops = 2 * heads * (query_key + mla.v) * mla.pairs;
    result.memory_bytes =
        (mla.kv_tokens + mla.query_tokens) * heads * (query_key + mla.v) * kActivation;
    return result;
  }
  const double cached = mla.latent + mla.rope;
  result.type = bytes_per_element(mla.kv_type) < 2 ? mla.kv_type : DataType::bf16;
  result.flops = 2 * heads * (cached + mla.latent) * mla.pairs;
  result.memory_bytes = mla.kv_tokens * cached * bytes_per_element(mla.kv_type) +
                        mla.query_tokens * heads * (cached + mla.latent) * kActivation;
  return result;
}

OperatorWork work(const ExpertShape& experts) {
  OperatorWork result;
  result.type = experts.math.value_or(experts.type);
  const double up = experts.gated ? 2 : 1;
  const double hidden = experts.hidden;
  const double intermediate = experts.intermediate;
  result.flops = 2 * (up + 1) * experts.rank_tokens * hidden * intermediate;
  result.weight_bytes =
      experts.touched_experts * (up + 1) * hidden * intermediate * bytes_per_element(experts.type);
  // GEMM 1: hidden in, up x intermediate out; activation: that in, intermediate out; GEMM 2.
  const double per_token = hidden * input_bytes(result.type) + up * intermediate * kActivation +
                           (up + 1) * intermediate * kActivation +
                           intermediate * input_bytes(result.type) + hidden * kActivation;
  result.memory_bytes = result.weight_bytes + experts.rank_tokens * per_token;
  return result;
}

OperatorWork work(const ElementwiseShape& elementwise) {
  OperatorWork result;
  result.flops = elementwise.flops;
  result.memory_bytes = elementwise.bytes_read + elementwise.bytes_written;
  return result;
}

double sent_bytes(const CollectiveShape& collective) {
  const double n = collective.ranks;
  if (n <= 1) return 0;
  const double share = (n - 1) / n * collective.bytes;
  switch (collective.kind) {
    case CollectiveKind::all_reduce:
      if (collective.implementation == AllReduceKind::engine &&
          engine_sends_one_shot(collective.ranks, collective.bytes)) {
        return (n - 1) * collective.bytes;
      }
      return 2 * share;
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
      return share;
    case CollectiveKind::all_to_all:
      if (collective.exchange.multiprocessors > 0) {
        return share * places_reached(n, collective.exchange.copies) * collective.imbalance;
      }
      return share * collective.imbalance;
    case CollectiveKind::send_recv:
      return collective.bytes;
  }
  return 0;
}

OperatorWork work(const CollectiveShape& collective) {
  OperatorWork result;
  result.wire_bytes = sent_bytes(collective);
  // Every byte sent is read from memory once and every byte received written once.
  result.memory_bytes = 2 * result.wire_bytes;
  return result;
}

OperatorWork work(const HostShape&) {
  return {};
}

}  // namespace

bool engine_sends_one_shot(int ranks, double bytes) {
  if (ranks == 2) return true;
  if (ranks <= 4) return bytes < 512 * kKibibyte;
  return ranks <= 8 && bytes < 256 * kKibibyte;
}

double places_reached(double places, double copies) {
  return places * (1 - std::pow(1 - 1 / places, copies));
}

std::string_view to_string(OperatorClass c) {
  constexpr std::array<std::string_view, kOperatorClassCount> names{
      "gemm",        "attention_prefill", "attention_decode", "moe",
      "elementwise", "sampling",          "collective",       "host"};
  return names.at(static_cast<std::size_t>(c));
}

std::string_view to_string(CollectiveKind kind) {
  constexpr std::array<std::string_view, 5> names{"all_reduce", "all_gather", "reduce_scatter",
                                                  "all_to_all", "send_recv"};
  return names.at(static_cast<std::size_t>(kind));
}

OperatorWork work_of(const Operator& op) {
  return std::visit([](const auto& shape) { return work(shape); }, op.shape);
}

}  // namespace rackwright::workloads
