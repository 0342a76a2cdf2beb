#include "topology/power/architecture.hpp"

#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

namespace rackwright::topology {
namespace {

using testing::fact;
using testing::part;

Part architecture(const std::string& id, const std::vector<std::string>& stages, double volts,
                  const std::string& sidecar = "") {
  Part p = part(id, "power_architecture", {{"distribution_voltage_v", volts}});
  for (std::size_t i = 0; i < stages.size(); ++i) {
    p.facts["stage_" + std::to_string(i + 1)].text = stages[i];
  }
  if (!sidecar.empty()) {
    p.facts["sidecar"].text = sidecar;
    p.facts["stages_outside_count"] = fact(1);
  }
  return p;
}

Catalog catalog() {
  return Catalog(
      {part("shelf", "power_shelf", {{"psu_peak_efficiency_pct", 97.5}}),
       part("dc", "converter", {{"peak_efficiency_pct", 98.5}, {"full_load_efficiency_pct", 98.1}}),
       part("side", "power_rack",
            {{"rating_w", 1100e3}, {"efficiency_full_load_pct", 97}, {"weight_kg", 2722}}),
       part("unknown", "power_rack", {{"rating_w", 300e3}}),
       architecture("a-shelves", {"shelf"}, 480),
       architecture("b-sidecar", {"side", "dc"}, 800, "side"),
       architecture("c-blank", {"unknown"}, 50, "unknown")});
}

// 100 kW of trays: 100 / 0.975 = 102.564 kW; sidecar 100 / (0.97 x 0.981) = 105.089 kW at worst,
// 100 / (0.97 x 0.985) = 104.663 kW at best.
TEST(Architectures, AreComparedBetweenTheSameEnds) {
  const auto rows = compare_architectures(catalog(), {100e3, 8});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].id, "a-shelves");
  EXPECT_NEAR(rows[0].ac_high_w.value(), 102564, 1);
  EXPECT_NEAR(rows[1].ac_high_w.value(), 105089, 1);
  EXPECT_NEAR(rows[1].ac_low_w.value(), 104663, 1);
}

// 1,100 kW carry ten racks of 100 / 0.981 = 101.9 kW: 272.2 kg each; eight units of shelves are
// freed; the footprint is not published. 101.9 kW at 800 V is 127.4 A.
TEST(Architectures, SidecarsTakeFloorAndFreeTheRack) {
  const auto rows = compare_architectures(catalog(), {100e3, 8});
  EXPECT_DOUBLE_EQ(rows[1].racks_per_sidecar.value(), 10);
  EXPECT_NEAR(rows[1].sidecar_kg.value(), 272.2, 0.01);
  EXPECT_DOUBLE_EQ(rows[1].rack_units_freed, 8);
  EXPECT_FALSE(rows[1].sidecar_m2.has_value());
  EXPECT_EQ(rows[1].blanks, std::vector<std::string>{"footprint of side"});
  EXPECT_NEAR(rows[1].distribution_a, 127.42, 0.01);
}

// The blank rectifier must reach 97.5 % to equal the shelves.
TEST(Architectures, ABlankStageIsSolvedFor) {
  const auto rows = compare_architectures(catalog(), {100e3, 8});
  EXPECT_FALSE(rows[2].ac_high_w.has_value());
  EXPECT_NEAR(rows[2].solved_efficiency.value(), 0.975, 1e-9);
}

}  // namespace
}  // namespace rackwright::topology
