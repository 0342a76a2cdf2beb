#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/bench/bounds.hpp"

namespace rackwright::cli {

struct BenchReport {
  std::vector<kernels::BenchResult> results;
  kernels::MeasuredBounds bounds;
  std::map<std::string, std::string> facts;  ///< `bench_facts`
};

/// How the figures came about: device, seed, data, cache, limits, meters.
[[nodiscard]] std::map<std::string, std::string> bench_facts(kernels::BenchDevice& device,
                                                             const kernels::BenchOptions& options);

/// A table for people, and below it what has to be known to read it.
[[nodiscard]] std::string bench_text(const BenchReport& report);

}  // namespace rackwright::cli
