#include <algorithm>
#include <cctype>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/report/html.hpp"
#include "results/report/report.hpp"
#include "tests/results/demo_review.hpp"

/// The whole page over reviews of every kind: what must hold whatever the data.
namespace rackwright::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(testing::Demo demo) {
  return render_report(testing::demo_review(demo), {});
}

class EveryReport : public ::testing::TestWithParam<std::pair<std::string, testing::Demo>> {};

INSTANTIATE_TEST_SUITE_P(Demo, EveryReport, ::testing::ValuesIn(testing::demos()),
                         [](const auto& one) { return one.param.first; });

/// Where the tag that opens at `start` ends: its '>' outside quotes; npos without one.
std::size_t end_of_tag(const std::string& html, std::size_t start) {
  bool quoted = false;
  for (std::size_t i = start; i < html.size(); ++i) {
    if (html[i] == '"') quoted = !quoted;
    if (html[i] == '>' && !quoted) return i;
  }
  return std::string::npos;
}

/// Element names in order of opening and closing must nest; void elements and SVG self-closing tags
/// do not open. The text of a style is no markup.
std::string first_nesting_error(const std::string& html) {
  static const std::set<std::string> kVoid{"meta", "br", "link", "input", "img", "hr"};
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const bool closes = html.compare(at, 2, "</") == 0;
    const std::size_t first = at + (closes ? 2 : 1);
    std::size_t last = first;
    while (last < html.size() && std::isalnum(static_cast<unsigned char>(html[last])) != 0) ++last;
    if (last == first) continue;  // a comment or the doctype
    const std::string name = html.substr(first, last - first);
    if (!open.empty() && open.back() == "style" && name != "style") continue;
    const std::size_t end = end_of_tag(html, last);
    if (end == std::string::npos) return "<" + name + " does not end";
    at = end;
    if (kVoid.count(name) > 0 || html[end - 1] == '/') continue;
    if (!closes) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> closes <" + (open.empty() ? "nothing" : open.back()) + ">";
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

TEST(FirstNestingError, SeesATagThatIsNotClosed) {
  EXPECT_EQ(first_nesting_error("<p><b a=\"x>y\">c</b><br></p>"), "");
  EXPECT_EQ(first_nesting_error("<p><b>c</p>"), "</p> closes <b>");
  EXPECT_EQ(first_nesting_error("<p>"), "<p> is not closed");
}

TEST_P(EveryReport, NestsItsElements) {
  EXPECT_EQ(first_nesting_error(page_of(GetParam().second)), "");
}

TEST_P(EveryReport, ShowsNoBrokenNumber) {
  const std::string html = page_of(GetParam().second);
  for (const char* word : {">nan", ">inf", ">-nan", "NaN", "\"nan", "\"inf", "e+0", "\u2212nan"}) {
    EXPECT_THAT(html, Not(HasSubstr(word))) << word;
  }
}

TEST_P(EveryReport, HasOneHeadlineAndUniqueIds) {
  const std::string html = page_of(GetParam().second);
  const std::regex headline("<h1[ >]");
  EXPECT_EQ(std::distance(std::sregex_iterator(html.begin(), html.end(), headline),
                          std::sregex_iterator()),
            1);
  const std::regex id("\\sid=\"([^\"]+)\"");
  std::set<std::string> seen;
  for (std::sregex_iterator it(html.begin(), html.end(), id), end; it != end; ++it) {
    EXPECT_TRUE(seen.insert((*it)[1]).second) << (*it)[1];
  }
}

TEST_P(EveryReport, FindsEveryProvenanceIdInThePage) {
  const Review review = testing::demo_review(GetParam().second);
  const std::string html = render_report(review, {});
  std::size_t checked = 0;
  for (const auto& entry : review.provenance) {
    if (++checked > 500) break;
    EXPECT_THAT(html, HasSubstr("id=\"" + entry.id + "\"")) << entry.figure.label;
  }
}

TEST_P(EveryReport, StaysSmallEnoughToMail) {
  EXPECT_LT(page_of(GetParam().second).size(), 2500000u);
}

TEST_P(EveryReport, GivesEveryDrawingALabel) {
  const std::string html = page_of(GetParam().second);
  const std::regex image("<svg[^>]*role=\"img\"[^>]*>");
  for (std::sregex_iterator it(html.begin(), html.end(), image), end; it != end; ++it) {
    EXPECT_THAT(it->str(), HasSubstr("aria-label=\"")) << it->str();
  }
}

TEST(ReportPage, LeavesTheScriptItsShareOfTheBudget) {
  // 2.5 MB for seven candidates, of which the script takes 0.6.
  EXPECT_LT(page_of(testing::Demo::seven).size(), 1900000u);
}

TEST(ReportPage, EscapesMarkupInNames) {
  const std::string html = page_of(testing::Demo::long_names);
  EXPECT_THAT(html, HasSubstr("variant&lt;b&gt;&amp;&quot;x&quot;"));
  EXPECT_THAT(html, Not(HasSubstr("variant<b>")));
}

TEST(ReportPage, EndsNoStyleFromASubject) {
  Review review = testing::demo_review(testing::Demo::one);
  review.subject = "</style><script>alert(1)</script>\"\\";
  const std::string html = render_report(review, {});
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_EQ(first_nesting_error(html), "");
}

TEST(ReportPage, KeepsUndecidedAndInfeasibleRacksInTheTable) {
  const std::string html = page_of(testing::Demo::seven);
  EXPECT_THAT(html, HasSubstr("Not feasible</span>"));
  EXPECT_THAT(html, HasSubstr("Undecided</span>"));
  EXPECT_THAT(html, HasSubstr("data-rack=\"demo-template-144\""));
}

TEST(ReportPage, SaysOnTheFirstScreenWhatIsExtrapolatedAndBlank) {
  const std::string html = page_of(testing::Demo::seven);
  const std::string first = html.substr(0, html.find("id=\"candidates\""));
  // 9 figures of each of six racks; the service of two racks has an error above 6 %; two blanks: an
  // HBM limit that the seven racks share and the TDP of the template.
  EXPECT_THAT(first, HasSubstr("extrapolated, 2 of 54"));
  EXPECT_THAT(first, HasSubstr("2 inputs are blank"));
}

TEST(ReportPage, OffersASwitchBetweenCandidatesOnlyWhenThereAreTwo) {
  EXPECT_THAT(page_of(testing::Demo::one), Not(HasSubstr("id=\"pick\"")));
  EXPECT_THAT(page_of(testing::Demo::seven), HasSubstr("id=\"pick\""));
}

TEST(LimitsTable, PutsTheWorstMarginFirst) {
  const std::string html = page_of(testing::Demo::one);
  const std::regex sort("data-sort=\"([-0-9.]+)\"");
  std::vector<double> margins;
  for (std::sregex_iterator it(html.begin(), html.end(), sort), end; it != end; ++it) {
    margins.push_back(std::stod((*it)[1]));
  }
  ASSERT_EQ(margins.size(), 5u);
  EXPECT_TRUE(std::is_sorted(margins.begin(), margins.end()));
}

TEST(Shortened, CutsAtCharactersNotBytes) {
  EXPECT_EQ(shortened("°C°C", 4), "°C°C");
  EXPECT_EQ(shortened("°C°C°", 4), "°C°…");
}

}  // namespace
}  // namespace rackwright::results
