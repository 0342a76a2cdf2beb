#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace rackwright::workloads {

/// The KV blocks of one replica: blocks owned by single sequences, and prefix-cache entries shared
/// by sequences with the same prompt start. Entries nobody uses stay until their space is needed
/// and leave least recently used first. Lengths are in tokens, `ceil(length / block)` blocks each.
class KvPool {
 public:
  /// `prefix_block` is the size of a prefix-cache entry in tokens; 0 without a prefix cache.
  KvPool(std::int64_t blocks, int block_tokens, int prefix_block);

  [[nodiscard]] std::int64_t blocks() const { return blocks_; }
  [[nodiscard]] std::int64_t free_blocks() const { return free_; }
  /// Blocks that could be had by dropping unused entries.
  [[nodiscard]] std::int64_t evictable_blocks() const { return unused_ * entry_blocks_; }
  /// Changes whenever a reservation that was refused could now succeed.
  [[nodiscard]] std::uint64_t releases() const { return releases_; }

  /// Leading entries of `prefix` in the cache; at least one of `target` tokens is left to compute.
  [[nodiscard]] std::uint32_t hits(std::span<const std::uint32_t> prefix,
                                   std::uint32_t target) const;
  /// Pins `hits` and takes blocks for `length` own tokens, provided blocks for `wanted` tokens and
  /// `headroom` blocks more are free or evictable. False and no change otherwise.
  [[nodiscard]] bool reserve(std::span<const std::uint32_t> hits, std::int64_t wanted,
                             std::int64_t length, std::int64_t headroom);
  /// Turns the first own tokens of a sequence of `length` own tokens into entries, pinned for it; a
  /// copy of an entry that exists is dropped. Returns how many of `ids` are now shared.
  std::uint32_t share(std::span<const std::uint32_t> ids, std::int64_t length);
  /// Gives back the blocks of `length` own tokens.
  void release(std::int64_t length);
  void unpin(std::span<const std::uint32_t> ids);

  /// A sequence with `length` own tokens at decode clock `clock` grows with the clock from now on.
  void track(std::int64_t clock, std::int64_t length) { ++phases_[phase(clock - length)]; }
  void untrack(std::int64_t clock, std::int64_t length) { --phases_[phase(clock - length)]; }
  /// Takes the blocks that `tokens` more tokens on every tracked sequence need. False and no change
  /// when they cannot be had.
  [[nodiscard]] bool grow(std::int64_t clock, std::int64_t tokens);

 private:
  struct Entry {
    std::uint32_t id = 0;
    std::uint32_t users = 0;
    std::uint32_t previous = 0, next = 0;  ///< in the list of unused entries
  };

  [[nodiscard]] std::int64_t blocks_of(std::int64_t length) const {
    return (length + block_ - 1) / block_;
  }
  /// Sequences of one phase start a new block at the same clock.
  [[nodiscard]] std::size_t phase(std::int64_t value) const {
    const std::int64_t remainder = value % block_;
    return static_cast<std::size_t>(remainder < 0 ? remainder + block_ : remainder);
  }
  void pin(Entry& entry);
  void add(std::uint32_t id);
  void unlink(Entry& entry);
  void evict_until(std::int64_t free);

  std::int64_t blocks_;
  std::int64_t free_;
  std::int64_t block_;
  std::int64_t prefix_block_;
  std::int64_t entry_blocks_;
  std::int64_t unused_ = 0;
  std::uint64_t releases_ = 0;
  std::vector<std::int64_t> phases_;
  std::unordered_map<std::uint32_t, std::uint32_t> index_;  ///< looked up only, never walked
  std::vector<Entry> entries_;  ///< entry 0 is the ends of the unused list
  std::vector<std::uint32_t> vacant_;
};

}  // namespace rackwright::workloads
