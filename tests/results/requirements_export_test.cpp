#include "results/requirements_export.hpp"

#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "results/review.hpp"
#include "tests/topology/hand_built.hpp"

namespace rackwright::results {
namespace {

using nlohmann::ordered_json;

ordered_json evaluation(double rack_w) {
  return ordered_json::parse(R"({
    "rack": "r", "device": "d", "placement": {"plan": "tp8"},
    "figures": [
      {"key": "power.rack_ac.design_envelope", "label": "Rack AC input", "value": )" +
                             std::to_string(rack_w) + R"(,
       "unit": "W", "low": 90000, "high": 120000, "origin": "catalogue",
       "boundary": "rack AC input", "window": "steady", "basis": "sum of parts"},
      {"key": "power.module.design_envelope", "label": "All GPUs", "value": 72000, "unit": "W",
       "low": 72000, "high": 72000, "origin": "catalogue", "boundary": "module input",
       "window": "steady", "basis": "TDP"},
      {"key": "power.rack_ac.slo_capacity.p99", "label": "secret traffic", "value": 80000,
       "unit": "W", "basis": "trace"},
      {"key": "service.tokens_per_s", "label": "secret service", "value": 9, "unit": "1/s"},
      {"key": "liquid.flow.design_envelope", "label": "Flow", "value": 100, "unit": "l/min",
       "low": 100, "high": 100, "basis": "read from /home/ann/secret/loop.json"},
      {"key": "power.extra", "label": "Extra", "value": 5, "unit": "W", "private": true},
      {"key": "power.other", "label": "Other", "value": 5, "unit": "W", "basis": "Confidential deck"}],
    "limits": [
      {"id": "power.feed.A", "domain": "power", "name": "Feed A", "failure_unit": "feed",
       "failure": "feed B", "promised": true, "state": "met",
       "load": {"value": 100, "low": 100, "high": 100, "unit": "A"},
       "limit": {"value": 200, "unit": "A"}},
      {"id": "service.ttft", "domain": "service", "name": "secret SLO",
       "load": {"value": 1}, "limit": null}],
    "requirements": [
      {"id": "busbar_resistance", "input": "resistance", "solved": "<= 5 uohm",
       "supplier": "rack maker", "effect": "voltage", "decides": false}],
    "trays": [{"slot": "c01", "power_w": 6000, "rating_w": 0, "weight_kg": 30},
              {"slot": "c02", "power_w": 6000, "rating_w": 0, "weight_kg": 30}],
    "bill_of_material": [{"part": "shelf", "unit_usd_low": 3}],
    "timelines": [{"label": "secret timeline"}],
    "power_chain": {"gpus": 72}})");
}

const ordered_json* budget_of(const ordered_json& out, const std::string& id) {
  for (const ordered_json& entry : out["budgets"]) {
    if (entry["id"] == id) return &entry;
  }
  return nullptr;
}

// 100 kW with a high end of 120 kW: the interval is wider than 5 %. 100 l/min without one: 105.
TEST(RequirementsExport, BudgetIsTheHighEndOrTheGuardBand) {
  const auto out = to_requirements(evaluation(100e3), std::nullopt, {});
  EXPECT_DOUBLE_EQ((*budget_of(out, "power.rack_ac.design_envelope"))["budget"], 120e3);
  EXPECT_DOUBLE_EQ((*budget_of(out, "liquid.flow.design_envelope"))["budget"], 105);
  EXPECT_DOUBLE_EQ((*budget_of(out, "row.power.rack_ac.design_envelope"))["budget"], 8 * 120e3);
  EXPECT_DOUBLE_EQ((*budget_of(out, "power.module"))["value"], 1000);
}

TEST(RequirementsExport, AlikeTraysAreOneBudget) {
  const auto out = to_requirements(evaluation(100e3), std::nullopt, {});
  EXPECT_NE(budget_of(out, "tray.c01"), nullptr);
  EXPECT_EQ(budget_of(out, "tray.c02"), nullptr);
  EXPECT_DOUBLE_EQ((*budget_of(out, "tray.c01.weight"))["value"], 30);
}

TEST(RequirementsExport, HoldsNothingOfTheTrafficNorPrivate) {
  const std::string text = to_requirements(evaluation(100e3), evaluation(90e3), {}).dump();
  for (const char* word :
       {"secret", "slo_capacity", "/home", "ann", "Confidential", "power.extra", "tp8", "usd"}) {
    EXPECT_EQ(text.find(word), std::string::npos) << word;
  }
}

TEST(RequirementsExport, SaysWhatCarriesOver) {
  const auto out = to_requirements(evaluation(130e3), evaluation(100e3), {});
  const ordered_json& over = out["carries_over"];
  EXPECT_EQ(over["parts_kept"], ordered_json::array({"shelf"}));
  for (const ordered_json& entry : over["budgets"]) {
    const bool grew = entry["id"].get<std::string>().find("rack_ac") != std::string::npos;
    EXPECT_EQ(entry["carries_over"], !grew) << entry["id"];
  }
}

TEST(RequirementsExport, RefusesAnotherDocument) {
  EXPECT_THROW((void)to_requirements(ordered_json::parse(R"({"rack": "r"})"), std::nullopt, {}),
               InputError);
}

/// Requirements of one rack that has carried `demand`.
std::string requirements_under(const topology::Demand& demand, bool liquid) {
  namespace hand = topology::testing;
  topology::EvaluateOptions options;
  options.cap_response = kernels::CapResponse{};
  auto device = hand::device(liquid ? 1200 : 700, 190);
  device.idle_w.value.reset();  // then the trace says it, and must not leak
  const auto rack = liquid ? hand::liquid_rack() : hand::air_rack();
  return to_requirements(
             to_json(topology::evaluate(rack, hand::catalog(), device, demand, options)),
             std::nullopt, {})
      .dump(1);
}

TEST(RequirementsExport, TwoWorkloadsOnOneRackGiveTheSameBytes) {
  for (const bool liquid : {false, true}) {
    const std::string light = requirements_under(topology::testing::demand(2, 300, 90), liquid);
    const std::string heavy = requirements_under(topology::testing::demand(8, 650, 120), liquid);
    EXPECT_EQ(light, heavy);
    EXPECT_NE(light.find("power.rack_ac.design_envelope"), std::string::npos);
    for (const char* unit : {"\"W\"", "\"kg\"", "K/W", liquid ? "\"l/min\"" : "CFM at"}) {
      EXPECT_NE(light.find(unit), std::string::npos) << unit << ' ' << liquid;
    }
  }
}

}  // namespace
}  // namespace rackwright::results
