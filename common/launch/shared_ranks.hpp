#pragma once

#include <cstddef>
#include <memory>

#include "common/launch/communicator.hpp"

namespace rackwright::launch {

/// Memory that the ranks of one machine share: a ring of bytes for each pair of them, with one
/// writer and one reader. Pages are taken when they are touched.
class SharedMemory {
 public:
  /// New memory behind a file descriptor that stays open over exec. Throws std::system_error.
  explicit SharedMemory(int ranks);
  /// The memory of a descriptor that the starting process passed on. Throws std::runtime_error
  /// when it is none.
  static SharedMemory attached(int descriptor);
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] int ranks() const;
  [[nodiscard]] std::byte* data() { return memory_; }
  /// Makes every rank that waits give up with Interrupted.
  void give_up();

 private:
  SharedMemory(int descriptor, std::size_t length);
  int descriptor_ = -1;
  std::size_t length_ = 0;
  std::byte* memory_ = nullptr;
};

/// One rank over shared memory; ranks may be processes or threads. Keeps a reference.
[[nodiscard]] std::unique_ptr<Communicator> shared_rank(SharedMemory& memory, int rank);

}  // namespace rackwright::launch
