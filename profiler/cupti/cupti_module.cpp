#include <cstdio>
#include <cstring>

#include <nvtx3/nvToolsExt.h>

#include "profiler/cupti/activity_session.hpp"
#include "profiler/cupti/cupti_abi.h"

namespace {

using namespace rackwright::profiler::cupti;

/// Hands activities over the boundary.
class ForwardingSink final : public ActivitySink {
 public:
  explicit ForwardingSink(const RackwrightCuptiSink& sink) : sink_(sink) {}
  void kernel(const KernelActivity& k) override {
    const RackwrightCuptiActivity activity{k.start_ns, k.end_ns,      0, k.device,
                                           k.stream,   k.correlation, 0, k.name.data()};
    sink_.activity(sink_.context, &activity);
  }
  void copy(const CopyActivity& c) override {
    const RackwrightCuptiActivity activity{c.start_ns, c.end_ns,      c.bytes, c.device,
                                           c.stream,   c.correlation, 1,       copy_name(c)};
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

RACKWRIGHT_EXPORT int rackwright_cupti_start(void* session, char* text) {
  const std::string reason = static_cast<Module*>(session)->session->start();
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
  *counts = {c.kernels,
             c.copies,
             c.untimed,
             c.unknown,
             c.cut_buffers,
             c.dropped,
             activity.refused_buffers(),
             c.overhead_ns,
             c.synchronisation_ns};
}

RACKWRIGHT_EXPORT void rackwright_cupti_close(void* session) {
  delete static_cast<Module*>(session);
}

}  // extern "C"
