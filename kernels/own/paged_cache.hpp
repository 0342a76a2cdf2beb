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

  /// Elements between a token and the next of the same page and head.
  [[nodiscard]] RW_BOTH int token_stride() const {
    return layout == KvLayout::hnd ? head_dim : kv_heads * head_dim;
  }
  /// First element of `head` at `slot` = page x page_size + place in the page.
  [[nodiscard]] RW_BOTH std::int64_t place(std::int64_t slot, int head) const {
    const std::int64_t page = slot / page_size;
    const std::int64_t at = slot - page * page_size;
    const std::int64_t first = page * page_size * kv_heads * head_dim;
    return layout == KvLayout::hnd ? first + (head * page_size + at) * head_dim
                                   : first + (at * kv_heads + head) * head_dim;
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
