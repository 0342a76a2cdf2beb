#include "results/ranking.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/results/review_fixture.hpp"

namespace rackwright::results {
namespace {

using ::rackwright::testing::evaluation;
using ::rackwright::testing::limit;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Candidate candidate(const std::string& id, double low, double value, double high) {
  Candidate result;
  result.design.id = id;
  result.verdict = Verdict::feasible;
  result.metric = between(low, value, high, {"tokens/s per MW"});
  return result;
}

TEST(Judge, ARackThatHoldsEveryLimitIsFeasible) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  rack.limits = {limit("feed A", 90, 100)};
  EXPECT_EQ(judge(rack).verdict, Verdict::feasible);
}

TEST(Judge, ALimitThatNobodyPromisedIsAFindingOnly) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  rack.limits = {limit("feed A", 110, 100)};
  rack.limits[0].promised = false;
  EXPECT_EQ(judge(rack).verdict, Verdict::feasible);
}

TEST(Judge, RemediesThatDifferOnlyInNumbersAreOneChangeAndTheTightestIsKept) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  rack.limits = {limit("PSU", 105, 100, "Cap the rack at 99.5 kW within 20 ms", 0.005),
                 limit("feed A", 120, 100, "Cap the rack at 98 kW within 20 ms", 0.02)};
  const auto judgement = judge(rack);
  EXPECT_EQ(judgement.verdict, Verdict::feasible_after_change);
  EXPECT_THAT(judgement.changes, ElementsAre("Cap the rack at 98 kW within 20 ms"));
}

TEST(Judge, TheSameChangeForTwoFeedsIsOneAndNamesNeither) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  for (const char* feed : {"A", "B"}) {
    const std::string name = std::string("feed ") + feed;
    rack.limits.push_back(
        limit("loss of " + name, 142, 132,
              "Cap the rack at 135 kW AC when " + name + " is lost (GPU at 1305 W): +0.3 % margin",
              0.003));
    rack.limits.back().failure = name;
  }
  const auto judgement = judge(rack);
  EXPECT_THAT(judgement.changes, ElementsAre("Cap the rack at 135 kW AC when a feed is lost"));
}

TEST(Judge, TwoKindsOfRemedyAreTwoChanges) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  rack.limits = {limit("feed A", 120, 100, "Cap the rack at 98 kW", 0.02),
                 limit("busbar", 105, 100, "Move 2 sleds to the upper section", 0.1)};
  EXPECT_EQ(judge(rack).changes.size(), 2U);
}

TEST(Judge, AViolationWithoutARemedyThatClearsItIsNotFeasible) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  rack.limits = {limit("feed A", 120, 100)};
  EXPECT_EQ(judge(rack).verdict, Verdict::not_feasible);
  rack.limits = {limit("feed A", 120, 100, "Cap the rack at 101 kW", -0.01)};
  EXPECT_EQ(judge(rack).verdict, Verdict::not_feasible);
}

TEST(Judge, ADecidingBlankLeavesARackUndecidedUnlessItFailsAnyway) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  rack.requirements.push_back({"fan_curve", "fan curve", "", "", "", true});
  EXPECT_EQ(judge(rack).verdict, Verdict::undecided);
  rack.limits = {limit("feed A", 120, 100)};
  EXPECT_EQ(judge(rack).verdict, Verdict::not_feasible);
}

TEST(Judge, ABlankThatDecidesNothingIsNoObstacle) {
  auto rack = evaluation("a", {.tokens_per_s = 1, .watts = 1});
  rack.requirements.push_back({"price", "price", "", "", "", false});
  EXPECT_EQ(judge(rack).verdict, Verdict::feasible);
}

TEST(Judge, ARackWhoseServiceIsUnknownIsUndecided) {
  EXPECT_EQ(judge(evaluation("a", {.watts = 1})).verdict, Verdict::undecided);
}

TEST(RankCandidates, OverlappingIntervalsShareARankAndTheNextCountsOn) {
  std::vector<Candidate> candidates{candidate("c", 4, 5, 6), candidate("a", 9, 10, 11),
                                    candidate("b", 8, 9, 10)};
  rank_candidates(candidates, true);
  EXPECT_EQ(candidates[0].design.id, "a");
  EXPECT_THAT((std::vector<int>{candidates[0].rank, candidates[1].rank, candidates[2].rank}),
              ElementsAre(1, 1, 3));
  EXPECT_TRUE(candidates[0].tied);
  EXPECT_FALSE(candidates[2].tied);
}

TEST(RankCandidates, LessIsBetterForRacksAndPower) {
  std::vector<Candidate> candidates{candidate("a", 9, 9, 9), candidate("b", 4, 4, 4)};
  rank_candidates(candidates, false);
  EXPECT_EQ(candidates[0].design.id, "b");
}

TEST(RankCandidates, RacksThatFailOrAreOpenComeLastWithoutARank) {
  auto open = candidate("open", 20, 20, 20), fails = candidate("fails", 30, 30, 30);
  open.verdict = Verdict::undecided;
  fails.verdict = Verdict::not_feasible;
  std::vector<Candidate> candidates{open, fails, candidate("holds", 1, 1, 1)};
  rank_candidates(candidates, true);
  EXPECT_EQ(candidates[0].design.id, "holds");
  EXPECT_EQ(candidates[1].design.id, "fails");
  EXPECT_EQ(candidates[2].design.id, "open");
  EXPECT_EQ(candidates[1].rank, 0);
  EXPECT_EQ(candidates[2].rank, 0);
}

TEST(FindRankMetric, AnUnknownNameOffersTheNearest) {
  try {
    static_cast<void>(find_rank_metric("tokens_per_jule"));
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"tokens_per_joule\"?"));
  }
}

TEST(RankMetrics, EveryNameIsKnownAndHasALabel) {
  ASSERT_FALSE(rank_metrics().empty());
  for (const auto& name : rank_metrics()) EXPECT_NE(label_of_metric(name), "") << name;
}

}  // namespace
}  // namespace rackwright::results
