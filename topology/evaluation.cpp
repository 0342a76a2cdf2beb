#include "topology/evaluation.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "topology/evaluation_context.hpp"

namespace rackwright::topology {

namespace {

constexpr double kMostBlocked = 0.99;  // as much as a rack file may state

}  // namespace

std::string_view to_string(LoadCase c) {
  switch (c) {
    case LoadCase::design_envelope:
      return "design envelope";
    case LoadCase::slo_capacity:
      return "trace at SLO capacity";
    case LoadCase::as_recorded:
      return "trace as recorded";
    case LoadCase::idle:
      return "idle";
    case LoadCase::as_measured:
      return "as measured";
  }
  return "";
}

std::string_view key_of(LoadCase c) {
  switch (c) {
    case LoadCase::design_envelope:
      return "design_envelope";
    case LoadCase::slo_capacity:
      return "slo_capacity";
    case LoadCase::as_recorded:
      return "as_recorded";
    case LoadCase::idle:
      return "idle";
    case LoadCase::as_measured:
      return "as_measured";
  }
  return "";
}

std::string_view to_string(LimitState s) {
  switch (s) {
    case LimitState::met:
      return "met";
    case LimitState::near:
      return "near";
    case LimitState::violated:
      return "violated";
    case LimitState::blank:
      return "blank";
  }
  return "";
}

void FigureSet::add(Figure figure) {
  if (!index_.emplace(figure.key, figures_.size()).second) {
    throw std::logic_error("figure added twice: " + figure.key);
  }
  figures_.push_back(std::move(figure));
}

const Figure* FigureSet::find(const std::string& key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &figures_[found->second];
}

const Estimate& FigureSet::at(const std::string& key) const {
  const Figure* figure = find(key);
  if (!figure) throw std::logic_error("no such figure: " + key);
  return figure->estimate;
}

double RackEvaluation::worst_margin() const {
  double worst = 1;
  for (const Limit& limit : limits) {
    if (limit.promised && limit.state != LimitState::blank) worst = std::min(worst, limit.margin);
  }
  return worst;
}

Estimate EvaluationContext::envelope_estimate(double watts, std::string boundary) const {
  return between(watts * envelope_low, watts, watts * envelope_high,
                 {"W", envelope_origin, std::move(boundary)});
}

double EvaluationContext::liquid_fraction() const {
  return design.liquid ? design.liquid->liquid_fraction.value.value_or(0.0) : 0.0;
}

double EvaluationContext::cable_blocked() const {
  if (design.air.cable_blocked.value) return *design.air.cable_blocked.value;
  if (!options.cabling || options.cabling->opening_m2 <= 0) return 0;
  return std::min(options.cabling->blocked_m2 / options.cabling->opening_m2, kMostBlocked);
}

std::string EvaluationContext::bus_boundary() const {
  return design.buses.empty() ? "busbar DC" : design.buses.front().boundary;
}

void EvaluationContext::add(std::string key, std::string label, Estimate estimate,
                            std::string window, std::string basis) {
  out.figures.add(
      {std::move(key), std::move(label), std::move(estimate), std::move(window), std::move(basis)});
}

void EvaluationContext::require(Requirement requirement) {
  for (const Requirement& known : out.requirements) {
    if (known.id == requirement.id) return;
  }
  out.requirements.push_back(std::move(requirement));
}

namespace {

Environment environment_of(const RackDesign& design, const EvaluateOptions& options) {
  Environment result = design.environment;
  result.air_inlet_c = options.air_inlet_c.value_or(result.air_inlet_c);
  result.tcs_supply_c = options.tcs_supply_c.value_or(result.tcs_supply_c);
  result.fws_supply_c = options.fws_supply_c.value_or(result.fws_supply_c);
  result.dew_point_c = options.dew_point_c.value_or(result.dew_point_c);
  return result;
}

/// One GPU module without load: what the trace says, else the data sheet.
std::optional<double> idle_gpu(const kernels::DeviceInfo& device,
                               const std::optional<Demand>& demand) {
  if (device.idle_w.value) return device.idle_w.value;
  if (demand && demand->capacity.trace.idle_w > 0) return demand->capacity.trace.idle_w;
  return std::nullopt;
}

void note_blank_service(EvaluationContext& context) {
  const auto missing = context.device.missing_for(workloads::DataType::fp8);
  std::string what;
  for (const std::string& fact : missing) what += (what.empty() ? "" : ", ") + fact;
  if (what.empty()) what = "a calibrated or data-sheet model of " + context.device.id;
  context.out.blank_service = true;
  context.require({"service." + context.device.id, what,
                   "needs " + what + " from " +
                       (context.device.vendor.empty() ? "the module maker" : context.device.vendor),
                   context.device.vendor.empty() ? "module maker" : context.device.vendor,
                   "rank: no tokens per second can be predicted without it", true});
}

}  // namespace

RackEvaluation evaluate(const RackDesign& design, const Catalog& catalog,
                        const kernels::DeviceInfo& device, const std::optional<Demand>& demand,
                        const EvaluateOptions& options) {
  RackEvaluation result;
  result.rack = design.id;
  result.device = device.id;
  EvaluationContext context{design,
                            catalog,
                            device,
                            demand,
                            options,
                            environment_of(design, options),
                            RackPowerModel(design, catalog, device, idle_gpu(device, demand)),
                            0,
                            {},
                            false,
                            1,
                            1,
                            Origin::catalogue,
                            {},
                            {},
                            {},
                            {},
                            result};
  context.chain = make_power_chain(design, catalog);
  if (demand) result.placement = place(design, demand->capacity.trace.plan);
  evaluate_power_envelope(context);
  evaluate_load_cases(context);
  evaluate_power_limits(context);
  evaluate_air(context);
  evaluate_liquid(context);
  evaluate_failures(context);
  evaluate_power_chain(context);
  evaluate_network(context);
  evaluate_transient(context);
  evaluate_mechanical(context);
  evaluate_site(context);
  evaluate_service(context);
  if (!demand) note_blank_service(context);
  describe_trays(context);
  describe_timelines(context);
  describe_module_temperature(context);
  describe_service(context);
  describe_bom(context);
  sort_limits(result.limits);
  return result;
}

}  // namespace rackwright::topology
