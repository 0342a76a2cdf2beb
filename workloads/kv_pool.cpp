#include "workloads/kv_pool.hpp"

#include <algorithm>

namespace rackwright::workloads {

KvPool::KvPool(std::int64_t blocks, int block_tokens, int prefix_block)
    : blocks_(blocks),
      free_(blocks),
      block_(block_tokens),
      prefix_block_(prefix_block),
      entry_blocks_((prefix_block + block_tokens - 1) / block_tokens),
      phases_(static_cast<std::size_t>(block_tokens), 0),
      entries_(1) {}

std::uint32_t KvPool::hits(std::span<const std::uint32_t> prefix, std::uint32_t target) const {
  if (prefix.empty() || target == 0) return 0;
  const auto most = std::min<std::size_t>(prefix.size(),
                                          (target - 1) / static_cast<std::uint32_t>(prefix_block_));
  std::uint32_t count = 0;
  while (count < most && index_.contains(prefix[count])) ++count;
  return count;
}

bool KvPool::reserve(std::span<const std::uint32_t> hits, std::int64_t wanted, std::int64_t length,
                     std::int64_t headroom) {
  std::int64_t unused_hits = 0;
  for (const std::uint32_t id : hits) unused_hits += entries_[index_.at(id)].users == 0;
  const std::int64_t available = free_ + (unused_ - unused_hits) * entry_blocks_;
  if (blocks_of(wanted) + headroom > available) return false;
  for (const std::uint32_t id : hits) pin(entries_[index_.at(id)]);
  const std::int64_t taken = blocks_of(length);
  evict_until(taken);
  free_ -= taken;
  return true;
}

std::uint32_t KvPool::share(std::span<const std::uint32_t> ids, std::int64_t length) {
  std::uint32_t shared = 0;
  for (const std::uint32_t id : ids) {
    const std::int64_t own = blocks_of(length) - blocks_of(length - prefix_block_);
    if (const auto found = index_.find(id); found != index_.end()) {
      pin(entries_[found->second]);
      free_ += own;
    } else {
      // Own blocks and entries round up differently when the sizes do not divide.
      if (free_ + own + evictable_blocks() < entry_blocks_) break;
      evict_until(entry_blocks_ - own);
      free_ += own - entry_blocks_;
      add(id);
    }
    length -= prefix_block_;
    ++shared;
  }
  if (shared > 0) ++releases_;
  return shared;
}

void KvPool::release(std::int64_t length) {
  free_ += blocks_of(length);
  ++releases_;
}

void KvPool::unpin(std::span<const std::uint32_t> ids) {
  // Last block first, so that the end of a prompt leaves the cache before its start.
  for (std::size_t i = ids.size(); i-- > 0;) {
    const std::uint32_t slot = index_.at(ids[i]);
    Entry& entry = entries_[slot];
    if (--entry.users > 0) continue;
    entry.previous = entries_[0].previous;
    entry.next = 0;
    entries_[entry.previous].next = slot;
    entries_[0].previous = slot;
    ++unused_;
  }
  ++releases_;
}

bool KvPool::grow(std::int64_t clock, std::int64_t tokens) {
  std::int64_t needed = 0;
  for (std::int64_t i = 0; i < tokens; ++i) needed += phases_[phase(clock + i)];
  if (needed > free_ + evictable_blocks()) return false;
  evict_until(needed);
  free_ -= needed;
  return true;
}

void KvPool::pin(Entry& entry) {
  if (entry.users++ == 0) unlink(entry);
}

void KvPool::add(std::uint32_t id) {
  if (vacant_.empty()) {
    vacant_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  const std::uint32_t slot = vacant_.back();
  vacant_.pop_back();
  entries_[slot] = Entry{.id = id, .users = 1};
  index_.emplace(id, slot);
}

void KvPool::unlink(Entry& entry) {
  entries_[entry.previous].next = entry.next;
  entries_[entry.next].previous = entry.previous;
  --unused_;
}

void KvPool::evict_until(std::int64_t free) {
  while (free_ < free && unused_ > 0) {
    const std::uint32_t slot = entries_[0].next;
    Entry& entry = entries_[slot];
    unlink(entry);
    index_.erase(entry.id);
    vacant_.push_back(slot);
    free_ += entry_blocks_;
  }
}

}  // namespace rackwright::workloads
