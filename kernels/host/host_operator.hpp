#pragma once

#include <memory>

#include "workloads/operator.hpp"

namespace rackwright::kernels {

/// One operator with its buffers, ready to run on the CPU cores again and again. Data are float32:
/// the cores have no bf16, FP8 or FP4 units, so types of 8 and 4 bits are computed as float too.
class HostOperator {
 public:
  virtual ~HostOperator() = default;
  virtual void run() = 0;
  /// Something that depends on all of the result, so that no work can be left out and tests can
  /// compare: the sum of the output.
  [[nodiscard]] virtual double checksum() const = 0;
};

/// Builds `op` with random data of `seed`. What it runs:
///
/// | shape | with |
/// |---|---|
/// | GEMM | OpenBLAS sgemm |
/// | attention, MLA | per sequence and KV head: sgemm, softmax, sgemm; causal in tiles of 64
/// queries | | experts | rows gathered per expert, two sgemm with SiLU-mul between, weighted
/// scatter | | elementwise | Thrust transform over as many bytes read and written | | collective |
/// copies in memory of the bytes one rank sends: a rank alone has no links |
///
/// Returns null for a shape that needs no work (host time). Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<HostOperator> make_host_operator(const workloads::Operator& op,
                                                               unsigned seed);

/// FLOP and bytes of what `make_host_operator` runs: all operands in float, each read or written
/// once. Nothing for host time.
[[nodiscard]] workloads::OperatorWork host_work(const workloads::Operator& op);

}  // namespace rackwright::kernels
