#pragma once

#include <memory>
#include <optional>
#include <string>

#include "workloads/operator.hpp"

namespace rackwright::kernels {

/// One timed execution.
struct Sample {
  double seconds = 0;      ///< on the device
  double cpu_seconds = 0;  ///< of this process, all threads
};

/// One operator with `copies` sets of buffers; each run takes the next set.
class BenchWork {
 public:
  virtual ~BenchWork() = default;
  /// Throws BackendUnavailable when the device fails.
  virtual Sample run() = 0;
  /// Library and algorithm, where there was a choice; "" where not.
  [[nodiscard]] virtual std::string choice() const { return ""; }
};

/// What benchmarks run on, and its meters. Time is a member so that tests can run without waiting.
class BenchDevice {
 public:
  virtual ~BenchDevice() = default;
  [[nodiscard]] virtual std::string backend() const = 0;  ///< "host", "cuda"
  [[nodiscard]] virtual std::string name() const = 0;     ///< for people
  /// What `op` does here: FLOP and bytes in the types that it really runs in.
  [[nodiscard]] virtual workloads::OperatorWork work(const workloads::Operator& op) const = 0;
  /// Type whose matrix product bounds `op` here.
  [[nodiscard]] virtual workloads::DataType math_type(const workloads::Operator& op) const = 0;
  [[nodiscard]] virtual std::unique_ptr<BenchWork> prepare(const workloads::Operator& op,
                                                           int copies, unsigned seed) = 0;
  [[nodiscard]] virtual double cache_bytes() const = 0;   ///< last level; 0 = not known
  [[nodiscard]] virtual double memory_bytes() const = 0;  ///< that benchmarks may fill
  /// Present clock; nothing where none can be read.
  [[nodiscard]] virtual std::optional<double> clock_hz() { return {}; }
  [[nodiscard]] virtual std::optional<double> rated_clock_hz() const { return {}; }
  /// Joules since the last call; nothing where no counter can be read.
  [[nodiscard]] virtual std::optional<double> joules() { return {}; }
  [[nodiscard]] virtual double now();  ///< seconds, monotonic
  virtual void wait(double seconds);
};

}  // namespace rackwright::kernels
