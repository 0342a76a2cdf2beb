#include "profiler/cupti/pm_sampling.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/cupti/counter_session.hpp"
#include "profiler/cupti/metric_plan.hpp"

namespace rackwright::profiler::cupti {
namespace {

using ::testing::HasSubstr;

std::vector<MetricPlan> plans() {
  return read_metric_plans(std::filesystem::path(RACKWRIGHT_SOURCE_DIR) /
                           "profiler/cupti/metric_plans.json");
}

std::vector<std::string> names_of(const MetricPlan& plan) {
  std::vector<std::string> names;
  for (const auto& metric : plan.metrics) names.push_back(metric.metric);
  return names;
}

TEST(MetricPlan, EveryPlanResolvesInOnePassByTheRealLibrary) {
  ASSERT_EQ(plans().size(), 5U);
  for (const MetricPlan& plan : plans()) {
    const PlanCheck check = check_plan(plan.chip, names_of(plan));
    EXPECT_TRUE(check.resolves) << plan.chip << ": " << check.reason;
    EXPECT_EQ(check.passes, 1U) << plan.chip;
  }
}

TEST(MetricPlan, ASetOfTwoPassesIsTold) {
  const auto all = plans();
  auto names = names_of(*find_plan(all, "GH100"));
  names.emplace_back("sm__inst_executed_pipe_tensor.sum");
  EXPECT_EQ(check_plan("GH100", names).passes, 2U);
}

TEST(MetricPlan, AnUnknownMetricAndAnUnknownChipDoNotResolve) {
  EXPECT_FALSE(check_plan("GH100", {"no__such_metric.sum"}).resolves);
  EXPECT_FALSE(check_plan("XX999", {"sm__cycles_active.avg"}).resolves);
}

TEST(MetricPlan, Ga100SamplesByClock) {
  const auto all = plans();
  EXPECT_TRUE(find_plan(all, "GA100")->by_clock);
  EXPECT_FALSE(find_plan(all, "GB100")->by_clock);
  EXPECT_EQ(find_plan(all, "GP100"), nullptr);
}

TEST(PmSampler, WithoutADriverTheReasonSaysSo) {
  std::string reason;
  const auto sampler = PmSampler::open({}, {"sm__cycles_active.avg"}, {}, reason);
  if (sampler) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(reason, HasSubstr("no NVIDIA driver or no GPU"));
}

/// What the fakes below were asked, and what they answer. Metrics are resolved by the real library.
struct PmScript {
  std::vector<std::string> calls;
  CUptiResult enable = CUPTI_SUCCESS;
  CUpti_Profiler_Support_Level confidential = CUPTI_PROFILER_CONFIGURATION_SUPPORTED;
  std::uint64_t interval = 0;
  CUpti_PmSampling_TriggerMode trigger{};
  std::vector<std::size_t> decodes;  ///< samples of each, the rest nothing
  std::size_t decoded = 0, in_image = 0, given = 0;
  bool overflow = false;
};
PmScript pm;

PmCalls pm_fakes() {
  PmCalls calls;
  calls.initialise = [](CUpti_Profiler_Initialize_Params*) { return CUPTI_SUCCESS; };
  calls.supported = [](CUpti_Profiler_DeviceSupported_Params* p) {
    EXPECT_EQ(p->api, CUPTI_PROFILER_PM_SAMPLING);
    p->isSupported = pm.confidential;
    p->confidentialCompute = pm.confidential;
    return CUPTI_SUCCESS;
  };
  calls.chip = [](CUpti_Device_GetChipName_Params* p) {
    p->pChipName = "GH100";
    return CUPTI_SUCCESS;
  };
  calls.availability = [](CUpti_PmSampling_GetCounterAvailability_Params* p) {
    p->counterAvailabilityImageSize = 0;  // the real library then takes all of the chip's
    return CUPTI_SUCCESS;
  };
  calls.enable = [](CUpti_PmSampling_Enable_Params* p) {
    pm.calls.emplace_back("enable");
    p->pPmSamplingObject = reinterpret_cast<CUpti_PmSampling_Object*>(1);
    return pm.enable;
  };
  calls.disable = [](CUpti_PmSampling_Disable_Params*) {
    pm.calls.emplace_back("disable");
    return CUPTI_SUCCESS;
  };
  calls.set_config = [](CUpti_PmSampling_SetConfig_Params* p) {
    pm.interval = p->samplingInterval;
    pm.trigger = p->triggerMode;
    EXPECT_GT(p->configSize, 0U);
    return CUPTI_SUCCESS;
  };
  calls.data_size = [](CUpti_PmSampling_GetCounterDataSize_Params* p) {
    p->counterDataSize = 64;
    return CUPTI_SUCCESS;
  };
  calls.make_image = [](CUpti_PmSampling_CounterDataImage_Initialize_Params*) {
    return CUPTI_SUCCESS;
  };
  calls.start = [](CUpti_PmSampling_Start_Params*) {
    pm.calls.emplace_back("start");
    return CUPTI_SUCCESS;
  };
  calls.stop = [](CUpti_PmSampling_Stop_Params*) {
    pm.calls.emplace_back("stop");
    return CUPTI_SUCCESS;
  };
  calls.decode = [](CUpti_PmSampling_DecodeData_Params* p) {
    pm.in_image = pm.decoded < pm.decodes.size() ? pm.decodes[pm.decoded++] : 0;
    const bool more = pm.decoded < pm.decodes.size();
    p->decodeStopReason = more ? CUPTI_PM_SAMPLING_DECODE_STOP_REASON_COUNTER_DATA_FULL
                               : CUPTI_PM_SAMPLING_DECODE_STOP_REASON_END_OF_RECORDS;
    p->overflow = pm.overflow ? 1 : 0;
    return CUPTI_SUCCESS;
  };
  calls.data_info = [](CUpti_PmSampling_GetCounterDataInfo_Params* p) {
    p->numCompletedSamples = pm.in_image;
    return CUPTI_SUCCESS;
  };
  calls.sample_info = [](CUpti_PmSampling_CounterData_GetSampleInfo_Params* p) {
    p->startTimestamp = 1000 * pm.given;
    p->endTimestamp = 1000 * ++pm.given;
    return CUPTI_SUCCESS;
  };
  calls.values = [](CUpti_Profiler_Host_EvaluateToGpuValues_Params* p) {
    for (std::size_t i = 0; i < p->numMetrics; ++i) {
      p->pMetricValues[i] = static_cast<double>(10 * pm.given + i);
    }
    return CUPTI_SUCCESS;
  };
  return calls;
}

class CounterSessionTest : public ::testing::Test {
 protected:
  CounterSessionTest() { pm = {}; }
  std::unique_ptr<CounterSession> open(const PmOptions& options = {}) {
    const auto all = plans();
    return CounterSession::open(
        pm_fakes(), names_of(*find_plan(all, "GH100")), options,
        [this](const PmSample& sample) { samples.push_back(sample); }, reason);
  }
  std::vector<PmSample> samples;
  std::string reason;
};

TEST_F(CounterSessionTest, EverySampleOfEveryDecodeComesOnceAndInOrder) {
  pm.decodes = {3, 2};  // the counter data were full once
  {
    const auto session = open();
    ASSERT_NE(session, nullptr) << reason;
    EXPECT_EQ(session->start(), "");
    EXPECT_EQ(session->stop(), "");
    EXPECT_FALSE(session->overflowed());
  }
  ASSERT_EQ(samples.size(), 5U);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].start_ns, 1000 * i);
    EXPECT_EQ(samples[i].end_ns, 1000 * (i + 1));
    ASSERT_EQ(samples[i].values.size(), 9U);
  }
  EXPECT_EQ(pm.interval, 100'000U);  // ns
  EXPECT_EQ(pm.trigger, CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_TIME_INTERVAL);
  EXPECT_THAT(pm.calls, ::testing::ElementsAre("enable", "start", "stop", "disable"));
}

TEST_F(CounterSessionTest, CountersThatAnotherToolHoldsAreSaidWithTheRemedy) {
  pm.enable = CUPTI_ERROR_HARDWARE_BUSY;
  EXPECT_EQ(open(), nullptr);
  EXPECT_THAT(reason, HasSubstr("dcgmi profile --pause"));
}

TEST_F(CounterSessionTest, WithoutTheRightTheReasonSaysHowToGrantIt) {
  pm.enable = CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
  EXPECT_EQ(open(), nullptr);
  EXPECT_THAT(reason, HasSubstr("NVreg_RestrictProfilingToAdminUsers=0"));
}

TEST_F(CounterSessionTest, ASetUpWithoutSamplingIsNamed) {
  pm.confidential = CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED;
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(reason, "no counters: confidential computing is on");
  EXPECT_TRUE(pm.calls.empty());
}

TEST_F(CounterSessionTest, AnOverflowIsTold) {
  pm.overflow = true;
  const auto session = open({.by_clock = true});
  ASSERT_NE(session, nullptr) << reason;
  EXPECT_EQ(session->start(), "");
  EXPECT_EQ(session->stop(), "");
  EXPECT_TRUE(session->overflowed());
  EXPECT_EQ(pm.trigger, CUPTI_PM_SAMPLING_TRIGGER_MODE_GPU_SYSCLK_INTERVAL);
}

}  // namespace
}  // namespace rackwright::profiler::cupti
