#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "topology/cabling/floor_plan.hpp"

namespace rackwright::topology {

enum class Side { left, right };

/// A piece of tray between two neighbouring points.
struct TraySegment {
  int from = 0, to = 0;  ///< points
  double length_m = 0;
  bool cross = false;  ///< joins two rows
  int row = 0;         ///< of `from`
};

/// Trays of the floor as a graph: a point at each end of a row and over each vertical manager,
/// segments between neighbours of a row, cross trays between the ends of neighbouring rows.
class TrayGraph {
 public:
  TrayGraph(const FloorPlan& plan, const CablingPractice& practice);

  struct Point {
    double x_m = 0, y_m = 0;
  };
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }
  [[nodiscard]] const std::vector<TraySegment>& segments() const { return segments_; }
  /// The point over a vertical manager of a rack.
  [[nodiscard]] int exit_of(int rack, Side side) const;
  /// Horizontal distance between the opening's middle and the manager's.
  [[nodiscard]] static double manager_x(const PlacedRack& rack, Side side);

  /// Length of the shortest way over the trays (Dijkstra; the ways from a point are kept).
  /// Infinite when no tray leads there.
  [[nodiscard]] double distance(int from, int to);
  /// Segments of that way, from `from` on. Empty when both are the same point.
  [[nodiscard]] std::vector<int> path(int from, int to);

 private:
  struct Ways {
    std::vector<double> distance;
    std::vector<int> segment;  ///< by which a point is reached; -1 for the source
  };
  int add_point(double x, double y);
  void add_segment(int from, int to, bool cross, int row);
  const Ways& ways_from(int from);

  std::vector<Point> points_;
  std::vector<TraySegment> segments_;
  std::vector<std::vector<int>> at_point_;   ///< segments that meet there
  std::vector<int> exits_;                   ///< two for each rack
  std::vector<std::unique_ptr<Ways>> ways_;  ///< by source, where asked for
};

}  // namespace rackwright::topology
