#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rackwright::kernels {

/// A function on a grid with at most four logarithmic axes, interpolated linearly in the logarithm
/// of each coordinate and held constant outside. Used for ln(measured / modelled).
class ValueGrid {
 public:
  static constexpr std::size_t kMaxAxes = 4;
  static constexpr std::size_t kMaxCorners = 16;

  struct Axis {
    std::string name;
    std::vector<double> knots;  ///< ascending, > 0
    bool operator==(const Axis&) const = default;
  };

  /// The knots around a point and their weights, which sum to 1.
  struct Stencil {
    std::array<std::uint32_t, kMaxCorners> index{};
    std::array<double, kMaxCorners> weight{};
    std::size_t size = 0;
    bool outside = false;
  };

  ValueGrid() = default;
  /// All values 0. Throws std::invalid_argument for no axis, more than four, or knots that are not
  /// positive and ascending.
  explicit ValueGrid(std::vector<Axis> axes);
  ValueGrid(std::vector<Axis> axes, std::vector<float> values);

  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] const std::vector<Axis>& axes() const { return axes_; }
  [[nodiscard]] const std::vector<float>& values() const { return values_; }
  [[nodiscard]] std::vector<float>& values() { return values_; }
  [[nodiscard]] std::size_t stride(std::size_t axis) const { return stride_[axis]; }

  /// `point` has one coordinate per axis, > 0.
  [[nodiscard]] Stencil stencil(const std::array<double, kMaxAxes>& point) const;
  /// 0 for an empty grid.
  [[nodiscard]] double at(const std::array<double, kMaxAxes>& point) const;
  /// How far outside, in doublings along the farthest axis; 0 inside.
  [[nodiscard]] double distance_outside(const std::array<double, kMaxAxes>& point) const;
  [[nodiscard]] bool inside(const std::array<double, kMaxAxes>& point) const;

 private:
  struct Cell {
    std::size_t index = 0;
    double fraction = 0;
  };
  [[nodiscard]] Cell locate(std::size_t axis, double coordinate) const;

  std::vector<Axis> axes_;
  std::vector<std::vector<double>> logs_;     ///< natural logarithms of the knots
  std::vector<std::vector<double>> inverse_;  ///< 1 / width of each interval
  std::array<std::size_t, kMaxAxes> stride_{};
  std::vector<float> values_;
};

}  // namespace rackwright::kernels
