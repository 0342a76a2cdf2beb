#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "common/random.hpp"
#include "kernels/own/device.hpp"

namespace rackwright::kernels::own::testing {

/// bf16 has 8 significant bits, so rounding to nearest is within 2^-8 of the value (half a step of
/// 2^-7 where the significand is 1). The float sums before it add far less at these sizes.
inline constexpr double kRounding = 1.0 / 256 * 1.001;

#if defined(RACKWRIGHT_TEST_ON_DEVICE)
/// Memory that host and device both see; tests/gpu/on_device.cpp.
void* managed_memory(std::size_t bytes);
void release_managed(void* memory);
template <class T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <class U>
  explicit Allocator(const Allocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(managed_memory(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) { release_managed(memory); }
  bool operator==(const Allocator&) const = default;
};
#else
template <class T>
using Allocator = std::allocator<T>;
#endif

/// `count` elements aligned as cudaMalloc would; its end is the end of the allocation, so that the
/// address sanitizer sees an access past it.
template <class T>
class Memory {
 public:
  explicit Memory(std::size_t count, T value = T{})
      : words_((count * sizeof(T) + 15) / 16), count_(count) {
    std::fill_n(data(), count, value);
  }
  T* data() { return reinterpret_cast<T*>(words_.data()); }
  T& operator[](std::size_t i) { return data()[i]; }
  [[nodiscard]] std::size_t size() const { return count_; }
  View<T> view() { return {data(), static_cast<std::int64_t>(count_)}; }
  View<const T> input() { return {data(), static_cast<std::int64_t>(count_)}; }

 private:
  std::vector<Word16, Allocator<Word16>> words_;
  std::size_t count_;
};

/// Uniform in [-range, range].
inline Memory<Bf16> random_bf16(std::size_t count, RandomSource& random, double range = 1) {
  Memory<Bf16> memory(count);
  for (std::size_t i = 0; i < count; ++i) {
    memory[i] = to_bf16(static_cast<float>(range * (2 * random.uniform() - 1)));
  }
  return memory;
}

inline double value(Bf16 x) {
  return static_cast<double>(to_float(x));
}

}  // namespace rackwright::kernels::own::testing
