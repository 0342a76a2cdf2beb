#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/collectives/collectives.hpp"

namespace rackwright::kernels {

/// nccl-tests' options.
struct CollectiveSweep {
  std::size_t from = 8;           ///< -b, bytes
  std::size_t to = 256ULL << 20;  ///< -e
  double factor = 2;              ///< -f
  int repeats = 20;               ///< -n
  int warm_up = 5;                ///< -w
  bool check = true;              ///< -c
};

/// One placement: the mean over ranks of the time, as nccl-tests prints.
struct CollectiveTime {
  double seconds = 0;
  double algorithm_bytes_per_s = 0, bus_bytes_per_s = 0;
  std::optional<std::size_t> wrong;  ///< elements over all ranks; absent: not checked
};

struct CollectiveRow {
  CollectiveOp op = CollectiveOp::all_reduce;
  CollectiveCounts counts;
  CollectiveTime out_of_place;
  std::optional<CollectiveTime> in_place;
  double wire_bytes = 0;  ///< that the busiest rank sends, by the algorithm
};

/// Sizes of a sweep, bytes. Throws std::invalid_argument for a factor of 1 or less.
[[nodiscard]] std::vector<std::size_t> sweep_sizes(const CollectiveSweep& sweep);

/// One size. A call of all ranks; repetitions are those of rank 0. Absent where a rank would have
/// no whole element.
[[nodiscard]] std::optional<CollectiveRow> bench_collective(Collectives& collectives,
                                                            launch::Communicator& ranks,
                                                            CollectiveOp op, std::size_t bytes,
                                                            const CollectiveSweep& sweep);

}  // namespace rackwright::kernels
