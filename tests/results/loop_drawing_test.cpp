#include "results/report/loop_drawing.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::results {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

topology::RackEvaluation evaluation() {
  topology::RackEvaluation e;
  e.rack = "a&b";
  topology::CoolantView view;
  view.coolant = "PG25";
  view.supply_c = 40;
  view.return_c = 52;
  view.flow_lpm = 100;
  view.heat_w = 80e3;
  view.drop_kpa = 50;
  for (int i = 0; i < 2; ++i) {
    topology::CoolantBranch branch;
    branch.slot = "c0" + std::to_string(i);
    branch.heat_w = 40e3;
    branch.flow_lpm = 50;
    branch.drop_kpa = 49.5;
    branch.supply_c = 40;
    branch.return_c = 52;
    branch.component_drop_kpa = {{"cold plates", 30}, {"quick disconnects", 19.5}};
    view.branches.push_back(branch);
  }
  e.coolant = view;
  return e;
}

TEST(CoolantLoopDrawing, NamesTheLoopTheTraysAndTheirNumbers) {
  const std::string svg = coolant_loop_svg(evaluation());
  EXPECT_THAT(svg, StartsWith("<svg"));
  EXPECT_THAT(svg, HasSubstr("a&amp;b"));
  EXPECT_THAT(svg, HasSubstr(">c00<"));
  EXPECT_THAT(svg, HasSubstr("TCS 40.0"));
  EXPECT_THAT(svg, HasSubstr("cold plates 30.0 kPa"));
}

TEST(CoolantBranchTable, HasAHeadALineForEachTrayAndTheRack) {
  const std::string csv = coolant_branch_csv(evaluation());
  EXPECT_THAT(csv,
              StartsWith("slot,heat_w,flow_lpm,drop_kpa,supply_c,return_c,return_limit_c,valve,"
                         "cold_plates_kpa,quick_disconnects_kpa\n"
                         "c00,40000.0,50.000,49.50,40.00,52.00,,open,30.00,19.50\n"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
}

TEST(CoolantLoopDrawing, IsEmptyForARackWithoutCoolant) {
  EXPECT_EQ(coolant_loop_svg({}), "");
  EXPECT_EQ(coolant_branch_csv({}), "");
}

}  // namespace
}  // namespace rackwright::results
