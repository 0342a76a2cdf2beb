#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// Order of a page's elements: head, token, dimension or token, head, dimension.
enum class KvLayout { hnd, nhd };

/// Keys or values in pages of `page_size` tokens.
template <class T>
struct PagedCache {
  View<T> data;
  int page_size = 0, kv_heads = 0, head_dim = 0;
  KvLayout layout = KvLayout::hnd;

  /// First element of `head` at token `at` of `page`.
  [[nodiscard]] RW_BOTH std::int64_t place(int page, int at, int head) const {
    const int row = layout == KvLayout::hnd ? head * page_size + at : at * kv_heads + head;
    return (static_cast<std::int64_t>(page) * page_size * kv_heads + row) * head_dim;
  }
  /// The same at `slot` = page x page_size + place in the page.
  [[nodiscard]] RW_BOTH std::int64_t place(int slot, int head) const {
    return place(slot / page_size, slot % page_size, head);
  }
};

/// 16 bytes of memory that the same kernel writes: not through the read-only path.
template <class Thread, class T>
RW_DEVICE Word16 read16_of(Thread& t, const View<T>& view, std::int64_t i) noexcept {
  const View<const Word16> words{reinterpret_cast<const Word16*>(view.data),
                                 view.count * static_cast<std::int64_t>(sizeof(T)) / 16};
  return t.read(words, i * static_cast<std::int64_t>(sizeof(T)) / 16);
}

}  // namespace rackwright::kernels::own
