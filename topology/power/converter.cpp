#include "topology/power/converter.hpp"

#include <cmath>
#include <stdexcept>

namespace rackwright::topology {

Power ConverterLoss::loss(Power output) const {
  const double p = output.si();
  return Power::from_si(a0_w + a1 * p + a2_per_w * p * p);
}

Power ConverterLoss::output(Power input) const {
  const double linear = 1 + a1;
  const double rest = input.si() - a0_w;
  if (rest <= 0) return {};
  if (a2_per_w <= 0) return Power::from_si(rest / linear);
  const double root = std::sqrt(linear * linear + 4 * a2_per_w * rest);
  return Power::from_si((root - linear) / (2 * a2_per_w));
}

double ConverterLoss::efficiency(Power output) const {
  return output / input(output);
}

ConverterLoss converter_from_peak(double peak_efficiency, Power rating, int units,
                                  const ConverterPrior& prior) {
  if (!(peak_efficiency > 0 && peak_efficiency <= 1)) {
    throw std::invalid_argument("a peak efficiency lies in (0, 1]");
  }
  const double at_peak = prior.peak_load * rating.si() * units;
  const double loss = at_peak * (1 / peak_efficiency - 1);
  ConverterLoss result;
  result.a1 = prior.linear_share * loss / at_peak;
  result.a0_w = (1 - prior.linear_share) * loss / 2;
  result.a2_per_w = result.a0_w / (at_peak * at_peak);
  return result;
}

}  // namespace rackwright::topology
