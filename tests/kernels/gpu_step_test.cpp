#include "kernels/cuda/gpu_step.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kernels/stand_in_cuda.hpp"

namespace rackwright::kernels::cuda {
namespace {

using ::testing::HasSubstr;
using testing::StandInCuda;

/// Operators of 1, 2, 3 ms …; odd ones on a second lane.
class Work final : public StepWork {
 public:
  Work(StandInCuda& cuda, int count) : cuda_(cuda), count_(count) {}
  [[nodiscard]] int count() const override { return count_; }
  [[nodiscard]] int lane(int i) const override { return i % 2; }
  int enqueue(int i, void*) override {
    cuda_.work(i + 1);
    return cuda_.reached("enqueue");
  }

 private:
  StandInCuda& cuda_;
  int count_;
};

std::string failure(StandInCuda& cuda, bool& lost) {
  try {
    GpuStep step(cuda, std::make_unique<Work>(cuda, 3));
    (void)step.run_whole();
  } catch (const CudaError& error) {
    lost = error.lost();
    return error.what();
  }
  return "no failure";
}

TEST(GpuStep, TimesEachOperatorAndTheGraph) {
  StandInCuda cuda;
  {
    GpuStep step(cuda, std::make_unique<Work>(cuda, 3));
    EXPECT_NEAR(step.run_whole().total, 6e-3, 1e-9);
    const StepTimes times = step.run_by_operator({});
    ASSERT_EQ(times.operators.size(), 3U);
    EXPECT_NEAR(times.operators[2], 3e-3, 1e-9);
    EXPECT_NEAR(times.total, 6e-3, 1e-9);
    EXPECT_EQ(cuda.calls["launch_graph"], 1);
  }
  EXPECT_TRUE(cuda.open.empty());
}

// Operators of 1 and 2 ms on two lanes, launched anew each time.
TEST(GpuStep, EagerRunsTheSameWorkWithoutTheGraph) {
  StandInCuda cuda;
  GpuStep step(cuda, std::make_unique<Work>(cuda, 2));
  const int launched = cuda.calls["enqueue"];
  EXPECT_NEAR(step.run_eager().total, 3e-3, 1e-9);
  EXPECT_EQ(cuda.calls["launch_graph"], 0);
  EXPECT_EQ(cuda.calls["enqueue"] - launched, 2);
}

// An all-reduce on a lane of its own adds up what the product before it wrote, and the norm after it
// reads the sum: were the lanes not to wait for each other, a graph would hide the collective.
TEST(GpuStep, AnOperatorWaitsForTheOneBeforeItOnAnotherLane) {
  StandInCuda cuda;
  GpuStep step(cuda, std::make_unique<Work>(cuda, 4));  // lanes 0, 1, 0, 1
  cuda.waits.clear();
  (void)step.run_eager();
  void* const main = reinterpret_cast<void*>(1);  // the first two streams made
  void* const other = reinterpret_cast<void*>(2);
  using Waits = std::vector<std::pair<void*, void*>>;
  EXPECT_EQ(cuda.waits, (Waits{{other, main}, {main, other}, {other, main}, {main, other}}));
}

// 1, 2 and 3 ms; the device waits 0.5 ms for each launch unless the stream is held until all is
// queued: the graph is one launch, the operators three.
TEST(GpuStep, LaunchesAreInNoTimeButTheEagerOne) {
  StandInCuda cuda;
  cuda.launch_ms = 0.5;
  GpuStep step(cuda, std::make_unique<Work>(cuda, 3));
  const StepTimes whole = step.run_whole(), alone = step.run_by_operator({}),
                  eager = step.run_eager();
  EXPECT_NEAR(whole.total, 6e-3, 1e-9);
  EXPECT_NEAR(alone.total, 6e-3, 1e-9);
  EXPECT_NEAR(eager.total, 7.5e-3, 1e-9);
  EXPECT_FALSE(whole.launch_included || alone.launch_included);
  EXPECT_TRUE(eager.launch_included);
  EXPECT_FALSE(cuda.held);
}

TEST(GpuStep, AHoldThatTimesOutIsSaid) {
  StandInCuda cuda;
  cuda.launch_ms = 0.5;
  cuda.most_held = 0;
  GpuStep step(cuda, std::make_unique<Work>(cuda, 3));
  const StepTimes times = step.run_by_operator({});
  EXPECT_TRUE(times.launch_included);
  EXPECT_NEAR(times.total, 7.5e-3, 1e-9);
}

TEST(GpuStep, TheObserverSeesEachOperatorDrained) {
  StandInCuda cuda;
  GpuStep step(cuda, std::make_unique<Work>(cuda, 2));
  std::string seen;
  const int drained = cuda.calls["synchronise"];
  (void)step.run_by_operator(
      [&](int i, bool begin) { seen += (begin ? "b" : "e") + std::to_string(i); });
  EXPECT_EQ(seen, "b0e0b1e1");
  EXPECT_EQ(cuda.calls["synchronise"] - drained, 2);
}

TEST(GpuStep, AnEmptyStepTakesNoTime) {
  StandInCuda cuda;
  GpuStep step(cuda, std::make_unique<Work>(cuda, 0));
  EXPECT_EQ(step.run_whole().total, 0);
  EXPECT_EQ(cuda.calls["launch_graph"], 0);
}

struct Failure {
  const char* call;
  int at, code;
  bool sticky;
  const char* says;
};
class GpuStepFailure : public ::testing::TestWithParam<Failure> {};
INSTANTIATE_TEST_SUITE_P(
    Codes, GpuStepFailure,
    ::testing::Values(
        Failure{"create_stream", 2, 2, false, "fewer sequences"},
        Failure{"create_event", 4, 2, false, "cudaError2 (2)"},
        Failure{"create_stream", 1, 35, false, "install driver 580"},
        Failure{"create_stream", 1, 100, false, "CUDA_VISIBLE_DEVICES"},
        Failure{"enqueue", 2, 209, false, "operator 1: cudaError209 (209): this build has no code"},
        Failure{"synchronise", 1, 700, true, "start the program anew"},
        Failure{"enqueue", 5, 700, true, "a kernel failed on the device"},  // in capture
        Failure{"end_capture", 1, 2, false, "cudaGraphInstantiate"},
        Failure{"launch_graph", 1, 719, true, "cudaGraphLaunch"}));

TEST_P(GpuStepFailure, NamesTheCallAndTheRemedyAndLeavesNothingOpen) {
  const Failure f = GetParam();
  StandInCuda cuda;
  cuda.fail_call = f.call, cuda.fail_at = f.at, cuda.fail_code = f.code, cuda.sticky = f.sticky;
  bool lost = !f.sticky;
  EXPECT_THAT(failure(cuda, lost), HasSubstr(f.says));
  EXPECT_EQ(lost, f.sticky);
  EXPECT_TRUE(cuda.open.empty());
  EXPECT_FALSE(cuda.capturing);
}

struct Remedy {
  int code;
  bool lost;
  const char* says;
};
class CudaRemedy : public ::testing::TestWithParam<Remedy> {};
INSTANTIATE_TEST_SUITE_P(
    Codes, CudaRemedy,
    ::testing::Values(Remedy{2, false, "fewer sequences"}, Remedy{3, false, "nvidia-smi"},
                      Remedy{34, false, "lib64/stubs"}, Remedy{35, false, "install driver 580"},
                      Remedy{46, false, "compute mode"}, Remedy{98, false, "ARCHITECTURES"},
                      Remedy{100, false, "CUDA_VISIBLE_DEVICES"},
                      Remedy{209, false, "ARCHITECTURES"}, Remedy{222, false, "PTX"},
                      Remedy{226, true, "Xid"}, Remedy{700, true, "report the operator"},
                      Remedy{702, true, "display"}, Remedy{710, true, "report the operator"},
                      Remedy{714, true, "report"}, Remedy{715, true, "report"},
                      Remedy{716, true, "report"}, Remedy{717, true, "report"},
                      Remedy{718, true, "report"}, Remedy{719, true, "report"},
                      Remedy{802, false, "fabricmanager"}, Remedy{803, false, "reboot"},
                      Remedy{804, false, "compatibility"}, Remedy{911, true, "dmesg"}));

// Every call of the step fails in its turn: the remedy does not hang on which.
TEST_P(CudaRemedy, IsNamedWhicheverCallFails) {
  const Remedy of = GetParam();
  for (const char* call : {"create_stream", "create_event", "enqueue", "synchronise", "record",
                           "begin_capture", "end_capture", "launch_graph", "elapsed", "hold"}) {
    StandInCuda cuda;
    cuda.fail_call = call, cuda.fail_code = of.code, cuda.sticky = of.lost;
    bool lost = !of.lost;
    const std::string message = failure(cuda, lost);
    EXPECT_THAT(message, HasSubstr(of.says)) << call;
    EXPECT_EQ(lost, of.lost) << call;
    EXPECT_EQ(message.find("start the program anew") != std::string::npos, of.lost) << message;
    EXPECT_TRUE(cuda.open.empty()) << call;
  }
}

TEST(CallGate, RefusesEveryCallOnceTheContextIsLost) {
  CallGate gate;
  char message[512] = "";
  StandInCuda cuda;
  cuda.fail_call = "synchronise", cuda.fail_code = 700, cuda.sticky = true;
  const auto step = [&] { GpuStep(cuda, std::make_unique<Work>(cuda, 3)).run_whole(); };
  EXPECT_EQ(gate.run(message, sizeof message, step), 700);
  EXPECT_THAT(message, HasSubstr("start the program anew"));
  bool entered = false;
  EXPECT_EQ(gate.run(message, sizeof message, [&] { entered = true; }), 700);
  EXPECT_FALSE(entered);
  EXPECT_THAT(message, HasSubstr("refused after an earlier error"));
}

TEST(CallGate, GoesOnAfterAnErrorThatPasses) {
  CallGate gate;
  char message[512] = "";
  StandInCuda cuda;
  cuda.fail_call = "create_stream", cuda.fail_code = 2;
  const auto step = [&] { GpuStep(cuda, std::make_unique<Work>(cuda, 3)).run_whole(); };
  EXPECT_EQ(gate.run(message, sizeof message, step), 2);
  EXPECT_EQ(gate.run(message, sizeof message, step), 0);
}

TEST(GpuStep, WithoutADriverThereIsNoContextToLose) {
  StandInCuda cuda;
  cuda.fail_call = "create_stream", cuda.fail_code = 35, cuda.sticky = true;
  bool lost = true;
  EXPECT_THAT(failure(cuda, lost), HasSubstr("no driver"));
  EXPECT_FALSE(lost);
}

}  // namespace
}  // namespace rackwright::kernels::cuda
