#pragma once

#include <string>

#include "results/report/context.hpp"

/// The rack drawn to scale: one factor for width and height, true unit pitch.
namespace rackwright::results {

/// One scale for both axes.
struct ElevationScale {
  double unit_mm = 44.45;
  double pixels_per_mm = 15 / 44.45;  ///< 15 px per rack unit: the least that tray text needs
  [[nodiscard]] double mm(double millimetres) const { return millimetres * pixels_per_mm; }
  [[nodiscard]] double units(double n) const { return mm(n * unit_mm); }
};
/// EIA-310 rack unit 44.45 mm, Open Rack v3 unit 48 mm.
[[nodiscard]] ElevationScale elevation_scale(topology::UnitPitch pitch);

/// The state of a slot; null when nothing is known of it.
[[nodiscard]] const topology::TrayState* tray_of(const Candidate& candidate,
                                                 const std::string& slot);
/// Front (power layer) or rear (thermal layer) as one SVG. Each tray carries both layers as
/// classes, and `data-layer` of the drawing picks one, so that a switch needs no new drawing.
[[nodiscard]] std::string face_svg(const ReportContext& context, const Candidate& candidate,
                                   topology::Face face, const std::string& element);

}  // namespace rackwright::results
