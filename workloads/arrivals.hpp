#pragma once

#include <functional>
#include <vector>

#include "common/random.hpp"

namespace rackwright::workloads {

/// A stretch of time with one rate and one shape of the gaps between arrivals.
struct ArrivalWindow {
  double start_s = 0;
  double rate_per_s = 0;
  double cv = 1;             ///< coefficient of variation of the gaps (gamma); 0 = regular
  double weibull_shape = 0;  ///< > 0: Weibull gaps of this shape instead
};

/// A renewal process whose rate changes between windows: gaps of mean 1 are drawn with the shape of
/// the window they start in and laid over the integral of the rate. Windows are in order; the last
/// ends at `end_s`; there is nothing before the first.
void sample_arrivals(const std::vector<ArrivalWindow>& windows, double end_s, RandomSource& random,
                     const std::function<void(double)>& arrival);

}  // namespace rackwright::workloads
