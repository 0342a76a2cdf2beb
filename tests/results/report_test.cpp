#include "results/report/report.hpp"

#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/report/html.hpp"
#include "results/report/number.hpp"
#include "results/report/titles.hpp"
#include "tests/results/review_fixture.hpp"

namespace rackwright::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

Review three_racks() {
  auto good = testing::evaluation("demo-a", {500, 40000, 0.05, 0.02});
  good.limits.push_back(testing::limit("feed", 39000, 40000));
  auto changed = testing::evaluation("demo-b", {300, 40000, 0.05, 0.01});
  changed.limits.push_back(testing::limit("shelf", 42000, 40000, "Cap the rack at 38 kW", 0.05));
  const auto blank = testing::evaluation("demo-<c>", {std::nullopt, std::nullopt, 0, 0});
  return testing::review_of({good, changed, blank}, testing::thousand_tokens());
}

TEST(Report, HasEverySectionOnceAndOneHeadline) {
  const std::string html = render_report(three_racks(), {});
  EXPECT_EQ(count_of(html, "<h1"), 1u);
  for (const char* id : {"verdict", "candidates", "provenance", "requirements"}) {
    EXPECT_EQ(count_of(html, "id=\"" + std::string(id) + "\""), 1u) << id;
  }
  for (const char* id : {"rack-0", "time-0", "limits-0", "power-0", "cooling-0", "network-0",
                         "service-0", "bom-0"}) {
    EXPECT_EQ(count_of(html, "<section id=\"" + std::string(id) + "\""), 1u) << id;
  }
}

TEST(Report, EveryNumberOfTheProvenanceIsFoundById) {
  const Review review = three_racks();
  const std::string html = render_report(review, {});
  ASSERT_FALSE(review.provenance.empty());
  for (const auto& entry : review.provenance) {
    EXPECT_THAT(html, HasSubstr("<tr id=\"" + entry.id + "\"")) << entry.id;
  }
}

TEST(Report, EscapesNamesAndShowsNoNonsense) {
  const std::string html = render_report(three_racks(), {});
  EXPECT_THAT(html, HasSubstr("demo-&lt;c&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("demo-<c>")));
  for (const char* word : {">nan", ">inf", "NaN<", "-nan", "e+0"}) {
    EXPECT_THAT(html, Not(HasSubstr(word))) << word;
  }
}

TEST(Report, UndecidedRacksStayInTheTableWithoutRank) {
  const std::string html = render_report(three_racks(), {});
  EXPECT_THAT(html, HasSubstr("Undecided"));
  EXPECT_THAT(html, HasSubstr("class=\"blank\""));
}

TEST(Report, ElementIdsAreUnique) {
  const std::string html = render_report(three_racks(), {});
  const std::regex id("\\sid=\"([^\"]+)\"");
  std::set<std::string> seen;
  for (std::sregex_iterator it(html.begin(), html.end(), id), end; it != end; ++it) {
    EXPECT_TRUE(seen.insert((*it)[1]).second) << (*it)[1];
  }
}

TEST(Report, IsCompleteWithoutScriptAndCarriesItWhenGiven) {
  EXPECT_THAT(render_report(three_racks(), {}), Not(HasSubstr("<script>")));
  const std::string html = render_report(three_racks(), {"let a = 1;", "b{}"});
  EXPECT_THAT(html, HasSubstr("<script>let a = 1;</script>"));
  EXPECT_THAT(html, HasSubstr("<style>\nb{}"));
}

TEST(Report, SameReviewSameBytes) {
  EXPECT_EQ(render_report(three_racks(), {}), render_report(three_racks(), {}));
}

TEST(Report, AHundredCandidatesFoldBehindTheBest) {
  std::vector<topology::RackEvaluation> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(testing::evaluation("demo-" + std::to_string(i), {100.0 + i, 40000, 0.01, 0.01}));
  }
  const std::string html =
      render_report(testing::review_of(std::move(many), testing::thousand_tokens()), {});
  EXPECT_THAT(html, HasSubstr("Pareto front"));
  EXPECT_LT(html.size(), 2500000u);
}

TEST(LimitsTitle, CountsWhatIsViolatedAndNear) {
  auto violated = testing::limit("a", 42, 40);
  auto near = testing::limit("b", 39.5, 40);
  near.state = topology::LimitState::near;
  EXPECT_EQ(limits_title({violated, near}), "One limit is violated, one is near");
  EXPECT_EQ(limits_title({testing::limit("c", 10, 40)}), "The one limit holds");
  EXPECT_EQ(limits_title({}), "No limit was judged");
}

TEST(RequirementsTitle, SaysWhatDecides) {
  EXPECT_EQ(requirements_title(0, 0), "No input is blank");
  EXPECT_EQ(requirements_title(7, 0), "Seven inputs are blank; none of them decides the verdict");
}

TEST(DisplayUnit, ChangesAtOneKilowattAndTenMegawatt) {
  // W below 1 kW, kW to 9 999, MW above.
  EXPECT_EQ(display_unit(999, "W").unit, "W");
  EXPECT_EQ(display_unit(1000, "W").unit, "kW");
  EXPECT_EQ(display_unit(9.999e6, "W").unit, "kW");
  EXPECT_EQ(display_unit(1.2e7, "W").unit, "MW");
}

TEST(NumberHtml, CarriesIntervalOriginAndBoundary) {
  const std::string html = number_html(between(1640, 1760, 1880, {"W", Origin::modelled, "tray"}));
  EXPECT_THAT(html, HasSubstr("data-origin=\"modelled\""));
  EXPECT_THAT(html, HasSubstr("data-boundary=\"tray\""));
  EXPECT_THAT(html, HasSubstr("± 120"));
}

TEST(NumberHtml, ExtrapolatedNumbersAreUnderlined) {
  EXPECT_THAT(number_html(exact(1, {"W", Origin::modelled, "", true})), HasSubstr("class=\"n x\""));
}

TEST(PercentText, UsesTheMinusSign) {
  EXPECT_EQ(percent_text(-0.032), "\u22123.2 %");
  EXPECT_EQ(percent_text(0.064), "+6.4 %");
}

TEST(Escape, LeavesNoMarkup) { EXPECT_EQ(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"); }

}  // namespace
}  // namespace rackwright::results
