#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "results/report/cabling_drawing.hpp"
#include "results/report/link_load_drawing.hpp"
#include "results/validation/cable_bom_format.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/topology/cabling/small_floor.hpp"

namespace rackwright::results {
namespace {

std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

class CablingDrawings : public ::testing::Test {
 protected:
  topology::Catalog catalog = topology::Catalog::load(topology::testing::data());
  topology::CablePlan plan =
      topology::testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");
  topology::CableLoads loads = topology::load_channels(plan, catalog);
};

TEST_F(CablingDrawings, ShowEveryRackAndDeviceOfTheRow) {
  const std::string svg = row_elevation_svg(plan, loads, 0);
  EXPECT_EQ(occurrences(svg, "class=\"frame\""), 10U);
  EXPECT_EQ(occurrences(svg, "class=\"dev\""), 144U);
  EXPECT_EQ(occurrences(svg, "class=\"sw\""), 56U);  // 32 leaves and 24 spines
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST_F(CablingDrawings, ColourEveryTrayThatCarriesCables) {
  const std::string svg = floor_plan_svg(plan, loads);
  const auto trays = std::count_if(loads.channels.begin(), loads.channels.end(),
                                   [](const auto& channel) { return channel.segment >= 0; });
  // Eight samples of the legend besides.
  EXPECT_EQ(occurrences(svg, " seg\""), static_cast<std::size_t>(trays) + 8);
  EXPECT_EQ(occurrences(svg, "<title>R0"), 8U);
}

TEST_F(CablingDrawings, AreTheSameBytesEachTime) {
  EXPECT_EQ(row_elevation_svg(plan, loads, 0), row_elevation_svg(plan, loads, 0));
}

TEST(LinkLoadMap, HoldsEveryUplinkWithinItsRate) {
  const auto design = topology::read_fabric_design(
      topology::testing::data().find("gb200-superpod", "topology/fabrics"));
  const topology::FabricLoad load = topology::fabric_load(design, 144);
  for (const topology::UplinkLoads* loads : {&load.ecmp, &load.spray}) {
    ASSERT_EQ(loads->up.size(), 32U);
    for (const auto& leaf : loads->up) {
      ASSERT_EQ(leaf.size(), 18U);
      for (const double share : leaf) EXPECT_LE(share, 1 + 1e-9);
    }
  }
  // Hashed flows collide, sprayed ones do not: 18 uplinks for 18 NICs.
  EXPECT_LT(load.ecmp.mean_rate_share, load.spray.mean_rate_share);
  EXPECT_LE(load.spray.mean_rate_share, 1 + 1e-9);
  EXPECT_EQ(occurrences(link_load_svg(load, LinkLoadMap::full), "<title>leaf "), 2U * 32 * 18);
  // A closed subpath a cell.
  EXPECT_EQ(occurrences(link_load_svg(load, LinkLoadMap::compact), "zM") +
                occurrences(link_load_svg(load, LinkLoadMap::compact), "z\""),
            2U * 32 * 18);
}

std::vector<ValidationRow> bill(const std::filesystem::path& file) {
  ValidationRequest request;
  request.paths = {file};
  request.quantity = "count";
  return cable_bom_format().run(request, topology::testing::data(), {});
}

TEST(CableBom, MeetsThePublishedTables) {
  RACKWRIGHT_NEED_SHARED("validation/cable_bom.csv");
  int scored = 0;
  for (const ValidationRow& row :
       bill(rackwright::testing::shared_data() / "validation/cable_bom.csv")) {
    if (!row.excluded.empty()) continue;
    EXPECT_EQ(row.predicted, row.measured) << row.row << " of " << row.group;
    ++scored;
  }
  EXPECT_EQ(scored, 25);
}

TEST(CableBom, GivesTheRightFigureWhereTheTableErrs) {
  const rackwright::testing::TemporaryFolder folder;
  const auto file = folder.write(
      "bom.csv",
      "case_id,system,item,connection,count,source,confidence,erratum\n"
      "x,DGX BasePOD 8 nodes,NDR fibre,DGX to IB (as printed),32,RA,high,modules are printed\n");
  const auto rows = bill(file);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].predicted, 64);  // 8 nodes x 8 links
  EXPECT_NE(rows[0].excluded.find("modules are printed"), std::string::npos);
}

TEST(CableBom, ListsWhatItHasNoRuleForInsteadOfGuessing) {
  const rackwright::testing::TemporaryFolder folder;
  const auto file = folder.write("bom.csv",
                                 "system,item,connection,count\n"
                                 "Some other pod,cable,all,12\n"
                                 "DGX BasePOD 16 nodes,Cat6,1 GbE,80\n");
  for (const ValidationRow& row : bill(file)) EXPECT_FALSE(row.excluded.empty()) << row.group;
}

}  // namespace
}  // namespace rackwright::results
