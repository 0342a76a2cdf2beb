#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace rackwright::kernels {

/// What `bench collectives` runs.
enum class CollectiveOp {
  all_reduce,
  all_gather,
  reduce_scatter,
  broadcast,
  all_to_all,
  all_to_all_uneven,  ///< expert exchange: rank r is sent a share that falls with r, 2 : 1 in all
  send_recv,          ///< a chain round all ranks
  kv_transfer         ///< from the ranks of the first half, the prefill pool, to the second
};
inline constexpr int kCollectiveOps = 8;

[[nodiscard]] std::string_view to_string(CollectiveOp op);
[[nodiscard]] std::optional<CollectiveOp> collective_op(std::string_view name);
/// The program of nccl-tests that measures it: "all_reduce_perf".
[[nodiscard]] std::string_view nccl_tests_program(CollectiveOp op);
[[nodiscard]] bool reduces(CollectiveOp op);
/// Whether it is also run with one buffer for both sides, as nccl-tests does.
[[nodiscard]] bool has_in_place(CollectiveOp op);

/// busbw = factor x algbw, n ranks (nccl-tests doc/PERFORMANCE.md): all-reduce 2(n-1)/n;
/// all-gather, reduce-scatter, all-to-all (n-1)/n; broadcast, send, KV transfer 1. algbw = S / t
/// with S the bytes of a rank for all-reduce, broadcast, send and KV transfer, else the total.
[[nodiscard]] double bus_factor(CollectiveOp op, int ranks);

/// Elements (float32) of one call for nccl-tests' size S.
struct CollectiveCounts {
  std::size_t bytes = 0;  ///< S as it is run: whole elements on every rank
  std::size_t count = 0;  ///< what nccl-tests prints: elements of a rank's part
  std::size_t out = 0;    ///< of the send buffer of the largest rank
  std::size_t in = 0;     ///< of the receive buffer of the largest rank
};
[[nodiscard]] CollectiveCounts counts_of(CollectiveOp op, std::size_t bytes, int ranks);

/// Elements from `from` to `to` of an exchange over n ranks in which a rank sends `total`: even, or
/// falling with the destination as 2n - 1 - to, which is 2 : 1 from the first rank to the last.
[[nodiscard]] std::size_t exchanged(CollectiveOp op, std::size_t total, int ranks, int to);

/// What the fullest rank of an exchange is sent over the mean: 1, or (2n - 1) / ((3n - 1) / 2).
[[nodiscard]] double exchange_skew(CollectiveOp op, int ranks);

/// Bytes over the busiest rank's link in its busier direction for S bytes, by the algorithm: rings
/// 2(n-1)/n S and (n-1)/n S; an exchange what leaves a rank, an uneven one what reaches the first;
/// a send S; a broadcast's binomial tree S ceil(log2 n) out of its root.
[[nodiscard]] double wire_bytes(CollectiveOp op, double bytes, int ranks);

/// Element `index` of rank `rank`'s send buffer: a small whole number, so that sums are exact.
[[nodiscard]] inline float sent_value(int rank, std::size_t index) {
  return static_cast<float>((index * 7 + static_cast<std::size_t>(rank) * 13) % 17) - 8.0F;
}

/// What `rank` must find in its receive buffer, computed from `sent_value` of all ranks without any
/// transfer.
[[nodiscard]] std::vector<float> expected_result(CollectiveOp op, const CollectiveCounts& counts,
                                                 int rank, int ranks);
/// Elements that `rank` sends in a call; those of `rank`'s receive buffer are the size of
/// `expected_result`.
[[nodiscard]] std::size_t sent_elements(CollectiveOp op, const CollectiveCounts& counts, int rank,
                                        int ranks);

}  // namespace rackwright::kernels
