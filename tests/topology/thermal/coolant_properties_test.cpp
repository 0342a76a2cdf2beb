#include "topology/thermal/coolant_properties.hpp"

#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

namespace rackwright::topology {
namespace {

const Part& coolant(const char* id) {
  static const Catalog catalog =
      Catalog::load(DataLocator({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)}));
  return catalog.require(id, "test");
}

TEST(CoolantProperties, Pg25AtItsPublishedPoint) {
  // Dow engineering guide, 0623 edition, 40 degC; the 0222 edition prints 1.39 mPa s.
  const auto pg25 = coolant_properties(coolant("pg25"), 40);
  EXPECT_NEAR(*pg25.density_kg_per_m3, 1022.5, 1e-9);
  EXPECT_NEAR(*pg25.specific_heat_j_per_kg_k, 3920, 1e-9);
  EXPECT_NEAR(*pg25.viscosity_pa_s, 1.58e-3, 1e-9);
  EXPECT_NEAR(*pg25.viscosity_low_pa_s, 1.39e-3, 1e-9);
  EXPECT_NE(pg25.edition.find("DOWFROST"), std::string::npos);
}

TEST(CoolantProperties, ViscosityIsGeometricBetweenItsPoints) {
  // Water, 25 and 40 degC: sqrt(0.89 x 0.653) = 0.7624 mPa s half way; IAPWS at 32.5 degC: 0.757.
  const auto water = coolant_properties(coolant("water"), 32.5);
  EXPECT_NEAR(*water.viscosity_pa_s, std::sqrt(0.89 * 0.653) * 1e-3, 1e-9);
  EXPECT_NEAR(*water.viscosity_pa_s, 0.757e-3, 0.01 * 0.757e-3);
}

TEST(CoolantProperties, OneAndAHalfLitresPerKilowattRiseTenKelvin) {
  // Water at 25 degC: 997 x 4182 x 1.5 / 60,000 = 104.2 W/K.
  EXPECT_NEAR(coolant_properties(coolant("water"), 25).capacity_w_per_k(1.5), 104.2, 0.1);
}

TEST(CoolantProperties, SayWhenTheyHoldAnEnd) {
  EXPECT_TRUE(coolant_properties(coolant("water"), 60).extrapolated);
  EXPECT_FALSE(coolant_properties(coolant("water"), 45).extrapolated);
}

}  // namespace
}  // namespace rackwright::topology
