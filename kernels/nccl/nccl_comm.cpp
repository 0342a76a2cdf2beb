#include "kernels/nccl/nccl_comm.hpp"

#include <array>
#include <span>
#include <thread>

#include <fmt/format.h>

#include "common/progress.hpp"

namespace rackwright::kernels {

namespace {

using Clock = std::chrono::steady_clock;

bool busy(int code) {
  return code == RACKWRIGHT_NCCL_BUSY;
}

}  // namespace

NcclComm::NcclComm(const RackwrightNccl& calls, NcclLimits limits, int rank, int size)
    : calls_(calls), limits_(limits), rank_(rank), size_(size) {}

NcclComm::NcclComm(const RackwrightNccl& calls, launch::Communicator& ranks, NcclLimits limits)
    : NcclComm(calls, limits, ranks.rank(), ranks.size()) {
  std::array<char, RACKWRIGHT_NCCL_ID> id{};
  char message[RACKWRIGHT_NCCL_TEXT] = "";
  const int made = rank_ == 0 ? calls.unique_id(id.data(), message) : 0;
  ranks.broadcast(std::as_writable_bytes(std::span<char>(id)), 0);
  if (ranks.decided(made) != 0) fail("ncclGetUniqueId", message);
  const int code = calls.init(&comm_, size_, id.data(), rank_, message);
  if (code != 0 && !busy(code)) fail("init", message);
  poll("init", limits_.init_s, [&](char* text) { return calls_.state(comm_, text); });
}

NcclComm::~NcclComm() {
  if (aborted_ || comm_ == nullptr) return;
  char message[RACKWRIGHT_NCCL_TEXT] = "";
  try {
    const int code = calls_.finalize(comm_, message);
    if (code != 0 && !busy(code)) fail("finalize", message);
    poll("finalize", limits_.call_s, [&](char* text) { return calls_.state(comm_, text); });
    calls_.destroy(comm_, message);
  } catch (const std::exception&) {
    abort();  // a peer is gone: what was measured stands
  }
}

std::unique_ptr<NcclComm> NcclComm::split(int colour, launch::Communicator& group) {
  std::unique_ptr<NcclComm> made(new NcclComm(calls_, limits_, group.rank(), group.size()));
  char message[RACKWRIGHT_NCCL_TEXT] = "";
  const int code = calls_.split(comm_, colour, rank_, &made->comm_, message);
  if (code != 0 && !busy(code)) fail("split", message);
  poll("split", limits_.init_s, [&](char* text) { return calls_.state(comm_, text); });
  made->poll("split", limits_.init_s, [&](char* text) { return calls_.state(made->comm_, text); });
  return made;
}

void NcclComm::enqueue(std::string_view what,
                       const std::function<int(void* comm, char* message)>& call) {
  if (aborted_) throw NcclFailure(fmt::format("rank {}: {}: aborted before", rank_, what));
  char message[RACKWRIGHT_NCCL_TEXT] = "";
  const int code = call(comm_, message);
  if (code != 0 && !busy(code)) fail(what, message);
  if (busy(code)) poll(what, limits_.call_s, [&](char* text) { return calls_.state(comm_, text); });
}

void NcclComm::wait(std::string_view what) {
  poll(what, limits_.call_s, [&](char* text) {
    const int stream = calls_.stream(text);
    if (!busy(stream)) return stream;
    const int state = calls_.state(comm_, text);  // a dead peer shows only here
    return state == 0 ? RACKWRIGHT_NCCL_BUSY : state;
  });
}

void NcclComm::poll(std::string_view what, double limit_s,
                    const std::function<int(char* message)>& state) {
  const auto deadline = Clock::now() + std::chrono::duration<double>(limit_s);
  for (;;) {
    char message[RACKWRIGHT_NCCL_TEXT] = "";
    const int code = state(message);
    if (code == 0) return;
    if (!busy(code)) fail(what, message);
    stop_when_interrupted();
    if (Clock::now() > deadline) fail(what, fmt::format("not done within {:g} s", limit_s));
    std::this_thread::yield();
  }
}

void NcclComm::look(std::string_view what, double waited_s) {
  char message[RACKWRIGHT_NCCL_TEXT] = "";
  const int code = calls_.state(comm_, message);
  if (code != 0 && !busy(code)) fail(what, message);
  stop_when_interrupted();
  if (waited_s > limits_.call_s) fail(what, fmt::format("not done within {:g} s", limits_.call_s));
}

void NcclComm::stop_when_interrupted() {
  if (!interrupted()) return;
  abort();
  throw_if_interrupted();
}

void NcclComm::fail(std::string_view what, const std::string& why) {
  abort();
  throw NcclFailure(fmt::format("rank {}: {}: {}", rank_, what, why));
}

void NcclComm::abort() {
  if (aborted_) return;
  aborted_ = true;
  if (before_abort_) before_abort_();
  char message[RACKWRIGHT_NCCL_TEXT] = "";
  if (comm_ != nullptr) calls_.abort(comm_, message);
}

}  // namespace rackwright::kernels
