#include "kernels/measured_backend.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/kernels/backend_contract.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;

/// Each operator takes 1 ms times its repeats, the whole 0.8 of their sum; counts what it does.
class StandIn final : public Backend {
 public:
  explicit StandIn(double* clock, double whole = 0.8) : clock_(clock), whole_(whole) {}
  [[nodiscard]] std::string_view name() const override { return "stand-in"; }
  [[nodiscard]] std::string_view device() const override { return "stand-in"; }
  std::unique_ptr<PreparedStep> prepare(const OperatorGraph& graph, const RankContext&) override {
    return std::make_unique<Step>(graph, clock_, whole_);
  }

 private:
  struct Step final : PreparedStep {
    Step(const OperatorGraph& graph, double* to, double whole) : clock(to) {
      for (const Operator& op : graph.operators) {
        timing.operators.push_back({.seconds = 1e-3 * op.repeat});
        timing.seconds += whole * 1e-3 * op.repeat;
      }
    }
    const StepTiming& run(ReplayMode, OperatorObserver*) override {
      *clock += timing.seconds;
      return timing;
    }
    StepTiming timing;
    double* clock;
  };
  double* clock_;
  double whole_;
};

OperatorGraph step_of(double m, bool prefill = false) {
  OperatorGraph graph{
      {{"up", OperatorClass::gemm, Lane::compute, 2, GemmShape{m, 512, 512, DataType::bf16}},
       {"norm", OperatorClass::elementwise, Lane::compute, 1, ElementwiseShape{4096, 4096, 0}}}};
  if (prefill) {
    graph.operators[0].name = "attend";
    graph.operators[0].op_class = OperatorClass::attention_prefill;
  }
  return graph;
}

MeasuredOptions with_meter(double* clock, double watts) {
  MeasuredOptions options;
  options.now = [clock] { return *clock; };
  options.joules = [clock, watts, last = 0.0]() mutable {
    const double since = watts * (*clock - last);
    last = *clock;
    return std::optional<double>(since);
  };
  return options;
}

class MeasuredBackendTest : public ::testing::Test {
 protected:
  const StepTiming& time(MeasuredBackend& backend, const OperatorGraph& graph) {
    step_ = backend.prepare(graph, {});
    return step_->run(ReplayMode::whole, nullptr);
  }
  double clock_ = 0;
  std::unique_ptr<PreparedStep> step_;
};

TEST_F(MeasuredBackendTest, NearStepsRunOnceAndAreScaledByTheirWork) {
  MeasuredBackend backend(std::make_unique<StandIn>(&clock_), {});
  const StepTiming exact = time(backend, step_of(64));
  EXPECT_NEAR(exact.operators[0].seconds, 2e-3, 1e-12);
  EXPECT_NEAR(exact.operators[0].relative_error, 0, 1e-12);
  const StepTiming near = time(backend, step_of(70));  // rounds to 64
  EXPECT_EQ(backend.measured(), 1U);
  EXPECT_NEAR(near.operators[0].seconds, 2e-3 * 70 / 64, 1e-12);
  EXPECT_NEAR(near.operators[0].relative_error, 0.1 * std::log2(70.0 / 64), 1e-12);
  (void)time(backend, step_of(100));  // rounds to 91
  EXPECT_EQ(backend.measured(), 2U);
}

TEST_F(MeasuredBackendTest, TheWholeKeepsItsRatioAndTheGapIsOverlap) {
  MeasuredBackend backend(std::make_unique<StandIn>(&clock_), {});
  const StepTiming timing = time(backend, step_of(70));
  const double sum = timing.operators[0].seconds + timing.operators[1].seconds;
  EXPECT_NEAR(timing.seconds, 0.8 * sum, 1e-12);
  EXPECT_NEAR(timing.overlap_s, 0.2 * sum, 1e-12);
  EXPECT_EQ(timing.launch_s, 0);
  EXPECT_FALSE(backend.measures_power());
  EXPECT_EQ(timing.joules, 0);
}

TEST_F(MeasuredBackendTest, AWholeThatIsLongerThanItsOperatorsHasLaunchTime) {
  MeasuredBackend backend(std::make_unique<StandIn>(&clock_, 1.5), {});
  const StepTiming timing = time(backend, step_of(64));
  EXPECT_NEAR(timing.launch_s, 1.5e-3, 1e-12);  // half of 3 ms
  EXPECT_EQ(timing.overlap_s, 0);
}

TEST_F(MeasuredBackendTest, PowerIsOfWholeStepsOncePerKindOverAWindow) {
  MeasuredBackend backend(std::make_unique<StandIn>(&clock_), with_meter(&clock_, 400));
  EXPECT_TRUE(backend.measures_power());
  const StepTiming timing = time(backend, step_of(64));
  EXPECT_GE(clock_, 5);  // the window
  EXPECT_NEAR(timing.joules, 400 * timing.seconds, 1e-9);
  EXPECT_NEAR(timing.operators[0].joules, 2 * timing.operators[1].joules, 1e-9);  // by time
  const double before = clock_;
  (void)time(backend, step_of(70));  // the same step
  (void)time(backend, step_of(58));  // rounds to 64
  EXPECT_EQ(clock_, before);
  EXPECT_EQ(backend.power_windows(), 1U);
  (void)time(backend, step_of(256));       // two octaves more
  (void)time(backend, step_of(64, true));  // a prefill of the same size
  EXPECT_EQ(backend.power_windows(), 3U);
}

std::unique_ptr<Backend> measured() {
  static double clock = 0;
  return std::make_unique<MeasuredBackend>(std::make_unique<StandIn>(&clock),
                                           with_meter(&clock, 300));
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Measured, BackendContract, ::testing::Values(&measured));
}
}  // namespace rackwright::kernels
