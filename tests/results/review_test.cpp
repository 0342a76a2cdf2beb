#include "results/review.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/sizing.hpp"
#include "tests/results/review_fixture.hpp"

namespace rackwright::results {
namespace {

using ::rackwright::testing::evaluation;
using ::rackwright::testing::limit;
using ::rackwright::testing::rack;
using ::rackwright::testing::review_of;
using ::rackwright::testing::thousand_tokens;
using ::rackwright::testing::workload;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Candidate& named(const Review& review, const std::string& id) {
  for (const auto& candidate : review.candidates) {
    if (candidate.design.id == id) return candidate;
  }
  throw std::logic_error("no candidate " + id);
}

// "fast" needs 1000 / 500 = 2 racks, 100 kW: 10,000 tokens/s per MW.
// "slow" needs 1000 / 250 = 4 racks, 160 kW: 6,250 tokens/s per MW.
topology::RackEvaluation fast() {
  return evaluation("fast", {500.0, 50e3, 0.1, 0.02});
}
topology::RackEvaluation slow() {
  return evaluation("slow", {250.0, 40e3, 0.1, 0.01});
}

TEST(RacksFor, RoundsUpToWholeRacks) {
  EXPECT_EQ(racks_for(1000, 300, 1), 4);
  EXPECT_EQ(racks_for(900, 300, 1), 3);
  EXPECT_EQ(racks_for(10, 300, 1), 1);
}

TEST(RacksFor, KeepsReplicasThatSpanRacksWhole) {
  EXPECT_EQ(racks_for(1000, 300, 3), 6);
  EXPECT_THROW(static_cast<void>(racks_for(1000, 0, 1)), std::invalid_argument);
}

TEST(MakeReview, SizesEveryCandidateForTheSameService) {
  const Review review = review_of({slow(), fast()}, thousand_tokens());
  const Candidate& a = named(review, "fast");
  EXPECT_DOUBLE_EQ(a.racks->value, 2);
  EXPECT_DOUBLE_EQ(a.gpus->value, 16);
  EXPECT_DOUBLE_EQ(a.provisioned_w->value, 100e3);
  EXPECT_EQ(a.provisioned_w->boundary, "rack AC input");
  EXPECT_DOUBLE_EQ(a.tokens_per_s_per_mw->value, 10000);
  EXPECT_NEAR(a.floor_m2->value, 2 * 0.6 * 1.2, 1e-9);
  EXPECT_DOUBLE_EQ(named(review, "slow").tokens_per_s_per_mw->value, 6250);
}

TEST(MakeReview, CarriesTheIntervalOfThroughputAndPowerInQuadrature) {
  auto a = evaluation("a", {500.0, std::nullopt, 0.1, 0.0});
  a.figures.add({"power.rack_ac.design_envelope", "",
                 with_relative(50e3, 0.05, {"W", Origin::catalogue, "rack AC input"}), "", ""});
  const Review review = review_of({a}, thousand_tokens());
  // sqrt(0.1^2 + 0.05^2) = 0.1118 of 10,000
  EXPECT_NEAR(review.candidates[0].tokens_per_s_per_mw->high, 11118, 1);
  EXPECT_NEAR(review.candidates[0].tokens_per_s_per_mw->low, 8882, 1);
}

TEST(MakeReview, RacksHaveTheIntervalOfTheThroughput) {
  // 1000 / 550 = 1.8 -> 2 and 1000 / 450 = 2.2 -> 3
  const Review review = review_of({fast()}, thousand_tokens());
  EXPECT_EQ(review.candidates[0].racks->low, 2);
  EXPECT_EQ(review.candidates[0].racks->high, 3);
}

TEST(MakeReview, TakesTheDemandOfTheWorkloadWhenNoneIsAskedFor) {
  auto load = workload();
  load.demand_tokens_per_s = 700;
  const Review review = make_review(load, 1, {rack("fast")}, {fast()}, {});
  EXPECT_EQ(review.demand.value, 700);
  EXPECT_EQ(review.candidates[0].racks->value, 2);
}

TEST(MakeReview, ElseTakesOneRackOfTheLargestFeasibleCandidateAndSaysSo) {
  auto larger = evaluation("larger", {900.0, 50e3, 0, 0});
  larger.limits = {limit("feed A", 120, 100)};
  const Review review = review_of({slow(), fast(), larger});
  EXPECT_EQ(review.demand.value, 500);
  EXPECT_EQ(review.demand_basis, "one rack of fast at SLO");
}

TEST(MakeReview, TakesSeveralRacksWhenRoundingWouldFavourTheLargest) {
  // 500 / 300 is 1.67: two racks, 20 % too many. 3 x 500 / 300 is 5 exactly.
  const Review review = review_of({evaluation("odd", {300.0, 40e3, 0, 0}), fast()});
  EXPECT_EQ(review.demand.value, 1500);
  EXPECT_EQ(review.demand_basis, "3 racks of fast at SLO");
}

TEST(MakeReview, DoesNotCountARackForAShortfallUnderOnePercent) {
  EXPECT_EQ(racks_for(1000, 995, 1), 1);
  EXPECT_EQ(racks_for(1000, 985, 1), 2);
}

TEST(MakeReview, CountsCdusInWholeGroupsWithTheirSpares) {
  auto design = rack("wet");
  design.liquid.emplace();
  design.liquid->cdu = "cdu";
  design.liquid->racks_per_cdu = 2;
  design.liquid->cdus_installed = 2;
  const Review review = make_review(workload(), 1, {design},
                                    {evaluation("wet", {200.0, 10e3, 0, 0})}, thousand_tokens());
  EXPECT_EQ(review.candidates[0].cdus->value, 6);  // 5 racks, 3 groups of 2
}

TEST(MakeReview, LeavesTheSwitchCountBlankWithoutAFabric) {
  EXPECT_FALSE(review_of({fast()}, thousand_tokens()).candidates[0].switches.has_value());
}

TEST(MakeReview, ARackThatMeetsTheSloAtNoLoadIsNotFeasible) {
  const Review review =
      review_of({evaluation("none", {0.0, 50e3, 0, 0}), fast()}, thousand_tokens());
  EXPECT_EQ(named(review, "none").verdict, Verdict::not_feasible);
  EXPECT_FALSE(named(review, "none").racks.has_value());
}

TEST(MakeReview, ARackWhosePowerIsBlankCannotBeRanked) {
  const Review review =
      review_of({evaluation("dark", {500.0, std::nullopt, 0, 0}), fast()}, thousand_tokens());
  EXPECT_EQ(named(review, "dark").verdict, Verdict::undecided);
}

TEST(Headline, NamesTheWinner) {
  const Review review = review_of({slow(), fast()}, thousand_tokens());
  EXPECT_EQ(review.headline, "Take fast.");
  // 10,000 / 6,250 = 1.6; both +-10 %: from 1.6 / 1.1414 to 1.6 x 1.1414, half of it 0.212
  EXPECT_THAT(review.reason, HasSubstr("60 ± 21 % more output tokens per second per provisioned MW "
                                       "than slow"));
  EXPECT_THAT(review.reason, StartsWith("2 racks of fast carry 1\u2009000 tok/s"));
}

TEST(Headline, StatesTheConditionOfTheWinner) {
  auto a = fast();
  a.limits = {limit("Loss of feed A", 51e3, 50e3, "Cap the rack at 49 kW within 20 ms.", 0.02)};
  const Review review = review_of({a, slow()}, thousand_tokens());
  EXPECT_EQ(review.headline, "Take fast, and cap the rack at 49 kW within 20 ms.");
  EXPECT_EQ(review.candidates[0].verdict, Verdict::feasible_after_change);
  EXPECT_EQ(review.candidates[0].changes, 1);
}

TEST(Headline, SaysWhenOnlyOneHoldsEveryLimit) {
  auto b = slow();
  b.limits = {limit("Loss of feed A", 51e3, 50e3)};
  const Review review = review_of({fast(), b}, thousand_tokens());
  EXPECT_EQ(review.headline, "Take fast.");
  EXPECT_THAT(review.reason, HasSubstr("the only one of 2 candidates known to hold every limit"));
}

TEST(Headline, DoesNotPickBetweenIntervalsThatOverlap) {
  // 4 x 0.72 m2 against 2 x 0.72 m2: half the floor, at 10,000 +- 1,000 and 9,091 +- 909.
  auto twin = evaluation("twin", {250.0, 27.5e3, 0.1, 0});
  const Review review = review_of({fast(), twin}, thousand_tokens());
  EXPECT_EQ(review.headline,
            "fast and twin cannot be told apart; fast needs 50 % less floor than twin.");
  EXPECT_THAT(review.reason, HasSubstr("treat them as equal"));
}

TEST(Headline, NamesTheNearestWhenNoneHolds) {
  auto a = fast(), b = slow();
  a.limits = {limit("Loss of feed A", 60e3, 50e3)};
  b.limits = {limit("Loss of feed B", 52e3, 50e3)};
  const Review review = review_of({a, b}, thousand_tokens());
  EXPECT_EQ(review.headline, "No candidate holds every limit; slow is nearest.");
  EXPECT_THAT(review.reason, HasSubstr("slow violates \"Loss of feed B\" by 4.0 %"));
}

TEST(Headline, SaysThatNoneCanBeJudged) {
  const Review review =
      review_of({evaluation("a", {.watts = 1e3}), evaluation("b", {.watts = 1e3})});
  EXPECT_EQ(review.headline, "No candidate can be judged: each has a blank that decides.");
  EXPECT_THAT(review.reason, HasSubstr("memory bandwidth of test-gpu"));
}

TEST(Headline, SaysThatTheRestIsOpenWhenOneFails) {
  auto b = slow();
  b.limits = {limit("Loss of feed A", 60e3, 50e3)};
  const Review review = review_of({evaluation("a", {.watts = 1e3}), b}, thousand_tokens());
  EXPECT_EQ(review.headline,
            "No candidate is known to hold every limit: the rest have blanks that decide.");
}

TEST(Headline, OfASingleCandidateRanksNothing) {
  EXPECT_EQ(review_of({fast()}).headline, "fast holds every limit.");
  auto changed = fast();
  changed.limits = {limit("Loss of feed A", 51e3, 50e3, "Cap the rack at 49 kW", 0.02)};
  EXPECT_EQ(review_of({changed}).headline,
            "fast holds every limit after one change: cap the rack at 49 kW.");
  auto broken = fast();
  broken.limits = {limit("Loss of feed A", 51e3, 50e3)};
  EXPECT_EQ(review_of({broken}).headline, "fast does not hold \"Loss of feed A\".");
  EXPECT_EQ(review_of({evaluation("a", {.watts = 1e3})}).headline,
            "a is undecided: it needs memory bandwidth of test-gpu.");
}

TEST(Thresholds, SayHowFarTheWinnerMayFall) {
  // "slow" draws 160 kW: three racks of 50 kW still lead, four do not. 0.99 x 1000 / 3 = 330.
  const Review review = review_of({slow(), fast()}, thousand_tokens());
  ASSERT_FALSE(review.thresholds.empty());
  EXPECT_EQ(review.thresholds[0].change, "Throughput of fast 34 % lower, under 330 tok/s per rack");
  EXPECT_EQ(review.thresholds[0].effect, "slow leads");
}

TEST(Thresholds, SolveForTheBlankOfAnUndecidedRack) {
  // 100 kW of the winner hold three racks of 30 kW: each must carry 0.99 x 333 = 330 tok/s.
  const Review review =
      review_of({slow(), fast(), evaluation("new", {.watts = 30e3})}, thousand_tokens());
  ASSERT_GE(review.thresholds.size(), 2U);
  EXPECT_EQ(review.thresholds[1].change, "new at 330 tok/s per rack or more");
  EXPECT_EQ(review.thresholds[1].effect, "new draws level with fast");
}

TEST(Thresholds, NameTheLimitNearestToViolation) {
  auto a = fast();
  a.limits = {limit("Loss of feed A", 40e3, 50e3), limit("Loss of feed B", 45e3, 50e3)};
  const Review review = review_of({a, slow()}, thousand_tokens());
  EXPECT_EQ(review.thresholds.back().change, "5.00 kW more on fast, rack AC input");
  EXPECT_EQ(review.thresholds.back().effect, "\"Loss of feed B\" is violated");
}

TEST(Provenance, PutsTheNumbersThatMoveTheLeadFirst) {
  const Review review = review_of({slow(), fast()}, thousand_tokens());
  ASSERT_GE(review.provenance.size(), 2U);
  EXPECT_EQ(review.provenance[0].id, "P-001");
  EXPECT_EQ(review.provenance[0].rack, "fast");
  EXPECT_EQ(review.provenance[0].figure.key, "service.tokens_per_s");
  EXPECT_NEAR(review.provenance[0].leverage, 0.2, 1e-9);          // +-10 % of the winner
  EXPECT_NEAR(review.provenance[1].leverage, 0.2 * 0.625, 1e-9);  // of the next, at 6,250 of 10,000
}

TEST(MakeReview, RefusesListsOfDifferentLength) {
  EXPECT_THROW(static_cast<void>(make_review(workload(), 1, {rack("a")}, {}, {})),
               std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::results
