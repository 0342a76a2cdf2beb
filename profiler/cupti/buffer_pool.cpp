#include "profiler/cupti/buffer_pool.hpp"

#include <cstring>

namespace rackwright::profiler::cupti {

std::uint8_t* BufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (!free_.empty()) {
    std::uint8_t* buffer = free_.back();
    free_.pop_back();
    return buffer;
  }
  if (buffers_.size() == limit_) {
    ++refused_;
    return nullptr;
  }
  buffers_.push_back(std::make_unique<std::uint64_t[]>((bytes_ + 7) / 8));
  return reinterpret_cast<std::uint8_t*>(buffers_.back().get());
}

void BufferPool::give_back(std::uint8_t* buffer) {
  std::memset(buffer, 0, bytes_);
  const std::lock_guard lock(mutex_);
  free_.push_back(buffer);
}

std::size_t BufferPool::made() const {
  const std::lock_guard lock(mutex_);
  return buffers_.size();
}

std::uint64_t BufferPool::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace rackwright::profiler::cupti
