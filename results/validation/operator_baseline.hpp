#pragma once

#include "kernels/backend.hpp"
#include "kernels/device_info.hpp"
#include "workloads/operator.hpp"

namespace rackwright::results {

// What a user without this tool would write down; nothing fitted. NaN where a fact is blank.

/// max(FLOP / (0.8 peak), bytes / (0.8 memory rate)). s.
[[nodiscard]] double roofline_at_80(const workloads::Operator& op,
                                    const kernels::DeviceInfo& device);
/// Collectives: 10 us + bytes sent / link rate (the adapter's between domains). s.
[[nodiscard]] double alpha_beta(const workloads::Operator& op, const kernels::DeviceInfo& device,
                                const kernels::RankContext& rank);
/// 0.75 x TDP. W.
[[nodiscard]] double three_quarters_of_tdp(const kernels::DeviceInfo& device);

}  // namespace rackwright::results
