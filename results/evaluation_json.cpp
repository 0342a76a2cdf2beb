#include <cmath>
#include <map>
#include <utility>

#include "results/review.hpp"

namespace rackwright::results {

namespace {

using nlohmann::ordered_json;
using IdMap = std::map<std::pair<std::string, std::string>, std::string>;

/// JSON has no NaN and no infinity: they are blanks.
ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

template <class T>
ordered_json optional(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_same_v<T, double>) {
    return number(*value);
  } else {
    return to_json(*value);
  }
}

ordered_json numbers(const std::vector<double>& values) {
  ordered_json list = ordered_json::array();
  for (const double value : values) list.push_back(number(value));
  return list;
}

std::string_view key_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::feasible:
      return "feasible";
    case Verdict::feasible_after_change:
      return "feasible_after_change";
    case Verdict::not_feasible:
      return "not_feasible";
    case Verdict::undecided:
      return "undecided";
  }
  return "";
}

ordered_json figure_json(const topology::Figure& figure, const std::string& id) {
  ordered_json json;
  if (!id.empty()) json["id"] = id;
  json["key"] = figure.key;
  json["label"] = figure.label;
  json.update(to_json(figure.estimate));
  json["window"] = figure.window;
  json["basis"] = figure.basis;
  return json;
}

ordered_json limit_json(const topology::Limit& limit) {
  ordered_json json;
  json["id"] = limit.id;
  json["domain"] = limit.domain;
  json["name"] = limit.name;
  json["failure_unit"] = limit.failure_unit;
  json["failure"] = limit.failure;
  json["state"] = to_string(limit.state);
  json["promised"] = limit.promised;
  json["load"] = to_json(limit.load);
  json["limit"] = optional(limit.limit);
  const bool blank = limit.state == topology::LimitState::blank;
  json["margin"] = blank ? ordered_json(nullptr) : number(limit.margin);
  json["margin_low"] = blank ? ordered_json(nullptr) : number(limit.margin_low);
  json["margin_high"] = blank ? ordered_json(nullptr) : number(limit.margin_high);
  json["cause"] = limit.cause;
  json["remedy"] = limit.remedy;
  json["remedied_margin"] = optional(limit.remedied_margin);
  return json;
}

ordered_json requirement_json(const topology::Requirement& requirement) {
  return {{"id", requirement.id},         {"input", requirement.input},
          {"solved", requirement.solved}, {"supplier", requirement.supplier},
          {"effect", requirement.effect}, {"decides", requirement.decides}};
}

ordered_json tray_json(const topology::TrayState& tray) {
  ordered_json json;
  json["slot"] = tray.slot;
  json["power_w"] = number(tray.power_w);
  json["rating_w"] = number(tray.rating_w);
  json["capacity_power_w"] = number(tray.capacity_power_w);
  json["hottest_c"] = optional(tray.hottest_c);
  json["hottest_part"] = tray.hottest_part;
  json["air_m3_per_min"] = optional(tray.air_m3_per_min);
  json["coolant_lpm"] = optional(tray.coolant_lpm);
  json["weight_kg"] = optional(tray.weight_kg);
  return json;
}

ordered_json lane_json(const topology::TimelineLane& lane) {
  ordered_json json;
  json["label"] = lane.label;
  json["unit"] = lane.unit;
  json["note"] = lane.note;
  json["window"] = lane.window;
  json["average"] = number(lane.average);
  json["p99"] = number(lane.p99);
  json["peak"] = number(lane.peak);
  json["peak_t_s"] = number(lane.peak_t_s);
  json["lines"] = ordered_json::array();
  for (const auto& line : lane.lines) {
    json["lines"].push_back(
        {{"label", line.label}, {"value", number(line.value)}, {"is_limit", line.is_limit}});
  }
  json["t_s"] = numbers(lane.t_s);
  json["min"] = numbers(lane.min);
  json["mean"] = numbers(lane.mean);
  json["max"] = numbers(lane.max);
  return json;
}

ordered_json service_item_json(const topology::ServiceItem& item) {
  ordered_json json;
  json["part"] = item.part;
  json["count"] = item.count;
  json["gpus_down"] = item.gpus_down;
  json["goes_down"] = item.goes_down;
  json["isolation"] = item.isolation;
  json["kg"] = optional(item.kg);
  json["hot_swap"] = item.hot_swap;
  json["source"] = item.source;
  return json;
}

ordered_json bom_json(const topology::BomLine& line) {
  ordered_json json;
  json["item"] = line.item;
  json["part"] = line.part;
  json["quantity"] = number(line.quantity);
  json["unit_w"] = optional(line.unit_w);
  json["unit_kg"] = optional(line.unit_kg);
  json["unit_usd_low"] = optional(line.unit_usd_low);
  json["unit_usd_high"] = optional(line.unit_usd_high);
  json["region"] = line.region;
  json["lead_weeks"] = line.lead_weeks;
  json["second_source"] = line.second_source;
  json["source"] = line.source;
  return json;
}

template <class T, class Function>
ordered_json list(const std::vector<T>& values, Function function) {
  ordered_json json = ordered_json::array();
  for (const T& value : values) json.push_back(function(value));
  return json;
}

ordered_json placement_json(const topology::Placement& placement) {
  return {{"plan", placement.plan},
          {"gpus_per_replica", placement.gpus_per_replica},
          {"replicas", placement.replicas},
          {"idle_gpus", placement.idle_gpus},
          {"crosses_scale_up", placement.crosses_scale_up},
          {"racks_per_replica", placement.racks_per_replica}};
}

ordered_json branch_json(const topology::CoolantBranch& branch) {
  ordered_json json;
  json["slot"] = branch.slot;
  json["heat_w"] = number(branch.heat_w);
  json["flow_lpm"] = number(branch.flow_lpm);
  json["drop_kpa"] = branch.drop_kpa ? number(*branch.drop_kpa) : ordered_json(nullptr);
  json["supply_c"] = number(branch.supply_c);
  json["return_c"] = number(branch.return_c);
  json["return_limit_c"] =
      branch.return_limit_c ? number(*branch.return_limit_c) : ordered_json(nullptr);
  json["valve_open"] = branch.valve_open;
  json["component_drop_kpa"] = ordered_json::object();
  for (const auto& [name, kpa] : branch.component_drop_kpa) {
    json["component_drop_kpa"][name] = number(kpa);
  }
  return json;
}

ordered_json coolant_json(const std::optional<topology::CoolantView>& view) {
  if (!view) return nullptr;
  const auto blank_or = [](const std::optional<double>& value) {
    return value ? number(*value) : ordered_json(nullptr);
  };
  ordered_json json;
  json["coolant"] = view->coolant;
  json["supply_c"] = number(view->supply_c);
  json["return_c"] = number(view->return_c);
  json["fws_supply_c"] = number(view->fws_supply_c);
  json["dew_point_c"] = number(view->dew_point_c);
  json["flow_lpm"] = number(view->flow_lpm);
  json["heat_w"] = number(view->heat_w);
  json["drop_kpa"] = blank_or(view->drop_kpa);
  json["cdu"] = view->cdu;
  json["cdu_place"] = view->cdu_place;
  json["cdus_installed"] = view->cdus_installed;
  json["racks_per_cdu"] = number(view->racks_per_cdu);
  json["approach_k"] = blank_or(view->approach_k);
  json["branches"] = list(view->branches, branch_json);
  return json;
}

ordered_json failure_row_json(const topology::FailureRow& row) {
  ordered_json json;
  json["domain"] = row.domain;
  json["level"] = row.level;
  json["node"] = row.node;
  json["failure_unit"] = row.failure_unit;
  json["failure"] = row.failure;
  json["boundary"] = row.boundary;
  json["unit"] = row.unit;
  json["load"] = row.lost ? ordered_json(nullptr) : number(row.load);
  json["load_low"] = optional(row.low);
  json["load_high"] = optional(row.high);
  json["limit"] = optional(row.limit);
  json["margin"] = optional(row.margin());
  return json;
}

ordered_json architecture_json(const topology::Architecture& a) {
  ordered_json json;
  json["id"] = a.id;
  json["name"] = a.name;
  json["stages"] = list(a.stages, [](const topology::ArchitectureStage& stage) {
    return ordered_json{{"part", stage.part},
                        {"efficiency_low", optional(stage.low)},
                        {"efficiency_high", optional(stage.high)},
                        {"source", stage.source}};
  });
  json["ac_input_low_w"] = optional(a.ac_low_w);
  json["ac_input_high_w"] = optional(a.ac_high_w);
  json["needed_efficiency_of_blank_stage"] = optional(a.solved_efficiency);
  json["distribution_v"] = number(a.distribution_v);
  json["distribution_a"] = number(a.distribution_a);
  json["rack_units_freed"] = number(a.rack_units_freed);
  json["racks_per_sidecar"] = optional(a.racks_per_sidecar);
  json["sidecar_kg_per_rack"] = optional(a.sidecar_kg);
  json["sidecar_m2_per_rack"] = optional(a.sidecar_m2);
  json["blanks"] = a.blanks;
  json["source"] = a.source;
  json["status"] = a.status;
  return json;
}

ordered_json power_json(const topology::PowerReport& power,
                        const std::vector<topology::FailureRow>& worst) {
  ordered_json json;
  json["gpus"] = power.gpus;
  json["worst_by_level_and_failure"] = ordered_json::array();
  for (const topology::FailureRow& row : worst) {
    if (row.domain == "power") json["worst_by_level_and_failure"].push_back(failure_row_json(row));
  }
  json["architectures"] = list(power.architectures, architecture_json);
  return json;
}

ordered_json evaluation_json(const topology::RackEvaluation& evaluation, const IdMap& ids) {
  ordered_json json;
  json["rack"] = evaluation.rack;
  json["device"] = evaluation.device;
  json["blank_service"] = evaluation.blank_service;
  json["worst_margin"] = number(evaluation.worst_margin());
  json["placement"] = placement_json(evaluation.placement);
  json["figures"] = list(evaluation.figures.all(), [&](const topology::Figure& figure) {
    const auto id = ids.find({evaluation.rack, figure.key});
    return figure_json(figure, id == ids.end() ? "" : id->second);
  });
  json["limits"] = list(evaluation.limits, limit_json);
  json["requirements"] = list(evaluation.requirements, requirement_json);
  json["trays"] = list(evaluation.trays, tray_json);
  json["coolant"] = coolant_json(evaluation.coolant);
  json["timelines"] = list(evaluation.timelines, lane_json);
  json["bill_of_material"] = list(evaluation.bom, bom_json);
  json["power_chain"] = power_json(evaluation.power, evaluation.failures.worst);
  json["failures"] = list(evaluation.failures.worst, failure_row_json);
  json["service_items"] = list(evaluation.service_items, service_item_json);
  json["notes"] = evaluation.notes;
  return json;
}

ordered_json comparison_json(const std::optional<Comparison>& comparison) {
  if (!comparison) return nullptr;
  ordered_json json;
  json["ratio"] = to_json(comparison->ratio);
  json["probability_better"] = number(comparison->probability_better);
  json["common_relative_error"] = number(comparison->common);
  return json;
}

ordered_json candidate_json(const Candidate& candidate, const IdMap& ids) {
  ordered_json json;
  const auto sized = [&](const char* key, const std::optional<Estimate>& estimate) {
    json[key] = optional(estimate);
    const auto id = ids.find({candidate.design.id, std::string("candidate.") + key});
    if (estimate && id != ids.end()) json[key]["id"] = id->second;
  };
  json["id"] = candidate.design.id;
  json["name"] = candidate.design.name;
  json["summary"] = candidate.design.summary;
  json["verdict"] = key_of(candidate.verdict);
  json["changes"] = candidate.changes;
  json["rank"] = candidate.rank > 0 ? ordered_json(candidate.rank) : ordered_json(nullptr);
  json["tied"] = candidate.tied;
  sized("racks", candidate.racks);
  sized("gpus", candidate.gpus);
  sized("cdus", candidate.cdus);
  sized("switches", candidate.switches);
  sized("provisioned_w", candidate.provisioned_w);
  sized("cdu_w", candidate.cdu_w);
  sized("switch_w", candidate.switch_w);
  sized("floor_m2", candidate.floor_m2);
  sized("tokens_per_s_per_rack", candidate.tokens_per_s_per_rack);
  sized("tokens_per_s_per_mw", candidate.tokens_per_s_per_mw);
  sized("tokens_per_joule", candidate.tokens_per_joule);
  sized("metric", candidate.metric);
  json["against_first"] = comparison_json(candidate.against_first);
  json["closest_limit"] =
      candidate.closest ? ordered_json(candidate.closest->id) : ordered_json(nullptr);
  json["evaluation"] = evaluation_json(candidate.evaluation, ids);
  return json;
}

ordered_json provenance_json(const ProvenanceEntry& entry) {
  ordered_json json;
  json["id"] = entry.id;
  json["rack"] = entry.rack;
  json["key"] = entry.figure.key;
  json["leverage"] = number(entry.leverage);
  return json;
}

}  // namespace

ordered_json to_json(const Estimate& estimate) {
  ordered_json json;
  json["value"] = number(estimate.value);
  json["unit"] = estimate.unit;
  json["low"] = number(estimate.low);
  json["high"] = number(estimate.high);
  json["origin"] = to_string(estimate.origin);
  json["extrapolated"] = estimate.extrapolated;
  json["boundary"] = estimate.boundary;
  return json;
}

ordered_json to_json(const topology::RackEvaluation& evaluation) {
  return evaluation_json(evaluation, {});
}

ordered_json to_json(const Review& review) {
  IdMap ids;
  for (const ProvenanceEntry& entry : review.provenance) {
    ids[{entry.rack, entry.figure.key}] = entry.id;
  }
  ordered_json json;
  json["format_version"] = 1;
  json["version"] = review.version;
  json["headline"] = review.headline;
  json["reason"] = review.reason;
  json["subject"] = review.subject;
  json["workload"] = review.workload;
  json["traffic_source"] = review.traffic_source;
  json["seed"] = review.seed;
  json["slo"] = {{"ttft_s", number(review.slo.ttft_s)},
                 {"tpot_s", number(review.slo.tpot_s)},
                 {"percentile", number(review.slo.percentile)}};
  json["rank_by"] = review.rank_by;
  json["rank_by_label"] = review.rank_by_label;
  json["higher_is_better"] = review.higher_is_better;
  json["demand"] = to_json(review.demand);
  json["demand_basis"] = review.demand_basis;
  json["thresholds"] = list(review.thresholds, [](const Threshold& threshold) {
    return ordered_json{{"change", threshold.change}, {"effect", threshold.effect}};
  });
  json["candidates"] = list(review.candidates, [&](const Candidate& candidate) {
    return candidate_json(candidate, ids);
  });
  json["provenance"] = list(review.provenance, provenance_json);
  json["catalog_hash"] = review.catalog_hash;
  return json;
}

}  // namespace rackwright::results
