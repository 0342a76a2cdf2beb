#pragma once

#include <utility>
#include <vector>

namespace rackwright::topology {

/// A point of a fan or pump curve at full speed.
struct CurvePoint {
  double flow_m3_per_s = 0;
  double pressure_pa = 0;
};

/// Pressure that a fan or pump gives over its flow: a piecewise cubic through the maker's points
/// that never overshoots them (Fritsch and Carlson 1980), so that it falls where they fall.
/// Backwards (q < 0) it goes on rising steeply; beyond the last point it keeps the last slope, so a
/// machine that is driven faster than it blows becomes a resistance.
class PressureCurve {
 public:
  /// Points in any order, at least two, flows from 0 up and all different, pressure never rising
  /// with flow. Throws std::invalid_argument otherwise: a stall dip has several flows at one
  /// pressure, so its falling part alone is wanted.
  explicit PressureCurve(std::vector<CurvePoint> points);

  /// H(q) at full speed [Pa].
  [[nodiscard]] double pressure(double flow) const;
  /// dH/dq [Pa s/m3], at most zero.
  [[nodiscard]] double slope(double flow) const;
  /// Affinity laws: at speed fraction s the flow goes with s and the pressure with s^2, so
  /// H_s(q) = s^2 H(q / s). Zero speed gives no pressure.
  [[nodiscard]] double pressure_at_speed(double flow, double speed) const;
  [[nodiscard]] double slope_at_speed(double flow, double speed) const;
  /// The speed at which the machine gives `pressure` at `flow`; several times full speed at most.
  [[nodiscard]] double speed_for(double flow, double pressure) const;
  /// The flow at which the pressure of the last point is reached.
  [[nodiscard]] double last_flow() const { return points_.back().flow_m3_per_s; }
  [[nodiscard]] double shut_off_pressure() const { return points_.front().pressure_pa; }
  [[nodiscard]] const std::vector<CurvePoint>& points() const { return points_; }

 private:
  std::vector<CurvePoint> points_;
  std::vector<double> slopes_;
  double reverse_slope_ = 0;
};

/// Electrical power of a fan.
struct FanPower {
  double full_w = 0;    ///< at full speed
  double exponent = 3;  ///< of power over speed, between the maker's duties
  /// Power over flow at full speed: {flow in m3/s, W} by rising flow; empty: not published.
  std::vector<std::pair<double, double>> over_flow;

  /// W at `flow` [m3/s] and `speed`, a fraction of the full speed. With points over flow, by the
  /// affinity laws at the fan's own operating point: P = s^3 P_full(q / s), which is the cube of the
  /// speed only where the system curve keeps q / s. Without them, P = P_full s^exponent with the
  /// exponent of the maker's duties (1.56 to 2.05 on published ones).
  [[nodiscard]] double at(double flow, double speed) const;
};

}  // namespace rackwright::topology
