#include "kernels/analytical/collective_model.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/analytical/roofline.hpp"

namespace rackwright::kernels {

using workloads::CollectiveKind;

TwoSegmentModel TwoSegmentModel::from(const CalibratedModel& model) {
  TwoSegmentModel result;
  result.ranks = model.ranks;
  result.latency_1_s = parameter(model, "latency_1_s") * model.latency_factor;
  result.rate_1 = parameter(model, "rate_1") * model.link_ratio;
  result.latency_2_s = parameter(model, "latency_2_s") * model.latency_factor;
  result.rate_2 = parameter(model, "rate_2") * model.link_ratio;
  result.exponent = parameter(model, "exponent");
  // Knees move with rate and latency: a residual holds for the device it was measured on only.
  if (model.transfer_error == 0) result.residual = model.residual;
  result.relative_error = std::hypot(model.quality.held_out_p90, model.transfer_error);
  result.extrapolated = model.transfer_error > 0 || model.provenance.origin == "assumed";
  return result;
}

double TwoSegmentModel::seconds(double bytes) const {
  const double t = p_norm(latency_1_s + bytes / rate_1, latency_2_s + bytes / rate_2, exponent);
  return residual.empty() ? t : t * std::exp(residual.at({std::max(1.0, bytes)}));
}

double sent_per_byte(CollectiveKind kind, double ranks) {
  if (ranks <= 1) return 0;
  const double share = (ranks - 1) / ranks;
  switch (kind) {
    case CollectiveKind::all_reduce:
      return 2 * share;
    case CollectiveKind::send_recv:
      return 1;
    default:
      return share;
  }
}

void CollectiveModel::add(TwoSegmentModel model) {
  const auto at =
      std::lower_bound(tables_.begin(), tables_.end(), model.ranks,
                       [](const TwoSegmentModel& table, int ranks) { return table.ranks < ranks; });
  tables_.insert(at, std::move(model));
}

CollectiveEstimate CollectiveModel::inside(CollectiveKind kind, int ranks, double bytes) const {
  const auto above =
      std::lower_bound(tables_.begin(), tables_.end(), ranks,
                       [](const TwoSegmentModel& table, int n) { return table.ranks < n; });
  if (above != tables_.end() && above->ranks == ranks) {
    return {above->seconds(bytes), above->relative_error, above->extrapolated};
  }
  constexpr double kFarther = 0.1;  // added half-width per doubling of ranks beyond the table
  if (above == tables_.end() || above == tables_.begin()) {
    const bool beyond = above == tables_.end();
    const TwoSegmentModel& near = beyond ? tables_.back() : tables_.front();
    const double doublings = std::log2(static_cast<double>(ranks) / near.ranks);
    const double volume = sent_per_byte(kind, ranks) / sent_per_byte(kind, near.ranks);
    double step = 0;
    if (beyond && tables_.size() > 1) {
      const TwoSegmentModel& before = tables_[tables_.size() - 2];
      step = std::max(0.0, (near.seconds(1) - before.seconds(1)) /
                               std::log2(static_cast<double>(near.ranks) / before.ranks));
    }
    return {near.seconds(bytes * volume) + step * std::max(0.0, doublings),
            near.relative_error + kFarther * std::abs(doublings), true};
  }
  const TwoSegmentModel& upper = *above;
  const TwoSegmentModel& lower = *(above - 1);
  const double w = std::log2(static_cast<double>(ranks) / lower.ranks) /
                   std::log2(static_cast<double>(upper.ranks) / lower.ranks);
  return {(1 - w) * lower.seconds(bytes) + w * upper.seconds(bytes),
          std::max(lower.relative_error, upper.relative_error) + kFarther / 2,
          lower.extrapolated || upper.extrapolated};
}

LowLatencyExchangeModel LowLatencyExchangeModel::from(const CalibratedModel& model) {
  return {parameter(model, "latency_s") * model.latency_factor,
          parameter(model, "rate") * model.link_ratio,
          parameter(model, "exponent"),
          parameter(model, "per_expert_s"),
          parameter(model, "per_token_s"),
          parameter(model, "per_byte_s"),
          parameter(model, "node_latency_s"),
          parameter(model, "adapter_share"),
          std::hypot(model.quality.held_out_p90, model.transfer_error),
          model.transfer_error > 0 || model.provenance.origin == "assumed"};
}

double LowLatencyExchangeModel::seconds(const workloads::CollectiveShape& shape, int domain,
                                        double adapter_bytes_per_s, double multiprocessors) const {
  constexpr double kMeasuredShare = 7.0 / 8;
  constexpr int kUsualExperts = 256;
  const workloads::ExpertExchange& exchange = shape.exchange;
  const double ranks = shape.ranks;
  if (shape.ranks > domain) {
    const double nodes = std::ceil(ranks / domain);
    const double sent = shape.bytes * (nodes - 1) / nodes;
    return p_norm(latency_s + node_latency_s, sent / (adapter_share * adapter_bytes_per_s),
                  exponent);
  }
  const double experts = exchange.experts > 0 ? exchange.experts : kUsualExperts;
  const double moved = shape.bytes * (ranks - 1) / ranks / kMeasuredShare;
  const double counters =
      exchange.tokens * per_token_s + shape.bytes / std::max(1.0, exchange.copies) * per_byte_s;
  return p_norm(latency_s, moved / rate, exponent) + experts * per_expert_s +
         counters / std::min(experts, std::max(1.0, multiprocessors));
}

NormalExchangeModel NormalExchangeModel::from(const CalibratedModel& model) {
  return {parameter(model, "latency_s"),
          parameter(model, "node_latency_s"),
          parameter(model, "per_token_s"),
          parameter(model, "per_byte_s") / model.link_ratio,
          parameter(model, "per_remote_byte_s"),
          parameter(model, "multiprocessors"),
          parameter(model, "exponent"),
          std::hypot(model.quality.held_out_p90, model.transfer_error),
          model.transfer_error > 0 || model.provenance.origin == "assumed"};
}

double NormalExchangeModel::seconds(const workloads::CollectiveShape& shape, int domain) const {
  const workloads::ExpertExchange& normal = shape.exchange;
  const double nodes = std::ceil(static_cast<double>(shape.ranks) / domain);
  const double ranks_reached = workloads::places_reached(shape.ranks, normal.copies);
  const double remote =
      nodes > 1 ? (nodes - 1) / nodes * workloads::places_reached(nodes, normal.copies) : 0;
  const double carried = normal.tokens * per_token_s +
                         shape.bytes * (per_byte_s * ranks_reached + per_remote_byte_s * remote);
  const double units =
      std::clamp(static_cast<double>(normal.multiprocessors), 1.0, multiprocessors);
  return p_norm(latency_s + (nodes > 1 ? node_latency_s : 0), carried / units, exponent);
}

NetworkModel NetworkModel::from(const CalibratedModel& model) {
  return {parameter(model, "efficiency"), parameter(model, "reduce_latency_s"),
          parameter(model, "other_latency_s"),
          std::hypot(model.quality.held_out_p90, model.transfer_error),
          model.provenance.origin == "assumed"};
}

double ring_bytes_across(CollectiveKind kind, double domains, double per_domain) {
  // Two domains are a pair of equals in a library's tree: it moves what the hierarchy moves.
  const bool pair = kind == CollectiveKind::all_reduce && domains <= 2;
  return sent_per_byte(kind, pair ? domains : domains * per_domain) / per_domain;
}

double NetworkModel::across(CollectiveKind kind, double domains, double per_domain, double bytes,
                            double rate) const {
  const double reached = efficiency * rate;
  const bool reduces = kind == CollectiveKind::all_reduce;
  const double latency = (reduces ? 2 * reduce_latency_s : other_latency_s) * (domains - 1);
  switch (kind) {
    case CollectiveKind::send_recv:
      return other_latency_s + bytes / reached;
    case CollectiveKind::all_to_all:
      return latency + bytes * sent_per_byte(kind, domains) / reached;
    default:
      return latency + bytes * ring_bytes_across(kind, domains, per_domain) / reached;
  }
}

}  // namespace rackwright::kernels
