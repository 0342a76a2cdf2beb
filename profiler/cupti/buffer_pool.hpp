#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace rackwright::profiler::cupti {

/// Zeroed activity buffers, aligned to 8 bytes, of one size and at most so many. Safe from several
/// threads; its lock is held for a push or pop only.
class BufferPool {
 public:
  BufferPool(std::size_t bytes, std::size_t limit) : bytes_(bytes), limit_(limit) {}

  /// Null when all are out, which is counted.
  [[nodiscard]] std::uint8_t* take();
  void give_back(std::uint8_t* buffer);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t made() const;
  [[nodiscard]] std::uint64_t refused() const;

 private:
  std::size_t bytes_, limit_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<std::uint64_t[]>> buffers_;
  std::vector<std::uint8_t*> free_;
  std::uint64_t refused_ = 0;
};

}  // namespace rackwright::profiler::cupti
