#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "kernels/analytical/device_profile.hpp"
#include "kernels/calibration/grid_fit.hpp"
#include "kernels/calibration/nelder_mead.hpp"

namespace rackwright::kernels {

/// One class of operators to fit: how its model predicts each measured row.
struct ClassFit {
  std::vector<FitParameter> parameters;
  std::map<std::string, double> fixed;  ///< parameters that are not searched
  /// Seconds of every row under `model`.
  std::function<void(const CalibratedModel& model, std::vector<double>& seconds)> predict;
  std::vector<double> measured;  ///< s
  std::vector<std::array<double, ValueGrid::kMaxAxes>> points;
  std::vector<std::string> groups;    ///< rows of one group are left out together
  std::string group_name;             ///< "a whole (n, k)"
  std::vector<ValueGrid::Axis> axes;  ///< none: no residual
  /// Of the residual's grid; of several the one with the least mean error on left-out groups, and
  /// none of them (no residual) when they all make it worse.
  std::vector<double> stiffness{0.01};
  /// Groups go to the folds in turn, in order of first appearance.
  int folds = 5;
};

/// Names the coordinates of the points, in order, and sets the knots of the residual there.
void set_axes(ClassFit& task, std::initializer_list<const char*> names);

/// Fits the parameters to ln(time) with a soft-L1 loss (scale 0.1, so that single wild rows do not
/// bend the fit), then the residual on the grid, and scores rows of left-out groups. `model` brings
/// operation, variant, ranks and provenance and gets the rest.
void fit(const ClassFit& task, CalibratedModel& model);

}  // namespace rackwright::kernels
