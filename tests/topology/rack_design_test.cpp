#include "topology/rack_design.hpp"

#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::topology {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::filesystem::path kSource(RACKWRIGHT_SOURCE_DIR);

const Catalog& catalog() {
  static const Catalog parts = Catalog::load(DataLocator({kSource}));
  return parts;
}

RackDesign shipped(const std::string& id) {
  return read_rack_design(kSource / "topology/racks" / (id + ".json"), catalog());
}

/// The shipped GB200 rack with one text replaced, as a user's file.
std::string problems_after(const std::string& from, const std::string& to,
                           const std::string& id = "gb200-nvl72") {
  std::string text = read_file(kSource / "topology/racks" / (id + ".json"));
  const auto at = text.find(from);
  if (at == std::string::npos) return "the text to replace is not in the file";
  text.replace(at, from.size(), to);
  const testing::TemporaryFolder folder;
  try {
    (void)read_rack_design(folder.write("rack.json", text), catalog());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

int psus(const PowerBus& bus) {
  return std::accumulate(bus.sources.begin(), bus.sources.end(), 0,
                         [](int sum, const PowerSource& s) { return sum + s.psus; });
}

class EveryRack : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryRack, ReadsAndNamesADeviceASourceAndAReasonForItsEnvironment) {
  const RackDesign rack = shipped(GetParam());
  EXPECT_EQ(rack.id, GetParam());
  EXPECT_TRUE(std::filesystem::exists(kSource / "kernels/devices" / (rack.device + ".json")))
      << rack.device;
  EXPECT_FALSE(rack.sources.empty());
  EXPECT_FALSE(rack.source.empty());
  EXPECT_FALSE(rack.environment.reason.empty());
  EXPECT_TRUE(rack.fabric.empty() ||
              std::filesystem::exists(kSource / "topology/fabrics" / (rack.fabric + ".json")))
      << rack.fabric;
}

TEST_P(EveryRack, FeedsEverySlotWithGpusFromExactlyOneBus) {
  const RackDesign rack = shipped(GetParam());
  std::multiset<std::string> fed;
  for (const PowerBus& bus : rack.buses) fed.insert(bus.loads.begin(), bus.loads.end());
  for (const Slot& slot : rack.slots) {
    if (slot.gpus == 0) continue;
    EXPECT_EQ(fed.count(slot.id), 1U) << slot.id;
  }
}

TEST_P(EveryRack, HangsEveryBusOnTwoFeedsOrMoreWithRatedPsus) {
  const RackDesign rack = shipped(GetParam());
  for (const PowerBus& bus : rack.buses) {
    std::set<std::string> feeds;
    for (const PowerSource& source : bus.sources) {
      feeds.insert(source.feed);
      EXPECT_GT(source.psu_w, 0);
      EXPECT_GT(source.psus, 0);
    }
    EXPECT_GE(feeds.size(), 2U) << bus.id << " hangs on one feed";
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, EveryRack,
                         ::testing::Values("dgx-h100-air", "dgx-b200-air", "dgx-b300-rdhx",
                                           "gb200-nvl72", "gb300-nvl72", "mi355x-oam",
                                           "next-gen-template"));

// NVIDIA DGX SuperPOD RA, DGX H100: 4 systems, 3 PDUs, 6 PSUs of 3.3 kW each, 4+2.
TEST(DgxH100Air, PutsTwoOfSixPsusOnEachOfThreePdus) {
  const RackDesign rack = shipped("dgx-h100-air");
  ASSERT_THAT(rack.buses, SizeIs(4));
  ASSERT_THAT(rack.feeds, SizeIs(3));
  for (const PowerBus& bus : rack.buses) {
    EXPECT_EQ(psus(bus), 6);
    ASSERT_THAT(bus.sources, SizeIs(3));
    EXPECT_EQ(bus.sources[0].psu_w, 3300);
    EXPECT_EQ(bus.boundary, "node DC");
    EXPECT_THAT(bus.loads, ElementsAre(bus.id));
  }
  // sqrt(3) x 415 V x 60 A x 80 % = 34.50 kVA, the PDU's printed rating; x 0.95 power factor.
  EXPECT_NEAR(rack.feeds[0].limit_w(), 34503 * 0.95, 5);
  EXPECT_EQ(rack.published_tdp_w.value, 40800);  // pw-012: 4 x 10.2 kW
}

// NVIDIA best-practice deck: 2 x 380 V 32 A at 80 % leaves 3.4 kW over 28.6 kW for 2 systems.
TEST(DgxB200Air, HasTwiceTheCircuitsOfTheMakersTwoSystemProfile) {
  const RackDesign rack = shipped("dgx-b200-air");
  const double all = rack.feeds[0].limit_w() + rack.feeds[1].limit_w();
  EXPECT_NEAR(all / 2 - 28600, 3400, 100);
  EXPECT_THAT(rack.buses[0].promised, ElementsAre("psu"));
}

TEST(DgxB300Rdhx, IsJudgedOn58KilowattWithAPeakOf76AndAskedForItsBreakers) {
  const RackDesign rack = shipped("dgx-b300-rdhx");
  EXPECT_EQ(rack.published_tdp_w.value, 58000);
  EXPECT_EQ(rack.edpp_w.value, 76000);
  ASSERT_TRUE(rack.rear_door);
  EXPECT_EQ(catalog().require(rack.rear_door->part, "").number("capacity_w"), 75000);
  EXPECT_EQ(rack.feeds[0].limit_w(), 0) << "blank breaker";
  EXPECT_EQ(psus(rack.buses[0]), 12);
}

// bom-056, bom-057: 72 pairs x 72 GPUs = 5184; 9 trays x 2 = 18 ASICs. 8 shelves x 6 x 5.5 = 264
// kW.
TEST(Gb200Nvl72, Has18SwitchAsics4CartridgesAndEightShelvesOnTwoFeeds) {
  const RackDesign rack = shipped("gb200-nvl72");
  EXPECT_EQ(rack.scale_up_switches, 18);
  EXPECT_EQ(rack.backplane_cartridges, 4);
  EXPECT_EQ(rack.backplane_pairs, 5184);
  ASSERT_THAT(rack.buses, SizeIs(1));
  const PowerBus& bus = rack.buses[0];
  EXPECT_THAT(bus.sources, SizeIs(8));
  EXPECT_EQ(psus(bus), 48);
  EXPECT_EQ(bus.sources[0].psu_w * psus(bus), 264000);
  EXPECT_THAT(bus.loads, SizeIs(27)) << "18 compute and 9 switch trays";
  EXPECT_DOUBLE_EQ(*bus.psu_peak_efficiency.value, 0.975) << "from the shelf's part";
  EXPECT_EQ(bus.section_limit_a.value, 1400);
  EXPECT_EQ(rack.published_tdp_w.low, 120000);
  EXPECT_EQ(rack.published_tdp_w.high, 132000);
  ASSERT_TRUE(rack.liquid);
  EXPECT_DOUBLE_EQ(*rack.liquid->liquid_fraction.value, 0.85);
  EXPECT_DOUBLE_EQ(*rack.liquid->working_pressure_bar.value, 5.0);
}

// Lenovo LP2357: 59, 89, 177 l/min at 25, 35, 45 degC; 2.3, 4.9, 18.4 psi of 6.894757 kPa.
TEST(Gb300Nvl72, HoldsTheMakersFlowTable) {
  const RackDesign rack = shipped("gb300-nvl72");
  ASSERT_TRUE(rack.liquid);
  ASSERT_THAT(rack.liquid->required, SizeIs(3));
  const double rows[3][3] = {{25, 59, 2.3}, {35, 89, 4.9}, {45, 177, 18.4}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rack.liquid->required[i].supply_c, rows[i][0]);
    EXPECT_EQ(rack.liquid->required[i].flow_lpm, rows[i][1]);
    EXPECT_NEAR(rack.liquid->required[i].drop_kpa, rows[i][2] * 6.894757, 0.01);
  }
  // NVIDIA exemplar: 142 kW at 480 V and power factor 0.98 is 174 A of the 200 A that 80 % of the
  // 250 A breaker carry: sqrt(3) x 480 x 200 x 0.98 = 162.95 kW.
  EXPECT_NEAR(rack.feeds[0].limit_w(), 162951, 10);
  EXPECT_EQ(rack.edpp_w.value, 155000);
}

TEST(NextGeneration, IsATemplateWhoseRangeIsMarkedAsEstimated) {
  const RackDesign rack = shipped("next-gen-template");
  EXPECT_TRUE(rack.is_template);
  EXPECT_EQ(rack.published_tdp_w.status, "estimated");
  EXPECT_LT(*rack.published_tdp_w.low, *rack.published_tdp_w.high);
  EXPECT_TRUE(catalog().require("vr-compute-tray", "").fact("max_power_w").blank());
}

// 0.6 m x (1.068 + (1.0 + 0.5) / 2) m = 1.0908 m2
TEST(EnvelopeFloorArea, CountsHalfOfTheAislesInFrontAndBehind) {
  EXPECT_NEAR(shipped("gb200-nvl72").envelope.floor_area_m2(), 1.0908, 1e-9);
}

TEST(FeedLimit, IsVoltsTimesAmpsForASinglePhase) {
  Feed feed;
  feed.phases = 1;
  feed.volts_line_to_line = 230;
  feed.breaker_a = 16;
  feed.circuits = 2;
  feed.derating = 0.8;
  feed.power_factor = 0.9;
  EXPECT_NEAR(feed.limit_w(), 230 * 16 * 2 * 0.8 * 0.9, 1e-9);  // 5299.2 W
}

TEST(RackDesign, CountsTheIdOfARepeatedSlotOnAndStacksIt) {
  const RackDesign rack = shipped("gb200-nvl72");
  ASSERT_NE(rack.slot("c18"), nullptr);
  EXPECT_EQ(rack.slot("c08")->unit, 14);
  EXPECT_EQ(rack.slot("c09")->unit, 24);
  EXPECT_EQ(rack.slot("c18")->unit, 33);
  EXPECT_EQ(rack.slot("s9")->unit, 23);
  EXPECT_EQ(rack.slot("c19"), nullptr);
}

TEST(RackDesign, SaysWhichSlotsOverlapAndWhichStickOut) {
  EXPECT_THAT(problems_after("\"unit\": 15", "\"unit\": 16"),
              HasSubstr("expected free units, found \"c09\" from unit 24 over \"s9\""));
  EXPECT_THAT(problems_after("\"height_units\": 48", "\"height_units\": 36"),
              HasSubstr("within the rack's 36"));
}

TEST(RackDesign, OffersTheNearestPartSlotAndFeed) {
  EXPECT_THAT(problems_after("\"part\": \"gb200-compute-tray\"", "\"part\": \"gb200-compute-try\""),
              HasSubstr("did you mean \"gb200-compute-tray\"?"));
  EXPECT_THAT(problems_after("\"slot\": \"B4\"", "\"slot\": \"B44\""),
              HasSubstr("expected the id of a slot, found \"B44\"; did you mean \"B4\"?"));
  EXPECT_THAT(problems_after("\"feed\": \"B\"", "\"feed\": \"C\""),
              HasSubstr("expected one of the feeds A, B, found \"C\""));
  EXPECT_THAT(problems_after("\"loads\": [\"compute\"", "\"loads\": [\"compte\""),
              HasSubstr("did you mean \"compute\"?"));
  EXPECT_THAT(problems_after("\"cdu\": \"vertiv-xdu1350\"", "\"cdu\": \"vertiv-xdu1360\""),
              HasSubstr("did you mean \"vertiv-xdu1350\"?"));
}

TEST(RackDesign, ReportsProblemsOfSeveralKindsTogether) {
  std::string text = read_file(kSource / "topology/racks/gb200-nvl72.json");
  const std::pair<std::string, std::string> edits[] = {
      {"\"derating_pct\": 80", "\"derating_pct\": 0.8"},
      {"\"gpus\": 72", "\"gpus\": 70"},
      {"\"dew_point_c\": 15", "\"dew_pont_c\": 15"},
      {"\"promised\": [\"psu\"", "\"promised\": [\"rack\""}};
  for (const auto& [from, to] : edits) text.replace(text.find(from), from.size(), to);
  const testing::TemporaryFolder folder;
  try {
    (void)read_rack_design(folder.write("rack.json", text), catalog());
    FAIL() << "no exception";
  } catch (const InputError& error) {
    EXPECT_THAT(error.problems(), SizeIs(::testing::Ge(4)));
    EXPECT_THAT(error.what(), HasSubstr("a number from 1 to 100, found 0.8"));
    EXPECT_THAT(error.what(), HasSubstr("/gpus: expected the sum over the slots, 72, found 70"));
    EXPECT_THAT(error.what(), HasSubstr("\"dew_pont_c\" is there"));
    EXPECT_THAT(error.what(), HasSubstr("failure units psu, shelf, feed, found \"rack\""));
  }
}

TEST(RackDesign, WantsALoopForALiquidRackAndASourceForItsFlowTable) {
  EXPECT_THAT(problems_after("\"cooling\": \"air\"", "\"cooling\": \"liquid\"", "dgx-h100-air"),
              HasSubstr("/liquid: expected an object"));
  EXPECT_THAT(problems_after("\"required_source\": \"Lenovo", "\"required_sorce\": \"Lenovo",
                             "gb300-nvl72"),
              HasSubstr("required_source"));
}

TEST(RackDesign, WantsOnePsuFigurePerGroupOfNodes) {
  EXPECT_THAT(problems_after("\"each_of\": \"compute\"", "\"each_of\": \"nodes\"", "dgx-h100-air"),
              HasSubstr("expected a group of slots, found \"nodes\""));
  EXPECT_THAT(
      problems_after("\"part\": \"dgx-h100\"", "\"part\": \"module-h100-sxm\"", "dgx-h100-air"),
      HasSubstr("as part \"module-h100-sxm\" has no height_ru"));
}

}  // namespace
}  // namespace rackwright::topology
