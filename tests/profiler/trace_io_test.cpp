#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "profiler/trace_io/csv.hpp"
#include "profiler/trace_io/openmetrics.hpp"
#include "profiler/trace_io/perfetto.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace rackwright::profiler {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Trace recorded() {
  testing::FakeBackend backend(
      [](const auto& graph) { return 0.005 + 2e-5 * testing::tokens_of(graph); });
  backend.per_operator = true;
  auto setup = testing::roomy_setup();
  setup.plan.tp = 2;
  return replay(testing::workload_of(testing::poisson(60, 8, 300, 20)), setup, backend, {});
}

nlohmann::json events_of(const Trace& trace, const PerfettoOptions& options = {}) {
  std::ostringstream out;
  write_perfetto(trace, out, options);
  return nlohmann::json::parse(out.str()).at("traceEvents");
}

std::size_t count(const nlohmann::json& events, const char* phase) {
  std::size_t n = 0;
  for (const auto& event : events) n += event.at("ph") == phase ? 1 : 0;
  return n;
}

TEST(Perfetto, HasEverySliceAndRequest) {
  const Trace trace = recorded();
  const auto events = events_of(trace);
  EXPECT_EQ(count(events, "X"), trace.slices.size());
  EXPECT_EQ(count(events, "b"), 2 * trace.engine.requests.size());
  EXPECT_EQ(count(events, "e"), 2 * trace.engine.requests.size());
  EXPECT_EQ(count(events, "s"), trace.engine.requests.size());
  EXPECT_EQ(count(events, "f"), trace.engine.requests.size());
}

TEST(Perfetto, SlicesOfAThreadNeverOverlap) {
  const Trace trace = recorded();
  std::map<std::pair<int, int>, double> end_us;
  for (const auto& event : events_of(trace)) {
    if (event.at("ph") != "X") continue;
    double& end = end_us[{event.at("pid"), event.at("tid")}];
    const double start = event.at("ts");
    ASSERT_GE(start, end - 1e-6);  // both have three decimals
    end = start + event.at("dur").get<double>();
  }
  EXPECT_EQ(end_us.size(), 2U);
}

TEST(Perfetto, TimesAreMicroseconds) {
  const Trace trace = recorded();
  double last = 0;
  for (const auto& event : events_of(trace)) {
    if (event.at("ph") == "X") {
      last = event.at("ts").get<double>() + event.at("dur").get<double>();
    }
  }
  EXPECT_NEAR(last * 1e-6, trace.end_s, 1e-8);
}

TEST(Perfetto, CounterIntegralIsTheEnergy) {
  const Trace trace = recorded();
  double joules = 0;
  double since = 0;
  double watts = 0;
  for (const auto& event : events_of(trace)) {
    if (event.at("ph") != "C") continue;
    const double now = event.at("ts").get<double>() * 1e-6;
    ASSERT_GE(now, since);
    joules += watts * (now - since);
    since = now;
    watts = event.at("args").at("W");
  }
  EXPECT_EQ(watts, 0);
  EXPECT_NEAR(joules / trace.joules_per_gpu(), 1, 1e-6);
}

TEST(Perfetto, NamesProcessesAndThreads) {
  Trace trace = recorded();
  trace.device = "a \"quoted\" device";
  std::set<std::string> names;
  for (const auto& event : events_of(trace)) {
    if (event.at("ph") == "M") names.insert(event.at("args").at("name").get<std::string>());
  }
  EXPECT_EQ(names, (std::set<std::string>{"GPU rank 0 (a \"quoted\" device)", "compute",
                                          "collectives", "requests"}));
}

TEST(Perfetto, WritesAProcessForEachRankAskedFor) {
  const Trace trace = recorded();
  const auto events = events_of(trace, {.ranks = 100});  // the replica has two
  std::set<int> processes;
  for (const auto& event : events) {
    if (event.at("ph") == "X") processes.insert(event.at("pid").get<int>());
  }
  EXPECT_EQ(processes, (std::set<int>{1, 2}));
  EXPECT_EQ(count(events, "X"), 2 * trace.slices.size());
}

TEST(Perfetto, KeepsToTheWindow) {
  const Trace trace = recorded();
  for (const auto& event : events_of(trace, {.from_s = 2.0, .to_s = 3.0})) {
    if (event.at("ph") != "X") continue;
    EXPECT_LE(event.at("ts").get<double>(), 3e6);
    EXPECT_GE(event.at("ts").get<double>() + event.at("dur").get<double>(), 2e6 - 1e-3);
  }
}

TEST(Perfetto, OfAnEmptyTraceIsValid) {
  EXPECT_EQ(count(events_of(Trace{}), "X"), 0U);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Csv, HasALineForEachSliceAndRequest) {
  const Trace trace = recorded();
  std::ostringstream slices;
  write_slices_csv(trace, slices);
  EXPECT_EQ(lines_of(slices.str()).size(), trace.slices.size() + 1);
  EXPECT_EQ(lines_of(slices.str())[0], "start_s,duration_s,step,class,watts");

  std::ostringstream requests;
  write_requests_csv(trace, requests);
  ASSERT_EQ(lines_of(requests.str()).size(), trace.engine.requests.size() + 1);
  // the first request runs alone: 5 ms + 300 x 20 us
  EXPECT_THAT(lines_of(requests.str())[1], StartsWith("0.000000,0.011000,"));
}

TEST(Csv, PowerIntegratesToTheEnergy) {
  const Trace trace = recorded();
  std::ostringstream out;
  write_power_csv(trace, out);
  double joules = 0;
  auto lines = lines_of(out.str());
  for (std::size_t i = 1; i < lines.size(); ++i) {
    double from = 0;
    double to = 0;
    double watts = 0;
    ASSERT_EQ(std::sscanf(lines[i].c_str(), "%lf,%lf,%lf", &from, &to, &watts), 3);
    joules += watts * (to - from);
  }
  EXPECT_NEAR(joules / trace.joules_per_gpu(), 1, 1e-6);
}

TEST(OpenMetrics, FollowsTheTextFormat) {
  // OpenMetrics 1.0: counters end in _total, the unit is the end of the family's name, "# EOF"
  // last.
  const Trace trace = recorded();
  std::ostringstream out;
  write_openmetrics(trace, out);
  const auto lines = lines_of(out.str());
  EXPECT_EQ(lines.back(), "# EOF");
  std::map<std::string, std::string> types;
  for (const auto& line : lines) {
    std::istringstream in(line);
    std::string hash, keyword, name, value;
    in >> hash >> keyword >> name >> value;
    if (keyword == "TYPE") {
      EXPECT_EQ(types.count(name), 0U) << name;
      types[name] = value;
    } else if (keyword == "UNIT") {
      EXPECT_TRUE(name.ends_with("_" + value)) << name;
    } else if (hash != "#") {
      const std::string sample = line.substr(0, line.find('{'));
      const bool counter = sample.ends_with("_total");
      const std::string family = counter ? sample.substr(0, sample.size() - 6) : sample;
      ASSERT_EQ(types.count(family), 1U) << sample;
      EXPECT_EQ(types[family], counter ? "counter" : "gauge") << sample;
    }
  }
}

TEST(OpenMetrics, HoldsTheTotals) {
  const Trace trace = recorded();
  std::ostringstream out;
  write_openmetrics(trace, out);
  EXPECT_THAT(out.str(), HasSubstr("rackwright_requests_total{workload=\"test\","
                                   "device=\"fake-gpu\",plan=\"TP2\",origin=\"modelled\"} 60"));
}

}  // namespace
}  // namespace rackwright::profiler
