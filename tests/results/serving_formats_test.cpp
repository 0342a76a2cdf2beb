#include "results/validation/serving_formats.hpp"

#include <cmath>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>

#include "../shared_data.hpp"
#include "common/input_error.hpp"
#include "results/validation/score.hpp"
#include "results/validation/served_calibration.hpp"
#include "results/validation/serving_table.hpp"

namespace rackwright::results {
namespace {

DataLocator source_tree() {
  return DataLocator({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
}

std::filesystem::path file_with(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(::testing::TempDir()) / name;
  std::ofstream(path) << text;
  return path;
}

ValidationRequest request(std::filesystem::path path, std::string quantity,
                          std::string device = "") {
  return {{std::move(path)}, std::move(device), std::move(quantity)};
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TemperatureFormat, NamesFileLineAndColumnOfABadTime) {
  const auto path = file_with("bad_time.csv",
                              "name,timestamp,powerave,tempave\n"
                              "gpu,2025-01-01 00:00:00,100,40\n"
                              "gpu,noon,100,40\n");
  const std::string text = message_of([&] {
    static_cast<void>(validate_temperature(request(path, "temperature"), source_tree(), {}));
  });
  EXPECT_NE(text.find("bad_time.csv:3: timestamp"), std::string::npos) << text;
}

TEST(TemperatureFormat, FindsTheLineThatMadeTheReadings) {
  // T = 20 + 0.1 P: 100 W is 30 degC, 300 W is 50 degC; the later half is predicted exactly.
  std::string text = "name,timestamp,powerave,tempave\n";
  for (int i = 0; i < 60; ++i) {
    const bool busy = i % 3 == 0;
    text += "gpu,2025-01-" + std::to_string(1 + i / 24) + " " + std::to_string(i % 24) + ":00:00," +
            (busy ? "300,50" : "100,30") + "\n";
  }
  const auto rows =
      validate_temperature(request(file_with("line.csv", text), "temperature"), source_tree(), {});
  ASSERT_EQ(rows.size(), 60U);
  EXPECT_FALSE(rows[29].excluded.empty());
  for (std::size_t i = 30; i < rows.size(); ++i) {
    EXPECT_TRUE(rows[i].excluded.empty());
    EXPECT_NEAR(rows[i].predicted, rows[i].measured, 1e-6);
  }
}

TEST(PowerCapFormat, PredictsFromTheRunAtTheHighestLimit) {
  const auto path = file_with("caps.csv",
                              "dataset,network,batch_size,optimizer,power_limit,time_per_epoch,"
                              "average_power\n"
                              "a,net,8,sgd,250,100,200\n"
                              "a,net,8,sgd,225,100,199\n"
                              "a,net,8,sgd,100,150,100\n");
  const auto speed = validate_power_cap(request(path, "time"), source_tree(), {});
  ASSERT_EQ(speed.size(), 3U);
  EXPECT_EQ(speed[0].excluded, "highest limit of its job, which is the input");
  EXPECT_DOUBLE_EQ(speed[1].predicted, 100);  // 225 W does not touch a job of 200 W
  EXPECT_LT(speed[2].predicted, 100);
  EXPECT_NEAR(speed[2].measured, 100.0 * 100 / 150, 1e-9);
  const auto power = validate_power_cap(request(path, "power"), source_tree(), {});
  EXPECT_LE(power[2].predicted, 100);
}

TEST(PowerCapFormat, NeverPredictsPowerAboveTheCapAndBeatsTheConstantOnSharedTables) {
  RACKWRIGHT_NEED_SHARED("zeus-power-limits");
  const auto folder = rackwright::testing::shared_data() / "zeus-power-limits";
  for (const char* quantity : {"time", "power"}) {
    for (const char* gpu : {"v100", "a40"}) {
      const auto path = folder / (std::string("summary_power_") + gpu + ".csv");
      const auto rows = validate_power_cap(request(path, quantity), source_tree(), {});
      const auto summary = score(rows);
      EXPECT_LT(summary.all.mape, summary.all.baseline_mape.value()) << gpu << quantity;
      for (const auto& row : rows) {
        if (quantity == std::string("power")) {
          EXPECT_LE(row.predicted, 300);
        }
      }
    }
  }
}

TEST(NodePowerFormat, TellsIdlePlateauAndEnergyOfALog) {
  std::string text = "time,watts\n";
  for (int i = 0; i < 300; ++i) {
    const bool loaded = i >= 100 && i < 250;
    text += "07-17-2024 07:" + std::to_string(10 + i / 60) + ":" + std::to_string(i % 60) + "," +
            (loaded ? "6200" : "2420") + "\n";
  }
  const auto path = file_with("wall_power_llama2-70b-99_Offline.csv", text);
  const auto rows = validate_node_power(request(path, "power"), source_tree(), {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_DOUBLE_EQ(rows[0].measured, 2420);
  EXPECT_DOUBLE_EQ(rows[1].measured, 6200);
  EXPECT_FALSE(rows[1].extrapolated);
  const auto energy = validate_node_power(request(path, "energy"), source_tree(), {});
  EXPECT_DOUBLE_EQ(energy[0].measured, 150 * 6200.0 + 150 * 2420.0);  // J, samples of 1 s
}

TEST(NodePowerFormat, GivesARangeForAClassItHasNotSeen) {
  std::string text = "time,watts\n";
  for (int i = 0; i < 120; ++i) {
    text += "07-17-2024 07:1" + std::to_string(i / 60) + ":" + std::to_string(i % 60) + "," +
            (i < 60 ? "2420" : "5200") + "\n";
  }
  const auto rows = validate_node_power(
      request(file_with("wall_power_unheard-of_Server.csv", text), "power"), source_tree(), {});
  EXPECT_TRUE(rows[1].extrapolated);
  EXPECT_GT(rows[1].high - rows[1].low, 1500);
}

TEST(ServedFormats, IntervalsCoverMostRowsOfTheSharedTables) {
  RACKWRIGHT_NEED_SHARED("aiconfigurator-e2e");
  const auto folder = rackwright::testing::shared_data();
  const auto data = source_tree();
  const auto served = score(validate_served_models(
      request(folder / "aiconfigurator-e2e/e2e_ttft_tpot_calibration.csv", "tpot"), data, {}));
  EXPECT_GE(served.all.covered, 0.85);
  EXPECT_LE(served.all.p50, 0.14);  // the bar of Hopper
  EXPECT_EQ(served.excluded.at("exact duplicate of an earlier row"), 15U);
  const auto batches = score(validate_splitwise(
      request(folder / "splitwise-perf/perf_model_calibration.csv", "time"), data, {}));
  EXPECT_GE(batches.all.covered, 0.85);
  EXPECT_LE(batches.all.mape, 0.08);
  const auto power = score(validate_ml_energy(
      request(folder / "ml-energy-llm/energy_calibration_h100.csv", "power"), data, {}));
  EXPECT_GE(power.all.covered, 0.80);
  EXPECT_LE(power.all.mape, 0.08);
}

TEST(ServedFormats, ListARowOfAnUnknownDeviceInsteadOfFailing) {
  const auto path = file_with(
      "unknown.csv",
      "model,hardware,prompt_size,batch_size,token_size,prompt_time,token_time,tensor_parallel\n"
      "llama2-70b,abacus,512,1,128,100,40,8\n"
      "no-such-model,a100-80gb,512,1,128,100,40,8\n");
  const auto rows = validate_splitwise(request(path, "decode"), source_tree(), {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].excluded, "device is not known");
  EXPECT_EQ(rows[1].excluded, "shape of the model is not known");
}

TEST(PredictServing, FindsTheHighestRateThatHoldsTheLimits) {
  const auto path = file_with("points.csv",
                              "model,tp,isl,osl,concurrency,rate\n"
                              "llama-3.1-8b,1,1024,256,16,\n"
                              "llama-3.1-8b,1,1024,256,,2\n"
                              "no-such-model,1,1024,256,16,\n");
  const workloads::Slo slo = parse_slo("ttft=2s,tpot=20ms");
  EXPECT_DOUBLE_EQ(slo.ttft_s, 2);
  EXPECT_DOUBLE_EQ(slo.tpot_s, 0.02);
  const auto answers = predict_serving(path, "h100-sxm", slo, source_tree());
  ASSERT_EQ(answers.size(), 3U);
  const ServingAnswer& given = answers[0];
  ASSERT_TRUE(given.predicted);
  EXPECT_LT(given.tpot_s.low, given.tpot_s.value);
  EXPECT_GT(given.tpot_s.high, given.tpot_s.value);
  // Little's law: 16 requests, each in the replica for TTFT + 255 TPOT.
  EXPECT_NEAR(given.requests_per_s * (given.ttft_s.value + 255 * given.tpot_s.value), 16, 0.01);
  // The concurrency found for a rate carries no more than that.
  EXPECT_LE(answers[1].requests_per_s, 2);
  ASSERT_TRUE(given.slo.has_value());
  EXPECT_GT(given.slo->concurrency, 1);
  EXPECT_LE(given.slo->requests_per_s.low, given.slo->requests_per_s.value);
  EXPECT_GE(given.slo->requests_per_s.high, given.slo->requests_per_s.value);
  EXPECT_EQ(answers[2].note, "shape of the model is not known; give its config.json");
}

TEST(PredictServing, RefusesLimitsWithoutUnits) {
  EXPECT_NE(message_of([] { static_cast<void>(parse_slo("ttft=2,tpot=50ms")); }).find("--slo"),
            std::string::npos);
  EXPECT_NE(message_of([] { static_cast<void>(parse_slo("ttft=2s")); }).find("--slo"),
            std::string::npos);
}

/// What splitwise measured of Llama 2 70B on H100 under TP 8: the fit refuses a handful of rows and
/// recovers from all of them a decode error within the bar of 6 %.
TEST(CalibrateServing, RefusesTooFewRowsAndFitsEnough) {
  RACKWRIGHT_NEED_SHARED("splitwise-perf/perf_model_calibration.csv");
  const auto table =
      ::rackwright::testing::shared_data() / "splitwise-perf/perf_model_calibration.csv";
  std::ifstream input(table);
  std::string few;
  std::string line;
  for (int i = 0; i < 8 && std::getline(input, line); ++i) few += line + "\n";
  const DataLocator data = source_tree();
  try {
    (void)calibrate_serving("splitwise", {file_with("few.csv", few)}, "", "few", data);
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("at least 15 rows"), std::string::npos)
        << error.what();
  }
  const auto profile = calibrate_serving("splitwise", {table}, "h100-sxm", "splitwise", data);
  ASSERT_FALSE(profile.models.empty());
  EXPECT_EQ(profile.models.front().operation, "engine");
  EXPECT_EQ(profile.models.front().provenance.tables, "splitwise");
  EXPECT_GE(profile.models.front().quality.rows, 15u);
  EXPECT_LE(profile.models.front().quality.held_out_mean, 0.06);
}

}  // namespace
}  // namespace rackwright::results
