#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rackwright {

/// xoshiro256++ (Blackman, Vigna 2019), seeded by SplitMix64. Own code because the standard
/// library's distributions differ between implementations and results must not.
class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed);
  /// An independent stream for a named purpose.
  [[nodiscard]] RandomSource stream(std::string_view purpose) const;

  std::uint64_t next();
  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in {0 … n-1}; n > 0.
  std::uint64_t below(std::uint64_t n);
  /// Exponential with the given mean.
  double exponential(double mean);
  /// Standard normal (polar method).
  double normal();
  /// Gamma with shape k > 0 and scale theta > 0 (Marsaglia, Tsang 2000).
  double gamma(double shape, double scale);

 private:
  std::array<std::uint64_t, 4> state_;
  std::uint64_t seed_;
};

/// 64-bit FNV-1a, for content hashes in provenance. Not for security.
[[nodiscard]] std::uint64_t fnv1a(std::string_view bytes,
                                  std::uint64_t seed = 14695981039346656037ULL);

}  // namespace rackwright
