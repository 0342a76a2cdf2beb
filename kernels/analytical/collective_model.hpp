#pragma once

#include <vector>

#include "kernels/analytical/device_profile.hpp"
#include "workloads/operator.hpp"

namespace rackwright::kernels {

/// One operation on one number of GPUs inside the scale-up domain: two affine laws of the full
/// buffer S joined smoothly, ((a1 + S/b1)^p + (a2 + S/b2)^p)^(1/p), times exp(residual(S)).
/// The first law is the low-latency protocol, the second the high-rate one; with p < 0 the faster
/// of both wins.
struct TwoSegmentModel {
  int ranks = 0;
  double latency_1_s = 0;
  double rate_1 = 1;  ///< B/s of S
  double latency_2_s = 0;
  double rate_2 = 1;
  double exponent = 8;
  ValueGrid residual;
  double relative_error = 0;
  bool extrapolated = false;

  /// Bandwidth and latency are carried over by the model's link ratio and latency factor.
  static TwoSegmentModel from(const CalibratedModel& model);
  [[nodiscard]] double seconds(double bytes) const;
};

struct CollectiveEstimate {
  double seconds = 0;
  double relative_error = 0;
  bool extrapolated = false;
};

/// One operation over all measured numbers of GPUs.
class CollectiveModel {
 public:
  void add(TwoSegmentModel model);  ///< in any order
  [[nodiscard]] bool empty() const { return tables_.empty(); }
  /// Inside one domain. Numbers of ranks between two tables are interpolated in log2(ranks) at
  /// equal bytes; beyond the last one, latency grows by the last table's step per doubling and the
  /// bytes by the algorithm's volume (`volume(n)` = bytes sent per byte of S).
  [[nodiscard]] CollectiveEstimate inside(workloads::CollectiveKind kind, int ranks,
                                          double bytes) const;

 private:
  std::vector<TwoSegmentModel> tables_;
};

/// Bytes sent by a rank per byte of S: all-reduce 2(n-1)/n, send 1, others (n-1)/n.
[[nodiscard]] double sent_per_byte(workloads::CollectiveKind kind, double ranks);

/// Expert exchange in low-latency mode. In a domain, n ranks:
/// p-norm(t0, S' / r) + E e + (T c + S / k d) / min(E, SM): S' = S ((n - 1) / n) / (7 / 8) of the
/// bytes measured on 8 ranks, E experts, whose counters few multiprocessors serve when E is small,
/// T tokens with k copies. On N nodes: p-norm(t0 + t1, S ((N - 1) / N) / (a adapter)).
struct LowLatencyExchangeModel {
  double latency_s = 0;
  double rate = 1;  ///< r
  double exponent = 1;
  double per_expert_s = 0;    ///< e
  double per_token_s = 0;     ///< c
  double per_byte_s = 0;      ///< d
  double node_latency_s = 0;  ///< t1
  double adapter_share = 1;   ///< a
  double relative_error = 0;
  bool extrapolated = false;

  static LowLatencyExchangeModel from(const CalibratedModel& model);
  [[nodiscard]] double seconds(const workloads::CollectiveShape& shape, int domain,
                               double adapter_bytes_per_s, double multiprocessors) const;
};

/// Expert exchange in normal mode on N nodes of d ranks:
/// p-norm(t0 + [N > 1] t1, (tokens c + S (w D + v R)) / min(SM, s)), S = what a rank's tokens hold
/// once, D = ranks and R = other nodes that a token reaches, SM = multiprocessors of the exchange.
struct NormalExchangeModel {
  double latency_s = 0;
  double node_latency_s = 0;
  double per_token_s = 0;
  double per_byte_s = 0;
  double per_remote_byte_s = 0;
  double multiprocessors = 1;  ///< s: more bring nothing
  double exponent = 1;
  double relative_error = 0;
  bool extrapolated = false;

  /// Bytes inside a domain are carried over by the model's link ratio.
  static NormalExchangeModel from(const CalibratedModel& model);
  [[nodiscard]] double seconds(const workloads::CollectiveShape& shape, int domain) const;
};

/// Bytes through each rank's adapter per byte of S when rings run through `domains` domains of
/// `per_domain` ranks, every rank with an adapter of its own: sent_per_byte(n) / per_domain with n
/// all ranks, as a library's rings pass every rank, not every domain: 39/40 rather than 9/10 of 10
/// domains of 4. An all-reduce over two domains is a tree of two equals: sent_per_byte(2).
[[nodiscard]] double ring_bytes_across(workloads::CollectiveKind kind, double domains,
                                       double per_domain);

/// What crosses the network between scale-up domains.
struct NetworkModel {
  double efficiency = 1;        ///< reached share of the adapter's rate
  double reduce_latency_s = 0;  ///< per domain on the ring
  double other_latency_s = 0;
  double relative_error = 0;
  bool extrapolated = false;

  static NetworkModel from(const CalibratedModel& model);
  /// Between `domains` domains, `per_domain` ranks each with its own adapter of `rate` B/s. Rings:
  /// `ring_bytes_across` of S. All-to-all: the share
  /// (domains - 1) / domains of what a rank sends leaves through its own adapter.
  [[nodiscard]] double across(workloads::CollectiveKind kind, double domains, double per_domain,
                              double bytes, double rate) const;
};

}  // namespace rackwright::kernels
