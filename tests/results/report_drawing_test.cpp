#include <cmath>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/report/context.hpp"
#include "results/report/elevation_drawing.hpp"
#include "results/report/html.hpp"
#include "results/report/number.hpp"
#include "results/report/sections.hpp"
#include "tests/results/demo_review.hpp"
#include "tests/results/review_fixture.hpp"

namespace rackwright::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ElevationScale, DrawsRackAndOpenUnitsAtTheirTrueRatio) {
  // 15 px per 44.45 mm: 48 mm are 16.198 px, 600 mm are 202.47 px, 42 RU are 630 px.
  EXPECT_NEAR(elevation_scale(topology::UnitPitch::rack_unit).units(42), 630.0, 1e-9);
  EXPECT_NEAR(elevation_scale(topology::UnitPitch::open_unit).units(1), 16.198, 1e-3);
  EXPECT_NEAR(elevation_scale(topology::UnitPitch::open_unit).mm(600), 202.47, 1e-2);
}

TEST(FaceSvg, PlacesATrayByItsUnitFromTheBottom) {
  Review review = testing::demo_review(testing::Demo::one);
  auto& design = review.candidates[0].design;
  design.slots = {{"only", "demo-tray", "compute", 3, 2}};
  const ReportContext context(review);
  const std::string svg = face_svg(context, review.candidates[0], topology::Face::front, "test");
  // Units 3 and 4 of 48: from the top 44 units of 15 px, below 28 px of title, half a pixel of gap.
  EXPECT_THAT(svg, HasSubstr("y=\"688.50\" width=\"179.9\" height=\"29.00\""));
}

TEST(FaceSvg, HatchesAPartOfTheRearWhereTheFrontIsOpen) {
  const Review review = testing::demo_review(testing::Demo::one);
  const ReportContext context(review);
  const auto& c = review.candidates[0];
  EXPECT_THAT(face_svg(context, c, topology::Face::front, "f"), HasSubstr("class=\"blocked\""));
  EXPECT_THAT(face_svg(context, c, topology::Face::rear, "r"), Not(HasSubstr("class=\"blocked\"")));
}

TEST(FaceSvg, SumsWhatTheBracketsSay) {
  const Review review = testing::demo_review(testing::Demo::one);
  const ReportContext context(review);
  const std::string svg = face_svg(context, review.candidates[0], topology::Face::front, "test");
  // 142 kW x 0.95 over 18 trays: 134.9 kW, 7.49 kW each; eight shelves give 142 x 0.96 / 8 = 17.04.
  EXPECT_THAT(svg, HasSubstr("18 × demo-compute-tray"));
  EXPECT_THAT(svg, HasSubstr("7.5 kW each · 135 kW"));
  EXPECT_THAT(svg, HasSubstr("17.0 of 33.0 kW each"));
}

TEST(FaceSvg, KeepsLabelsOfGroupsApart) {
  Review review = testing::demo_review(testing::Demo::one);
  auto& slots = review.candidates[0].design.slots;
  slots.clear();
  for (int u = 1; u <= 20; ++u) {
    slots.push_back({"s" + std::to_string(u), "demo-part-" + std::to_string(u % 2), "compute",
                     static_cast<double>(u), 1});
  }
  const ReportContext context(review);
  const std::string svg = face_svg(context, review.candidates[0], topology::Face::front, "test");
  const std::regex label("<text class=\"b\" x=\"[0-9.]+\" y=\"([0-9.]+)\">1 ×");
  double before = -100;
  int labels = 0;
  for (std::sregex_iterator it(svg.begin(), svg.end(), label), end; it != end; ++it, ++labels) {
    EXPECT_GE(std::stod((*it)[1]) - before, 28) << it->str();
    before = std::stod((*it)[1]);
  }
  EXPECT_EQ(labels, 20);
}

TEST(Ramp, HasSevenStepsBetweenItsEnds) {
  const Ramp ramp{0, 7, true};
  EXPECT_EQ(ramp.step(0), 1);
  EXPECT_EQ(ramp.step(0.99), 1);
  EXPECT_EQ(ramp.step(3.5), 4);
  EXPECT_EQ(ramp.step(7), 7);
  EXPECT_EQ(ramp.step(99), 7);
}

TEST(ReportContext, FixesTheEndsOfTheRampsOverAllCandidates) {
  const Review review = testing::demo_review(testing::Demo::seven);
  const ReportContext context(review);
  // Most: demo-oam-64, 128 kW x 0.95 / 8 trays = 15.2 kW, next nice step 16. Shelves do not count.
  EXPECT_DOUBLE_EQ(context.power_kw.high, 16);
  EXPECT_DOUBLE_EQ(context.hottest_c.low, 45);
  // 48 + 0.4 x 17 = 54.8: seven steps of 2 K from 45 reach 59.
  EXPECT_DOUBLE_EQ(context.hottest_c.high, 59);
}

TEST(ParetoFront, HoldsTheLeastPowerAndDropsWhatIsWorseEverywhere) {
  Review review;
  const auto add = [&](const char* id, double watts, double area) {
    Candidate c;
    c.evaluation.rack = id;
    c.rank = 1;
    c.provisioned_w = exact(watts, {"W"});
    c.floor_m2 = exact(area, {"m2"});
    c.tokens_per_joule = exact(1, {"tok/J"});
    review.candidates.push_back(c);
  };
  add("demo-lean", 100, 9);
  add("demo-small", 200, 4);
  add("demo-worse", 201, 9);
  const auto front = pareto_front(review);
  ASSERT_EQ(front.size(), 2u);
  EXPECT_EQ(front[0]->evaluation.rack, "demo-lean");
  EXPECT_EQ(front[1]->evaluation.rack, "demo-small");
}

TEST(MarginBar, EndsWhereTheMarginIs) {
  // 192 px for 40 points: 0 % at 48 px, +10 % at 96 px.
  const std::string bar = margin_bar(testing::limit("feed", 90, 100));
  EXPECT_THAT(bar, HasSubstr("x=\"48.0\" y=\"5\" width=\"48.0\""));
  // Beyond +30 %: an arrow head and no whisker.
  auto beyond = testing::limit("feed", 50, 100);
  beyond.margin_low = 0.45;
  beyond.margin_high = 0.55;
  EXPECT_THAT(margin_bar(beyond), Not(HasSubstr("whisker")));
  EXPECT_THAT(margin_bar(beyond), HasSubstr("<path class=\"m-met\""));
}

TEST(MarginHtml, SaysItInSymbolWordAndSign) {
  // Golden: one fragment, letter by letter.
  EXPECT_EQ(margin_html(testing::limit("feed", 103.2, 100)),
            "<span class=\"margin violated\"><svg class=\"s violated\" role=\"img\" "
            "aria-label=\"violated\" viewBox=\"0 0 12 12\"><use href=\"#s-violated\"/></svg> "
            "<b>\u22123.2 %</b></span>");
}

TEST(NumberText, ShowsEndsWhenTheIntervalIsWiderThanHalfTheValue) {
  EXPECT_EQ(number_text(between(1, 10, 30, {"kW"})), "10 (1.0\u2009–\u200930) kW");
  EXPECT_EQ(number_text(between(1.64, 1.76, 1.88, {"Mtok/s"})), "1.76 ± 0.12 Mtok/s");
  EXPECT_EQ(number_text(between(1.61, 1.76, 2.01, {"Mtok/s"})),
            "1.76 (1.61\u2009–\u20092.01) Mtok/s");
}

TEST(NumberText, WritesCountsInFullAndRangesBetweenTheirEnds) {
  EXPECT_EQ(number_text(exact(1284, {"GPUs"}), {.unit = false}), "1\u2009284");
  EXPECT_EQ(number_text(between(570, 630, 690, {"kW"}), {.range = true}), "570\u2009–\u2009690 kW");
}

TEST(NumberHtml, IsBlankWhenNotFinite) {
  EXPECT_EQ(number_html(exact(std::nan(""), {"W"})), blank_box());
}

TEST(Timeline, FillsThePartAboveAPassedLimit) {
  Review review = testing::demo_review(testing::Demo::one);
  // 142 kW: mean 0.72 + 0.2 + up to 0.06, band 0.03: above the 132 kW that one feed leaves.
  const ReportContext context(review);
  EXPECT_THAT(timeline_section(context, review.candidates[0], 0), HasSubstr("class=\"over\""));
  review.candidates[0].evaluation.timelines[0].lines[1].value = 1000;
  EXPECT_THAT(timeline_section(ReportContext(review), review.candidates[0], 0),
              Not(HasSubstr("class=\"over\"")));
}

TEST(Timeline, LeavesOutALaneWithHoles) {
  Review review = testing::demo_review(testing::Demo::one);
  review.candidates[0].evaluation.timelines[0].mean[3] = std::nan("");
  review.candidates[0].evaluation.timelines.resize(1);
  const std::string html = timeline_section(ReportContext(review), review.candidates[0], 0);
  EXPECT_THAT(html, Not(HasSubstr("<figure")));
}

}  // namespace
}  // namespace rackwright::results
