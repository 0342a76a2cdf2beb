#pragma once

#include "kernels/own/device.hpp"

namespace rackwright::kernels::own {

/// Picks top_k of `experts` for each token. Softmax: by logit; weights are the softmax,
/// renormalised over the chosen if so wished. Sigmoid with groups (DeepSeek-V3, modeling code of
/// the release): chosen by sigmoid(logit) + bias, only from the `kept_groups` groups whose two best
/// biased scores add to the most; weights are the plain sigmoids over their sum, times `scale`.
/// Ties: the lower expert.
struct RouterArgs {
  View<const float> logits;   ///< tokens x experts
  View<const float> bias;     ///< experts; empty: none
  View<std::int32_t> expert;  ///< tokens x top_k, best first
  View<float> weight;         ///< tokens x top_k
  int tokens = 0, experts = 0, top_k = 0;
  bool sigmoid = false;
  int groups = 1, kept_groups = 1;  ///< groups <= 32
  bool renormalise = true;
  float scale = 1;
};

inline constexpr int kRouterWarps = 4;
inline constexpr int kRouterTopK = 32;  ///< the most: a lane holds one choice

/// A warp a token; its scores in shared memory.
[[nodiscard]] inline Launch launch_of(const RouterArgs& args) {
  return {ceil_div(args.tokens, kRouterWarps), 1, 1, kRouterWarps * kWarp,
          static_cast<int>(sizeof(float)) * kRouterWarps * args.experts * 2};
}

inline constexpr float kNever = -3.0e38F;

template <class Thread>
RW_DEVICE float warp_largest(Thread& t, float value) noexcept {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = larger(value, t.shuffle_xor(value, mask));
  return value;
}
template <class Thread>
RW_DEVICE float warp_sum(Thread& t, float value) noexcept {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += t.shuffle_xor(value, mask);
  return value;
}

/// The largest of the lanes' values and its index, the lower index at a tie; known to all lanes.
template <class Thread>
RW_DEVICE void warp_best(Thread& t, float& value, int& index) noexcept {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const float other = t.shuffle_xor(value, mask);
    const int other_index = t.shuffle_xor(index, mask);
    if (other > value || (other == value && other_index < index)) {
      value = other;
      index = other_index;
    }
  }
}

/// Bars all groups but the best: lane g holds the score of group g.
template <class Thread, class Scores>
RW_DEVICE void keep_best_groups(Thread& t, const RouterArgs& args, Scores& chosen_by) noexcept {
  const int size = args.experts / args.groups;
  float first = kNever, second = kNever;
  if (t.lane() < args.groups) {
    for (int i = t.lane() * size; i < (t.lane() + 1) * size; ++i) {
      const float score = chosen_by.get(i);
      second = larger(second, score < first ? score : first);
      first = larger(first, score);
    }
  }
  const float mine = t.lane() < args.groups ? (size > 1 ? first + second : first) : kNever;
  int better = 0;
  for (int group = 0; group < args.groups; ++group) {
    const float other = t.shuffle(mine, group);
    better += other > mine || (other == mine && group < t.lane()) ? 1 : 0;
  }
  if (t.lane() < args.groups && better >= args.kept_groups) {
    for (int i = t.lane() * size; i < (t.lane() + 1) * size; ++i) chosen_by.set(i, kNever);
  }
  t.sync_warp();
}

template <class Thread>
RW_DEVICE void route(Thread& t, const RouterArgs& args) noexcept {
  const int token = t.block_x() * kRouterWarps + t.warp();
  if (token >= args.tokens) return;
  const int bytes = static_cast<int>(sizeof(float)) * args.experts;
  auto plain = t.template shared<float>(2 * t.warp() * bytes, args.experts);
  auto chosen_by = t.template shared<float>((2 * t.warp() + 1) * bytes, args.experts);
  float most = kNever;
  for (int e = t.lane(); e < args.experts; e += kWarp) {
    most = larger(most, t.read(args.logits, static_cast<std::int64_t>(token) * args.experts + e));
  }
  most = warp_largest(t, most);
  float sum = 0;
  for (int e = t.lane(); e < args.experts; e += kWarp) {
    const float logit = t.read(args.logits, static_cast<std::int64_t>(token) * args.experts + e);
    const float score = args.sigmoid ? 1.0F / (1.0F + exp_of(-logit)) : exp_of(logit - most);
    sum += score;
    plain.set(e, score);
    const float by = args.sigmoid ? score : logit;
    chosen_by.set(e, args.bias.count > 0 ? by + t.read(args.bias, e) : by);
  }
  sum = warp_sum(t, sum);
  t.sync_warp();
  if (args.groups > 1) keep_best_groups(t, args, chosen_by);
  float chosen_sum = 0, my_score = 0;
  int my_expert = 0;
  for (int k = 0; k < args.top_k; ++k) {
    float best = kNever;
    int index = args.experts;
    for (int e = t.lane(); e < args.experts; e += kWarp) {
      const float score = chosen_by.get(e);
      if (score > best) {
        best = score;
        index = e;
      }
    }
    warp_best(t, best, index);
    const float score = plain.get(index);
    chosen_sum += score;
    if (t.lane() == k) {
      my_expert = index;
      my_score = score;
    }
    t.sync_warp();
    if (t.lane() == 0) chosen_by.set(index, kNever);
    t.sync_warp();
  }
  if (t.lane() >= args.top_k) return;
  const float over = args.renormalise ? chosen_sum : (args.sigmoid ? 1.0F : sum);
  t.write(args.expert, static_cast<std::int64_t>(token) * args.top_k + t.lane(), my_expert);
  t.write(args.weight, static_cast<std::int64_t>(token) * args.top_k + t.lane(),
          my_score / over * args.scale);
}

}  // namespace rackwright::kernels::own
