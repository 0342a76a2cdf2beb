#include <algorithm>
#include <cmath>
#include <variant>

#include "common/input_error.hpp"
#include "kernels/analytical/operator_models.hpp"

namespace rackwright::kernels {

using workloads::AllReduceKind;
using workloads::CollectiveKind;
using workloads::DataType;

namespace {

constexpr double kActivationBytes = 2;

std::size_t index_of(DataType type) {
  return static_cast<std::size_t>(type);
}

/// No table holds kernels whose weights have another type than their products.
RawTime of_other_weights(const std::optional<DataType>& math, RawTime time) {
  constexpr double kUnmeasuredKernel = 0.3;
  if (!math) return time;
  return {time.seconds, std::hypot(time.relative_error, kUnmeasuredKernel), true};
}

}  // namespace

RawTime OperatorModels::raw(const workloads::GemmShape& shape, const Work&,
                            const RankContext&) const {
  const DataType math = shape.math.value_or(shape.type);
  const std::size_t i = index_of(math);
  const double math_bytes = workloads::bytes_per_element(math);
  const bool quantised = math_bytes < kActivationBytes && !hardware_.weight_only[i];
  const auto& fitted = gemm_[i];
  workloads::GemmShape priced = shape;
  priced.m = priced_rows(shape.m);
  const double seconds = fitted.model.seconds(
      priced, workloads::bytes_per_element(shape.type), quantised ? math_bytes : kActivationBytes,
      hardware_.peak[i], hardware_.memory, hardware_.multiprocessors);
  return of_other_weights(shape.math, fitted.corrected(seconds, {priced.m, shape.n, shape.k}));
}

RawTime OperatorModels::raw(const workloads::AttentionShape& shape, const Work& work,
                            const RankContext&) const {
  constexpr double kOtherHeadDim = 0.15;
  bool exact = true;
  RawTime result;
  if (shape.prefill) {
    const auto& fitted = prefill_.nearest(shape.head_dim, exact);
    result = fitted.corrected(
        fitted.model.seconds(shape, work, hardware_),
        prefill_point(shape.heads, shape.pairs, shape.query_tokens, shape.sequences));
  } else {
    const auto& fitted = decode_.nearest(shape.head_dim, exact);
    result = fitted.corrected(fitted.model.seconds(shape, hardware_), decode_point(shape));
  }
  if (!exact) result.relative_error = std::hypot(result.relative_error, kOtherHeadDim);
  return result;
}

RawTime OperatorModels::raw(const workloads::LatentAttentionShape& shape, const Work& work,
                            const RankContext&) const {
  const std::size_t kv = workloads::bytes_per_element(shape.kv_type) < kActivationBytes ? 1 : 0;
  if (shape.prefill) {
    const auto& fitted = latent_prefill_[kv];
    return fitted.corrected(
        fitted.model.seconds(shape, work, hardware_),
        prefill_point(shape.heads, shape.pairs, shape.query_tokens, shape.sequences));
  }
  const auto& fitted = latent_decode_[kv];
  return fitted.corrected(fitted.model.seconds(shape, hardware_), decode_point(shape));
}

RawTime OperatorModels::raw(const workloads::ExpertShape& shape, const Work& work,
                            const RankContext&) const {
  const std::size_t i = index_of(shape.math.value_or(shape.type));
  const auto& fitted = experts_[i];
  const double seconds = fitted.model.seconds(shape, work, hardware_.peak[i], hardware_.memory);
  return of_other_weights(shape.math, fitted.corrected(seconds, expert_point(shape)));
}

RawTime OperatorModels::raw(const workloads::ElementwiseShape&, const Work& work,
                            const RankContext&) const {
  return elementwise_.corrected(elementwise_.model.seconds(work.memory_bytes, hardware_.memory),
                                {});
}

RawTime OperatorModels::raw(const workloads::HostShape& shape, const Work&,
                            const RankContext&) const {
  return {host_.model.per_step_s + host_.model.per_sequence_s * shape.sequences,
          host_.relative_error, host_.extrapolated};
}

CollectiveEstimate OperatorModels::inside(const workloads::CollectiveShape& shape, int ranks,
                                          double bytes) const {
  const CollectiveEstimate nccl =
      nccl_[static_cast<std::size_t>(shape.kind)].inside(shape.kind, ranks, bytes);
  if (shape.kind != CollectiveKind::all_reduce || shape.implementation == AllReduceKind::nccl) {
    return nccl;
  }
  const CollectiveEstimate engine = engine_all_reduce_.inside(shape.kind, ranks, bytes);
  // Engines hand large buffers to NCCL; symmetric-memory kernels of NCCL are as quick as the
  // engine's on small buffers, and no shared table says more.
  CollectiveEstimate best = engine.seconds < nccl.seconds ? engine : nccl;
  if (shape.implementation == AllReduceKind::nccl_symmetric) {
    constexpr double kUnmeasured = 0.25;
    best.relative_error = std::hypot(best.relative_error, kUnmeasured);
    best.extrapolated = true;
  }
  return best;
}

RawTime OperatorModels::exchange_time(const workloads::CollectiveShape& shape,
                                      const RankContext& rank) const {
  const int domain = std::max(1, rank.scale_up_domain);
  const std::size_t direction = shape.exchange.combine ? 1 : 0;
  const bool outside = shape.ranks > domain;
  if (outside && rank.scale_out_bytes_per_s <= 0) {
    throw BackendUnavailable(
        "a collective crosses the scale-up domain and the scale-out bandwidth is blank");
  }
  // Measured on 8 ranks in one domain and on two nodes of 8.
  constexpr double kMeasuredRanks = 8;
  constexpr double kMeasuredNodes = 2;
  constexpr double kPerDoubling = 0.2;
  const double nodes = std::ceil(static_cast<double>(shape.ranks) / domain);
  const double doublings = outside ? std::log2(std::max(1.0, nodes / kMeasuredNodes))
                                   : std::abs(std::log2(shape.ranks / kMeasuredRanks));
  const auto estimate = [&](const auto& model, double seconds) {
    return RawTime{seconds * shape.imbalance,
                   std::hypot(model.relative_error, kPerDoubling * doublings),
                   model.extrapolated || doublings > 0};
  };
  if (shape.exchange.multiprocessors > 0) {
    const NormalExchangeModel& model = normal_exchange_[direction];
    return estimate(model, model.seconds(shape, domain));
  }
  const LowLatencyExchangeModel& model = low_latency_exchange_[direction];
  return estimate(
      model, model.seconds(shape, domain, rank.scale_out_bytes_per_s, hardware_.multiprocessors));
}

RawTime OperatorModels::raw(const workloads::CollectiveShape& shape, const Work&,
                            const RankContext& rank) const {
  if (shape.ranks <= 1 || shape.bytes <= 0) return {};
  if (shape.expert_exchange) return exchange_time(shape, rank);
  const int domain = std::max(1, rank.scale_up_domain);
  const bool exchange = shape.kind == CollectiveKind::all_to_all;
  const double bytes = shape.bytes * (exchange ? shape.imbalance : 1);
  if (shape.ranks <= domain) {
    const CollectiveEstimate estimate = inside(shape, shape.ranks, bytes);
    return {estimate.seconds, estimate.relative_error, estimate.extrapolated};
  }
  if (rank.scale_out_bytes_per_s <= 0) {
    throw BackendUnavailable(
        "a collective crosses the scale-up domain and the scale-out bandwidth is blank");
  }
  const double domains = std::ceil(static_cast<double>(shape.ranks) / domain);
  const auto across = [&](CollectiveKind kind) {
    return network_.across(kind, domains, domain, bytes, rank.scale_out_bytes_per_s);
  };
  RawTime result{across(shape.kind), network_.relative_error, network_.extrapolated};
  if (domain == 1 || shape.kind == CollectiveKind::send_recv) return result;
  const double share = exchange ? static_cast<double>(domain) / shape.ranks : 1;
  const auto add = [&](const CollectiveEstimate& local) {
    result.relative_error = std::max(result.relative_error, local.relative_error);
    result.extrapolated = result.extrapolated || local.extrapolated;
    return local.seconds;
  };
  // Gathers and scatters pipeline both links of the ring; an exchange uses both at once.
  const auto pipelined = [&](CollectiveKind kind) {
    workloads::CollectiveShape part = shape;
    part.kind = kind;
    return std::max(across(kind), add(inside(part, domain, bytes * share)));
  };
  if (shape.kind != CollectiveKind::all_reduce) {
    result.seconds = pipelined(shape.kind);
    return result;
  }
  // Step by step: reduce-scatter inside, all-reduce across, all-gather inside. A library pipelines
  // large buffers: no longer than a reduce-scatter and an all-gather one after the other (196 of
  // 200 GB/s on 10 x 4 H100, nccl-tests).
  result.seconds += add(inside(shape, domain, bytes));
  result.seconds = std::min(result.seconds, pipelined(CollectiveKind::reduce_scatter) +
                                                pipelined(CollectiveKind::all_gather));
  return result;
}

double OperatorModels::bound(const workloads::Operator& op, const Work& work,
                             const RankContext& rank) const {
  if (const auto* collective = std::get_if<workloads::CollectiveShape>(&op.shape)) {
    if (collective->ranks <= 1) return 0;
    const double domain = std::max(1, rank.scale_up_domain);
    const bool reduces = collective->kind == CollectiveKind::all_reduce;
    // With in-network reduction every byte of an all-reduce leaves a GPU once.
    const double sent = reduces ? std::min(work.wire_bytes, collective->bytes) : work.wire_bytes;
    if (collective->ranks <= domain) return hardware_.link > 0 ? sent / hardware_.link : 0;
    const double domains = std::ceil(collective->ranks / domain);
    const double rate = rank.scale_out_bytes_per_s;
    double out = work.wire_bytes;
    if (collective->exchange.multiprocessors > 0) {
      out = collective->bytes * (domains - 1) / domains *
            workloads::places_reached(domains, collective->exchange.copies);
    } else if (collective->kind == CollectiveKind::all_to_all) {
      out = collective->bytes * collective->imbalance * (domains - 1) / domains;
    } else if (collective->kind != CollectiveKind::send_recv) {
      out = collective->bytes / domain * (reduces ? 1 : (domains - 1) / domains);
    }
    return rate > 0 ? out / rate : 0;
  }
  const double peak = hardware_.peak_of(work.type) > 0 ? hardware_.peak_of(work.type)
                                                       : hardware_.peak_of(DataType::bf16);
  // Row-wise arithmetic of norms and sampling does not run on the matrix units.
  const double compute = std::holds_alternative<workloads::ElementwiseShape>(op.shape)
                             ? 0
                             : work.flops / (peak * hardware_.clock_ratio);
  return std::max(compute,
                  std::max(0.0, work.memory_bytes - hardware_.l2_bytes) / hardware_.memory);
}

double OperatorModels::physical_bound(const workloads::Operator& op,
                                      const RankContext& rank) const {
  return bound(op, workloads::work_of(op), rank);
}

std::pair<const FittedPower*, double> OperatorModels::power_of(const workloads::Operator& op,
                                                               double seconds) const {
  constexpr double kShortestMeasured = 100e-6;
  const FittedPower* power = &power_;
  std::array<double, ValueGrid::kMaxAxes> point{};
  if (const auto* gemm = std::get_if<workloads::GemmShape>(&op.shape)) {
    power = &gemm_power_;
    point = {gemm->m, gemm->n, gemm->k};
  } else if (const auto* attention = std::get_if<workloads::AttentionShape>(&op.shape)) {
    power = attention->prefill ? &prefill_power_ : &decode_power_;
    point = attention->prefill ? prefill_point(attention->heads, attention->pairs,
                                               attention->query_tokens, attention->sequences)
                               : decode_point(*attention);
  }
  if (power->residual.empty() || seconds < kShortestMeasured) return {power, 1.0};
  return {power, std::exp(static_cast<float>(power->residual.at(point)))};
}

OperatorTiming OperatorModels::price(const workloads::Operator& op, const RankContext& rank) const {
  const Work work = workloads::work_of(op);
  const RawTime raw_time =
      std::visit([&](const auto& shape) { return raw(shape, work, rank); }, op.shape);
  const double seconds = std::max(raw_time.seconds, bound(op, work, rank));
  if (!(seconds > 0)) return {};
  ActivityShares shares;
  const double peak = hardware_.peak_of(work.type);
  if (peak > 0) shares.flop = std::min(1.0, work.flops / (seconds * peak));
  shares.byte = std::min(1.0, work.memory_bytes / (seconds * hardware_.memory));
  if (hardware_.exponentials > 0) {
    shares.exponential = std::min(1.0, work.exponentials / (seconds * hardware_.exponentials));
  }
  if (hardware_.link > 0) shares.link = std::min(1.0, work.wire_bytes / (seconds * hardware_.link));
  const double clock_bound = std::min(1.0, shares.flop + shares.exponential);
  const auto [power, correction] = power_of(op, seconds);
  const CappedKernel kernel = power->model.capped(seconds, shares, clock_bound, hardware_.tdp_w,
                                                  rank.power_cap_w, correction);
  return {kernel.seconds, kernel.seconds * kernel.watts, raw_time.relative_error,
          raw_time.extrapolated, power->error};
}

}  // namespace rackwright::kernels
