#include "workloads/quantiles.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace rackwright::workloads {

Quantiles Quantiles::read(ObjectReader& parent, std::string_view key, double min) {
  constexpr const char* kExpected =
      "pairs [probability, value] with probabilities from 0 to 1 and values that do not fall";
  ObjectReader reader = parent.object(key);
  std::vector<std::pair<double, double>> points;
  const nlohmann::ordered_json& list = reader.raw("quantiles");
  bool good = list.is_array() && list.size() >= 2;
  for (std::size_t i = 0; good && i < list.size(); ++i) {
    const auto& pair = list[i];
    good = pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number();
    if (!good) break;
    points.emplace_back(pair[0].get<double>(), pair[1].get<double>());
    good = points[i].second >= min && (i == 0 || (points[i].first > points[i - 1].first &&
                                                  points[i].second >= points[i - 1].second));
  }
  good = good && points.front().first == 0 && points.back().first == 1;
  if (!good) {
    reader.problem("quantiles", fmt::format("{}, at least {}", kExpected, min), describe(list));
    points = {{0, min}, {1, min}};
  }
  reader.finish();
  return Quantiles(std::move(points));
}

double Quantiles::at(double probability) const {
  const double p = std::clamp(probability, 0.0, 1.0);
  auto above =
      std::upper_bound(points_.begin(), points_.end(), p,
                       [](double value, const auto& point) { return value < point.first; });
  if (above == points_.end()) return points_.back().second;
  const auto& right = *above;
  const auto& left = *--above;
  return left.second + (right.second - left.second) * (p - left.first) / (right.first - left.first);
}

double Quantiles::mean() const {
  double sum = 0;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    sum +=
        (points_[i].first - points_[i - 1].first) * (points_[i].second + points_[i - 1].second) / 2;
  }
  return sum;
}

}  // namespace rackwright::workloads
