#include "topology/catalog.hpp"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"
#include "topology/catalog_check.hpp"
#include "topology/fact_reader.hpp"
#include "topology/part_kinds.hpp"

namespace rackwright::topology {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const Catalog& shipped() {
  static const Catalog catalog = Catalog::load(DataLocator({RACKWRIGHT_SOURCE_DIR}));
  return catalog;
}

/// A root with one catalogue file.
Catalog load_text(const testing::TemporaryFolder& folder, const std::string& text) {
  folder.write("topology/catalog/parts.json", text);
  return Catalog::load(DataLocator({folder.path()}));
}

std::string part(const std::string& id, const std::string& facts,
                 const std::string& rest = R"("source": "data sheet p. 4")") {
  return R"({"id": ")" + id + R"(", "kind": "node", "name": "N", "facts": )" + facts + ", " + rest +
         "}";
}

std::string file(const std::string& parts) {
  return "{\"format_version\": 1, \"parts\": [\n" + parts + "\n]}";
}

std::string problems_of(const std::string& text) {
  const testing::TemporaryFolder folder;
  try {
    (void)load_text(folder, text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Catalog, ReadsAPartWhoseFactsInheritItsSource) {
  const testing::TemporaryFolder folder;
  const auto catalog = load_text(
      folder, file(part("n1", R"({"max_power_w": 10200, "weight_kg": null, "cooling": "air",
        "airflow_cfm": {"value": 1550, "low": 1550, "high": 2145, "source": "deck",
                        "status": "derived", "confidence": "low", "condition": "80 % duty"}})",
                        R"("source": "guide", "confidence": "high")")));
  const Part& n1 = catalog.require("n1", "test");
  EXPECT_EQ(n1.number("max_power_w"), 10200);
  EXPECT_EQ(n1.fact("max_power_w").source, "guide");
  EXPECT_EQ(n1.fact("max_power_w").status, "published");
  EXPECT_EQ(n1.fact("max_power_w").confidence, "high");
  EXPECT_TRUE(n1.fact("weight_kg").blank());
  EXPECT_TRUE(n1.fact("no_such_fact_w").blank());
  EXPECT_EQ(n1.fact("cooling").text, "air");
  EXPECT_EQ(n1.fact("airflow_cfm").source, "deck");
  EXPECT_EQ(n1.fact("airflow_cfm").condition, "80 % duty");
}

TEST(Catalog, EstimateCarriesTheRangeAndCallsAnEstimatedFactAssumed) {
  const testing::TemporaryFolder folder;
  const auto catalog =
      load_text(folder, file(part("n1", R"({"max_power_w": {"value": 132, "low": 120, "high": 132},
                                  "idle_power_w": {"value": 9, "status": "estimated"},
                                  "weight_kg": null})")));
  const Part& n1 = catalog.require("n1", "test");
  const Estimate power = n1.estimate("max_power_w", "W", "tray");
  EXPECT_EQ(power.low, 120);
  EXPECT_EQ(power.high, 132);
  EXPECT_EQ(power.origin, Origin::catalogue);
  EXPECT_EQ(power.boundary, "tray");
  EXPECT_EQ(n1.estimate("idle_power_w", "W").origin, Origin::assumed);
  EXPECT_THROW((void)n1.estimate("weight_kg", "kg"), std::logic_error);
}

TEST(Catalog, ReportsAllProblemsOfAllFilesAtOnceWithTheirLines) {
  const std::string text = problems_of(
      file(part("n1", R"({"max_power": 10200})") + ",\n" + part("n1", "{}") + ",\n" +
           part("n2", "{}", R"("notes": "no source")") + ",\n" +
           R"({"id": "n3", "kind": "nod", "name": "N", "facts": {}, "source": "s"})" + ",\n" +
           part("n4", R"({"max_power_w": "10.2 kW", "depth_mm": {"value": 5, "low": 7}})") + ",\n" +
           part("n5", "{}", R"("source": "s", "vendr": "x")")));
  EXPECT_THAT(text, HasSubstr("parts.json:2: /parts/0/facts/max_power: expected a key that ends in "
                              "a unit"));
  EXPECT_THAT(text, HasSubstr("parts.json:3: /parts/1/id: expected an id not used before"));
  EXPECT_THAT(text, HasSubstr("/parts/2/source: expected a text"));
  EXPECT_THAT(text, HasSubstr("/parts/3/kind: expected one of"));
  EXPECT_THAT(text, HasSubstr("did you mean \"node\"?"));
  EXPECT_THAT(text, HasSubstr("parts.json:6: /parts/4/facts/max_power_w: expected a number, found "
                              "\"10.2 kW\""));
  EXPECT_THAT(text, HasSubstr("/parts/4/facts/depth_mm: expected low <= value <= high"));
  EXPECT_THAT(text, HasSubstr("(nearest: \"vendor\"), found \"vendr\""));
}

TEST(Catalog, ABlankNeedsAUnitInItsKeyToo) {
  EXPECT_THAT(problems_of(file(part("n1", R"({"peak": null})"))), HasSubstr("ends in a unit"));
}

TEST(Catalog, RefusesANewerFormatAndAFileWithoutParts) {
  EXPECT_THAT(problems_of(R"({"format_version": 2, "parts": []})"), HasSubstr("at most 1"));
  EXPECT_THAT(problems_of(R"({"format_version": 1})"),
              HasSubstr("/parts: expected a list of parts"));
}

TEST(Catalog, PartsOfAnEarlierRootReplaceShippedOnes) {
  const testing::TemporaryFolder user, base;
  base.write("topology/catalog/a.json",
             file(part("n1", R"({"max_power_w": 1})") + "," + part("n2", R"({"max_power_w": 2})")));
  user.write("topology/catalog/mine.json", file(part("n1", R"({"max_power_w": 7})")));
  const auto catalog = Catalog::load(DataLocator({user.path(), base.path()}));
  EXPECT_EQ(catalog.require("n1", "").number("max_power_w"), 7);
  EXPECT_EQ(catalog.require("n2", "").number("max_power_w"), 2);
}

TEST(Catalog, SaysWhereItLookedWhenThereIsNone) {
  const testing::TemporaryFolder empty;
  EXPECT_THROW((void)Catalog::load(DataLocator({empty.path()})), InputError);
}

TEST(Catalog, UnknownPartNamesTheNearestAndThePlace) {
  try {
    (void)shipped().require("dgx-h10", "racks/mine.json: /slots/0/part");
    FAIL() << "no exception";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("racks/mine.json: /slots/0/part"),
                                    HasSubstr("did you mean \"dgx-h100\"?")));
  }
}

TEST(Catalog, HashChangesWithAnyFactAndWithNothingElse) {
  Part one;
  one.id = "n1";
  one.facts["max_power_w"].value = 100;
  Part same = one;
  same.file = "elsewhere.json";
  Part other = one;
  other.facts["max_power_w"].value = 101;
  EXPECT_EQ(Catalog({one}).hash(), Catalog({same}).hash());
  EXPECT_NE(Catalog({one}).hash(), Catalog({other}).hash());
  EXPECT_THAT(Catalog({one}).hash(), SizeIs(16));
  EXPECT_THROW(Catalog({one, one}), InputError);
}

TEST(UnitOfKey, IsTheLongestKnownSuffix) {
  EXPECT_EQ(unit_of_key("max_power_w"), "w");
  EXPECT_EQ(unit_of_key("resistance_k_per_w"), "k_per_w");
  EXPECT_EQ(unit_of_key("specific_heat_j_per_kg_k_at_40c"), "j_per_kg_k");
  EXPECT_EQ(unit_of_key("efficiency_pct_at_50pct"), "pct");
  EXPECT_EQ(unit_of_key("speed"), "");
  EXPECT_EQ(unit_of_key("w"), "") << "a unit alone says nothing about what it measures";
  EXPECT_EQ(unit_of_key("power_kw"), "") << "one unit per quantity: W";
  EXPECT_FALSE(has_unit("max_power_w_at_noon"));
}

TEST(ShippedCatalog, HasNoImpossibleFacts) {
  const CatalogSummary summary = check_catalog(shipped());
  std::vector<CatalogFinding> errors;
  std::copy_if(summary.findings.begin(), summary.findings.end(), std::back_inserter(errors),
               [](const CatalogFinding& f) { return f.is_error; });
  for (const CatalogFinding& f : errors)
    ADD_FAILURE() << f.part << " " << f.key << " " << f.problem;
  EXPECT_GE(summary.parts, 300U);
  EXPECT_GT(summary.blank, 0U) << "what is not published stays blank";
}

// NVIDIA DGX H100/H200 User Guide, Introduction.
TEST(ShippedCatalog, HoldsTheDgxH100OfItsUserGuide) {
  const Part& dgx = shipped().require("dgx-h100", "");
  EXPECT_EQ(dgx.number("max_power_w"), 10200);
  EXPECT_EQ(dgx.number("airflow_cfm"), 1105);
  EXPECT_EQ(dgx.number("weight_kg"), 130.45);
  EXPECT_EQ(dgx.number("inlet_max_c"), 30);
  EXPECT_EQ(dgx.fact("psu_redundancy").text, "4+2");
  // 38557 BTU/h x 0.29307107 W/(BTU/h) = 11299.9 W
  EXPECT_NEAR(*dgx.number("heat_w"), 11300, 1);
}

// 120 (NVIDIA), 123.6 (SemiAnalysis), 132 kW (HPE, QCT, Supermicro): README of the catalogue data.
TEST(ShippedCatalog, KeepsTheRackFiguresOfGb200ApartInsteadOfAveragingThem) {
  const std::pair<const char*, double> variants[] = {{"gb200-nvl72-nvidia", 120000},
                                                     {"gb200-nvl72-semianalysis", 123600},
                                                     {"gb200-nvl72-hpe", 132000},
                                                     {"gb200-nvl72-qct", 132000},
                                                     {"gb200-nvl72-supermicro", 132000}};
  for (const auto& [id, watts] : variants) {
    EXPECT_EQ(shipped().require(id, "").number("max_power_w"), watts) << id;
  }
}

TEST(ShippedCatalog, LeavesTheUnpublishedPowerOfTheAmdNodeBlank) {
  const Part& node = shipped().require("supermicro-as-a126gs", "");
  EXPECT_TRUE(node.fact("max_power_w").blank());
  EXPECT_TRUE(node.fact("airflow_cfm").blank());
}

TEST(ShippedCatalog, UsesEveryKindItKnowsOrHasAReasonNotTo) {
  const CatalogSummary summary = check_catalog(shipped());
  for (const std::string& kind : part_kinds()) {
    EXPECT_TRUE(summary.parts_of_kind.contains(kind) || kind == "clearance") << kind;
  }
}

Part plausible() {
  Part part;
  part.id = "n1";
  part.kind = "node";
  part.facts["idle_power_w"].value = 100;
  part.facts["max_power_w"].value = 200;
  return part;
}

TEST(CheckCatalog, FindsAnIdlePowerOverTheMaximumAndANegativeWeight) {
  Part part = plausible();
  part.facts["idle_power_w"].value = 300;
  part.facts["weight_kg"].value = -1;
  const auto findings = check_catalog(Catalog({part})).findings;
  EXPECT_THAT(findings, Contains(AllOf(Field(&CatalogFinding::key, "idle_power_w"),
                                       Field(&CatalogFinding::is_error, true))));
  EXPECT_THAT(findings, Contains(AllOf(Field(&CatalogFinding::key, "weight_kg"),
                                       Field(&CatalogFinding::is_error, true))));
}

TEST(CheckCatalog, ListsABlankThatARackWouldAskForAsAWarning) {
  const auto findings = check_catalog(Catalog({plausible()})).findings;
  EXPECT_THAT(findings, Contains(AllOf(Field(&CatalogFinding::key, "airflow_cfm"),
                                       Field(&CatalogFinding::is_error, false))));
  EXPECT_THAT(findings, Not(Contains(Field(&CatalogFinding::is_error, true))));
}

// Every node and tray power of the measured table is in the catalogue under some part.
TEST(ShippedCatalog, RestatesEverySystemPowerOfTheSharedTable) {
  RACKWRIGHT_NEED_SHARED("catalogue/systems.csv");
  std::vector<double> known;
  for (const auto& [id, part] : shipped().parts()) {
    for (const auto& [key, fact] : part.facts) {
      for (const auto& number : {fact.value, fact.low, fact.high}) {
        if (number && unit_of_key(key) == "w") known.push_back(*number);
      }
    }
  }
  CsvReader csv(testing::shared_data() / "catalogue/systems.csv",
                {.required = {"name"}, .header = {}});
  while (csv.next()) {
    for (const char* column : {"max_power_kw", "typical_power_kw", "peak_power_kw"}) {
      const auto kilowatt = csv.optional_number(column);
      if (!kilowatt) continue;
      const bool there = std::any_of(known.begin(), known.end(), [&](double watt) {
        return std::abs(watt - *kilowatt * 1e3) < 0.5;
      });
      EXPECT_TRUE(there) << csv.cell("name") << " " << column << " " << *kilowatt;
    }
  }
}

}  // namespace
}  // namespace rackwright::topology
