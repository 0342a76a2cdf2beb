#include "profiler/cupti/activity_session.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::profiler::cupti {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What the fakes below were asked, and what they answer.
struct Script {
  std::vector<std::string> calls;
  CUptiResult subscribe = CUPTI_SUCCESS;
  CUpti_ActivityKind failing = CUPTI_ACTIVITY_KIND_INVALID;
  CUptiResult failure = CUPTI_SUCCESS;
  std::uint32_t version = CUPTI_API_VERSION;
  CUpti_BuffersCallbackRequestFunc request = nullptr;
  CUpti_BuffersCallbackCompleteFunc complete = nullptr;
  std::size_t dropped = 0;
  std::size_t kernels_at_flush = 0;
};
Script script;

/// Fills one buffer with kernels as CUPTI would, on the forced flush.
void deliver(std::size_t kernels) {
  std::uint8_t* buffer = nullptr;
  std::size_t size = 0, records = 1;
  script.request(&buffer, &size, &records);
  if (buffer == nullptr) return;
  EXPECT_EQ(records, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer) % 8, 0U);
  std::size_t valid = 0;
  for (std::size_t i = 0; i < kernels; ++i) {
    CUpti_ActivityKernel10 kernel{};
    kernel.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
    kernel.start = 1000 + i;
    kernel.end = 2000 + i;
    kernel.name = "k";
    std::memcpy(buffer + valid, &kernel, sizeof kernel);
    valid += sizeof kernel;
  }
  script.complete(nullptr, 0, buffer, size, valid);
}

CuptiCalls fakes() {
  CuptiCalls calls;
  calls.version = [](std::uint32_t* version) {
    *version = script.version;
    return CUPTI_SUCCESS;
  };
  calls.subscribe = [](CUpti_SubscriberHandle* handle, CUpti_CallbackFunc, void*,
                       CUpti_SubscriberParams* params) {
    script.calls.emplace_back("subscribe " + std::string(params->subscriberName));
    *handle = reinterpret_cast<CUpti_SubscriberHandle>(1);
    if (script.subscribe == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED) {
      std::strncpy(params->oldSubscriberName, "Nsight Systems", params->oldSubscriberSize);
    }
    return script.subscribe;
  };
  calls.unsubscribe = [](CUpti_SubscriberHandle) {
    script.calls.emplace_back("unsubscribe");
    return CUPTI_SUCCESS;
  };
  calls.set_attribute = [](CUpti_ActivityAttribute attribute, std::size_t*, void*) {
    script.calls.emplace_back("attribute " + std::to_string(attribute));
    return CUPTI_SUCCESS;
  };
  calls.register_callbacks = [](CUpti_BuffersCallbackRequestFunc request,
                                CUpti_BuffersCallbackCompleteFunc complete) {
    script.calls.emplace_back("register");
    script.request = request;
    script.complete = complete;
    return CUPTI_SUCCESS;
  };
  calls.enable = [](CUpti_ActivityKind kind) {
    script.calls.emplace_back("enable " + std::to_string(kind));
    return kind == script.failing ? script.failure : CUPTI_SUCCESS;
  };
  calls.disable = [](CUpti_ActivityKind kind) {
    script.calls.emplace_back("disable " + std::to_string(kind));
    return CUPTI_SUCCESS;
  };
  calls.flush = [](std::uint32_t flag) {
    script.calls.emplace_back("flush " + std::to_string(flag));
    if (script.kernels_at_flush > 0) deliver(script.kernels_at_flush);
    return CUPTI_SUCCESS;
  };
  calls.flush_period = [](std::uint32_t ms) {
    script.calls.emplace_back("period " + std::to_string(ms));
    return CUPTI_SUCCESS;
  };
  calls.dropped = [](CUcontext, std::uint32_t, std::size_t* dropped) {
    script.calls.emplace_back("dropped");
    *dropped = script.dropped;
    return CUPTI_SUCCESS;
  };
  calls.push = [](CUpti_ExternalCorrelationKind kind, std::uint64_t id) {
    script.calls.emplace_back("push " + std::to_string(kind) + " " + std::to_string(id));
    return CUPTI_SUCCESS;
  };
  calls.pop = [](CUpti_ExternalCorrelationKind kind, std::uint64_t*) {
    script.calls.emplace_back("pop " + std::to_string(kind));
    return CUPTI_SUCCESS;
  };
  return calls;
}

class CountingSink final : public ActivitySink {
 public:
  void kernel(const KernelActivity&) override { ++kernels; }
  void copy(const CopyActivity&) override {}
  void environment(const EnvironmentActivity&) override {}
  void correlation(std::uint32_t, std::uint64_t) override {}
  std::size_t kernels = 0;
};

class ActivitySessionTest : public ::testing::Test {
 protected:
  void SetUp() override { script = {}; }
  std::unique_ptr<ActivitySession> open(const SessionOptions& options = {}) {
    return ActivitySession::open(fakes(), sink, options, reason);
  }
  CountingSink sink;
  std::string reason;
};

TEST_F(ActivitySessionTest, CallsInTheOrderThatCuptiWants) {
  script.kernels_at_flush = 3;
  {
    const auto session = open();
    ASSERT_NE(session, nullptr) << reason;
    // Nothing is traced before the window starts: repetitions that are timed run untraced.
    EXPECT_EQ(script.calls.back(), "register");
    EXPECT_EQ(session->start(TraceLevel::kernels), "");
    session->begin(42);
    session->end();
    session->stop();
    EXPECT_EQ(session->counts().kernels, 3U);
  }
  EXPECT_EQ(sink.kernels, 3U);
  const auto at = [](const std::string& call) {
    return std::find(script.calls.begin(), script.calls.end(), call) - script.calls.begin();
  };
  const auto end = static_cast<long>(script.calls.size());
  const std::vector<std::string> order = {"subscribe rackwright",
                                          "register",
                                          "enable 10",
                                          "period 500",
                                          "push 3 42",
                                          "pop 3",
                                          "period 0",
                                          "flush 1",
                                          "dropped",
                                          "disable 10",
                                          "unsubscribe"};
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_LT(at(order[i]), end) << order[i];
    if (i > 0) {
      EXPECT_LT(at(order[i - 1]), at(order[i])) << order[i];
    }
  }
  EXPECT_EQ(at("enable 3"), end);  // KERNEL would serialise
}

TEST_F(ActivitySessionTest, AConflictNamesTheToolThatHoldsCupti) {
  script.subscribe = CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED;
  EXPECT_EQ(open(), nullptr);
  EXPECT_THAT(reason, HasSubstr("CUPTI is held by Nsight Systems"));
  EXPECT_THAT(reason, HasSubstr("--no-cupti"));
  EXPECT_THAT(script.calls, ElementsAre("subscribe rackwright"));
}

TEST_F(ActivitySessionTest, AnotherMajorVersionIsRefusedBeforeAnyRecord) {
  script.version = 140000;
  EXPECT_EQ(open(), nullptr);
  EXPECT_THAT(reason, HasSubstr("another layout"));
  EXPECT_TRUE(script.calls.empty());
}

TEST_F(ActivitySessionTest, AKindThatFailsIsLeftOutUnlessTheTraceRestsOnIt) {
  script.failing = CUPTI_ACTIVITY_KIND_ENVIRONMENT;
  script.failure = CUPTI_ERROR_NOT_SUPPORTED;
  const auto session = open();
  EXPECT_EQ(session->start(TraceLevel::kernels), "");
  session->stop();
  script.failing = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
  script.failure = CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
  EXPECT_THAT(session->start(TraceLevel::kernels),
              HasSubstr("NVreg_RestrictProfilingToAdminUsers=0"));
  EXPECT_EQ(script.calls.back(), "disable 10");  // the first enabled, last taken back
}

TEST_F(ActivitySessionTest, WholeGraphsAreAWindowOfTheirOwnWithoutKernels) {
  const auto session = open();
  ASSERT_EQ(session->start(TraceLevel::kernels), "");
  script.kernels_at_flush = 5;
  session->stop();
  EXPECT_EQ(session->counts().kernels, 5U);
  script.kernels_at_flush = 0;
  script.calls.clear();
  ASSERT_EQ(session->start(TraceLevel::graphs), "");
  session->stop();
  // 51 is GRAPH_TRACE, 17 OVERHEAD: kernel records would cost what graph records are to save.
  EXPECT_THAT(script.calls, ::testing::IsSupersetOf({"enable 51", "enable 17"}));
  EXPECT_THAT(script.calls, ::testing::Not(::testing::Contains("enable 10")));
  EXPECT_EQ(session->counts().kernels, 0U);  // of this window
}

TEST_F(ActivitySessionTest, APoolAtItsLimitRefusesAndCounts) {
  const auto session = open({.buffer_bytes = 1U << 20U, .most_buffers = 2});
  ASSERT_EQ(session->start(TraceLevel::kernels), "");
  std::uint8_t* buffers[3] = {};
  std::size_t size = 0, records = 0;
  for (auto& buffer : buffers) script.request(&buffer, &size, &records);
  EXPECT_NE(buffers[1], nullptr);
  EXPECT_EQ(buffers[2], nullptr);
  EXPECT_EQ(size, 0U);
  EXPECT_EQ(session->refused_buffers(), 1U);
  script.complete(nullptr, 0, buffers[0], 1U << 20U, 0);
  session->stop();  // waits until it is read and back in the pool
  script.request(&buffers[2], &size, &records);
  EXPECT_EQ(buffers[2], buffers[0]);
}

TEST_F(ActivitySessionTest, DroppedRecordsMakeItIncomplete) {
  script.dropped = 7;
  const auto session = open();
  ASSERT_EQ(session->start(TraceLevel::kernels), "");
  session->stop();
  EXPECT_TRUE(session->counts().incomplete());
}

TEST_F(ActivitySessionTest, TwoMillionKernelsPassThroughFourBuffers) {
  const auto session = open({.buffer_bytes = 1U << 20U, .most_buffers = 4});
  ASSERT_EQ(session->start(TraceLevel::kernels), "");
  constexpr std::size_t kPerBuffer = (1U << 20U) / sizeof(CUpti_ActivityKernel10);
  constexpr std::size_t kBuffers = 2'000'000 / kPerBuffer;
  std::size_t sent = 0;
  while (sent < kBuffers) {
    const auto before = session->refused_buffers();
    deliver(kPerBuffer);
    if (session->refused_buffers() == before) ++sent;
  }
  session->stop();
  EXPECT_EQ(sink.kernels, kBuffers * kPerBuffer);
}

TEST_F(ActivitySessionTest, TheRealLibraryWithoutADriverSaysWhyThereIsNoTrace) {
  const auto session = ActivitySession::open({}, sink, {}, reason);
  if (session != nullptr) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(reason, HasSubstr("nothing to trace or to count here: no NVIDIA driver or no GPU"));
  EXPECT_THAT(reason, HasSubstr("999"));
}

TEST(CuptiReason, NamesTheRemedy) {
  EXPECT_THAT(cupti_reason("f", CUPTI_ERROR_HARDWARE_BUSY), HasSubstr("dcgmi profile --pause"));
  EXPECT_THAT(cupti_reason("f", CUPTI_ERROR_VIRTUALIZED_DEVICE_INSUFFICIENT_PRIVILEGES),
              HasSubstr("hypervisor"));
}

}  // namespace
}  // namespace rackwright::profiler::cupti
