#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "profiler/cupti/cupti_calls.hpp"

namespace rackwright::profiler::cupti {

/// Whether a set of metrics resolves on a chip, and in how many passes. Sampling takes one.
struct PlanCheck {
  bool resolves = false;
  std::size_t passes = 0;
  std::string reason;  ///< of the call that failed
};
/// Needs no GPU.
[[nodiscard]] PlanCheck check_plan(const std::string& chip,
                                   const std::vector<std::string>& metrics);

struct PmOptions {
  std::size_t device = 0;
  std::uint64_t interval = 100'000;  ///< ns; 1 ms for long runs
  bool by_clock = false;             ///< the interval is in cycles of the system clock
  std::size_t hardware_buffer = 512U << 20U;
  std::uint32_t samples_per_decode = 4096;
};

/// One sample of every metric, in the order of the plan.
struct PmSample {
  std::uint64_t start_ns = 0, end_ns = 0;
  std::vector<double> values;
};

/// Name of a GPU's chip, as metrics are named for ("GH100"); "" with the reason.
[[nodiscard]] std::string chip_name(const PmCalls& calls, std::size_t device, std::string& reason);

/// Samples counters of one GPU. Not run on a GPU yet.
class PmSampler {
 public:
  /// Null with the reason: no driver, no right to the counters, or who holds them.
  [[nodiscard]] static std::unique_ptr<PmSampler> open(const PmCalls& calls,
                                                       const std::vector<std::string>& metrics,
                                                       const PmOptions& options,
                                                       std::string& reason);
  ~PmSampler();
  PmSampler(const PmSampler&) = delete;
  PmSampler& operator=(const PmSampler&) = delete;

  [[nodiscard]] std::string start();
  /// Appends what the hardware buffer holds; call it often while running. "" or why it failed.
  [[nodiscard]] std::string decode(std::vector<PmSample>& samples);
  /// Ends and decodes the rest.
  [[nodiscard]] std::string stop(std::vector<PmSample>& samples);
  /// Samples were lost: the hardware buffer ran over.
  [[nodiscard]] bool overflowed() const;

 private:
  struct Impl;
  explicit PmSampler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rackwright::profiler::cupti
