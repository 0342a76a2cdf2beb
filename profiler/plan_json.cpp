#include "profiler/plan_json.hpp"

#include <nlohmann/json.hpp>

#include "common/json_document.hpp"

namespace rackwright::profiler {

std::string plan_to_json(const workloads::ServingPlan& plan) {
  nlohmann::ordered_json json;
  json["tp"] = plan.tp;
  json["pp"] = plan.pp;
  json["dp"] = plan.dp;
  json["ep"] = plan.ep;
  json["cp"] = plan.cp;
  json["weights"] = std::string(workloads::to_string(plan.weights));
  json["kv"] = std::string(workloads::to_string(plan.kv));
  json["max_batch"] = plan.max_batch;
  json["prefill_chunk"] = plan.prefill_chunk;
  json["kv_block"] = plan.kv_block;
  json["prefix_cache"] = plan.prefix_cache;
  json["all_reduce"] = std::string(workloads::to_string(plan.all_reduce));
  json["expert_skew"] = plan.expert_skew;
  if (plan.speculative) {
    json["speculative"] = {{"draft_tokens", plan.speculative->draft_tokens},
                           {"acceptance", plan.speculative->acceptance},
                           {"draft_cost", plan.speculative->draft_cost}};
  }
  return json.dump();
}

workloads::ServingPlan plan_from_json(std::string_view text, std::string name) {
  const JsonDocument document = JsonDocument::parse_text(text, std::move(name));
  ProblemList problems;
  ObjectReader reader(document, problems);
  const auto plans = workloads::read_serving_plans(reader);
  problems.throw_if_any();
  return plans.empty() ? workloads::ServingPlan{} : plans.front();
}

}  // namespace rackwright::profiler
