#include "profiler/step_recorder.hpp"

#include <gtest/gtest.h>

namespace rackwright::profiler {
namespace {

using workloads::OperatorClass;

constexpr auto kGemm = static_cast<std::size_t>(OperatorClass::gemm);
constexpr auto kCollective = static_cast<std::size_t>(OperatorClass::collective);
constexpr auto kHost = static_cast<std::size_t>(OperatorClass::host);

/// A GEMM of 2 s and 1000 J, a collective of 1 s and 200 J.
struct Step {
  workloads::OperatorGraph graph;
  kernels::StepTiming timing;
  Step() {
    workloads::Operator gemm;
    gemm.shape = workloads::GemmShape{8, 16, 32, workloads::DataType::bf16};
    gemm.repeat = 2;
    workloads::Operator reduce;
    reduce.op_class = OperatorClass::collective;
    reduce.lane = workloads::Lane::communication;
    reduce.repeat = 2;
    workloads::CollectiveShape shape;
    shape.ranks = 8;
    shape.bytes = 1e6;
    shape.implementation = workloads::AllReduceKind::nccl;
    reduce.shape = shape;
    graph.operators = {gemm, reduce};
    timing.operators = {{2, 1000, 0.1, false}, {1, 200, 0.4, true}};
    timing.seconds = 3;
    timing.joules = 1200;
  }
};

double shown_joules(const GraphSummary& summary) {
  double sum = 0;
  for (const double joules : summary.shown_joules) sum += joules;
  return sum;
}
double shown_seconds(const GraphSummary& summary) {
  double sum = 0;
  for (const double seconds : summary.shown_seconds) sum += seconds;
  return sum;
}

TEST(GraphSummary, SumsWorkByClassWithRepeats) {
  const Step step;
  GraphSummary summary;
  summarise(step.graph, step.timing, {.tp = 8}, 8, summary);

  EXPECT_DOUBLE_EQ(summary.classes[kGemm].flops, 2 * 2.0 * 8 * 16 * 32);
  // all-reduce over 8 ranks: 2 x 7/8 x 1 MB, twice
  EXPECT_DOUBLE_EQ(summary.classes[kCollective].wire_bytes, 3.5e6);
  EXPECT_DOUBLE_EQ(summary.scale_up_bytes, 3.5e6);
  EXPECT_EQ(summary.collectives, 2);
  EXPECT_TRUE(summary.extrapolated);
  // (2 x 0.1 + 1 x 0.4) / 3
  EXPECT_NEAR(summary.error_seconds / summary.operator_seconds, 0.2, 1e-12);
}

TEST(GraphSummary, GivesTheEnergyOfHiddenCollectivesToCompute) {
  Step step;
  step.timing.overlap_s = 0.5;
  step.timing.seconds = 2.5;
  GraphSummary summary;
  summarise(step.graph, step.timing, {.tp = 8}, 8, summary);

  EXPECT_DOUBLE_EQ(summary.shown_seconds[kCollective], 0.5);
  EXPECT_DOUBLE_EQ(summary.shown_joules[kCollective], 100);
  EXPECT_DOUBLE_EQ(summary.shown_joules[kGemm], 1100);
  EXPECT_DOUBLE_EQ(summary.classes[kCollective].joules, 200);
  EXPECT_DOUBLE_EQ(shown_seconds(summary), 2.5);
}

TEST(GraphSummary, FillsLaunchGapsWithTheHost) {
  Step step;
  step.timing.launch_s = 0.25;
  step.timing.seconds = 3.25;
  GraphSummary summary;
  summarise(step.graph, step.timing, {.tp = 8}, 8, summary);

  EXPECT_DOUBLE_EQ(summary.shown_seconds[kHost], 0.25);
  EXPECT_EQ(summary.class_count, 3);
  EXPECT_DOUBLE_EQ(shown_joules(summary), 1200);
}

TEST(GraphSummary, KeepsEnergyWhenMoreThanTheCollectiveOverlaps) {
  Step step;
  step.timing.seconds = 1.5;
  GraphSummary summary;
  summarise(step.graph, step.timing, {.tp = 8}, 8, summary);

  EXPECT_DOUBLE_EQ(summary.shown_seconds[kCollective], 0);
  EXPECT_DOUBLE_EQ(summary.shown_seconds[kGemm], 1.5);
  EXPECT_DOUBLE_EQ(shown_joules(summary), 1200);
}

TEST(StepRecorder, WritesSlicesThatFillTheStep) {
  const Step step;
  GraphSummary summary;
  summarise(step.graph, step.timing, {.tp = 8}, 8, summary);
  Trace trace;
  StepRecorder recorder(trace, true);
  recorder.add(10, 3, summary, nullptr, 0);
  recorder.finish();

  ASSERT_EQ(trace.slices.size(), 2U);
  EXPECT_EQ(trace.slices[0].start_s, 10);
  EXPECT_EQ(trace.slices[0].watts, 500);
  EXPECT_EQ(trace.slices[1].start_s, 12);
  EXPECT_EQ(trace.slices[1].duration_s, 1);
  EXPECT_EQ(trace.slices[1].watts, 200);
  EXPECT_DOUBLE_EQ(trace.relative_error, 0.2);
  // 3.5 MB evenly over 3 s
  EXPECT_NEAR(trace.traffic.scale_up_peak_bytes_per_s, 3.5e6 / 3, 1e-3);
}

TEST(StepRecorder, CountsADraftAsOftenAsItRuns) {
  const Step step;
  GraphSummary summary;
  summarise(step.graph, step.timing, {.tp = 8}, 8, summary);
  Trace trace;
  StepRecorder recorder(trace, true);
  recorder.add(0, 3 + 0.5 * 3, summary, &summary, 0.5);

  EXPECT_DOUBLE_EQ(trace.totals[kGemm].joules, 1500);
  ASSERT_EQ(trace.slices.size(), 4U);
  EXPECT_EQ(trace.slices[3].start_s, 4);
  EXPECT_EQ(trace.slices[3].duration_s, 0.5);
}

TEST(StepRecorder, TakesNoSlicesWhenNotAsked) {
  const Step step;
  GraphSummary summary;
  summarise(step.graph, step.timing, {.tp = 8}, 8, summary);
  Trace trace;
  StepRecorder recorder(trace, false);
  recorder.add(0, 3, summary, nullptr, 0);

  EXPECT_TRUE(trace.slices.empty());
  EXPECT_DOUBLE_EQ(trace.totals[kGemm].joules, 1000);
}

}  // namespace
}  // namespace rackwright::profiler
