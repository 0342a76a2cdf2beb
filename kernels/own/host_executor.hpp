#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "common/random.hpp"
#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// A kernel body broke a rule of the device: which, where, which thread.
class KernelFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class ThreadOrder { forward, backward, shuffled };

class HostThread;
struct HostBlock;

/// Shared memory of the block on the host: each access is checked against its bounds and against
/// what other threads did since the last barrier.
template <class T>
struct HostShared {
  HostThread* thread = nullptr;
  int offset = 0;  ///< bytes
  int count = 0;
  T get(int i) const;
  void set(int i, T value);
  [[nodiscard]] Word16 get16(int i) const;
  void set16(int i, Word16 value);
  T atomic_add(int i, T value);
};

/// The thread of a kernel body on the host: a fibre. Same members as CudaThread.
///
/// Faults: access out of bounds or misaligned; shared memory read before it is written; two threads
/// at one place of shared memory, one of them writing, with no barrier between; threads that wait
/// for ones that have ended or wait elsewhere.
class HostThread {
 public:
  [[nodiscard]] int thread() const { return thread_; }
  [[nodiscard]] int lane() const { return thread_ % kWarp; }
  [[nodiscard]] int warp() const { return thread_ / kWarp; }
  [[nodiscard]] int threads() const;
  [[nodiscard]] int block_x() const;
  [[nodiscard]] int block_y() const;
  [[nodiscard]] int block_z() const;
  [[nodiscard]] int blocks_x() const;

  void sync();
  void sync_warp();
  template <class T>
  T shuffle_xor(T value, int mask) {
    return from_bits<T>(exchange(to_bits(value), lane() ^ mask));
  }
  template <class T>
  T shuffle(T value, int from_lane) {
    return from_bits<T>(exchange(to_bits(value), from_lane));
  }
  std::uint32_t ballot(bool value);

  template <class T>
  HostShared<T> shared(int byte_offset, int count) {
    check_shared_array(byte_offset, count, sizeof(T));
    return {this, byte_offset, count};
  }

  template <class T>
  T read(const View<T>& view, std::int64_t i) {
    check_global(i, 1, view.count, sizeof(T), view.data);
    return view.data[i];
  }
  template <class T>
  void write(const View<T>& view, std::int64_t i, T value) {
    check_global(i, 1, view.count, sizeof(T), view.data);
    view.data[i] = value;
  }
  template <class T>
  T read_volatile(const View<T>& view, std::int64_t i) {
    check_global(i, 1, view.count, sizeof(T), view.data);
    return *static_cast<const volatile T*>(view.data + i);
  }
  template <class T>
  Word16 read16_volatile(const View<T>& view, std::int64_t i) {
    return read16(view, i);
  }
  /// Other executors, in other threads or processes, are the other GPUs.
  void post(const View<std::uint32_t>& view, std::int64_t i, std::uint32_t value);
  std::uint32_t look(const View<std::uint32_t>& view, std::int64_t i);
  template <class T>
  Word16 read16(const View<T>& view, std::int64_t i) {
    check_global(i, 16 / sizeof(T), view.count, 16, view.data + i);
    Word16 word;
    std::memcpy(&word, view.data + i, sizeof word);
    return word;
  }
  template <class T>
  void write16(const View<T>& view, std::int64_t i, Word16 value) {
    check_global(i, 16 / sizeof(T), view.count, 16, view.data + i);
    std::memcpy(view.data + i, &value, sizeof value);
  }
  std::uint64_t clock_ns();

  /// Lands when waited for, so that a missing wait shows.
  template <class T, class U>
  void copy_async16(HostShared<T> to, int i, const View<U>& from, std::int64_t j, bool valid) {
    if (valid) check_global(j, 16 / sizeof(U), from.count, 16, from.data + j);
    start_copy(to.offset + i * static_cast<int>(sizeof(T)), valid ? from.data + j : nullptr);
  }
  void commit_async();
  template <int kPending>
  void wait_async() {
    finish_copies(kPending);
  }

  void load_matrix(HostShared<Bf16> from, int i, std::uint32_t (&out)[4]) {
    load_matrix(from, i, out, false);
  }
  void load_matrix_transposed(HostShared<Bf16> from, int i, std::uint32_t (&out)[4]) {
    load_matrix(from, i, out, true);
  }
  void mma(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1);

 private:
  template <class T>
  friend struct HostShared;
  friend struct HostBlock;

  template <class T>
  static std::uint32_t to_bits(T value) {
    static_assert(sizeof(T) == 4 && std::is_trivially_copyable_v<T>);
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
  }
  template <class T>
  static T from_bits(std::uint32_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  std::uint32_t exchange(std::uint32_t bits, int from_lane);
  void load_matrix(HostShared<Bf16> from, int i, std::uint32_t (&out)[4], bool transposed);
  void check_global(std::int64_t i, std::int64_t elements, std::int64_t count,
                    std::size_t alignment, const void* address);
  void check_shared_array(int byte_offset, int count, std::size_t size);
  /// Checks and returns the place of `bytes` at element `i` of an array.
  unsigned char* shared_place(int offset, int i, int count, std::size_t size, int bytes, bool write,
                              bool atomic = false);
  void start_copy(int shared_offset, const void* from);
  void finish_copies(std::size_t pending);

  HostBlock* block_ = nullptr;
  int thread_ = 0;
  int looks_ = 0;  ///< since it posted
};

template <class T>
T HostShared<T>::get(int i) const {
  T value;
  std::memcpy(&value, thread->shared_place(offset, i, count, sizeof(T), sizeof(T), false),
              sizeof value);
  return value;
}
template <class T>
void HostShared<T>::set(int i, T value) {
  std::memcpy(thread->shared_place(offset, i, count, sizeof(T), sizeof(T), true), &value,
              sizeof value);
}
template <class T>
Word16 HostShared<T>::get16(int i) const {
  Word16 value;
  std::memcpy(&value, thread->shared_place(offset, i, count, sizeof(T), 16, false), sizeof value);
  return value;
}
template <class T>
void HostShared<T>::set16(int i, Word16 value) {
  std::memcpy(thread->shared_place(offset, i, count, sizeof(T), 16, true), &value, sizeof value);
}
template <class T>
T HostShared<T>::atomic_add(int i, T value) {
  unsigned char* place = thread->shared_place(offset, i, count, sizeof(T), sizeof(T), true, true);
  T before;
  std::memcpy(&before, place, sizeof before);
  const T after = before + value;
  std::memcpy(place, &after, sizeof after);
  return before;
}

/// Runs a kernel body on the host, one block after the other, the threads of a block as fibres with
/// real barriers and warp-wide operations. Keeps its stacks between launches.
class HostExecutor {
 public:
  /// `random` shuffles blocks and threads in order `shuffled`.
  explicit HostExecutor(ThreadOrder order = ThreadOrder::forward,
                        RandomSource random = RandomSource(1));
  ~HostExecutor();
  HostExecutor(const HostExecutor&) = delete;
  HostExecutor& operator=(const HostExecutor&) = delete;

  /// Throws KernelFault; the launch is then abandoned where it is. The body must not throw.
  void run(const Launch& launch, const std::function<void(HostThread&)>& body);

 private:
  ThreadOrder order_;
  RandomSource random_;
  std::unique_ptr<HostBlock> block_;
};

}  // namespace rackwright::kernels::own
