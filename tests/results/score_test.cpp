#include "results/validation/score.hpp"

#include <gmock/gmock.h>

namespace rackwright::results {
namespace {

ValidationRow row(double measured, double predicted, double half_width = 0) {
  ValidationRow result;
  result.row = "table.csv:2";
  result.measured = measured;
  result.predicted = predicted;
  result.low = predicted - half_width;
  result.high = predicted + half_width;
  result.unit = "s";
  return result;
}

TEST(Score, MeanAndQuantilesAreOfTheAbsoluteRelativeErrors) {
  // Errors +10 %, -20 %, +30 %.
  const std::vector<ValidationRow> rows = {row(10, 11), row(10, 8), row(100, 130)};
  const auto all = score(rows).all;
  EXPECT_NEAR(all.mape, 0.2, 1e-12);
  EXPECT_NEAR(all.p50, 0.2, 1e-12);
  EXPECT_NEAR(all.p90, 0.3, 1e-12);  // the third of three: ceil(0.9 x 3)
  EXPECT_NEAR(all.bias, 0.2 / 3, 1e-12);
}

TEST(Score, CoverageCountsMeasurementsInsideTheInterval) {
  const std::vector<ValidationRow> rows = {row(10, 11, 1), row(10, 8, 1.9), row(10, 10, 5)};
  const auto all = score(rows).all;
  EXPECT_NEAR(all.covered, 2.0 / 3, 1e-12);
  EXPECT_NEAR(all.half_width, 1.9 / 8, 1e-12);  // the middle of 1/11, 1.9/8, 5/10
}

TEST(Score, RankCorrelationOfOneSwapAmongFourIsFourFifths) {
  // 1 - 6 sum(d^2) / (n (n^2 - 1)) = 1 - 6 x 2 / 60.
  const std::vector<ValidationRow> rows = {row(1, 2), row(2, 1), row(3, 3), row(4, 9)};
  EXPECT_NEAR(*score(rows).all.rank_correlation, 0.8, 1e-12);
}

TEST(Score, ExcludedRowsAreCountedByReasonAndNotScored) {
  std::vector<ValidationRow> rows = {row(10, 11), row(10, 1000), row(0, 5)};
  rows[1].excluded = "under 100 us";
  const auto summary = score(rows);
  EXPECT_EQ(summary.all.rows, 1U);
  EXPECT_NEAR(summary.all.mape, 0.1, 1e-12);
  EXPECT_EQ(summary.excluded.at("under 100 us"), 1U);
  EXPECT_EQ(summary.excluded.at("not positive"), 1U);
}

TEST(Score, EveryRowWithAPredictionIsWrittenAlsoTheExcludedOnes) {
  std::vector<ValidationRow> rows = {row(10, 11, 1), row(10, 1000), row(10, 0)};
  rows[0].row = "a,b.csv:2";
  rows[1].excluded = "no";
  rows[2].excluded = "no model of this system";
  EXPECT_EQ(rows_csv(rows),
            "row,measured,predicted,unit,extrapolated,low,high\n"
            "\"a,b.csv:2\",10,11,s,0,10,12\n"
            "table.csv:2,10,1000,s,0,1000,1000\n");
}

TEST(Score, SaysErrorsInTheUnitAndTheDistanceOfDistributions) {
  // Measured 10 and 20, predicted 12 and 19: errors 2 and 1. Sorted: 10 | 12 19 | 20, the
  // distribution functions differ by at most 1/2.
  std::vector<ValidationRow> rows(2);
  rows[0].measured = 10;
  rows[0].predicted = 12;
  rows[1].measured = 20;
  rows[1].predicted = 19;
  const auto all = score(rows).all;
  EXPECT_DOUBLE_EQ(all.mean_error, 1.5);
  EXPECT_DOUBLE_EQ(all.ks_distance, 0.5);
}

}  // namespace
}  // namespace rackwright::results
