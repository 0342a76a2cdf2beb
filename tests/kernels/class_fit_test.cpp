#include "kernels/calibration/class_fit.hpp"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

/// Rows of t = 2 x, x = 1 … 8 in three groups each, times `group_factor` of the group.
ClassFit doubled(const std::vector<double>& group_factor) {
  ClassFit task;
  task.parameters = {{"slope", 1, 0.1, 10}};
  task.group_name = "a series";
  std::vector<double> xs;
  for (std::size_t group = 0; group < group_factor.size(); ++group) {
    for (const double x : {1.0, 2.0, 4.0, 8.0}) {
      xs.push_back(x);
      task.measured.push_back(2 * x * group_factor[group]);
      task.points.push_back({x, 1.0 + static_cast<double>(group)});
      task.groups.push_back(std::to_string(group));
    }
  }
  task.predict = [xs](const CalibratedModel& model, std::vector<double>& seconds) {
    for (std::size_t i = 0; i < xs.size(); ++i) seconds[i] = model.parameters.at("slope") * xs[i];
  };
  set_axes(task, {"x", "group"});
  return task;
}

TEST(ClassFit, DropsAResidualThatMisleadsOnGroupsNeverSeen) {
  // Every other series is slow for a reason that no coordinate holds.
  ClassFit task = doubled({1, 3, 1, 1, 3, 1, 3, 1, 1, 1});
  task.stiffness = {0.01, 0.1};
  CalibratedModel model;
  fit(task, model);
  EXPECT_TRUE(model.residual.empty());
  EXPECT_NEAR(model.parameters.at("slope"), 2, 0.1);
}

TEST(ClassFit, KeepsAResidualThatHoldsForGroupsNeverSeen) {
  // A smooth trend over the groups that the one-parameter model cannot follow.
  ClassFit task = doubled({1, 1.2, 1.44, 1.728, 2.0736, 2.48832});
  task.folds = 6;
  task.stiffness = {0.01, 0.1};
  CalibratedModel model;
  fit(task, model);
  ASSERT_FALSE(model.residual.empty());
  EXPECT_LT(model.quality.fit_mean, 0.05);
  EXPECT_LT(model.quality.held_out_mean, 0.15);
}

TEST(ClassFit, ALoneStiffnessIsAlwaysUsed) {
  ClassFit task = doubled({1, 3, 1, 1, 3, 1, 3, 1, 1, 1});
  CalibratedModel model;
  fit(task, model);
  EXPECT_FALSE(model.residual.empty());
}

}  // namespace
}  // namespace rackwright::kernels
