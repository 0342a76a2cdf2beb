#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/launch/communicator.hpp"
#include "kernels/nccl/nccl_abi.h"
#include "kernels/rank_failure.hpp"

namespace rackwright::kernels {

/// A rank's NCCL failed; its communicator is aborted. Says rank and operation.
class NcclFailure : public RankFailure {
 public:
  using RankFailure::RankFailure;
};

/// Limits of waiting, seconds.
struct NcclLimits {
  double init_s = 120;
  double call_s = 60;
};

/// A communicator whose calls never wait without looking: stream, asynchronous error, time limit
/// and signals are polled together. On any of them it is aborted and NcclFailure (after a signal
/// Interrupted) is thrown; the peers see the abort as an asynchronous error, or run into the limit,
/// and abort too. Keeps references.
class NcclComm {
 public:
  /// Rank 0 makes the id, `ranks` carries it to all. A call of all ranks.
  NcclComm(const RackwrightNccl& calls, launch::Communicator& ranks, NcclLimits limits = {});
  /// Finalises, polls and destroys, unless it was aborted.
  ~NcclComm();
  NcclComm(const NcclComm&) = delete;
  NcclComm& operator=(const NcclComm&) = delete;

  /// Ranks of one colour: tensor, expert, pipeline and data groups. A call of all ranks.
  [[nodiscard]] std::unique_ptr<NcclComm> split(int colour, launch::Communicator& group);

  /// Puts `enqueue` on the stream; any error it returns aborts.
  void enqueue(std::string_view what, const std::function<int(void* comm, char* message)>& call);
  /// Until the module's stream is idle.
  void wait(std::string_view what);
  /// One look while a stream of the caller's is busy since `waited_s`: throws as above.
  void look(std::string_view what, double waited_s);
  /// Frees it here; the peers see an asynchronous error.
  void abort();
  /// What ends work of this group that is not NCCL's; called once, first of all.
  void before_abort(std::function<void()> end) { before_abort_ = std::move(end); }

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool aborted() const { return aborted_; }
  [[nodiscard]] void* handle() const { return comm_; }
  [[nodiscard]] const RackwrightNccl& calls() const { return calls_; }

 private:
  NcclComm(const RackwrightNccl& calls, NcclLimits limits, int rank, int size);
  void poll(std::string_view what, double limit_s, const std::function<int(char* message)>& busy);
  void stop_when_interrupted();
  [[noreturn]] void fail(std::string_view what, const std::string& why);

  const RackwrightNccl& calls_;
  NcclLimits limits_;
  int rank_ = 0, size_ = 1;
  void* comm_ = nullptr;
  bool aborted_ = false;
  std::function<void()> before_abort_;
};

}  // namespace rackwright::kernels
