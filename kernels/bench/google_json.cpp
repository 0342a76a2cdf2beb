#include "kernels/bench/google_json.hpp"

#include <functional>
#include <memory>
#include <ostream>
#include <sstream>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace rackwright::kernels {

namespace {

using Run = benchmark::BenchmarkReporter::Run;

/// The reporter prints the library's one table of facts: ours stand in it while it does.
class ContextFacts {
 public:
  explicit ContextFacts(std::map<std::string, std::string> facts)
      : facts_(std::move(facts)), kept_(benchmark::internal::GetGlobalContext()) {
    benchmark::internal::GetGlobalContext() = &facts_;
  }
  ~ContextFacts() { benchmark::internal::GetGlobalContext() = kept_; }
  ContextFacts(const ContextFacts&) = delete;
  ContextFacts& operator=(const ContextFacts&) = delete;

 private:
  std::map<std::string, std::string> facts_;
  std::map<std::string, std::string>* kept_;
};

Run common_of(const BenchResult& result, std::int64_t family) {
  Run run;
  run.run_name.function_name = result.name;
  run.run_name.iterations = "iterations:1";
  run.run_name.repetitions = fmt::format("repeats:{}", result.samples.size());
  run.run_name.time_type = "manual_time";
  run.family_index = family;
  run.per_family_instance_index = 0;
  run.repetitions = static_cast<std::int64_t>(result.samples.size());
  run.repetition_index = Run::no_repetition_index;
  run.iterations = 1;
  run.threads = 1;
  run.time_unit = benchmark::kNanosecond;
  run.statistics = nullptr;
  run.report_label = result.choice;
  return run;
}

void add_counters(const BenchResult& result, const MeasuredBounds& bounds, double seconds,
                  Run& run) {
  if (!(seconds > 0)) return;
  if (result.work.memory_bytes > 0)
    run.counters["bytes_per_second"] = result.work.memory_bytes / seconds;
  if (result.work.flops > 0) run.counters["flop_per_second"] = result.work.flops / seconds;
  if (const double share = share_of_bound(result, bounds).share; share > 0) {
    run.counters["share_of_bound"] = share * result.summary.median / seconds;
  }
  if (result.watts) run.counters["watts"] = *result.watts;
  if (result.joules) run.counters["joules"] = *result.joules;
}

std::vector<Run> sample_rows(const BenchResult& result, const MeasuredBounds& bounds,
                             std::int64_t family) {
  std::vector<Run> rows;
  for (const Sample& sample : result.samples) {
    Run run = common_of(result, family);
    run.repetition_index = static_cast<std::int64_t>(rows.size());
    run.real_accumulated_time = sample.seconds;
    run.cpu_accumulated_time = sample.cpu_seconds;
    add_counters(result, bounds, sample.seconds, run);
    rows.push_back(std::move(run));
  }
  return rows;
}

std::vector<Run> aggregate_rows(const BenchResult& result, const MeasuredBounds& bounds,
                                std::int64_t family) {
  std::vector<double> cpu_values;
  for (const Sample& sample : result.samples) cpu_values.push_back(sample.cpu_seconds);
  const SampleSummary& real = result.summary;
  const SampleSummary cpu = summarise(std::move(cpu_values));
  std::vector<Run> rows;
  const auto add = [&](const char* name, auto member, bool is_time) {
    Run run = common_of(result, family);
    run.run_type = Run::RT_Aggregate;
    run.aggregate_name = name;
    run.aggregate_unit = is_time ? benchmark::kTime : benchmark::kPercentage;
    run.iterations = static_cast<benchmark::IterationCount>(result.samples.size());
    // The reporter divides what it is given by the iterations.
    const double share = is_time ? static_cast<double>(result.samples.size()) : 1;
    run.real_accumulated_time = member(real) * share;
    run.cpu_accumulated_time = member(cpu) * share;
    if (name == std::string_view("median")) add_counters(result, bounds, real.median, run);
    rows.push_back(std::move(run));
  };
  add(
      "mean", [](const SampleSummary& s) { return s.mean; }, true);
  add(
      "median", [](const SampleSummary& s) { return s.median; }, true);
  add(
      "stddev", [](const SampleSummary& s) { return s.deviation; }, true);
  add(
      "cv", [](const SampleSummary& s) { return s.mean > 0 ? s.deviation / s.mean : 0; }, false);
  add(
      "mad", [](const SampleSummary& s) { return s.mad; }, true);
  add(
      "p5", [](const SampleSummary& s) { return s.p5; }, true);
  add(
      "p95", [](const SampleSummary& s) { return s.p95; }, true);
  add(
      "p99", [](const SampleSummary& s) { return s.p99; }, true);
  add(
      "median_low", [](const SampleSummary& s) { return s.low; }, true);
  add(
      "median_high", [](const SampleSummary& s) { return s.high; }, true);
  return rows;
}

Run error_row(const BenchResult& result, std::int64_t family) {
  Run run = common_of(result, family);
  run.error_occurred = true;
  run.error_message =
      result.skipped.empty() ? std::string(to_string(result.stopped)) : result.skipped;
  return run;
}

}  // namespace

void write_google_json(std::ostream& out, const std::vector<BenchResult>& results,
                       const MeasuredBounds& bounds,
                       const std::map<std::string, std::string>& facts) {
  const ContextFacts context(facts);
  std::ostringstream warnings;  // of the library's own build; the context says "release" or "debug"
  benchmark::JSONReporter reporter;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&warnings);
  reporter.ReportContext({});
  std::int64_t family = 0;
  for (const BenchResult& result : results) {
    if (result.samples.empty()) {
      reporter.ReportRuns({error_row(result, family)});
    } else {
      reporter.ReportRuns(sample_rows(result, bounds, family));
      reporter.ReportRuns(aggregate_rows(result, bounds, family));
    }
    ++family;
  }
  reporter.Finalize();
}

}  // namespace rackwright::kernels
