#pragma once

#include <cstdint>
#include <vector>

#include "workloads/operator.hpp"

namespace rackwright::kernels {

inline constexpr std::uint64_t kExpertSeed = 20;  ///< of the placement that replays draw

/// Rows of each expert of the heaviest rank that a token reaches, most first: `rank_tokens` in all,
/// spread over `touched_experts` by how often a token picks each
/// (`workloads::heaviest_rank_picks`), at least one each and at most one a token. Equal where the
/// shape names no experts or no skew.
[[nodiscard]] std::vector<int> expert_rows(const workloads::ExpertShape& shape, std::uint64_t seed);

}  // namespace rackwright::kernels
