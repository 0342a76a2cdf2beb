#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>

namespace rackwright::kernels::cuda {

inline constexpr double kLongestHold = 0.1;  ///< seconds

/// The CUDA calls a step needs, one member each; handles are opaque and codes are CUDA's. Behind it
/// are the runtime in the module and a stand-in in the tests.
class CudaCalls {
 public:
  virtual ~CudaCalls() = default;
  virtual int create_stream(void** stream) = 0;
  virtual int destroy_stream(void* stream) = 0;
  virtual int synchronise(void* stream) = 0;
  /// 0 once the stream is idle, kNotReady before.
  virtual int query(void* stream) = 0;
  virtual int create_event(void** event) = 0;
  virtual int destroy_event(void* event) = 0;
  virtual int record(void* event, void* stream) = 0;
  virtual int wait(void* stream, void* event) = 0;
  virtual int elapsed_ms(float* milliseconds, void* start, void* stop) = 0;
  virtual int begin_capture(void* stream) = 0;
  /// Ends the capture and instantiates what was captured.
  virtual int end_capture(void* stream, void** graph) = 0;
  virtual int launch_graph(void* graph, void* stream) = 0;
  virtual int destroy_graph(void* graph) = 0;
  /// Keeps the stream from going on until `let_go`, or until kLongestHold has passed: it would wait
  /// for ever where a queued call itself waits for the stream.
  virtual int hold(void* stream) = 0;
  virtual void let_go() = 0;
  /// Of the last hold, once its stream is idle.
  [[nodiscard]] virtual bool hold_timed_out() const = 0;
  virtual int allocate(void** memory, std::size_t bytes) = 0;
  virtual int release(void* memory) = 0;
  /// "cudaErrorMemoryAllocation".
  virtual std::string name_of(int code) = 0;
  /// Resets the last error; returns the code that every further call gives, 0 when there is none.
  virtual int remaining_error() = 0;
};

/// A failed call. `lost`: the context is spoiled, and so is every later call of the process.
class CudaError : public std::runtime_error {
 public:
  CudaError(int code, bool lost, const std::string& what)
      : std::runtime_error(what), code_(code), lost_(lost) {}
  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  int code_;
  bool lost_;
};

inline constexpr int kNotReady = 600;
inline constexpr int kUnsupported = 801;
inline constexpr int kUnknownError = 999;
inline constexpr const char* kStartAnew = "; the context is lost: start the program anew";

/// What to do about an error code of the CUDA runtime.
[[nodiscard]] const char* remedy(int code);
/// Whether every later call of the process fails too.
[[nodiscard]] bool is_sticky(int code);
/// "cudaMalloc: cudaErrorMemoryAllocation (2): …".
[[nodiscard]] std::string describe(const std::string& call, const std::string& name, int code);
/// Throws CudaError unless `code` is 0.
void check(CudaCalls& calls, int code, const std::string& call);

/// Where calls enter the module. After an error that cost the context it refuses every other with
/// that error's code and message.
class CallGate {
 public:
  /// Runs `work`, one caller at a time. Returns 0, or the code of what was thrown with its text.
  int run(char* message, std::size_t size, const std::function<void()>& work);

 private:
  std::mutex mutex_;
  int lost_code_ = 0;
  std::string lost_;
};

}  // namespace rackwright::kernels::cuda
