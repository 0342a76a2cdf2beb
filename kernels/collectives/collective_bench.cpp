#include "kernels/collectives/collective_bench.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>

namespace rackwright::kernels {

namespace {

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::size_t wrong_elements(Collectives& collectives, launch::Communicator& ranks,
                           const CollectiveCall& call) {
  collectives.prepare(call);
  (void)collectives.time(call, 1);
  const auto found = collectives.result(call);
  const auto expected = expected_result(call.op, call.counts, ranks.rank(), ranks.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i >= found.size() || found[i] != expected[i]) ++wrong;
  }
  return static_cast<std::size_t>(sum(ranks.gather_numbers(static_cast<double>(wrong))));
}

CollectiveTime measure(Collectives& collectives, launch::Communicator& ranks,
                       const CollectiveCall& call, const CollectiveSweep& sweep) {
  CollectiveTime time;
  if (ranks.decided(sweep.check ? 1 : 0) != 0) {
    time.wrong = wrong_elements(collectives, ranks, call);
  } else {
    collectives.prepare(call);
  }
  const int warm_up = static_cast<int>(ranks.decided(sweep.warm_up));
  const int repeats = static_cast<int>(ranks.decided(sweep.repeats));
  if (warm_up > 0) (void)collectives.time(call, warm_up);
  time.seconds = sum(ranks.gather_numbers(collectives.time(call, repeats))) / ranks.size();
  time.algorithm_bytes_per_s = static_cast<double>(call.counts.bytes) / time.seconds;
  time.bus_bytes_per_s = time.algorithm_bytes_per_s * bus_factor(call.op, ranks.size());
  return time;
}

}  // namespace

std::vector<std::size_t> sweep_sizes(const CollectiveSweep& sweep) {
  if (!(sweep.factor > 1)) throw std::invalid_argument("sizes must grow: a factor above 1");
  std::vector<std::size_t> sizes;
  for (auto size = static_cast<double>(sweep.from); size <= static_cast<double>(sweep.to);
       size *= sweep.factor) {
    sizes.push_back(static_cast<std::size_t>(std::llround(size)));
  }
  return sizes;
}

std::optional<CollectiveRow> bench_collective(Collectives& collectives, launch::Communicator& ranks,
                                              CollectiveOp op, std::size_t bytes,
                                              const CollectiveSweep& sweep) {
  const auto size = static_cast<std::size_t>(ranks.decided(static_cast<double>(bytes)));
  CollectiveRow row;
  row.op = op;
  row.counts = counts_of(op, size, ranks.size());
  if (row.counts.count == 0) return std::nullopt;
  row.wire_bytes = collectives.wire_bytes(op, static_cast<double>(row.counts.bytes), ranks.size());
  row.out_of_place = measure(collectives, ranks, {op, row.counts, false}, sweep);
  if (has_in_place(op)) row.in_place = measure(collectives, ranks, {op, row.counts, true}, sweep);
  return row;
}

}  // namespace rackwright::kernels
