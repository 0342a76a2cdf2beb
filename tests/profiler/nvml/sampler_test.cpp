#include "profiler/nvml/sampler.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "profiler/nvml/nvml_tables.hpp"
#include "profiler/nvml/power_statement.hpp"
#include "profiler/run_file.hpp"
#include "profiler/sqlite.hpp"
#include "tests/profiler/nvml/stand_in.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler::nvml {
namespace {

using rackwright::testing::StandIn;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

NvmlRecord rounds(const StandIn& script, int count) {
  Sampler sampler(script.open().library, 0.02);
  for (int i = 0; i < count; ++i) sampler.sample_once();
  return sampler.stop();
}

TEST(Sampler, TenSecondsOfTwoGpusMakeTwoStatements) {
  const NvmlRecord record = rounds(StandIn{{"STEP_US", "20000"}}, 501);
  ASSERT_EQ(record.samples.size(), 1002U);
  EXPECT_FALSE(record.incomplete);
  const PowerStatement first = power_statement(record.of(0));
  const PowerStatement second = power_statement(record.of(1));
  ASSERT_TRUE(first.usable()) << first.reason;
  ASSERT_TRUE(second.usable()) << second.reason;
  EXPECT_NEAR(*first.counter_w, 500, 0.01);
  EXPECT_NEAR(*second.counter_w, 510, 0.01);
  EXPECT_NEAR(*first.sampled_w, 500, 1e-9);
}

TEST(Sampler, ASensorThatMissesSixPercentOfTheEnergyIsFound) {
  const StandIn script{{"STEP_US", "20000"}, {"ENERGY_FACTOR", "1.07"}};
  EXPECT_EQ(power_statement(rounds(script, 501).of(0)).verdict, Verdict::disagree);
}

TEST(Sampler, AFrozenCounterIsFound) {
  const StandIn script{{"STEP_US", "20000"}, {"FROZEN", "1"}};
  EXPECT_EQ(power_statement(rounds(script, 501).of(0)).verdict, Verdict::frozen);
}

TEST(Sampler, ALostGpuKeepsItsPastAndTheOthersGoOn) {
  const NvmlRecord record = rounds(StandIn{{"STEP_US", "20000"}, {"LOST_AFTER", "5"}}, 20);
  EXPECT_EQ(record.of(0).size(), 20U);
  EXPECT_EQ(record.of(1).size(), 5U);
  EXPECT_TRUE(record.incomplete);
  EXPECT_THAT(record.notes, ElementsAre(HasSubstr("GPU 1 (GPU-1) stopped answering: NVML code 15, "
                                                  "the GPU is lost")));
}

TEST(Sampler, SlowAnswersAreMissedRoundsNotABurstOfLateOnes) {
  const StandIn script{{"GPUS", "1"}, {"SLOW_MS", "30"}};
  Sampler sampler(script.open().library, 0.01);
  sampler.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const NvmlRecord record = sampler.stop();
  EXPECT_GE(record.slowest_round_s, 0.030);
  EXPECT_GE(record.achieved_period_s, 0.030);
  EXPECT_GE(record.missed_rounds, record.samples.size() - 1);
  EXPECT_THAT(record.notes, ElementsAre(HasSubstr("rounds were missed")));
}

/// Seconds and watts of a recorded log, by its own times of one day.
struct PowerLog {
  std::vector<double> seconds, watts;
};

PowerLog read_log(const std::filesystem::path& path) {
  PowerLog log;
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    int hour = 0, minute = 0;
    double second = 0, watts = 0;
    EXPECT_EQ(
        std::sscanf(line.c_str(), "%*d/%*d/%*d %d:%d:%lf,%lf", &hour, &minute, &second, &watts), 4);
    log.seconds.push_back(hour * 3600.0 + minute * 60.0 + second);
    log.watts.push_back(watts);
  }
  const double first = log.seconds.front();
  for (double& s : log.seconds) s -= first;
  return log;
}

TEST(Sampler, PlaysARecordedLogIntoARunFile) {
  RACKWRIGHT_NEED_SHARED("gpu-power-timelines/v100_llama2-7b.csv");
  const PowerLog log =
      read_log(rackwright::testing::shared_data() / "gpu-power-timelines/v100_llama2-7b.csv");
  const rackwright::testing::TemporaryFolder folder;
  std::string text;
  double joules = 0;
  for (std::size_t i = 0; i < log.seconds.size() && log.seconds[i] < 200; ++i) {
    text += std::to_string(log.seconds[i]) + "," + std::to_string(log.watts[i]) + "\n";
  }
  // The log holds a value until its next row: joules from 1.1 s to 190 s by hand over its rows.
  for (std::size_t i = 0; i + 1 < log.seconds.size(); ++i) {
    const double from = std::max(1.1, log.seconds[i]), to = std::min(190.0, log.seconds[i + 1]);
    if (to > from) joules += log.watts[i] * (to - from);
  }
  const auto file = folder.write("log.csv", text);
  const StandIn script{{"GPUS", "1"}, {"STEP_US", "20000"}, {"LOG", file.string()}};
  const NvmlRecord record = rounds(script, 9500);  // to 190.0 s
  const PowerStatement statement = power_statement(record.of(0));
  ASSERT_TRUE(statement.usable()) << statement.reason;
  EXPECT_NEAR(*statement.counter_w * statement.window_s, joules, 0.002 * joules);
  EXPECT_NEAR(*statement.sampled_w, *statement.counter_w, 0.002 * *statement.counter_w);

  const auto run = folder.path() / "run.rw";
  {
    RunFileWriter writer(run, {});
    writer.write(Trace{});
    writer.finish();
  }
  const auto sensors = read_sensor_facts(std::filesystem::path(RACKWRIGHT_SOURCE_DIR) /
                                         "profiler/nvml/sensors.json");
  add_to_run(run, record, sensors, record.samples.front().time_us);
  Database database(run, Database::Access::read);
  EXPECT_EQ(database.integer("SELECT count(*) FROM counters WHERE name = 'power_instant'"), 9500);
  EXPECT_EQ(database.integer("SELECT slot * 1000 + tray FROM gpus WHERE gpu = 0"), 26016);
  EXPECT_EQ(database.integer("SELECT round(100 * duty_cycle) FROM sensors"), 25);
  EXPECT_EQ(database.integer("SELECT value FROM gpu_settings WHERE gpu = 0 AND field = 274"), 150);
  EXPECT_NO_THROW(static_cast<void>(read_run_file(run)));
}

TEST(SensorFacts, WhatIsNotPublishedStaysBlank) {
  const auto sensors = read_sensor_facts(std::filesystem::path(RACKWRIGHT_SOURCE_DIR) /
                                         "profiler/nvml/sensors.json");
  EXPECT_DOUBLE_EQ(find_sensor(sensors, "9.0")->duty_cycle().value(), 0.25);
  EXPECT_FALSE(find_sensor(sensors, "10.0")->duty_cycle());
  EXPECT_EQ(find_sensor(sensors, "12.1"), nullptr);
}

TEST(NvmlTables, AnotherKindOfFileIsRefused) {
  const rackwright::testing::TemporaryFolder folder;
  EXPECT_THROW(add_to_run(folder.write("x.rw", "text"), {}, {}, 0), InputError);
}

}  // namespace
}  // namespace rackwright::profiler::nvml
