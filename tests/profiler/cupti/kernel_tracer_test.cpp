#include "profiler/kernel_tracer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/collectors.hpp"
#include "profiler/run_file.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

using ::testing::HasSubstr;

TEST(KernelTracer, WithoutADriverTheModuleOpensAndSaysWhy) {
  std::string reason;
  const auto tracer = KernelTracer::open(RACKWRIGHT_CUPTI_MODULE, reason);
  if (tracer) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(reason, HasSubstr("no NVIDIA driver or no GPU"));
}

TEST(KernelTracer, WithoutTheModuleTheReasonSaysHowToGetIt) {
  std::string reason;
  EXPECT_EQ(KernelTracer::open("/nowhere/rackwright_cupti.so", reason), nullptr);
  EXPECT_THAT(reason, HasSubstr("is not there (build with the CUDA toolkit's CUPTI installed)"));
}

/// A module that plays a trace: two kernels of operator 0, one of operator 1, a copy.
TEST(KernelTracer, KernelsMapBackToTheOperatorsThatLaunchedThem) {
  std::string reason;
  const auto tracer = KernelTracer::open(RACKWRIGHT_CUPTI_STAND_IN, reason);
  ASSERT_NE(tracer, nullptr) << reason;
  workloads::OperatorGraph graph;
  graph.operators = {{"qkv_proj"}, {"all_reduce"}};
  ASSERT_EQ(tracer->start(), "");
  tracer->step(graph);
  for (std::uint32_t i = 0; i < 2; ++i) {
    tracer->begin(OperatorId(i));
    tracer->end(OperatorId(i));
  }
  Recording recording;
  tracer->finish(1'000'000'000, recording);
  const auto find = [&](const std::string& name) {
    return std::find_if(recording.events.begin(), recording.events.end(),
                        [&](const Event& e) { return recording.names[e.name] == name; });
  };
  // Kernels at 1000 to 3000 and 4000 to 6000 ns after the start: the operator spans both.
  ASSERT_NE(find("qkv_proj"), recording.events.end());
  EXPECT_NEAR(find("qkv_proj")->start_s, 1e-6, 1e-12);
  EXPECT_NEAR(find("qkv_proj")->duration_s, 5e-6, 1e-12);
  EXPECT_EQ(find("qkv_proj")->kind, EventKind::annotation);
  EXPECT_EQ(find("ncclDevKernel_AllReduce")->kind, EventKind::collective);
  EXPECT_EQ(find("copy host to device")->kind, EventKind::copy);
  EXPECT_EQ(find("copy host to device")->bytes, 4096);
  ASSERT_EQ(recording.counters.size(), 1U);
  EXPECT_EQ(recording.names[recording.counters[0].name], "cupti_power");
  EXPECT_TRUE(recording.incomplete);  // the stand-in dropped one
  EXPECT_THAT(recording.incomplete_reason, HasSubstr("1 dropped"));
}

TEST(Collectors, TheFirstStepsRunOnceMoreTracedAtTheEnd) {
  const rackwright::testing::TemporaryFolder folder;
  const auto path = folder.path() / "run.rw";
  rackwright::testing::FakeBackend backend([](const auto&) { return 0.01; });
  CollectOptions options;
  options.nvml = false;
  options.cupti = true;
  options.cupti_module = RACKWRIGHT_CUPTI_STAND_IN;
  Collectors collectors(options);
  EXPECT_THAT(collectors.status(), HasSubstr("NVML: switched off\nCUPTI: kernels of the first"));
  workloads::OperatorGraph graph;
  graph.operators = {{"qkv_proj"}, {"all_reduce"}};
  const auto watched = collectors.watch(backend, backend);
  static_cast<void>(watched->prepare(graph, {})->run(kernels::ReplayMode::whole, nullptr));
  {
    RunFileWriter writer(path, {});
    writer.write(Trace{});
    collectors.add_to(path);
    writer.finish();
  }
  const Recording recording = read_run_file(path).recording;
  EXPECT_EQ(recording.format, "collected");
  const auto kernels = std::count_if(recording.events.begin(), recording.events.end(),
                                     [](const Event& e) { return e.kind == EventKind::kernel; });
  EXPECT_EQ(kernels, 2);
  EXPECT_THAT(
      recording.notes,
      ::testing::Contains(HasSubstr("1 steps traced: they took 1.00 of their untraced time")));
  EXPECT_THAT(recording.notes, ::testing::Contains(HasSubstr("1 dropped")));
}

TEST(KernelTracer, AnotherInterfaceIsRefused) {
  ::setenv("RW_CUPTI_ABI", "99", 1);
  std::string reason;
  EXPECT_EQ(KernelTracer::open(RACKWRIGHT_CUPTI_STAND_IN, reason), nullptr);
  ::unsetenv("RW_CUPTI_ABI");
  EXPECT_THAT(reason, HasSubstr("has interface 99"));
}

}  // namespace
}  // namespace rackwright::profiler
