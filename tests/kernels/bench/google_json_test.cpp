#include "kernels/bench/google_json.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace rackwright::kernels {
namespace {

using nlohmann::json;

BenchResult three_samples() {
  BenchResult result;
  result.name = "gemm/m:16";
  result.work.flops = 4e9;
  result.work.memory_bytes = 1e9;
  result.samples = {{1e-3, 2e-3}, {2e-3, 4e-3}, {4e-3, 8e-3}};
  result.choice = "cuBLASLt, algorithm 6";
  result.watts = 250;
  result.joules = 0.5;
  result.summary = summarise({1e-3, 2e-3, 4e-3});
  return result;
}

json written(const std::vector<BenchResult>& results) {
  MeasuredBounds bounds;
  bounds.bytes_per_s = 1e12;
  std::ostringstream out;
  write_google_json(out, results, bounds, {{"rackwright_seed", "7"}});
  return json::parse(out.str());
}

/// Keys and types of a row, from Google Benchmark 1.7.1 (docs/user_guide.md and
/// src/json_reporter.cc) and what tools/gbench/report.py reads.
void expect_row(const json& row) {
  for (const char* key : {"name", "run_name", "run_type", "time_unit"}) {
    EXPECT_TRUE(row.at(key).is_string()) << key;
  }
  for (const char* key :
       {"family_index", "per_family_instance_index", "repetitions", "threads", "iterations"}) {
    EXPECT_TRUE(row.at(key).is_number_integer() || row.contains("aggregate_name")) << key;
  }
  EXPECT_TRUE(row.at("real_time").is_number());
  EXPECT_TRUE(row.at("cpu_time").is_number());
  if (row["run_type"] == "aggregate") {
    EXPECT_TRUE(row.at("aggregate_name").is_string());
    EXPECT_TRUE(row.at("aggregate_unit") == "time" || row.at("aggregate_unit") == "percentage");
  } else {
    EXPECT_EQ(row["run_type"], "iteration");
    EXPECT_TRUE(row.at("repetition_index").is_number_integer());
  }
}

json aggregate(const json& rows, const std::string& name) {
  for (const json& row : rows) {
    if (row.value("aggregate_name", "") == name) return row;
  }
  return {};
}

TEST(GoogleJson, HasARowPerSampleThenAggregates) {
  const json document = written({three_samples()});
  const json& rows = document.at("benchmarks");
  ASSERT_EQ(rows.size(), 3U + 10U);
  for (const json& row : rows) expect_row(row);
  EXPECT_EQ(rows[0]["name"], "gemm/m:16/iterations:1/repeats:3/manual_time");
  EXPECT_EQ(rows[1]["repetition_index"], 1);
  EXPECT_EQ(rows[1]["repetitions"], 3);
  EXPECT_EQ(rows[1]["iterations"], 1);
  EXPECT_EQ(rows[1]["time_unit"], "ns");
  EXPECT_EQ(rows[1]["label"], "cuBLASLt, algorithm 6");
  EXPECT_NEAR(rows[1]["real_time"].get<double>(), 2e6, 1e-3);
  EXPECT_NEAR(rows[1]["cpu_time"].get<double>(), 4e6, 1e-3);
}

TEST(GoogleJson, CountersAreOfEachSample) {
  const json document = written({three_samples()});
  const json& rows = document.at("benchmarks");
  EXPECT_NEAR(rows[0]["bytes_per_second"].get<double>(), 1e12, 1);
  EXPECT_NEAR(rows[2]["flop_per_second"].get<double>(), 1e12, 1);
  EXPECT_NEAR(rows[0]["share_of_bound"].get<double>(), 1, 1e-9);
  EXPECT_NEAR(rows[2]["share_of_bound"].get<double>(), 0.25, 1e-9);
  EXPECT_EQ(rows[0]["watts"], 250);
  EXPECT_EQ(rows[0]["joules"], 0.5);
}

TEST(GoogleJson, AggregatesAreOfTheSeries) {
  const json document = written({three_samples()});
  const json& rows = document.at("benchmarks");
  EXPECT_NEAR(aggregate(rows, "median")["real_time"].get<double>(), 2e6, 1e-3);
  EXPECT_NEAR(aggregate(rows, "mean")["real_time"].get<double>(), 7e6 / 3, 1e-3);
  EXPECT_NEAR(aggregate(rows, "mad")["real_time"].get<double>(), 1e6, 1e-3);
  EXPECT_NEAR(aggregate(rows, "mean")["cpu_time"].get<double>(), 14e6 / 3, 1e-3);
  // Standard deviation of 1, 2, 4 over the mean 7/3: sqrt(7/3) / (7/3).
  EXPECT_NEAR(aggregate(rows, "cv")["real_time"].get<double>(), 0.6546536707, 1e-9);
  EXPECT_EQ(aggregate(rows, "cv")["aggregate_unit"], "percentage");
  EXPECT_EQ(aggregate(rows, "p95")["name"], "gemm/m:16/iterations:1/repeats:3/manual_time_p95");
}

TEST(GoogleJson, ContextHoldsOurFactsOnce) {
  for (int time = 0; time < 2; ++time) {
    const json context = written({three_samples()}).at("context");
    EXPECT_EQ(context.at("rackwright_seed"), "7");
    EXPECT_TRUE(context.at("num_cpus").is_number_integer());
    EXPECT_TRUE(context.at("caches").is_array());
  }
}

TEST(GoogleJson, WhatDidNotRunIsAnError) {
  BenchResult skipped;
  skipped.name = "experts";
  skipped.skipped = "no kernel";
  BenchResult slow;
  slow.name = "slow";
  slow.stopped = StopReason::all_discarded;
  const json rows = written({skipped, slow}).at("benchmarks");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["error_occurred"], true);
  EXPECT_EQ(rows[0]["error_message"], "no kernel");
  EXPECT_EQ(rows[1]["error_message"], "all samples discarded");
}

}  // namespace
}  // namespace rackwright::kernels
