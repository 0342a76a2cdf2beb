#include "profiler/cupti/activity_session.hpp"

#include <atomic>
#include <span>
#include <stdexcept>

namespace rackwright::profiler::cupti {

namespace {

/// CUPTI's buffer callbacks carry no user data, and a process has one subscriber.
std::atomic<ActivitySession*> current{nullptr};

struct Kind {
  CUpti_ActivityKind kind;
  bool needed;  ///< without it there is no trace; the others are left out where they fail
};

/// Kernels of graphs come node by node: GRAPH_TRACE would replace them by one record a launch.
/// External correlation needs API records to correlate with.
constexpr Kind kKernelKinds[] = {{CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, true},
                                 {CUPTI_ACTIVITY_KIND_MEMCPY, true},
                                 {CUPTI_ACTIVITY_KIND_MEMCPY2, false},
                                 {CUPTI_ACTIVITY_KIND_MEMSET, false},
                                 {CUPTI_ACTIVITY_KIND_RUNTIME, true},
                                 {CUPTI_ACTIVITY_KIND_DRIVER, false},
                                 {CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION, true},
                                 {CUPTI_ACTIVITY_KIND_SYNCHRONIZATION, false},
                                 {CUPTI_ACTIVITY_KIND_OVERHEAD, false},
                                 {CUPTI_ACTIVITY_KIND_ENVIRONMENT, false},
                                 {CUPTI_ACTIVITY_KIND_MARKER, false},
                                 {CUPTI_ACTIVITY_KIND_NVLINK, false},
                                 {CUPTI_ACTIVITY_KIND_PCIE, false}};

constexpr Kind kGraphKinds[] = {{CUPTI_ACTIVITY_KIND_GRAPH_TRACE, true},
                                {CUPTI_ACTIVITY_KIND_OVERHEAD, false}};

std::span<const Kind> kinds_of(TraceLevel level) {
  return level == TraceLevel::graphs ? std::span<const Kind>(kGraphKinds) : kKernelKinds;
}

void CUPTIAPI no_callback(void*, CUpti_CallbackDomain, CUpti_CallbackId, const void*) {}

void set_zeroed_buffers(const CuptiCalls& calls) {
  std::uint8_t zeroed = 1;
  std::size_t size = sizeof zeroed;
  calls.set_attribute(CUPTI_ACTIVITY_ATTR_ZEROED_OUT_ACTIVITY_BUFFER, &size, &zeroed);
}

}  // namespace

std::string cupti_reason(const char* call, CUptiResult code) {
  const std::string what = std::string(call) + ": CUPTI code " + std::to_string(code);
  switch (code) {
    case CUPTI_ERROR_UNKNOWN:
    case CUPTI_ERROR_NOT_INITIALIZED:
    case CUPTI_ERROR_INVALID_DEVICE:
      return "nothing to trace or to count here: no NVIDIA driver or no GPU (" + what + ")";
    case CUPTI_ERROR_INSUFFICIENT_PRIVILEGES:
      return "this user may not read counters: load the driver with "
             "NVreg_RestrictProfilingToAdminUsers=0, or run with CAP_SYS_ADMIN (" +
             what + ")";
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_INSUFFICIENT_PRIVILEGES:
      return "the hypervisor of this vGPU forbids profiling (" + what + ")";
    case CUPTI_ERROR_HARDWARE_BUSY:
      return "another program holds the counters: dcgmi profile --pause, and --resume afterwards "
             "(" +
             what + ")";
    default:
      return what;
  }
}

std::unique_ptr<ActivitySession> ActivitySession::open(const CuptiCalls& calls, ActivitySink& sink,
                                                       const SessionOptions& options,
                                                       std::string& reason) {
  if (current.load() != nullptr) throw std::logic_error("CUPTI has one session per process");
  std::uint32_t version = 0;
  constexpr std::uint32_t kPerMajor = 10000;
  if (calls.version(&version) != CUPTI_SUCCESS ||
      version / kPerMajor != CUPTI_API_VERSION / kPerMajor) {
    reason = "libcupti has version " + std::to_string(version) + ", this module was built for " +
             std::to_string(CUPTI_API_VERSION) + ": records have another layout";
    return nullptr;
  }
  std::unique_ptr<ActivitySession> session(new ActivitySession(calls, sink, options));
  char holder[64] = "";
  CUpti_SubscriberParams params{};
  params.structSize = CUpti_SubscriberParams_STRUCT_SIZE;
  params.subscriberName = "rackwright";
  params.oldSubscriberName = holder;
  params.oldSubscriberSize = sizeof holder;
  const CUptiResult code = calls.subscribe(&session->subscriber_, no_callback, nullptr, &params);
  if (code == CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED) {
    reason = std::string("CUPTI is held by ") + (holder[0] == '\0' ? "another tool" : holder) +
             ": end it, or leave the trace to it with --no-cupti";
  } else if (code != CUPTI_SUCCESS) {
    reason = cupti_reason("cuptiSubscribe_v2", code);
  }
  if (code != CUPTI_SUCCESS) {
    session->subscriber_ = nullptr;
    return nullptr;
  }
  set_zeroed_buffers(calls);
  current.store(session.get());
  if (const auto registered = calls.register_callbacks(requested, completed);
      registered != CUPTI_SUCCESS) {
    reason = cupti_reason("cuptiActivityRegisterCallbacks", registered);
    return nullptr;
  }
  return session;
}

ActivitySession::ActivitySession(const CuptiCalls& calls, ActivitySink& sink,
                                 const SessionOptions& options)
    : calls_(calls),
      options_(options),
      pool_(options.buffer_bytes, options.most_buffers),
      parser_(sink),
      reader_([this] { read_buffers(); }) {}

ActivitySession::~ActivitySession() {
  if (started_) stop();
  if (subscriber_ != nullptr) calls_.unsubscribe(subscriber_);
  if (current.load() == this) current.store(nullptr);
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  reader_.join();
}

std::string ActivitySession::start(TraceLevel level) {
  started_ = true;
  parser_.reset();
  refused_before_ = pool_.refused();
  for (const Kind& kind : kinds_of(level)) {
    const CUptiResult code = calls_.enable(kind.kind);
    if (code == CUPTI_SUCCESS) {
      enabled_.push_back(kind.kind);
    } else if (kind.needed) {
      disable_kinds();
      started_ = false;
      return cupti_reason("cuptiActivityEnable", code);
    }
  }
  calls_.flush_period(options_.flush_ms);
  return "";
}

void ActivitySession::stop() {
  calls_.flush_period(0);
  calls_.flush(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
  {
    std::unique_lock lock(mutex_);
    drained_.wait(lock, [this] { return queue_.empty() && !reading_; });
  }
  std::size_t dropped = 0;
  if (calls_.dropped(nullptr, 0, &dropped) == CUPTI_SUCCESS) parser_.add_dropped(dropped);
  disable_kinds();
  started_ = false;
}

void ActivitySession::disable_kinds() {
  for (auto kind = enabled_.rbegin(); kind != enabled_.rend(); ++kind) calls_.disable(*kind);
  enabled_.clear();
}

void ActivitySession::begin(std::uint64_t operator_id) {
  calls_.push(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, operator_id);
}

void ActivitySession::end() {
  std::uint64_t last = 0;
  calls_.pop(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, &last);
}

void CUPTIAPI ActivitySession::requested(std::uint8_t** buffer, std::size_t* size,
                                         std::size_t* records) {
  ActivitySession* session = current.load();
  *records = 0;  // as many as fit
  *buffer = session == nullptr ? nullptr : session->pool_.take();
  *size = *buffer == nullptr ? 0 : session->pool_.bytes();
}

/// On a thread of CUPTI: the buffer is only moved to the queue.
void CUPTIAPI ActivitySession::completed(CUcontext, std::uint32_t, std::uint8_t* buffer,
                                         std::size_t, std::size_t valid) {
  ActivitySession* session = current.load();
  if (session == nullptr || buffer == nullptr) return;
  {
    const std::lock_guard lock(session->mutex_);
    session->queue_.push_back({buffer, valid});
  }
  session->wake_.notify_one();
}

void ActivitySession::read_buffers() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Completed next = queue_.front();
    queue_.pop_front();
    reading_ = true;
    lock.unlock();
    parser_.parse(next.buffer, next.valid);
    pool_.give_back(next.buffer);
    lock.lock();
    reading_ = false;
    if (queue_.empty()) drained_.notify_all();
  }
}

}  // namespace rackwright::profiler::cupti
