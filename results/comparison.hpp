#pragma once

#include <optional>

#include "results/review.hpp"

namespace rackwright::results {

/// Compares by the error of the difference, not by the overlap of two intervals. Candidates see the
/// same requests in the same order, and the error of an operator model that is carried from one
/// calibrated device to both is the same for both. With h the relative 90 % half-width of each
/// metric, m its part from the operator model and r the rest,
///   d^2 = min(m1^2 + m2^2, (m1 - m2)^2 on one device with one plan,
///             g^2 (t1^2 + t2^2) over each device both models come from) + r1^2 + r2^2
/// where t is the stated error of carrying that device's model over and g the gain from step times
/// to throughput. The ratio lies within ratio x e^(+-ln(1 + d)).
/// Nothing when a metric is absent or not positive.
[[nodiscard]] std::optional<Comparison> compare(const Candidate& first, const Candidate& second,
                                                bool higher_is_better);

}  // namespace rackwright::results
