#include "kernels/collectives/collective_op.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace rackwright::kernels {

namespace {

struct Names {
  std::string_view name, program;
};
constexpr std::array<Names, kCollectiveOps> kNames{{{"all_reduce", "all_reduce_perf"},
                                                    {"all_gather", "all_gather_perf"},
                                                    {"reduce_scatter", "reduce_scatter_perf"},
                                                    {"broadcast", "broadcast_perf"},
                                                    {"all_to_all", "alltoall_perf"},
                                                    {"all_to_all_uneven", "alltoallv_perf"},
                                                    {"send_recv", "sendrecv_perf"},
                                                    {"kv_transfer", "kv_transfer_perf"}}};

/// S is the total over ranks.
bool counts_total(CollectiveOp op) {
  return op == CollectiveOp::all_gather || op == CollectiveOp::reduce_scatter ||
         op == CollectiveOp::all_to_all || op == CollectiveOp::all_to_all_uneven;
}

/// Where the piece for `to` begins in a send buffer of `total`.
std::size_t piece_begin(CollectiveOp op, std::size_t total, int ranks, int to) {
  const auto n = static_cast<std::size_t>(ranks), t = static_cast<std::size_t>(to);
  if (op != CollectiveOp::all_to_all_uneven) return total / n * t;
  // Sum of 2n - 1 - k over k < t, of the n (3n - 1) / 2 of all.
  const std::size_t before = t * (2 * n - 1) - t * (t - 1) / 2;  // 0 for t = 0
  return total * before / (n * (3 * n - 1) / 2);
}

}  // namespace

std::string_view to_string(CollectiveOp op) {
  return kNames[static_cast<std::size_t>(op)].name;
}

std::optional<CollectiveOp> collective_op(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i].name == name) return static_cast<CollectiveOp>(i);
  }
  return std::nullopt;
}

std::string_view nccl_tests_program(CollectiveOp op) {
  return kNames[static_cast<std::size_t>(op)].program;
}

bool reduces(CollectiveOp op) {
  return op == CollectiveOp::all_reduce || op == CollectiveOp::reduce_scatter;
}

bool has_in_place(CollectiveOp op) {
  return reduces(op) || op == CollectiveOp::all_gather || op == CollectiveOp::broadcast;
}

double bus_factor(CollectiveOp op, int ranks) {
  const double n = ranks;
  if (op == CollectiveOp::all_reduce) return 2 * (n - 1) / n;
  return counts_total(op) ? (n - 1) / n : 1;
}

CollectiveCounts counts_of(CollectiveOp op, std::size_t bytes, int ranks) {
  const auto n = static_cast<std::size_t>(ranks);
  CollectiveCounts counts;
  if (!counts_total(op)) {
    counts.count = counts.out = counts.in = bytes / sizeof(float);
    counts.bytes = counts.count * sizeof(float);
    return counts;
  }
  counts.count = bytes / sizeof(float) / n;
  const std::size_t total = counts.count * n;
  counts.bytes = total * sizeof(float);
  counts.out = op == CollectiveOp::all_gather ? counts.count : total;
  counts.in = op == CollectiveOp::reduce_scatter ? counts.count : total;
  if (op == CollectiveOp::all_to_all_uneven) counts.in = n * exchanged(op, total, ranks, 0);
  return counts;
}

std::size_t exchanged(CollectiveOp op, std::size_t total, int ranks, int to) {
  return piece_begin(op, total, ranks, to + 1) - piece_begin(op, total, ranks, to);
}

double exchange_skew(CollectiveOp op, int ranks) {
  const double n = ranks;
  return op == CollectiveOp::all_to_all_uneven ? (2 * n - 1) / ((3 * n - 1) / 2) : 1;
}

double wire_bytes(CollectiveOp op, double bytes, int ranks) {
  const double n = ranks;
  if (ranks < 2) return 0;
  switch (op) {
    case CollectiveOp::all_reduce:
      return 2 * (n - 1) / n * bytes;
    case CollectiveOp::all_to_all_uneven:  // rank 0 is sent most
      return bytes * (n - 1) / n * exchange_skew(op, ranks);
    case CollectiveOp::broadcast:
      return bytes * std::bit_width(static_cast<unsigned>(ranks - 1));
    case CollectiveOp::send_recv:
    case CollectiveOp::kv_transfer:
      return bytes;
    default:
      return (n - 1) / n * bytes;
  }
}

std::size_t sent_elements(CollectiveOp op, const CollectiveCounts& counts, int rank, int ranks) {
  return op == CollectiveOp::kv_transfer && rank >= ranks / 2 ? 0 : counts.out;
}

std::vector<float> expected_result(CollectiveOp op, const CollectiveCounts& counts, int rank,
                                   int ranks) {
  std::vector<float> result;
  const auto from = [&](int peer, std::size_t begin, std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) result.push_back(sent_value(peer, begin + i));
  };
  switch (op) {
    case CollectiveOp::all_reduce:
    case CollectiveOp::reduce_scatter: {
      const std::size_t begin =
          op == CollectiveOp::all_reduce ? 0 : counts.count * static_cast<std::size_t>(rank);
      result.assign(counts.count, 0);
      for (int peer = 0; peer < ranks; ++peer) {
        for (std::size_t i = 0; i < counts.count; ++i) result[i] += sent_value(peer, begin + i);
      }
      break;
    }
    case CollectiveOp::all_gather:
      for (int peer = 0; peer < ranks; ++peer) from(peer, 0, counts.count);
      break;
    case CollectiveOp::broadcast:
      from(0, 0, counts.count);
      break;
    case CollectiveOp::all_to_all:
    case CollectiveOp::all_to_all_uneven:
      for (int peer = 0; peer < ranks; ++peer) {
        from(peer, piece_begin(op, counts.out, ranks, rank),
             exchanged(op, counts.out, ranks, rank));
      }
      break;
    case CollectiveOp::send_recv:
      from((rank + ranks - 1) % ranks, 0, counts.count);
      break;
    case CollectiveOp::kv_transfer:
      if (const int half = ranks / 2; rank >= half && rank < 2 * half) {
        from(rank - half, 0, counts.count);
      }
      break;
  }
  return result;
}

}  // namespace rackwright::kernels
