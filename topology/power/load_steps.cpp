#include "topology/power/load_steps.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace rackwright::topology {

namespace {

/// Draw-up of a running sum of steps that repeats: two turns hold every start and end.
class DrawUp {
 public:
  void add(double joules) {
    sum_ += joules;
    lowest_ = std::min(lowest_, sum_);
    largest_ = std::max(largest_, sum_ - lowest_);
  }
  [[nodiscard]] double largest() const { return largest_; }

 private:
  double sum_ = 0, lowest_ = 0, largest_ = 0;
};

/// Radix-2, in place; the size is a power of two.
void fourier(std::vector<std::complex<double>>& x) {
  const std::size_t n = x.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {
    std::size_t bit = n >> 1U;
    for (; j & bit; bit >>= 1U) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (std::size_t length = 2; length <= n; length <<= 1U) {
    const std::complex<double> turn =
        std::polar(1.0, -2 * std::numbers::pi / static_cast<double>(length));
    for (std::size_t start = 0; start < n; start += length) {
      std::complex<double> w = 1;
      for (std::size_t k = 0; k < length / 2; ++k, w *= turn) {
        const auto even = x[start + k], odd = x[start + k + length / 2] * w;
        x[start + k] = even + odd;
        x[start + k + length / 2] = even - odd;
      }
    }
  }
}

/// Mean square per line of one segment; a sine of amplitude a sums to a^2 / 2 over its lines.
void add_segment(const std::vector<double>& means, std::size_t start, std::vector<double>& power) {
  const std::size_t n = 2 * power.size();
  double mean = 0;
  for (std::size_t i = 0; i < n; ++i) mean += means[start + i] / static_cast<double>(n);
  std::vector<std::complex<double>> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double phase = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n);
    x[i] = (means[start + i] - mean) * (0.5 - 0.5 * std::cos(phase));
  }
  fourier(x);
  // Two sides, and 3/8 is the mean square of the Hann window.
  const double scale = 2.0 / (static_cast<double>(n) * static_cast<double>(n) * 0.375);
  for (std::size_t k = 0; k < power.size(); ++k) power[k] += std::norm(x[k]) * scale;
}

double sinc(double x) {
  return std::abs(x) < 1e-9 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

}  // namespace

std::optional<double> store_for_cap_j(const profiler::PowerTimeline& timeline, double cap_w) {
  if (timeline.w.empty()) return 0.0;
  const double period = timeline.t.back() - timeline.t.front();
  if (timeline.integral() > cap_w * period * (1 + 1e-12)) return std::nullopt;
  DrawUp draw;
  for (int turn = 0; turn < 2; ++turn) {
    for (std::size_t i = 0; i < timeline.w.size(); ++i) {
      draw.add((timeline.w[i] - cap_w) * (timeline.t[i + 1] - timeline.t[i]));
    }
  }
  return draw.largest();
}

std::optional<double> store_for_cap_j(const std::vector<double>& means, double window_s,
                                      double cap_w) {
  double sum = 0;
  for (const double mean : means) sum += mean;
  if (sum > cap_w * static_cast<double>(means.size()) * (1 + 1e-12)) return std::nullopt;
  DrawUp draw;
  for (int turn = 0; turn < 2; ++turn) {
    for (const double mean : means) draw.add((mean - cap_w) * window_s);
  }
  return draw.largest();
}

double store_for_step_j(double step_w, double ramp_w_per_s) {
  return step_w * step_w / (2 * ramp_w_per_s);
}

Band band_of(const std::vector<double>& means, double window_s, double low_hz, double high_hz) {
  constexpr std::size_t kSegment = 4096, kLeast = 16, kMostSegments = 64;
  Band band;
  if (means.size() < kLeast) return band;
  std::size_t n = kLeast;
  while (2 * n <= std::min(kSegment, means.size())) n *= 2;
  std::vector<double> power(n / 2, 0.0);
  const std::size_t possible = (means.size() - n) / (n / 2) + 1;
  const std::size_t segments = std::min(possible, kMostSegments);
  for (std::size_t s = 0; s < segments; ++s) {
    const std::size_t start = segments > 1 ? s * (means.size() - n) / (segments - 1) : 0;
    add_segment(means, start, power);
  }
  const double step_hz = 1 / (static_cast<double>(n) * window_s);
  double sum = 0, strongest = 0;
  std::size_t at = 0;
  for (std::size_t k = 1; k < power.size(); ++k) {
    const double hz = static_cast<double>(k) * step_hz;
    const double response = sinc(hz * window_s);
    power[k] /= static_cast<double>(segments) * response * response;
    if (hz < low_hz || hz > high_hz) continue;
    sum += power[k];
    if (power[k] <= strongest) continue;
    strongest = power[k];
    at = k;
  }
  band.rms_w = std::sqrt(sum);
  if (at == 0) return band;
  band.dominant_hz = static_cast<double>(at) * step_hz;
  double line = power[at] + power[at - 1] + (at + 1 < power.size() ? power[at + 1] : 0.0);
  band.dominant_rms_w = std::sqrt(line);
  return band;
}

std::optional<double> backup_time_s(std::vector<BackupPoint> points, double watts) {
  std::sort(points.begin(), points.end(),
            [](const BackupPoint& a, const BackupPoint& b) { return a.watts < b.watts; });
  if (points.empty() || watts > points.back().watts) return std::nullopt;
  if (watts <= points.front().watts) return points.front().seconds;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const BackupPoint& a = points[i - 1];
    const BackupPoint& b = points[i];
    if (watts > b.watts) continue;
    const double share = std::log(watts / a.watts) / std::log(b.watts / a.watts);
    return a.seconds * std::pow(b.seconds / a.seconds, share);
  }
  return std::nullopt;
}

double hold_up_s(double full_load_s, double rating_w, double watts) {
  return watts > 0 ? full_load_s * rating_w / watts : 0.0;
}

}  // namespace rackwright::topology
