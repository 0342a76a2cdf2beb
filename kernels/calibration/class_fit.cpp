#include "kernels/calibration/class_fit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/statistics.hpp"

namespace rackwright::kernels {
namespace {

constexpr double kLossScale = 0.1;
constexpr int kEvaluations = 900;
constexpr int kFoldEvaluations = 200;
constexpr std::size_t kRowsOfParameterFit = 1500;

double soft_l1(double x) {
  const double scaled = x / kLossScale;
  return std::sqrt(1 + scaled * scaled) - 1;
}

void set(CalibratedModel& model, const ClassFit& task, const std::vector<double>& values) {
  model.parameters = task.fixed;
  for (std::size_t i = 0; i < values.size(); ++i) {
    model.parameters[task.parameters[i].name] = values[i];
  }
}

/// Evenly spread rows: a handful of parameters needs no more.
std::vector<std::size_t> thinned(const std::vector<std::size_t>& rows) {
  const std::size_t step = std::max<std::size_t>(1, rows.size() / kRowsOfParameterFit);
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < rows.size(); i += step) result.push_back(rows[i]);
  return result;
}

std::vector<double> fit_parameters(const ClassFit& task, const CalibratedModel& base,
                                   const std::vector<FitParameter>& parameters,
                                   const std::vector<std::size_t>& rows, int evaluations) {
  CalibratedModel model = base;
  std::vector<double> seconds(task.measured.size());
  const std::vector<std::size_t> few = thinned(rows);
  return minimise(
      parameters,
      [&](const std::vector<double>& values) {
        set(model, task, values);
        task.predict(model, seconds);
        double sum = 0;
        for (const std::size_t row : few)
          sum += soft_l1(std::log(task.measured[row] / seconds[row]));
        return sum / static_cast<double>(few.size());
      },
      evaluations);
}

/// Stiffness 0 stands for no residual.
constexpr double kNoResidual = 0;

void fit_residual(const ClassFit& task, CalibratedModel& model,
                  const std::vector<std::size_t>& rows, double stiffness) {
  model.residual = {};
  if (task.axes.empty() || stiffness == kNoResidual) return;
  std::vector<double> seconds(task.measured.size());
  task.predict(model, seconds);
  std::vector<GridPoint> points;
  for (const std::size_t row : rows) {
    points.push_back({task.points[row], std::log(task.measured[row] / seconds[row])});
  }
  model.residual = fit_grid(task.axes, points, stiffness);
}

std::vector<double> errors(const ClassFit& task, const CalibratedModel& model,
                           const std::vector<std::size_t>& rows) {
  std::vector<double> seconds(task.measured.size());
  task.predict(model, seconds);
  std::vector<double> result;
  for (const std::size_t row : rows) {
    const double residual = model.residual.at(task.points[row]);
    result.push_back(std::abs(seconds[row] * std::exp(residual) / task.measured[row] - 1));
  }
  return result;
}

}  // namespace

void set_axes(ClassFit& task, std::initializer_list<const char*> names) {
  std::size_t axis = 0;
  for (const char* name : names) {
    std::vector<double> values;
    for (const auto& point : task.points) values.push_back(point[axis]);
    task.axes.push_back({name, knots_of(std::move(values))});
    ++axis;
  }
}

void fit(const ClassFit& task, CalibratedModel& model) {
  // Two rows a parameter and a group to leave out: less says nothing about rows never seen.
  const std::set<std::string> groups(task.groups.begin(), task.groups.end());
  const std::size_t least = 2 * task.parameters.size();
  if (task.measured.size() < least || groups.size() < 2) {
    throw InputError({model.provenance.tables, 0, model.operation + " " + model.variant,
                      fmt::format("at least {} rows in two groups ({})", least, task.group_name),
                      fmt::format("{} rows in {}", task.measured.size(), groups.size())});
  }
  std::vector<std::size_t> all(task.measured.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const std::vector<double> best = fit_parameters(task, model, task.parameters, all, kEvaluations);

  std::map<std::string, int> fold_of;
  for (const std::string& group : task.groups) {
    fold_of.emplace(group, static_cast<int>(fold_of.size()) % task.folds);
  }
  std::vector<FitParameter> near = task.parameters;
  for (std::size_t i = 0; i < near.size(); ++i) near[i].start = best[i];
  std::vector<double> choices = task.stiffness;
  if (choices.size() > 1) choices.push_back(kNoResidual);
  std::vector<std::vector<double>> held_out(choices.size());
  for (int fold = 0; fold < task.folds; ++fold) {
    std::vector<std::size_t> kept;
    std::vector<std::size_t> left_out;
    for (const std::size_t row : all) {
      (fold_of.at(task.groups[row]) == fold ? left_out : kept).push_back(row);
    }
    if (kept.empty() || left_out.empty()) continue;
    set(model, task, fit_parameters(task, model, near, kept, kFoldEvaluations));
    for (std::size_t i = 0; i < choices.size(); ++i) {
      fit_residual(task, model, kept, choices[i]);
      const std::vector<double> of_fold = errors(task, model, left_out);
      held_out[i].insert(held_out[i].end(), of_fold.begin(), of_fold.end());
    }
  }
  const auto chosen = static_cast<std::size_t>(
      std::min_element(held_out.begin(), held_out.end(),
                       [](const auto& a, const auto& b) { return mean(a) < mean(b); }) -
      held_out.begin());

  set(model, task, best);
  fit_residual(task, model, all, choices[chosen]);
  model.quality.rows = all.size();
  model.quality.fit_mean = mean(errors(task, model, all));
  model.quality.held_out_mean = mean(held_out[chosen]);
  model.quality.held_out_median = quantile(held_out[chosen], 0.5);
  model.quality.held_out_p90 = quantile(held_out[chosen], 0.9);
  model.quality.held_out_group = task.group_name;
}

}  // namespace rackwright::kernels
