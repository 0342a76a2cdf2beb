#include "profiler/kernel_tracer.hpp"

#include <chrono>
#include <cstdlib>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/clock_alignment.hpp"
#include "profiler/collectors.hpp"
#include "profiler/counter_sampler.hpp"
#include "profiler/run_file.hpp"
#include "profiler/trace_io/perfetto.hpp"
#include "profiler/traced_steps.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// An environment variable while it lives.
class Setting {
 public:
  Setting(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Setting() { ::unsetenv(name_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
};

CuptiModule opened(const std::string& path) {
  CuptiModule module;
  EXPECT_EQ(load_cupti(path, module), "");
  return module;
}

/// GPU 0 of CUDA's is GPU 5 of NVML's.
int number(std::uint32_t device) {
  return static_cast<int>(device) + 5;
}

TEST(KernelTracer, WithoutADriverTheModuleOpensAndSaysWhy) {
  std::string reason;
  const auto tracer = KernelTracer::open(opened(RACKWRIGHT_CUPTI_MODULE), reason);
  if (tracer) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(reason, HasSubstr("no NVIDIA driver or no GPU"));
}

TEST(CuptiLoader, WithoutTheModuleTheReasonSaysHowToGetIt) {
  CuptiModule module;
  EXPECT_THAT(load_cupti("/nowhere/rackwright_cupti.so", module),
              HasSubstr("is not there (build with the CUDA toolkit's CUPTI installed)"));
}

/// A module that plays a trace: two kernels of operator 0, one of operator 1, a copy.
TEST(KernelTracer, KernelsMapBackToTheOperatorsThatLaunchedThem) {
  std::string reason;
  const auto tracer = KernelTracer::open(opened(RACKWRIGHT_CUPTI_STAND_IN), reason);
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
  const Setting dropped("RW_CUPTI_DROPPED", "1");
  tracer->finish(1'000'000'000, number, recording);
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
  EXPECT_EQ(recording.tracks[find("qkv_proj")->track].gpu, 5);
  ASSERT_EQ(recording.counters.size(), 1U);
  EXPECT_EQ(recording.names[recording.counters[0].name], "cupti_power");
  EXPECT_TRUE(recording.incomplete);  // the stand-in dropped one
  EXPECT_THAT(recording.incomplete_reason, HasSubstr("1 dropped"));
}

// NCCL may launch from a thread of its own, where the external correlation is not.
TEST(KernelTracer, AKernelOfAnotherThreadBelongsToTheOperatorThatRanThen) {
  const Setting thread("RW_CUPTI_THREAD", "1");
  std::string reason;
  const auto tracer = KernelTracer::open(opened(RACKWRIGHT_CUPTI_STAND_IN), reason);
  ASSERT_NE(tracer, nullptr) << reason;
  workloads::OperatorGraph graph;
  graph.operators = {{"qkv_proj"}, {"all_reduce"}, {"send"}};
  ASSERT_EQ(tracer->start(), "");
  tracer->step(graph);
  for (std::uint32_t i = 0; i < 3; ++i) {
    tracer->begin(OperatorId(i));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    tracer->end(OperatorId(i));
  }
  Recording recording;
  tracer->finish(realtime_ns(), number, recording);
  const auto span = std::find_if(recording.events.begin(), recording.events.end(), [&](auto& e) {
    return recording.names[e.name] == "send" && e.kind == EventKind::annotation;
  });
  ASSERT_NE(span, recording.events.end());
  EXPECT_NEAR(span->duration_s, 1e-4, 1e-12);
  EXPECT_THAT(recording.notes, ::testing::Contains(HasSubstr("1 kernels and copies came from")));
}

TEST(KernelTracer, AGraphLaunchBelongsToTheStepThatRanThen) {
  std::string reason;
  const auto tracer = KernelTracer::open(opened(RACKWRIGHT_CUPTI_STAND_IN), reason);
  ASSERT_NE(tracer, nullptr) << reason;
  const std::int64_t before = realtime_ns() - 1'000'000;
  ASSERT_EQ(tracer->start_graphs(), "");
  const std::int64_t after = realtime_ns();
  // The stand-in plays one launch of 1 us, 1 us before the window began.
  const StepSpan steps[] = {{before - 5'000'000, before - 1}, {before, after}};
  Recording recording;
  tracer->finish_graphs(before, number, steps, recording);
  ASSERT_EQ(recording.events.size(), 1U);
  EXPECT_EQ(recording.names[recording.events[0].name], "step 2: graph 4");
  EXPECT_NEAR(recording.events[0].duration_s, 1e-6, 1e-12);
  EXPECT_EQ(recording.tracks[recording.events[0].track].gpu, 5);
  EXPECT_FALSE(recording.incomplete);
}

TEST(CounterValue, BytesOfASampleAreARate) {
  // 1 MiB in 100 us: 1,048,576 / 1e-4 = 1.048576e10 B/s.
  const CounterValue dram = counter_value({"dram__bytes_read.sum", "dram_read", "B"}, 1e-4);
  EXPECT_EQ(dram.name, "cupti_dram_read_rate");
  EXPECT_EQ(dram.unit, "B/s");
  EXPECT_NEAR(1048576 * dram.scale, 1.048576e10, 1);
  const CounterValue tensor = counter_value({"m", "tensor_active", "%"}, 1e-4);
  EXPECT_EQ(tensor.name, "cupti_tensor_active");
  EXPECT_EQ(tensor.unit, "%");
  EXPECT_EQ(tensor.scale, 1);
}

TEST(CounterClock, AGpuClockOfItsOwnIsShiftedToTheCallThatStarted) {
  EXPECT_EQ(counter_clock(1050, 1000, 1100).shift_ns, 0);  // the same clock
  const CounterClock other = counter_clock(40, 1000, 1100);
  EXPECT_EQ(other.shift_ns, 1010);  // 40 becomes the middle of the call, 1050
  EXPECT_EQ(other.bound_ns, 50);
}

class CollectorsTest : public ::testing::Test {
 protected:
  /// A profile of one step, read back.
  Recording collect(const WatchedGpu& gpu = {}) {
    const auto path = folder.path() / "run.rw";
    rackwright::testing::FakeBackend backend([](const auto&) { return 0.01; });
    Collectors collectors(options);
    status = collectors.status();
    workloads::OperatorGraph graph;
    graph.operators = {{"qkv_proj"}, {"all_reduce"}};
    const auto watched = collectors.watch(backend, backend, gpu);
    static_cast<void>(watched->prepare(graph, {})->run(kernels::ReplayMode::whole, nullptr));
    {
      RunFileWriter writer(path, {});
      writer.write(Trace{});
      lost = collectors.add_to(path);
      writer.finish();
    }
    run = read_run_file(path);
    return run.recording;
  }
  static CollectOptions with_stand_in() {
    CollectOptions options;
    options.nvml = false;
    options.cupti = true;
    options.cupti_module = RACKWRIGHT_CUPTI_STAND_IN;
    options.metric_plans = plans();
    return options;
  }

 public:
  static std::filesystem::path plans() {
    return std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "profiler/cupti/metric_plans.json";
  }

 protected:
  rackwright::testing::TemporaryFolder folder;
  CollectOptions options = with_stand_in();
  std::string status, lost;
  RunFile run;
};

std::vector<CounterSample> samples_of(const Recording& recording, const std::string& name) {
  std::vector<CounterSample> found;
  for (const CounterSample& sample : recording.counters) {
    if (recording.names[sample.name] == name) found.push_back(sample);
  }
  return found;
}

TEST_F(CollectorsTest, TheFirstStepsRunAgainAtTheEndEachCollectorInAWindowOfItsOwn) {
  const Recording recording = collect();
  EXPECT_THAT(status, HasSubstr("NVML: switched off\nCUPTI: kernels, graphs and counters of the"));
  EXPECT_EQ(recording.format, "collected");
  const auto kernels = std::count_if(recording.events.begin(), recording.events.end(),
                                     [](const Event& e) { return e.kind == EventKind::kernel; });
  EXPECT_EQ(kernels, 2);
  EXPECT_THAT(
      recording.notes,
      ::testing::IsSupersetOf({HasSubstr("1 steps traced: they took 1.00 of their untraced time"),
                               HasSubstr("1 whole steps traced by graph: they took 1.00"),
                               HasSubstr("1 whole steps with counters sampled")}));
  std::vector<std::string> windows;
  for (const RecordedWindow& window : recording.windows) {
    windows.push_back(window.name + (window.disturbed ? " disturbed" : "") +
                      (window.power ? " power" : ""));
  }
  EXPECT_THAT(windows, ::testing::ElementsAre("headline power", "untraced repetition",
                                              "traced kernels disturbed", "traced graphs disturbed",
                                              "sampled counters disturbed"));
  EXPECT_EQ(lost, "");
  EXPECT_FALSE(run.trace.incomplete);
}

TEST_F(CollectorsTest, CountersStandInTheRunFileOnItsTimeBase) {
  const Recording recording = collect();
  // 50 B and 100 B in 100 us each: 0.5 and 1 MB/s.
  const auto dram = samples_of(recording, "cupti_dram_read_rate");
  ASSERT_EQ(dram.size(), 2U);
  EXPECT_NEAR(dram[0].value, 0.5e6, 1);
  EXPECT_NEAR(dram[1].value, 1e6, 1);
  EXPECT_EQ(recording.names[dram[0].unit], "B/s");
  EXPECT_NEAR(dram[1].start_s - dram[0].start_s, 1e-4, 1e-9);
  EXPECT_NEAR(dram[0].duration_s, 1e-4, 1e-12);
  const RecordedWindow& window = recording.windows.back();
  EXPECT_GE(dram[0].start_s, window.start_s - 1e-6);
  EXPECT_LE(dram[0].start_s, window.start_s + window.duration_s);
  for (const char* name : {"cupti_dram_written_rate", "cupti_nvlink_sent_rate",
                           "cupti_nvlink_received_rate", "cupti_pcie_read_rate"}) {
    EXPECT_EQ(samples_of(recording, name).size(), 2U) << name;
  }
  ASSERT_EQ(samples_of(recording, "cupti_tensor_active").size(), 2U);
  EXPECT_EQ(samples_of(recording, "cupti_tensor_active")[0].value, 50);
  std::ostringstream out;
  write_perfetto(run.trace, out, {.from_s = {}, .to_s = {}, .ranks = 1, .recording = &recording});
  EXPECT_THAT(out.str(), HasSubstr(R"("name":"cupti_dram_read_rate","pid":1000)"));
}

TEST_F(CollectorsTest, WithoutTheRightToCountersTheRunGoesOnAndSaysSo) {
  const Setting chip("RW_CUPTI_CHIP", "");
  const Recording recording = collect();
  EXPECT_THAT(recording.notes,
              ::testing::Contains("no counters of DRAM, links and tensor cores: this user may not "
                                  "read counters"));
  EXPECT_TRUE(samples_of(recording, "cupti_dram_read_rate").empty());
  EXPECT_EQ(lost, "");
}

TEST_F(CollectorsTest, AChipWithoutAPlanIsSaid) {
  const Setting chip("RW_CUPTI_CHIP", "GV100");
  EXPECT_THAT(collect().notes,
              ::testing::Contains(HasSubstr("no plan of counters for the chip GV100")));
}

/// Ranks wait for each other in their collectives: a rank without CUPTI runs as often as the
/// others.
TEST(TracedSteps, EveryRankRepeatsStepsWithCollectivesAsOften) {
  const auto prepared = [](const char* module, int ranks) {
    int count = 0;
    rackwright::testing::FakeBackend backend([&](const auto&) { return ++count, 0.01; });
    TracedSteps steps(module, CollectorsTest::plans());
    workloads::OperatorGraph graph;
    workloads::CollectiveShape shape;
    shape.ranks = ranks;
    graph.operators = {{"all_reduce", workloads::OperatorClass::collective,
                        workloads::Lane::communication, 1, shape}};
    steps.use(backend, 0);
    steps.keep(graph, {});
    Recording recording;
    steps.run(realtime_ns(), number, recording);
    return count;
  };
  // Untraced by operator and whole, kernels, graphs, counters.
  EXPECT_EQ(prepared(RACKWRIGHT_CUPTI_STAND_IN, 2), 5);
  EXPECT_EQ(prepared("/nowhere/rackwright_cupti.so", 2), 5);
  EXPECT_EQ(prepared("/nowhere/rackwright_cupti.so", 1), 0);
}

TEST_F(CollectorsTest, LostRecordsMakeTheRunIncomplete) {
  const Setting dropped("RW_CUPTI_DROPPED", "3");
  const Setting overflow("RW_CUPTI_OVERFLOW", "1");
  (void)collect();
  EXPECT_THAT(lost, HasSubstr("the kernel trace lacks records: 0 without a time, 3 dropped"));
  EXPECT_THAT(lost, HasSubstr("; counter samples were lost"));
  EXPECT_TRUE(run.trace.incomplete);
  EXPECT_EQ(run.trace.incomplete_reason, lost);
}

/// NVML's stand-in has GPU 0 at bus 1B and GPU 1 at bus 3B; CUDA_VISIBLE_DEVICES=1,0 turns CUDA's
/// numbers round.
TEST_F(CollectorsTest, GpusHaveNvmlsNumbersAndItReadsThroughout) {
  options.nvml = true;
  options.nvml_library = RACKWRIGHT_STAND_INS "/full/libnvidia-ml.so.1";
  options.period_s = 0.02;
  options.sensors = std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "profiler/nvml/sensors.json";
  const Recording recording = collect({0, {"0000:3b:00.0", "0000:1b:00.0"}});
  EXPECT_EQ(samples_of(recording, "cupti_dram_read_rate").front().gpu, 1);
  const auto kernel =
      std::find_if(recording.events.begin(), recording.events.end(),
                   [](const Event& event) { return event.kind == EventKind::kernel; });
  EXPECT_EQ(recording.tracks[kernel->track].gpu, 1);
}

TEST_F(CollectorsTest, RanksOfANodeKeepTheReadingsOfTheirOwnGpu) {
  options.cupti = false;
  options.nvml = true;
  options.nvml_library = RACKWRIGHT_STAND_INS "/full/libnvidia-ml.so.1";
  options.period_s = 0.02;
  options.sensors = std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "profiler/nvml/sensors.json";
  const auto read_by = [&](const WatchedGpu& gpu) {
    std::filesystem::remove(folder.path() / "run.rw");
    std::set<int> gpus;
    for (const CounterSample& sample : collect(gpu).counters) gpus.insert(sample.gpu);
    return gpus;
  };
  const std::vector<std::string> turned{"0000:3b:00.0", "0000:1b:00.0"};
  EXPECT_THAT(read_by({0, turned}), ElementsAre(0, 1));  // alone on the node
  EXPECT_THAT(read_by({0, turned, true}), ElementsAre(1));
  EXPECT_THAT(read_by({1, turned, true}), ElementsAre(0));
  EXPECT_THAT(read_by({0, {}, true}), ElementsAre(0, 1));  // ranks on cores
  EXPECT_THAT(read_by({1, {}, true}), IsEmpty());
}

TEST(CuptiLoader, AnotherInterfaceIsRefused) {
  const Setting abi("RW_CUPTI_ABI", "99");
  CuptiModule module;
  EXPECT_THAT(load_cupti(RACKWRIGHT_CUPTI_STAND_IN, module), HasSubstr("has interface 99"));
}

}  // namespace
}  // namespace rackwright::profiler
