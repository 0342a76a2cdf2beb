#include <cstdio>
#include <cstring>

#include <nvtx3/nvToolsExt.h>

#include "profiler/cupti/activity_session.hpp"
#include "profiler/cupti/counter_session.hpp"
#include "profiler/cupti/cupti_abi.h"

namespace {

using namespace rackwright::profiler::cupti;

/// Hands activities over the boundary.
class ForwardingSink final : public ActivitySink {
 public:
  explicit ForwardingSink(const RackwrightCuptiSink& sink) : sink_(sink) {}
  void kernel(const KernelActivity& k) override {
    const RackwrightCuptiActivity activity{
        k.start_ns,   k.end_ns, 0, k.device, k.stream, k.correlation, RACKWRIGHT_CUPTI_KERNEL,
        k.name.data()};
    sink_.activity(sink_.context, &activity);
  }
  void copy(const CopyActivity& c) override {
    const RackwrightCuptiActivity activity{
        c.start_ns,  c.end_ns, c.bytes, c.device, c.stream, c.correlation, RACKWRIGHT_CUPTI_COPY,
        copy_name(c)};
    sink_.activity(sink_.context, &activity);
  }
  void graph(const GraphActivity& g) override {
    const std::string name = "graph " + std::to_string(g.graph);
    const RackwrightCuptiActivity activity{
        g.start_ns,  g.end_ns, 0, g.device, g.stream, g.correlation, RACKWRIGHT_CUPTI_GRAPH,
        name.c_str()};
    sink_.activity(sink_.context, &activity);
  }
  void environment(const EnvironmentActivity& e) override {
    const RackwrightCuptiReading reading{e.time_ns, e.device, static_cast<std::uint32_t>(e.what),
                                         e.value};
    sink_.reading(sink_.context, &reading);
  }
  void correlation(std::uint32_t correlation, std::uint64_t operator_id) override {
    sink_.correlation(sink_.context, correlation, operator_id);
  }
  void link(std::string_view text) override {
    sink_.link(sink_.context, std::string(text).c_str());
  }

 private:
  static const char* copy_name(const CopyActivity& copy) {
    switch (copy.kind) {
      case 0:
        return "memset";
      case 1:
        return "copy host to device";
      case 2:
        return "copy device to host";
      case 8:
        return "copy device to device";
      case 10:
        return "copy peer to peer";
      default:
        return "copy";
    }
  }
  RackwrightCuptiSink sink_;
};

struct Module {
  explicit Module(const RackwrightCuptiSink& to) : sink(to) {}
  ForwardingSink sink;
  std::unique_ptr<ActivitySession> session;
};

void put(const std::string& reason, char* text) {
  std::snprintf(text, RACKWRIGHT_CUPTI_TEXT, "%s", reason.c_str());
}

}  // namespace

extern "C" {

#define RACKWRIGHT_EXPORT __attribute__((visibility("default")))

RACKWRIGHT_EXPORT int rackwright_cupti_abi(void) {
  return RACKWRIGHT_CUPTI_ABI;
}

RACKWRIGHT_EXPORT void* rackwright_cupti_open(const RackwrightCuptiSink* sink, char* text) {
  std::string reason;
  auto module = std::make_unique<Module>(*sink);
  module->session = ActivitySession::open({}, module->sink, {}, reason);
  if (module->session == nullptr) {
    put(reason, text);
    return nullptr;
  }
  return module.release();
}

RACKWRIGHT_EXPORT int rackwright_cupti_start(void* session, int graphs, char* text) {
  const std::string reason = static_cast<Module*>(session)->session->start(
      graphs != 0 ? TraceLevel::graphs : TraceLevel::kernels);
  put(reason, text);
  return reason.empty() ? 0 : 1;
}

RACKWRIGHT_EXPORT void rackwright_cupti_begin(void* session, std::uint64_t operator_id,
                                              const char* name) {
  nvtxRangePushA(name);
  static_cast<Module*>(session)->session->begin(operator_id);
}

RACKWRIGHT_EXPORT void rackwright_cupti_end(void* session) {
  static_cast<Module*>(session)->session->end();
  nvtxRangePop();
}

RACKWRIGHT_EXPORT void rackwright_cupti_stop(void* session, RackwrightCuptiCounts* counts) {
  ActivitySession& activity = *static_cast<Module*>(session)->session;
  activity.stop();
  const ActivityCounts& c = activity.counts();
  *counts = {c.kernels,     c.copies,
             c.graphs,      c.untimed,
             c.unknown,     c.cut_buffers,
             c.dropped,     activity.refused_buffers(),
             c.overhead_ns, c.synchronisation_ns};
}

RACKWRIGHT_EXPORT void rackwright_cupti_close(void* session) {
  delete static_cast<Module*>(session);
}

RACKWRIGHT_EXPORT int rackwright_cupti_chip(std::uint32_t device, char* chip, char* text) {
  std::string reason;
  put(chip_name({}, device, reason), chip);
  put(reason, text);
  return reason.empty() ? 0 : 1;
}

RACKWRIGHT_EXPORT void* rackwright_cupti_counters_open(const RackwrightCuptiCounterPlan* plan,
                                                       char* text) {
  PmOptions options;
  options.device = plan->device;
  options.interval = plan->interval;
  options.by_clock = plan->by_clock != 0;
  std::string reason;
  auto session = CounterSession::open(
      {}, std::vector<std::string>(plan->metrics, plan->metrics + plan->count), options,
      [context = plan->context, take = plan->sample](const PmSample& sample) {
        const RackwrightCuptiSample out{sample.start_ns, sample.end_ns, sample.values.data()};
        take(context, &out);
      },
      reason);
  put(reason, text);
  return session.release();
}

RACKWRIGHT_EXPORT int rackwright_cupti_counters_start(void* counters, char* text) {
  const std::string reason = static_cast<CounterSession*>(counters)->start();
  put(reason, text);
  return reason.empty() ? 0 : 1;
}

RACKWRIGHT_EXPORT int rackwright_cupti_counters_stop(void* counters, int* overflow, char* text) {
  auto& session = *static_cast<CounterSession*>(counters);
  const std::string reason = session.stop();
  put(reason, text);
  *overflow = session.overflowed() ? 1 : 0;
  return reason.empty() ? 0 : 1;
}

RACKWRIGHT_EXPORT void rackwright_cupti_counters_close(void* counters) {
  delete static_cast<CounterSession*>(counters);
}

}  // extern "C"
