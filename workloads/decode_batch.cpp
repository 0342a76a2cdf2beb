#include "workloads/decode_batch.hpp"

#include <algorithm>
#include <limits>

namespace rackwright::workloads {

void DecodeBatch::describe(StepShape& step) const {
  step.decode_sequences = static_cast<std::uint32_t>(size_);
  step.decode_context = static_cast<double>(context_ + size_);
  step.decode_context_clipped =
      clip_ == 0 ? step.decode_context
                 : static_cast<double>(context_under_ + under_ + (size_ - under_) * clip_);
  step.decode_longest = size_ > 0 ? static_cast<std::uint32_t>(longest_ + clock_ + 1) : 0;
}

void DecodeBatch::join(std::uint32_t member, std::uint64_t rank, std::int64_t length,
                       std::int64_t remaining) {
  if (member >= members_.size()) members_.resize(member + 1);
  Member& added = members_[member];
  added.length = length;
  added.joined = clock_;
  added.finish = clock_ + remaining;
  added.rank = rank;
  added.present = true;
  ++size_;
  context_ += length;
  longest_ = size_ == 1 ? length - clock_ : std::max(longest_, length - clock_);
  std::int64_t event = added.finish;
  // The token of the next step sees length + 1 keys.
  added.under_clip = clip_ > 0 && length + 1 <= clip_;
  if (added.under_clip) {
    ++under_;
    context_under_ += length;
    event = std::min(event, clock_ + clip_ - length);
  }
  events_.push({event, rank, member, added.epoch});
}

std::int64_t DecodeBatch::remove(std::uint32_t member) {
  const std::int64_t gained = clock_ - members_[member].joined;
  leave(members_[member]);
  return gained;
}

void DecodeBatch::advance(std::int64_t tokens) {
  clock_ += tokens;
  context_ += size_ * tokens;
  context_under_ += under_ * tokens;
}

std::optional<DecodeBatch::Finished> DecodeBatch::take_finished() {
  while (!events_.empty() && events_.top().clock <= clock_) {
    const Event event = events_.top();
    events_.pop();
    Member& member = members_[event.member];
    if (member.epoch != event.epoch) continue;
    if (member.finish <= clock_) {
      const Finished finished{event.member, length(event.member), clock_ - member.finish};
      leave(member);
      return finished;
    }
    // Its context has reached the clip length.
    --under_;
    context_under_ -= length(event.member);
    member.under_clip = false;
    events_.push({member.finish, member.rank, event.member, member.epoch});
  }
  return std::nullopt;
}

void DecodeBatch::leave(Member& member) {
  const std::int64_t offset = member.length - member.joined;
  --size_;
  context_ -= offset + clock_;
  if (member.under_clip) {
    --under_;
    context_under_ -= offset + clock_;
  }
  member.present = false;
  ++member.epoch;
  if (offset == longest_ && size_ > 0) find_longest();
}

void DecodeBatch::find_longest() {
  longest_ = std::numeric_limits<std::int64_t>::min();
  for (const Member& member : members_) {
    if (member.present) longest_ = std::max(longest_, member.length - member.joined);
  }
}

}  // namespace rackwright::workloads
