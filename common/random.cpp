#include "common/random.hpp"

#include <bit>
#include <cmath>

namespace rackwright {

namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = seed;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash;
}

RandomSource::RandomSource(std::uint64_t seed) : seed_(seed) {
  std::uint64_t state = seed;
  for (auto& word : state_) word = split_mix(state);
}

RandomSource RandomSource::stream(std::string_view purpose) const {
  return RandomSource(fnv1a(purpose, seed_ ^ 0x6a09e667f3bcc908ULL));
}

std::uint64_t RandomSource::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double RandomSource::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t RandomSource::below(std::uint64_t n) {
  // Rejection keeps it exactly uniform.
  const std::uint64_t limit = (~std::uint64_t{0} / n) * n;
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return value % n;
}

double RandomSource::exponential(double mean) {
  return -mean * std::log1p(-uniform());
}

double RandomSource::normal() {
  while (true) {
    const double u = 2 * uniform() - 1;
    const double v = 2 * uniform() - 1;
    const double s = u * u + v * v;
    if (s > 0 && s < 1) return u * std::sqrt(-2 * std::log(s) / s);
  }
}

double RandomSource::gamma(double shape, double scale) {
  if (shape < 1) {
    // Boost: G(k) = G(k + 1) * U^(1/k).
    const double u = 1 - uniform();
    return gamma(shape + 1, scale) * std::pow(u, 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    const double u = 1 - uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v * scale;
  }
}

}  // namespace rackwright
