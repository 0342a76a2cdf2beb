#include "results/validation/point_formats.hpp"

#include <gmock/gmock.h>

#include "results/validation/point_case.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::results {
namespace {

using ::rackwright::testing::TemporaryFolder;

DataLocator shipped() {
  return DataLocator({RACKWRIGHT_SOURCE_DIR});
}

ValidationRow only_row(const ValidationFormat& format, const std::string& table) {
  const TemporaryFolder folder;
  ValidationRequest request;
  request.paths = {folder.write("points.csv", table)};
  const auto rows = format.run(request, shipped(), {});
  EXPECT_EQ(rows.size(), 1U);
  return rows.at(0);
}

ValidationRow thermal(const std::string& row) {
  return only_row(thermal_points_format(),
                  "case_id,system,input_1,input_1_value,input_2,input_2_value,output,output_value,"
                  "unit,source\n" +
                      row + "\n");
}

ValidationRow power(const std::string& row) {
  return only_row(power_points_format(),
                  "case_id,system,case,expected_value,unit,verdict\n" + row + "\n");
}

TEST(ThermalPoints, PredictTheFlowBetweenTheOuterRowsOfAPublishedTable) {
  // Published 89 l/min at 35 degC; the law is through 59 at 25 and 177 at 45 degC:
  // T = T* - C / Q with C = 20 / (1/59 - 1/177) = 1770, T* = 55; Q = 1770 / 20 = 88.5.
  const auto row =
      thermal("a,Lenovo GB300 NVL72 rack,supply_temp_c,35,,,required_rack_flow,89,LPM,");
  EXPECT_NEAR(row.predicted, 88.5, 0.1);
  EXPECT_FALSE(row.extrapolated);
}

TEST(ThermalPoints, MarkASupplyOutsideTheTableAsExtrapolated) {
  EXPECT_TRUE(thermal("a,Lenovo GB300 NVL72 rack,supply_temp_c,20,,,required_rack_flow,50,LPM,")
                  .extrapolated);
}

TEST(ThermalPoints, TakeTheAirRiseFromTheEnergyBalance) {
  // 10,200 / (1.2 x 1006 x 0.5215 m3/s) = 16.2 K.
  const auto row =
      thermal("a,DGX H100 air,max_power_kw,10.2,airflow_cfm,1105,air_temp_rise,16.2,K,");
  EXPECT_NEAR(row.predicted, 16.2, 0.05);
}

TEST(ThermalPoints, WarmTheModuleBehindAnotherOne) {
  const auto front = thermal("a,B200 node all-8 BF16 GEMM,gpu_slot,2,power_w,988.2,gpu_temp,52,C,");
  const auto behind =
      thermal("a,B200 node all-8 BF16 GEMM,gpu_slot,1,power_w,988.2,gpu_temp,57,C,");
  // 988 W into a quarter of 1,550 CFM: 988 / (1.2 x 1006 x 0.1829) = 4.5 K.
  EXPECT_NEAR(behind.predicted - front.predicted, 4.5, 0.1);
  EXPECT_NEAR(front.predicted, 54, 0.1);  // the published 34 K over 20 degC
}

TEST(ThermalPoints, ListWhatTheToolHasNoModelOf) {
  const auto row = thermal("a,Unheard-of rack,supply_temp_c,35,,,required_rack_flow,89,LPM,");
  EXPECT_EQ(row.excluded, "no published flow table of this system");
}

TEST(PowerPoints, LeaveThreeShelvesWith93And82KilowattsAfterPsus) {
  EXPECT_NEAR(power("a,ORv3 HPR 33 kW x3,100 kW rack,93.5,kW,over three-set total").predicted, 93.5,
              1e-9);  // 17 x 5.5
  EXPECT_NEAR(power("a,ORv3 HPR 33 kW x3,85 kW rack,82.5,kW,over N+1").predicted, 82.5, 1e-9);
}

TEST(PowerPoints, TakeTheHeadroomOfDeratedThreePhaseFeeds) {
  // 2 x sqrt(3) x 380 x 32 x 0.8 x 0.95 = 32.0 kW, less 2 x 14.3 kW.
  const auto row =
      power("a,DGX B200 rack of 2,\"2 x 380 V 3-phase 32 A, 80% derating, N\",3.4,kW,");
  EXPECT_NEAR(row.predicted, 3.41, 0.02);
}

TEST(PowerPoints, TakeTheCurrentOfAShelfFromItsRating) {
  EXPECT_NEAR(power("a,ORv3 HPR 33 kW,full-load output current at 49 V,673,A,").predicted, 673.5,
              0.1);  // 33,000 / 49
}

TEST(PowerPoints, ListASystemWithoutAModel) {
  EXPECT_EQ(power("a,Frontier (74 racks),all nodes,7.282,MW,").excluded, "no model of this system");
}

TEST(NumberAfter, ReadsTheNumberBehindAPhrase) {
  EXPECT_EQ(number_after("DGX H100 rack of 4", "rack of"), 4);
  EXPECT_FALSE(number_after("DGX H100", "rack of"));
}

}  // namespace
}  // namespace rackwright::results
