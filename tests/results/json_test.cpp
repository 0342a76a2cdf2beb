#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/review.hpp"
#include "tests/results/review_fixture.hpp"

namespace rackwright::results {
namespace {

using ::rackwright::testing::evaluation;
using ::rackwright::testing::limit;
using ::rackwright::testing::review_of;
using ::rackwright::testing::thousand_tokens;
using ::testing::ElementsAre;

Review two_racks() {
  auto fast = evaluation("fast", {500.0, 50e3, 0.1, 0.02});
  fast.limits = {limit("Loss of feed A", 45e3, 50e3)};
  return review_of({fast, evaluation("new", {.watts = 30e3})}, thousand_tokens());
}

std::vector<std::string> keys_of(const nlohmann::ordered_json& json) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}

TEST(EstimateJson, HasTheKeysOfTheContract) {
  const auto json = to_json(with_relative(2, 0.5, {"W", Origin::measured, "tray", true}));
  EXPECT_THAT(keys_of(json),
              ElementsAre("value", "unit", "low", "high", "origin", "extrapolated", "boundary"));
  EXPECT_EQ(json["value"], 2.0);
  EXPECT_EQ(json["low"], 1.0);
  EXPECT_EQ(json["high"], 3.0);
  EXPECT_EQ(json["origin"], "measured");
  EXPECT_EQ(json["extrapolated"], true);
}

TEST(EstimateJson, WritesNumbersThatAreNotFiniteAsBlank) {
  EXPECT_TRUE(to_json(exact(std::nan(""), {"W"}))["value"].is_null());
  EXPECT_TRUE(to_json(exact(std::numeric_limits<double>::infinity(), {"W"}))["high"].is_null());
}

TEST(ReviewJson, IsTheSameBytesForTheSameInput) {
  EXPECT_EQ(to_json(two_racks()).dump(), to_json(two_racks()).dump());
}

TEST(ReviewJson, KeepsItsKeys) {
  EXPECT_THAT(keys_of(to_json(two_racks())),
              ElementsAre("format_version", "version", "headline", "reason", "subject", "workload",
                          "traffic_source", "seed", "slo", "rank_by", "rank_by_label",
                          "higher_is_better", "demand", "demand_basis", "thresholds", "candidates",
                          "provenance", "catalog_hash"));
}

TEST(ReviewJson, FindsEveryFigureByItsId) {
  const auto json = to_json(two_racks());
  std::size_t found = 0;
  for (const auto& entry : json["provenance"]) {
    for (const auto& candidate : json["candidates"]) {
      if (candidate["id"] != entry["rack"]) continue;
      for (const auto& figure : candidate["evaluation"]["figures"]) {
        if (figure["id"] == entry["id"]) ++found;
      }
      for (const char* key : {"racks", "gpus", "provisioned_w", "floor_m2", "metric",
                              "tokens_per_s_per_rack", "tokens_per_s_per_mw", "tokens_per_joule"}) {
        if (candidate[key].is_object() && candidate[key].value("id", "") == entry["id"]) ++found;
      }
    }
  }
  EXPECT_EQ(found, json["provenance"].size());
  EXPECT_GT(found, 10U);
}

TEST(ReviewJson, WritesBlanksAsNull) {
  const auto json = to_json(two_racks());
  const auto& open = json["candidates"][1];
  EXPECT_EQ(open["id"], "new");
  EXPECT_EQ(open["verdict"], "undecided");
  EXPECT_TRUE(open["rank"].is_null());
  EXPECT_TRUE(open["racks"].is_null());
  EXPECT_TRUE(open["switches"].is_null());
}

TEST(EvaluationJson, KeepsLoadAndLimitAtOneBoundary) {
  auto rack = evaluation("a", {500.0, 50e3, 0, 0});
  rack.limits = {limit("Loss of feed A", 45e3, 50e3)};
  const auto json = to_json(rack);
  ASSERT_EQ(json["limits"].size(), 1U);
  EXPECT_EQ(json["limits"][0]["load"]["boundary"], json["limits"][0]["limit"]["boundary"]);
  EXPECT_NEAR(json["limits"][0]["margin"].get<double>(), 0.1, 1e-12);
}

TEST(EvaluationJson, HasNoMarginForABlankLimit) {
  auto rack = evaluation("a", {500.0, 50e3, 0, 0});
  rack.limits = {limit("Loss of feed A", 45e3, 50e3)};
  rack.limits[0].limit.reset();
  rack.limits[0].state = topology::LimitState::blank;
  EXPECT_TRUE(to_json(rack)["limits"][0]["margin"].is_null());
}

}  // namespace
}  // namespace rackwright::results
