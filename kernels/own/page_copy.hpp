#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// Copies pages: gathers a paged cache, or sends pages to a peer whose memory `to` is.
struct PageCopyArgs {
  View<const Word16> from;
  View<Word16> to;
  View<const std::int32_t> from_page;
  View<const std::int32_t> to_page;  ///< empty: page i goes to place i
  int pages = 0;
  int words = 0;  ///< 16-byte words of a page
};

inline constexpr int kPageCopyThreads = 128;
inline constexpr int kPageCopyWords = 4;  ///< of a thread

/// Blocks a page as its size asks.
[[nodiscard]] inline Launch launch_of(const PageCopyArgs& args) {
  return {args.pages, ceil_div(args.words, kPageCopyThreads * kPageCopyWords), 1, kPageCopyThreads,
          0};
}

template <class Thread>
RW_DEVICE void copy_pages(Thread& t, const PageCopyArgs& args) noexcept {
  const int page = t.block_x();
  const std::int64_t from = static_cast<std::int64_t>(t.read(args.from_page, page)) * args.words;
  const std::int64_t to =
      static_cast<std::int64_t>(args.to_page.count > 0 ? t.read(args.to_page, page) : page) *
      args.words;
  const int first = t.block_y() * kPageCopyThreads * kPageCopyWords + t.thread();
  Word16 words[kPageCopyWords];
  RW_UNROLL
  for (int w = 0; w < kPageCopyWords; ++w) {
    const int i = first + w * kPageCopyThreads;
    if (i < args.words) words[w] = t.read16(args.from, from + i);
  }
  RW_UNROLL
  for (int w = 0; w < kPageCopyWords; ++w) {
    const int i = first + w * kPageCopyThreads;
    if (i < args.words) t.write16(args.to, to + i, words[w]);
  }
}

}  // namespace rackwright::kernels::own
