#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "profiler/cupti/activity_parser.hpp"
#include "profiler/cupti/buffer_pool.hpp"
#include "profiler/cupti/cupti_calls.hpp"

namespace rackwright::profiler::cupti {

struct SessionOptions {
  std::size_t buffer_bytes = 4U << 20U;  ///< 1 to 8 MiB
  std::size_t most_buffers = 64;
  std::uint32_t flush_ms = 500;  ///< while running
};

/// Kernels of graphs one by one, or a graph launch as a whole (GRAPH_TRACE): one of them a window.
enum class TraceLevel { kernels, graphs };

/// Holds CUPTI for this process, which allows one holder. With CUDA 13.0 the correlation of graph
/// launches is wrong in every window after the first.
class ActivitySession {
 public:
  /// Subscribes; to be called before any CUDA context. Null with the reason: no driver, another
  /// layout of records, or the tool that holds CUPTI. Throws std::logic_error for a second session
  /// at the same time.
  [[nodiscard]] static std::unique_ptr<ActivitySession> open(const CuptiCalls& calls,
                                                             ActivitySink& sink,
                                                             const SessionOptions& options,
                                                             std::string& reason);
  ~ActivitySession();
  ActivitySession(const ActivitySession&) = delete;
  ActivitySession& operator=(const ActivitySession&) = delete;

  /// Enables the kinds; "" or why it failed. Graphs captured before would be lost.
  [[nodiscard]] std::string start(TraceLevel level);
  /// Flushes, reads what is left, disables. The GPU must be idle: flushing does not wait for it.
  void stop();
  void begin(std::uint64_t operator_id);
  void end();

  /// Of the last window.
  [[nodiscard]] const ActivityCounts& counts() const { return parser_.counts(); }
  [[nodiscard]] std::uint64_t refused_buffers() const { return pool_.refused() - refused_before_; }

 private:
  struct Completed {
    std::uint8_t* buffer = nullptr;
    std::size_t valid = 0;
  };
  ActivitySession(const CuptiCalls& calls, ActivitySink& sink, const SessionOptions& options);
  static void CUPTIAPI requested(std::uint8_t** buffer, std::size_t* size, std::size_t* records);
  static void CUPTIAPI completed(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t,
                                 std::size_t valid);
  void read_buffers();
  void disable_kinds();

  CuptiCalls calls_;
  SessionOptions options_;
  BufferPool pool_;
  ActivityParser parser_;
  CUpti_SubscriberHandle subscriber_ = nullptr;
  std::vector<CUpti_ActivityKind> enabled_;
  std::uint64_t refused_before_ = 0;  ///< this window
  bool started_ = false;
  std::mutex mutex_;  ///< of the queue only: never held in a call of CUPTI
  std::condition_variable wake_, drained_;
  std::deque<Completed> queue_;
  bool ending_ = false, reading_ = false;
  std::thread reader_;
};

/// What a failed call means and what helps.
[[nodiscard]] std::string cupti_reason(const char* call, CUptiResult code);

}  // namespace rackwright::profiler::cupti
