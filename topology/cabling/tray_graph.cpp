#include "topology/cabling/tray_graph.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>

namespace rackwright::topology {

TrayGraph::TrayGraph(const FloorPlan& plan, const CablingPractice& practice)
    : exits_(2 * plan.racks.size(), -1) {
  double end = 0;
  for (const PlacedRack& rack : plan.racks) end = std::max(end, rack.x_m + rack.width_m);
  std::vector<std::pair<int, int>> row_ends;
  std::size_t r = 0;
  for (int row = 0; row < plan.rows; ++row) {
    const double y = row * plan.row_pitch_m;
    const int start = add_point(0, y);
    int last = start;
    for (; r < plan.racks.size() && plan.racks[r].row == row; ++r) {
      for (const Side side : {Side::left, Side::right}) {
        const int point = add_point(manager_x(plan.racks[r], side), y);
        add_segment(last, point, false, row);
        exits_[2 * r + (side == Side::right ? 1 : 0)] = last = point;
      }
    }
    const int stop = add_point(end, y);
    add_segment(last, stop, false, row);
    row_ends.emplace_back(start, stop);
  }
  for (std::size_t row = 1; row < row_ends.size(); ++row) {
    const int above = static_cast<int>(row) - 1;
    if (practice.cross_tray_at_start) {
      add_segment(row_ends[row - 1].first, row_ends[row].first, true, above);
    }
    if (practice.cross_tray_at_end) {
      add_segment(row_ends[row - 1].second, row_ends[row].second, true, above);
    }
  }
}

int TrayGraph::add_point(double x, double y) {
  points_.push_back({x, y});
  at_point_.emplace_back();
  return static_cast<int>(points_.size()) - 1;
}

void TrayGraph::add_segment(int from, int to, bool cross, int row) {
  const Point& a = points_[static_cast<std::size_t>(from)];
  const Point& b = points_[static_cast<std::size_t>(to)];
  const int id = static_cast<int>(segments_.size());
  segments_.push_back({from, to, std::abs(a.x_m - b.x_m) + std::abs(a.y_m - b.y_m), cross, row});
  at_point_[static_cast<std::size_t>(from)].push_back(id);
  at_point_[static_cast<std::size_t>(to)].push_back(id);
}

int TrayGraph::exit_of(int rack, Side side) const {
  return exits_.at(2 * static_cast<std::size_t>(rack) + (side == Side::right ? 1 : 0));
}

double TrayGraph::manager_x(const PlacedRack& rack, Side side) {
  const double from_edge = (rack.width_m - rack.opening_m) / 4;  // middle of the side space
  return rack.x_m + (side == Side::left ? from_edge : rack.width_m - from_edge);
}

const TrayGraph::Ways& TrayGraph::ways_from(int from) {
  ways_.resize(points_.size());
  auto& known = ways_.at(static_cast<std::size_t>(from));
  if (known) return *known;
  known = std::make_unique<Ways>();
  Ways& ways = *known;
  ways.distance.assign(points_.size(), std::numeric_limits<double>::infinity());
  ways.segment.assign(points_.size(), -1);
  using Entry = std::pair<double, int>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  ways.distance[static_cast<std::size_t>(from)] = 0;
  open.emplace(0, from);
  while (!open.empty()) {
    const auto [distance, point] = open.top();
    open.pop();
    if (distance > ways.distance[static_cast<std::size_t>(point)]) continue;
    for (const int id : at_point_[static_cast<std::size_t>(point)]) {
      const TraySegment& segment = segments_[static_cast<std::size_t>(id)];
      const int next = segment.from == point ? segment.to : segment.from;
      const double there = distance + segment.length_m;
      if (there >= ways.distance[static_cast<std::size_t>(next)]) continue;
      ways.distance[static_cast<std::size_t>(next)] = there;
      ways.segment[static_cast<std::size_t>(next)] = id;
      open.emplace(there, next);
    }
  }
  return ways;
}

double TrayGraph::distance(int from, int to) {
  return ways_from(from).distance.at(static_cast<std::size_t>(to));
}

std::vector<int> TrayGraph::path(int from, int to) {
  const Ways& ways = ways_from(from);
  std::vector<int> segments;
  for (int point = to; point != from;) {
    const int id = ways.segment.at(static_cast<std::size_t>(point));
    if (id < 0) break;
    segments.push_back(id);
    const TraySegment& segment = segments_[static_cast<std::size_t>(id)];
    point = segment.from == point ? segment.to : segment.from;
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

}  // namespace rackwright::topology
