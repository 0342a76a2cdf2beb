#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/review.hpp"

namespace rackwright::testing {

/// A rack of 8 GPUs on 0.72 m2 without aisles.
inline topology::RackDesign rack(const std::string& id) {
  topology::RackDesign design;
  design.id = id;
  design.name = id;
  design.gpus = 8;
  design.scale_up_domain = 8;
  design.envelope.width_mm = 600;
  design.envelope.depth_mm = 1200;
  return design;
}

/// What an evaluation says about service and power; blanks are left out.
struct RackNumbers {
  std::optional<double> tokens_per_s;
  std::optional<double> watts;
  double service_error = 0;
  double tokens_per_joule = 0;
};

inline topology::RackEvaluation evaluation(const std::string& id, const RackNumbers& numbers) {
  topology::RackEvaluation result;
  result.rack = id;
  result.device = "gpu of " + id;  // of its own: nothing in common with another rack
  result.placement = {8, 1, 0, false, 1, "TP8"};
  if (numbers.watts) {
    result.figures.add({"power.rack_ac.design_envelope", "Rack AC input, design envelope",
                        exact(*numbers.watts, {"W", Origin::catalogue, "rack AC input"}), "steady",
                        "sum of parts"});
  }
  if (numbers.tokens_per_s) {
    result.figures.add(
        {"service.tokens_per_s", "Output tokens per second",
         with_relative(*numbers.tokens_per_s, numbers.service_error, {"tok/s", Origin::modelled}),
         "", "replicas x capacity"});
  } else {
    result.blank_service = true;
    result.requirements.push_back({"service.test-gpu", "memory bandwidth of test-gpu",
                                   "needs it from the module maker", "module maker", "rank", true});
  }
  if (numbers.tokens_per_joule > 0) {
    result.figures.add({"service.tokens_per_joule", "Output tokens per joule",
                        exact(numbers.tokens_per_joule, {"tok/J", Origin::modelled}), "", ""});
  }
  return result;
}

/// A power limit at rack AC input. A remedy comes with the margin it brings.
inline topology::Limit limit(const std::string& name, double load_w, double limit_w,
                             const std::string& remedy = "",
                             std::optional<double> remedied_margin = std::nullopt) {
  topology::Limit result;
  result.id = "power." + name;
  result.domain = "power";
  result.name = name;
  result.failure_unit = "feed";
  result.load = exact(load_w, {"W", Origin::catalogue, "rack AC input"});
  result.limit = exact(limit_w, {"W", Origin::catalogue, "rack AC input"});
  result.margin = result.margin_low = result.margin_high = (limit_w - load_w) / limit_w;
  result.state = result.margin < 0 ? topology::LimitState::violated : topology::LimitState::met;
  result.remedy = remedy;
  result.remedied_margin = remedied_margin;
  return result;
}

inline workloads::Workload workload() {
  workloads::Workload result;
  result.name = "test";
  result.title = "Test workload";
  result.traffic.source = "generator test";
  return result;
}

/// A review of racks named by their evaluations.
inline results::Review review_of(std::vector<topology::RackEvaluation> evaluations,
                                 results::ReviewOptions options = {}) {
  std::vector<topology::RackDesign> designs;
  for (const auto& one : evaluations) designs.push_back(rack(one.rack));
  return results::make_review(workload(), 1, std::move(designs), std::move(evaluations), options);
}

/// The demand of most tests: 1,000 output tokens per second.
inline results::ReviewOptions thousand_tokens() {
  results::ReviewOptions options;
  options.demand_tokens_per_s = 1000;
  return options;
}

}  // namespace rackwright::testing
