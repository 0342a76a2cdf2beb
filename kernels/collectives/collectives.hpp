#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/launch/communicator.hpp"
#include "kernels/collectives/collective_op.hpp"

namespace rackwright::kernels {

/// One call: both sides in buffers of their own, or in one as nccl-tests places them (the part of a
/// rank at its place of the whole).
struct CollectiveCall {
  CollectiveOp op = CollectiveOp::all_reduce;
  CollectiveCounts counts;
  bool in_place = false;
};

/// The collectives of one rank and its buffers, float32. All ranks make the same calls.
class Collectives {
 public:
  virtual ~Collectives() = default;
  /// "host over shared memory", "NCCL 2.28.9, symmetric windows".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Of this rank, for the list of ranks: "8 cores", "NVIDIA H100".
  [[nodiscard]] virtual std::string device() const = 0;
  /// Bytes over the busiest rank's link by the algorithm that runs.
  [[nodiscard]] virtual double wire_bytes(CollectiveOp op, double bytes, int ranks) const {
    return kernels::wire_bytes(op, bytes, ranks);
  }
  /// Buffers for calls of at most so many elements, filled with `sent_value`, the receive side
  /// with 0.
  virtual void prepare(const CollectiveCall& call) = 0;
  /// Seconds of one of `repeats` calls in a row, all ranks starting together.
  virtual double time(const CollectiveCall& call, int repeats) = 0;
  /// The receive buffer after the last call.
  [[nodiscard]] virtual std::vector<float> result(const CollectiveCall& call) = 0;
};

/// On the CPU cores over `ranks`. Keeps a reference.
[[nodiscard]] std::unique_ptr<Collectives> host_collectives(launch::Communicator& ranks);

/// Where this rank's part stands in the buffer that holds both sides.
[[nodiscard]] std::size_t in_place_offset(const CollectiveCall& call, int rank);

}  // namespace rackwright::kernels
