#include "kernels/own/host_executor.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "kernels/own/host_block.hpp"

namespace rackwright::kernels::own {

// ---- the block ----

HostBlock::HostBlock()
    : fibres([this](int i) {
        (*body)(threads[static_cast<std::size_t>(i)]);
        states[static_cast<std::size_t>(i)] = ThreadState::ended;
        ++ended;
      }) {}

void HostBlock::start(const Launch& of, int at_x, int at_y, int at_z,
                      const std::function<void(HostThread&)>* what) {
  launch = of;
  x = at_x, y = at_y, z = at_z;
  body = what;
  epoch = 0, arrived = 0, ended = 0;
  fault.clear();
  const auto count = static_cast<std::size_t>(launch.block);
  threads.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    threads[i].block_ = this;
    threads[i].thread_ = static_cast<int>(i);
  }
  states.assign(count, ThreadState::ready);
  warps.assign(count / kWarp, WarpRecord{});
  copies.assign(count, {});
  // NaN in every format: a value nobody wrote shows in the result even where no check fires.
  shared.assign(static_cast<std::size_t>(ceil_div(launch.shared_bytes, 16)),
                Word16{{~0U, ~0U, ~0U, ~0U}});
  shadow.assign(shared.size() * 8, ShadowCell{});
  fibres.reserve(launch.block);
}

bool HostBlock::pass(const std::vector<int>& order) {
  bool moved = false;
  for (const int i : order) {
    if (states[static_cast<std::size_t>(i)] != ThreadState::ready) continue;
    moved = true;
    fibres.resume(i);
    if (!fault.empty()) return true;
  }
  return moved;
}

std::string HostBlock::waiting() const {
  const auto in = [this](ThreadState state) { return std::ranges::count(states, state); };
  return fmt::format(
      "block ({}, {}, {}): threads wait for others for ever: {} have ended, {} wait at a barrier, "
      "{} "
      "at a warp-wide operation",
      x, y, z, in(ThreadState::ended), in(ThreadState::at_barrier), in(ThreadState::at_warp));
}

void HostBlock::wait(int thread, ThreadState why) {
  states[static_cast<std::size_t>(thread)] = why;
  fibres.yield(thread);
}

void HostBlock::fail(const HostThread& thread, std::string what) {
  fault = fmt::format("block ({}, {}, {}), thread {}: {}", x, y, z, thread.thread(), what);
  std::string().swap(what);  // this fibre never goes on to free it
  for (;;) fibres.yield(thread.thread());
}

void HostBlock::enter_warp(HostThread& thread, WarpOperation operation) {
  WarpRecord& warp = warps[static_cast<std::size_t>(thread.warp())];
  if (warp.arrived > 0 && warp.operation != operation) {
    fail(thread, "lanes of one warp are at different warp-wide operations");
  }
  warp.operation = operation;
  if (++warp.arrived < kWarp) {
    wait(thread.thread(), ThreadState::at_warp);
    return;
  }
  perform(warp);
  warp.arrived = 0;
  const auto first = states.begin() + thread.warp() * kWarp;
  std::fill(first, first + kWarp, ThreadState::ready);
}

namespace {

/// Element (row, column) of the 16x16 left operand among the lanes' registers.
float left(const WarpRecord& warp, int row, int column) {
  const int lane = (row % 8) * 4 + (column % 8) / 2;
  const auto word = static_cast<std::size_t>((row / 8) + 2 * (column / 8));
  const std::uint32_t packed = warp.lanes[static_cast<std::size_t>(lane)].in[word];
  return column % 2 == 0 ? low_bf16(packed) : high_bf16(packed);
}
/// Element (row, column) of the 16x8 right operand.
float right(const WarpRecord& warp, int row, int column) {
  const int lane = column * 4 + (row % 8) / 2;
  const auto word = static_cast<std::size_t>(4 + row / 8);
  const std::uint32_t packed = warp.lanes[static_cast<std::size_t>(lane)].in[word];
  return row % 2 == 0 ? low_bf16(packed) : high_bf16(packed);
}

void multiply(WarpRecord& warp) {
  float a[16][16];
  float b[16][8];
  for (int i = 0; i < 16; ++i) {
    for (int k = 0; k < 16; ++k) a[i][k] = left(warp, i, k);
    for (int j = 0; j < 8; ++j) b[i][j] = right(warp, i, j);
  }
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 8; ++j) {
      LaneSlot& slot = warp.lanes[static_cast<std::size_t>((i % 8) * 4 + j / 2)];
      const auto word = static_cast<std::size_t>((i / 8) * 2 + j % 2);
      float sum = float_of(slot.in[6 + word]);
      for (int k = 0; k < 16; ++k) sum += a[i][k] * b[k][j];
      slot.out[word] = bits_of(sum);
    }
  }
}

void load_matrices(WarpRecord& warp, bool transposed) {
  for (std::size_t lane = 0; lane < kWarp; ++lane) {
    for (std::size_t matrix = 0; matrix < 4; ++matrix) {
      const std::size_t fixed = lane / 4;
      const std::size_t pair = 2 * (lane % 4);
      std::uint16_t two[2];
      for (std::size_t k = 0; k < 2; ++k) {
        const std::size_t row = transposed ? pair + k : fixed;
        const std::size_t column = transposed ? fixed : pair + k;
        std::memcpy(&two[k], warp.lanes[matrix * 8 + row].row + 2 * column, 2);
      }
      warp.lanes[lane].out[matrix] = two[0] | static_cast<std::uint32_t>(two[1]) << 16;
    }
  }
}

}  // namespace

void HostBlock::perform(WarpRecord& warp) {
  switch (warp.operation) {
    case WarpOperation::none:
      break;
    case WarpOperation::sync:
      ++warp.syncs;
      break;
    case WarpOperation::exchange:
      for (LaneSlot& slot : warp.lanes) {
        slot.out[0] = warp.lanes[static_cast<std::size_t>(slot.from_lane)].in[0];
      }
      break;
    case WarpOperation::ballot: {
      std::uint32_t mask = 0;
      for (std::size_t lane = 0; lane < kWarp; ++lane) mask |= warp.lanes[lane].in[0] << lane;
      for (LaneSlot& slot : warp.lanes) slot.out[0] = mask;
      break;
    }
    case WarpOperation::matrix:
      load_matrices(warp, false);
      break;
    case WarpOperation::transposed:
      load_matrices(warp, true);
      break;
    case WarpOperation::mma:
      multiply(warp);
      break;
  }
}

void HostBlock::record(HostThread& thread, int first_byte, int bytes, bool write, bool atomic) {
  const auto me = static_cast<std::int16_t>(thread.thread());
  const auto my_warp = static_cast<std::int16_t>(thread.warp());
  const std::uint32_t syncs = warps[static_cast<std::size_t>(thread.warp())].syncs;
  for (int byte = first_byte; byte < first_byte + bytes; byte += 2) {
    ShadowCell& cell = shadow[static_cast<std::size_t>(byte / 2)];
    // Ordered before this access: another barrier interval, or the same warp before its last sync.
    const bool foreign_write = cell.written && cell.writer != me && cell.write_epoch == epoch &&
                               !(cell.writer / kWarp == my_warp && cell.write_syncs < syncs) &&
                               !(atomic && cell.atomic);
    const bool foreign_read = write && cell.reader != -1 && cell.reader != me &&
                              cell.read_epoch == epoch &&
                              !(cell.reader_warp == my_warp && cell.read_syncs < syncs);
    if (foreign_write || foreign_read) {
      fail(thread,
           fmt::format("shared memory race at byte {}: {} after another thread's {} with no "
                       "barrier between (thread {})",
                       byte, write ? "a write" : "a read", foreign_write ? "write" : "read",
                       foreign_write ? cell.writer : cell.reader));
    }
    if (!cell.written && (!write || atomic)) {
      fail(thread, fmt::format("reads byte {} of shared memory, which nobody wrote", byte));
    }
    if (write) {
      cell.writer = me;
      cell.written = true;
      cell.atomic = atomic;
      cell.write_epoch = epoch;
      cell.write_syncs = syncs;
      continue;
    }
    const bool same_interval = cell.reader != -1 && cell.read_epoch == epoch;
    if (same_interval && cell.reader != me) {
      cell.reader = kMany;
      if (cell.reader_warp != my_warp) cell.reader_warp = kMany;
    } else if (!same_interval) {
      cell.reader = me;
      cell.reader_warp = my_warp;
    }
    cell.read_epoch = epoch;
    cell.read_syncs = syncs;
  }
}

// ---- the thread ----

int HostThread::threads() const {
  return block_->launch.block;
}
int HostThread::block_x() const {
  return block_->x;
}
int HostThread::block_y() const {
  return block_->y;
}
int HostThread::block_z() const {
  return block_->z;
}
int HostThread::blocks_x() const {
  return block_->launch.grid_x;
}

void HostThread::sync() {
  HostBlock& block = *block_;
  if (++block.arrived < block.launch.block) {
    block.wait(thread_, ThreadState::at_barrier);
    return;
  }
  block.arrived = 0;
  ++block.epoch;
  std::ranges::fill(block.states, ThreadState::ready);
}

void HostThread::sync_warp() {
  block_->enter_warp(*this, WarpOperation::sync);
}

std::uint32_t HostThread::exchange(std::uint32_t bits, int from_lane) {
  LaneSlot& slot = block_->slot(*this);
  if (from_lane < 0 || from_lane >= kWarp)
    block_->fail(*this, "shuffle from a lane outside the warp");
  slot.in[0] = bits;
  slot.from_lane = from_lane;
  block_->enter_warp(*this, WarpOperation::exchange);
  return slot.out[0];
}

std::uint32_t HostThread::ballot(bool value) {
  LaneSlot& slot = block_->slot(*this);
  slot.in[0] = value ? 1U : 0U;
  block_->enter_warp(*this, WarpOperation::ballot);
  return slot.out[0];
}

void HostThread::mma(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                     std::uint32_t b1) {
  LaneSlot& slot = block_->slot(*this);
  for (std::size_t i = 0; i < 4; ++i) {
    slot.in[i] = a[i];
    slot.in[6 + i] = bits_of(c[i]);
  }
  slot.in[4] = b0;
  slot.in[5] = b1;
  block_->enter_warp(*this, WarpOperation::mma);
  for (std::size_t i = 0; i < 4; ++i) c[i] = float_of(slot.out[i]);
}

void HostThread::load_matrix(HostShared<Bf16> from, int i, std::uint32_t (&out)[4],
                             bool transposed) {
  LaneSlot& slot = block_->slot(*this);
  slot.row = shared_place(from.offset, i, from.count, sizeof(Bf16), 16, false);
  block_->enter_warp(*this, transposed ? WarpOperation::transposed : WarpOperation::matrix);
  for (std::size_t j = 0; j < 4; ++j) out[j] = slot.out[j];
}

void HostThread::post(const View<std::uint32_t>& view, std::int64_t i, std::uint32_t value) {
  check_global(i, 1, view.count, sizeof value, view.data);
  looks_ = 0;
  std::atomic_ref(view.data[i]).store(value, std::memory_order_release);
}

std::uint32_t HostThread::look(const View<std::uint32_t>& view, std::int64_t i) {
  check_global(i, 1, view.count, sizeof(std::uint32_t), view.data);
  // Who waits longer leaves the core to the executor that it waits for.
  constexpr int kEager = 16;
  ++looks_ < kEager ? std::this_thread::yield()
                    : std::this_thread::sleep_for(std::chrono::microseconds(20));
  return std::atomic_ref(view.data[i]).load(std::memory_order_acquire);
}

std::uint64_t HostThread::clock_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

void HostThread::check_global(std::int64_t i, std::int64_t elements, std::int64_t count,
                              std::size_t alignment, const void* address) {
  if (i < 0 || i + elements > count) {
    block_->fail(*this,
                 fmt::format("global memory: elements {} to {} of {}", i, i + elements - 1, count));
  }
  if (reinterpret_cast<std::uintptr_t>(address) % alignment != 0) {
    block_->fail(*this,
                 fmt::format("global memory: element {} is not aligned to {} bytes", i, alignment));
  }
}

void HostThread::check_shared_array(int byte_offset, int count, std::size_t size) {
  const auto end = byte_offset + static_cast<std::int64_t>(count) * static_cast<std::int64_t>(size);
  if (byte_offset < 0 || count < 0 || end > block_->launch.shared_bytes) {
    block_->fail(*this, fmt::format("shared memory: an array to byte {} of the launch's {}", end,
                                    block_->launch.shared_bytes));
  }
}

unsigned char* HostThread::shared_place(int offset, int i, int count, std::size_t size, int bytes,
                                        bool write, bool atomic) {
  const int element = static_cast<int>(size);
  if (i < 0 || i + ceil_div(bytes, element) > count) {
    block_->fail(*this, fmt::format("shared memory: element {} of an array of {}", i, count));
  }
  const int place = offset + i * element;
  if (place % bytes != 0) {
    block_->fail(*this, fmt::format("shared memory: byte {} is not aligned to {}", place, bytes));
  }
  block_->record(*this, place, bytes, write, atomic);
  return reinterpret_cast<unsigned char*>(block_->shared.data()) + place;
}

void HostThread::start_copy(int shared_offset, const void* from) {
  shared_place(0, shared_offset, block_->launch.shared_bytes, 1, 16, true);
  auto& groups = block_->copies[static_cast<std::size_t>(thread_)];
  if (groups.empty()) groups.emplace_back();
  groups.back().push_back({shared_offset, from});
}

void HostThread::commit_async() {
  auto& groups = block_->copies[static_cast<std::size_t>(thread_)];
  if (groups.empty()) groups.emplace_back();
  groups.emplace_back();
}

void HostThread::finish_copies(std::size_t pending) {
  auto& groups = block_->copies[static_cast<std::size_t>(thread_)];
  // The last group is open: it is not committed yet.
  while (groups.size() > pending + 1) {
    for (const PendingCopy& copy : groups.front()) {
      unsigned char* to = shared_place(0, copy.offset, block_->launch.shared_bytes, 1, 16, true);
      if (copy.from == nullptr) {
        std::memset(to, 0, 16);
      } else {
        std::memcpy(to, copy.from, 16);
      }
    }
    groups.erase(groups.begin());
  }
}

// ---- the executor ----

HostExecutor::HostExecutor(ThreadOrder order, RandomSource random)
    : order_(order), random_(random), block_(std::make_unique<HostBlock>()) {}
HostExecutor::~HostExecutor() = default;

namespace {

void arrange(std::vector<int>& order, ThreadOrder how, RandomSource& random) {
  if (how == ThreadOrder::backward) std::ranges::reverse(order);
  if (how != ThreadOrder::shuffled) return;
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
}

}  // namespace

void HostExecutor::run(const Launch& launch, const std::function<void(HostThread&)>& body) {
  if (launch.block <= 0 || launch.block % kWarp != 0 || launch.block > 1024 || launch.grid_x < 0 ||
      launch.grid_y < 0 || launch.grid_z < 0) {
    throw KernelFault(
        fmt::format("a launch of {} x {} x {} blocks of {} threads: whole warps, at most "
                    "1024 threads",
                    launch.grid_x, launch.grid_y, launch.grid_z, launch.block));
  }
  std::vector<int> blocks(static_cast<std::size_t>(launch.grid_x) * launch.grid_y * launch.grid_z);
  std::iota(blocks.begin(), blocks.end(), 0);
  arrange(blocks, order_, random_);
  std::vector<int> order(static_cast<std::size_t>(launch.block));
  std::iota(order.begin(), order.end(), 0);
  if (order_ == ThreadOrder::backward) std::ranges::reverse(order);
  for (const int index : blocks) {
    block_->start(launch, index % launch.grid_x, index / launch.grid_x % launch.grid_y,
                  index / launch.grid_x / launch.grid_y, &body);
    bool moved = true;
    while (moved && block_->fault.empty() && block_->ended < launch.block) {
      if (order_ == ThreadOrder::shuffled) arrange(order, order_, random_);
      moved = block_->pass(order);
    }
    if (!block_->fault.empty() || block_->ended < launch.block) {
      block_->fibres.abandon();
      throw KernelFault(block_->fault.empty() ? block_->waiting() : block_->fault);
    }
  }
}

}  // namespace rackwright::kernels::own
