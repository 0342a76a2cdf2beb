#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "workloads/step_shape.hpp"

namespace rackwright::workloads {

/// The sequences that decode. All of them advance together, so the batch keeps one clock of decode
/// tokens and sums over its members instead of touching each: a step costs the same for one and for
/// a thousand. Members are named by small numbers that may be used again after they left.
class DecodeBatch {
 public:
  /// `clip`: contexts count up to this in the clipped sums; 0 = no clip.
  explicit DecodeBatch(std::int64_t clip) : clip_(clip) {}

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::int64_t clock() const { return clock_; }
  /// Decode sums of the next step: each member's new token sees its cached tokens and itself.
  void describe(StepShape& step) const;

  /// `length` tokens are cached and `remaining` are to come; `rank` orders members that finish
  /// together.
  void join(std::uint32_t member, std::uint64_t rank, std::int64_t length, std::int64_t remaining);
  /// Takes out a member that has not finished; returns the tokens it gained.
  std::int64_t remove(std::uint32_t member);
  [[nodiscard]] std::int64_t length(std::uint32_t member) const {
    return members_[member].length + clock_ - members_[member].joined;
  }

  /// One step: every member gains `tokens`.
  void advance(std::int64_t tokens);
  struct Finished {
    std::uint32_t member = 0;
    std::int64_t length = 0;  ///< cached tokens
    std::int64_t excess = 0;  ///< tokens gained beyond the last one asked for
  };
  /// Takes out the next member that has all its tokens, if any.
  [[nodiscard]] std::optional<Finished> take_finished();

 private:
  struct Member {
    std::int64_t length = 0;  ///< when it joined
    std::int64_t joined = 0;
    std::int64_t finish = 0;  ///< clock at which it has all its tokens
    std::uint64_t rank = 0;
    std::uint32_t epoch = 0;  ///< changes when the member leaves: its events are then void
    bool present = false;
    bool under_clip = false;
  };
  struct Event {
    std::int64_t clock;
    std::uint64_t rank;
    std::uint32_t member;
    std::uint32_t epoch;
    bool operator>(const Event& other) const {
      return clock != other.clock ? clock > other.clock : rank > other.rank;
    }
  };

  void leave(Member& member);
  void find_longest();

  std::int64_t clip_;
  std::int64_t clock_ = 0;
  std::int64_t size_ = 0;
  std::int64_t context_ = 0;        ///< sum of cached tokens
  std::int64_t under_ = 0;          ///< members that the clip does not touch yet
  std::int64_t context_under_ = 0;  ///< their cached tokens
  std::int64_t longest_ = 0;        ///< most cached tokens, less the clock
  std::vector<Member> members_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace rackwright::workloads
