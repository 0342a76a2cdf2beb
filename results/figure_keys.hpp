#pragma once

#include <string_view>

/// Keys of the evaluation's figures that sizing and ranking read, in one place.
namespace rackwright::results::figure_key {

/// W, rack AC input, load case (a).
inline constexpr std::string_view kRackEnvelope = "power.rack_ac.design_envelope";
/// Output tokens per second of one rack at SLO.
inline constexpr std::string_view kTokensPerSecond = "service.tokens_per_s";
/// Output tokens per joule at rack AC input, load case (b).
inline constexpr std::string_view kTokensPerJoule = "service.tokens_per_joule";

}  // namespace rackwright::results::figure_key
