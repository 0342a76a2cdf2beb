#pragma once

#include "results/validation/validation.hpp"

namespace rackwright::results {

/// Output of nccl-tests: parsed tables (nodes, gpus_per_node, test, size_bytes, oop_time_us,
/// ip_time_us; nodes of H100 unless `--device` says otherwise), raw logs of one node, and published
/// points (system, gpus, collective, message_bytes, time_us or busbw_gb_per_s).
[[nodiscard]] ValidationFormat nccl_tests_format();

}  // namespace rackwright::results
