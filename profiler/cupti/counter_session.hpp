#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "profiler/cupti/pm_sampling.hpp"

namespace rackwright::profiler::cupti {

/// Counters of one GPU, decoded by a thread of its own while work runs.
class CounterSession {
 public:
  using Take = std::function<void(const PmSample&)>;  ///< from one thread

  /// Null with the reason.
  [[nodiscard]] static std::unique_ptr<CounterSession> open(const PmCalls& calls,
                                                            const std::vector<std::string>& metrics,
                                                            const PmOptions& options, Take take,
                                                            std::string& reason);
  ~CounterSession();
  CounterSession(const CounterSession&) = delete;
  CounterSession& operator=(const CounterSession&) = delete;

  [[nodiscard]] std::string start();
  /// Hands out the last samples; "" or the first failure of a decode.
  [[nodiscard]] std::string stop();
  /// Samples were lost: the hardware buffer ran over.
  [[nodiscard]] bool overflowed() const { return sampler_->overflowed(); }

 private:
  CounterSession(std::unique_ptr<PmSampler> sampler, Take take);
  void decode_often();

  std::unique_ptr<PmSampler> sampler_;
  Take take_;
  std::string failure_;  ///< of a decode; the thread's until it has ended
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace rackwright::profiler::cupti
