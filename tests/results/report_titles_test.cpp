#include "results/report/titles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/results/demo_review.hpp"
#include "tests/results/review_fixture.hpp"

namespace rackwright::results {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using topology::Limit;
using topology::LimitState;

Limit in_state(LimitState state, double margin = 0.1) {
  Limit limit = testing::limit("Loss of feed A", 90, 100);
  limit.state = state;
  limit.margin = margin;
  return limit;
}

Candidate ranked(const std::string& id, int rank, double metric, double half) {
  Candidate c;
  c.evaluation.rack = id;
  c.rank = rank;
  c.verdict = rank > 0 ? Verdict::feasible : Verdict::not_feasible;
  c.metric = between(metric - half, metric, metric + half, {"tok/s/MW"});
  return c;
}

Review review_with(std::vector<Candidate> candidates) {
  Review review;
  review.rank_by_label = "tokens per second per provisioned MW";
  review.candidates = std::move(candidates);
  return review;
}

TEST(CandidatesTitle, OneCandidateHasNoRank) {
  EXPECT_EQ(candidates_title(review_with({ranked("demo-a", 1, 10, 1)})),
            "demo-a is the only candidate");
  EXPECT_EQ(candidates_title(review_with({})), "No candidate was given");
}

TEST(CandidatesTitle, OverlappingIntervalsCannotBeToldApart) {
  EXPECT_EQ(candidates_title(review_with({ranked("demo-a", 1, 10, 2), ranked("demo-b", 1, 9, 2)})),
            "demo-a and demo-b cannot be told apart at this uncertainty");
}

TEST(CandidatesTitle, NamesLeastPowerAndFloorOnlyWhenTrue) {
  auto a = ranked("demo-a", 1, 10, 0.1);
  auto b = ranked("demo-b", 2, 5, 0.1);
  a.provisioned_w = exact(100, {"W"});
  b.provisioned_w = exact(200, {"W"});
  a.floor_m2 = exact(9, {"m2"});
  b.floor_m2 = exact(4, {"m2"});
  EXPECT_EQ(candidates_title(review_with({a, b})), "demo-a needs least power");
  a.floor_m2 = exact(3, {"m2"});
  EXPECT_EQ(candidates_title(review_with({a, b})), "demo-a needs least power and floor");
  a.provisioned_w = exact(300, {"W"});
  a.floor_m2 = exact(9, {"m2"});
  EXPECT_EQ(candidates_title(review_with({a, b})),
            "demo-a leads in tokens per second per provisioned MW");
}

TEST(CandidatesTitle, SaysWhenNothingHoldsOrNothingCanBeJudged) {
  auto broken = ranked("demo-a", 0, 10, 1);
  auto blank = ranked("demo-b", 0, 10, 1);
  blank.verdict = Verdict::undecided;
  EXPECT_EQ(candidates_title(review_with({broken})), "No candidate holds every limit");
  EXPECT_EQ(candidates_title(review_with({broken, blank})),
            "No candidate holds every limit; one cannot be judged");
  EXPECT_EQ(candidates_title(review_with({blank})),
            "No candidate can be judged: blanks decide each of them");
}

TEST(CandidatesRemark, NamesNeighboursThatOverlap) {
  const auto text = candidates_remark(review_with(
      {ranked("demo-a", 1, 10, 0.1), ranked("demo-b", 2, 8, 1), ranked("demo-c", 2, 7.5, 1)}));
  EXPECT_THAT(text, StartsWith("demo-b and demo-c share a rank"));
  EXPECT_EQ(candidates_remark(review_with({ranked("demo-a", 1, 10, 0.1)})), "");
}

TEST(CandidatesRemark, NamesFiveOfALongRunAndCountsTheRest) {
  std::vector<Candidate> many;
  for (int i = 0; i < 9; ++i) many.push_back(ranked("demo-" + std::to_string(i), 1, 10 - i, 1));
  EXPECT_THAT(candidates_remark(review_with(many)),
              StartsWith("demo-0, demo-1, demo-2, demo-3, demo-4 and 4 more share a rank"));
}

topology::TrayState tray(const std::string& slot, double watts, std::optional<double> celsius) {
  topology::TrayState state;
  state.slot = slot;
  state.power_w = watts;
  state.hottest_c = celsius;
  state.hottest_part = "outlet";
  return state;
}

TEST(ElevationTitle, NamesTheHottestTrayAndItsLeadInKelvin) {
  topology::RackEvaluation e;
  e.trays = {tray("c01", 7000, 53.1), tray("c18", 7000, 58.6)};
  // 58.6 - 53.1 = 5.5 K.
  EXPECT_EQ(elevation_title(e),
            "Tray c18 runs hottest, outlet 58.6 °C, 5.5 K over the coolest of its kind");
  e.trays = {tray("c01", 7000, 53.1), tray("c18", 7000, 53.2)};
  EXPECT_EQ(elevation_title(e), "Trays run alike, outlet at 53.2 °C");
}

TEST(ElevationTitle, FallsBackToPowerAndThenToBlank) {
  topology::RackEvaluation e;
  EXPECT_EQ(elevation_title(e), "Power and temperature of the trays are blank");
  e.trays = {tray("c01", 7000, std::nullopt), tray("s1", 1300, std::nullopt)};
  EXPECT_EQ(elevation_title(e), "Tray c01 draws most, 7.00 of 8.30 kW; no temperature is known");
}

topology::TimelineLane lane(double limit) {
  topology::TimelineLane l{"Rack AC input", "kW"};
  l.t_s = {0, 1, 2, 3};
  l.min = {90, 90, 90, 90};
  l.mean = {95, 95, 95, 95};
  l.max = {100, 140, 100, 100};
  l.peak = 140;
  l.lines = {{"One feed left", limit, true}};
  return l;
}

TEST(ShareAbove, CountsColumnsWhoseMaximumPasses) {
  // One of four equal columns.
  EXPECT_DOUBLE_EQ(share_above(lane(132), 132), 0.25);
  EXPECT_DOUBLE_EQ(share_above(lane(132), 140), 0.0);
  EXPECT_DOUBLE_EQ(share_above({}, 1), 0.0);
}

TEST(TimelineTitle, SaysWhichLimitIsPassedAndHowLongAtMost) {
  topology::RackEvaluation e;
  EXPECT_EQ(timeline_title(e), "There is no trace on this rack to draw over time");
  e.timelines = {lane(132)};
  EXPECT_EQ(timeline_title(e),
            "Rack AC input passes 132 kW, one feed left, in at most 25 % of the time");
  e.timelines = {lane(150)};
  EXPECT_EQ(timeline_title(e), "Rack AC input peaks at 140 kW and stays under each limit");
  e.timelines[0].lines.clear();
  EXPECT_EQ(timeline_title(e), "Rack AC input peaks at 140 kW; no limit is known");
}

TEST(LimitsTitleOutcomes, EachHasItsWords) {
  const auto met = in_state(LimitState::met);
  const auto near = in_state(LimitState::near);
  const auto violated = in_state(LimitState::violated);
  const auto blank = in_state(LimitState::blank);
  EXPECT_EQ(limits_title({violated, near, near, near, met}),
            "One limit is violated, three are near");
  EXPECT_EQ(limits_title({violated, violated, met}), "Two limits are violated");
  EXPECT_EQ(limits_title({near, met}), "One limit is near, none is violated");
  EXPECT_EQ(limits_title({met, met, met}), "All three limits hold");
  EXPECT_EQ(limits_title({met, met}), "Both limits hold");
  EXPECT_EQ(limits_title({met, met, blank}), "Two limits hold; one cannot be judged");
  EXPECT_EQ(limits_title({blank}), "The one limit cannot be judged");
  EXPECT_EQ(limits_title({blank, blank}), "No limit can be judged");
}

TEST(DomainTitle, FollowsTheTightestLimitThenBlanksThenFigures) {
  const auto tight = in_state(LimitState::violated, -0.032);
  const auto wide = in_state(LimitState::met, 0.4);
  const auto blank = in_state(LimitState::blank);
  EXPECT_EQ(domain_title("power chain", {&wide, &tight}, 5),
            "Power chain is tightest at \u22123.2 %: loss of feed A");
  EXPECT_EQ(domain_title("cooling", {&blank}, 5), "Cooling: one limit cannot be judged");
  EXPECT_EQ(domain_title("cooling", {}, 2), "Cooling: two figures are known, no limit judged");
  EXPECT_EQ(domain_title("cooling", {}, 0), "Cooling was not evaluated");
}

TEST(BomTitle, CountsBlankPrices) {
  topology::BomLine priced;
  priced.unit_usd_low = 1;
  const topology::BomLine blank;
  EXPECT_EQ(bom_title({}), "There is no bill of material");
  EXPECT_EQ(bom_title({priced, priced}), "Two lines to order, each with a price range");
  EXPECT_EQ(bom_title({priced, blank}), "Two lines to order; one price is blank");
  EXPECT_EQ(bom_title({blank, blank}), "Two lines to order; every price is blank");
}

TEST(ProvenanceTitle, CountsExtrapolatedNumbers) {
  ProvenanceEntry inside, outside;
  outside.figure.estimate.extrapolated = true;
  EXPECT_EQ(provenance_title({}), "No number supports a verdict");
  EXPECT_EQ(provenance_title({inside, inside}),
            "The verdict rests on two numbers, none extrapolated");
  EXPECT_EQ(provenance_title({inside, outside}),
            "The verdict rests on two numbers, one of them extrapolated");
  EXPECT_EQ(provenance_title({outside, outside}),
            "The verdict rests on two numbers, all extrapolated");
}

TEST(RequirementsTitleOutcomes, CountsBlanksThatDecide) {
  EXPECT_EQ(requirements_title(1, 0), "One input is blank; none of them decides the verdict");
  EXPECT_EQ(requirements_title(7, 1), "Seven inputs are blank; one of them decides a verdict");
  EXPECT_EQ(requirements_title(7, 2), "Seven inputs are blank; two of them decide a verdict");
}

}  // namespace
}  // namespace rackwright::results
