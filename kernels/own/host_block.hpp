#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/own/fibre.hpp"
#include "kernels/own/host_executor.hpp"

namespace rackwright::kernels::own {

enum class ThreadState : std::uint8_t { ready, at_barrier, at_warp, ended };
enum class WarpOperation : std::uint8_t { none, sync, exchange, ballot, matrix, transposed, mma };

/// One 16-byte copy on its way to shared memory.
struct PendingCopy {
  int offset = 0;
  const void* from = nullptr;  ///< nothing: zeros
};

/// What a lane brings to a warp-wide operation and takes from it.
struct LaneSlot {
  std::array<std::uint32_t, 10> in{};
  std::array<std::uint32_t, 4> out{};
  int from_lane = 0;
  const unsigned char* row = nullptr;
};

struct WarpRecord {
  std::array<LaneSlot, kWarp> lanes;
  WarpOperation operation = WarpOperation::none;
  int arrived = 0;
  std::uint32_t syncs = 0;  ///< sync_warp passed
};

/// Who last touched two bytes of shared memory, and at which barrier.
struct ShadowCell {
  std::int16_t writer = -1;  ///< thread; -1: nobody
  std::int16_t reader = -1;  ///< thread; kMany: several
  std::int16_t reader_warp = -1;
  bool written = false;  ///< in this block
  bool atomic = false;
  std::uint32_t write_epoch = 0, write_syncs = 0;
  std::uint32_t read_epoch = 0, read_syncs = 0;
};

/// A block on the host: its fibres, barriers, warps and shared memory.
struct HostBlock {
  static constexpr std::int16_t kMany = -2;

  HostBlock();
  void start(const Launch& launch, int x, int y, int z,
             const std::function<void(HostThread&)>* body);
  /// One pass: every thread that can go on does so until it waits or ends. False: none could.
  bool pass(const std::vector<int>& order);
  [[nodiscard]] std::string waiting() const;

  void wait(int thread, ThreadState why);
  void enter_warp(HostThread& thread, WarpOperation operation);
  [[nodiscard]] LaneSlot& slot(const HostThread& thread) {
    return warps[static_cast<std::size_t>(thread.warp())]
        .lanes[static_cast<std::size_t>(thread.lane())];
  }
  void perform(WarpRecord& warp);
  void record(HostThread& thread, int first_byte, int bytes, bool write, bool atomic);
  [[noreturn]] void fail(const HostThread& thread, std::string what);

  Launch launch;
  int x = 0, y = 0, z = 0;
  std::uint32_t epoch = 0;  ///< barriers passed
  int arrived = 0;
  int ended = 0;
  std::string fault;
  std::vector<HostThread> threads;
  std::vector<ThreadState> states;
  std::vector<WarpRecord> warps;
  std::vector<std::vector<std::vector<PendingCopy>>> copies;  ///< by thread, by group
  std::vector<Word16> shared;
  std::vector<ShadowCell> shadow;
  const std::function<void(HostThread&)>* body = nullptr;
  FibrePool fibres;
};

}  // namespace rackwright::kernels::own
