#include <cmath>

#include <gtest/gtest.h>

#include "kernels/own/on_host.hpp"
#include "tests/kernels/own/device_memory.hpp"

namespace rackwright::kernels::own {
namespace {

using testing::kRounding;
using testing::Memory;
using testing::random_bf16;
using testing::value;

struct RotaryCase {
  ThreadOrder order;
  KvLayout layout;
  int tokens, heads, kv_heads, dim, page;
};
class RotaryAppend : public ::testing::TestWithParam<RotaryCase> {};
INSTANTIATE_TEST_SUITE_P(
    Layouts, RotaryAppend,
    ::testing::Values(RotaryCase{ThreadOrder::forward, KvLayout::hnd, 5, 8, 2, 128, 4},
                      RotaryCase{ThreadOrder::backward, KvLayout::nhd, 5, 4, 4, 64, 16},
                      RotaryCase{ThreadOrder::shuffled, KvLayout::nhd, 3, 7, 1, 256, 1},
                      RotaryCase{ThreadOrder::shuffled, KvLayout::hnd, 1, 64, 8, 64, 16}));

constexpr int kPositions = 40;
constexpr int kPages = 32;

Memory<float> angles(int dim) {
  Memory<float> table(static_cast<std::size_t>(kPositions) * dim);
  for (int p = 0; p < kPositions; ++p) {
    for (int i = 0; i < dim / 2; ++i) {
      const double angle = p * std::pow(10000.0, -2.0 * i / dim);
      table[p * dim + i] = static_cast<float>(std::cos(angle));
      table[p * dim + dim / 2 + i] = static_cast<float>(std::sin(angle));
    }
  }
  return table;
}

/// Element (slot, head, d), from the definition of the layouts.
std::size_t cache_place(const RotaryCase& c, int slot, int head, int d) {
  const int page = slot / c.page, at = slot % c.page;
  return c.layout == KvLayout::hnd ? ((page * c.kv_heads + head) * c.page + at) * c.dim + d
                                   : ((page * c.page + at) * c.kv_heads + head) * c.dim + d;
}

// cos and sin are floats and so are the products: they add 2^-22 of the pair's length to the
// rounding of the result.
TEST_P(RotaryAppend, RotatesQueriesAndKeysAndAppendsToTheRightSlots) {
  const RotaryCase c = GetParam();
  RandomSource random(21);
  const auto count = [&](int heads) { return static_cast<std::size_t>(c.tokens) * heads * c.dim; };
  auto query = random_bf16(count(c.heads), random);
  auto key = random_bf16(count(c.kv_heads), random),
       value_in = random_bf16(count(c.kv_heads), random);
  auto before = query;
  auto table = angles(c.dim);
  Memory<std::int32_t> position(c.tokens), slot(c.tokens);
  for (int t = 0; t < c.tokens; ++t) {
    position[t] = (t * 13 + 5) % kPositions;
    slot[t] = t == 2 ? -1 : (t * 7 + 3) % (kPages * c.page);  // token 2 is padding
  }
  const std::size_t cached = static_cast<std::size_t>(kPages) * c.page * c.kv_heads * c.dim;
  const Bf16 untouched{0x1234};
  Memory<Bf16> key_cache(cached, untouched), value_cache(cached, untouched);
  HostExecutor executor(c.order);
  run_on_host(executor, RotaryAppendArgs{query.view(),
                                         key.input(),
                                         value_in.input(),
                                         table.input(),
                                         position.input(),
                                         slot.input(),
                                         {key_cache.view(), c.page, c.kv_heads, c.dim, c.layout},
                                         {value_cache.view(), c.page, c.kv_heads, c.dim, c.layout},
                                         c.tokens,
                                         c.heads});
  const auto rotated = [&](Memory<Bf16>& x, int token, int heads, int head, int d) {
    const std::size_t first = (static_cast<std::size_t>(token) * heads + head) * c.dim;
    const int i = d % (c.dim / 2);
    const double angle = position[token] * std::pow(10000.0, -2.0 * i / c.dim);
    const double a = value(x[first + i]), b = value(x[first + i + c.dim / 2]);
    return d < c.dim / 2 ? a * std::cos(angle) - b * std::sin(angle)
                         : b * std::cos(angle) + a * std::sin(angle);
  };
  std::size_t written = 0;
  for (int t = 0; t < c.tokens; ++t) {
    for (int d = 0; d < c.dim; ++d) {
      for (int h = 0; h < c.heads; ++h) {
        const double exact = rotated(before, t, c.heads, h, d);
        ASSERT_NEAR(value(query[(static_cast<std::size_t>(t) * c.heads + h) * c.dim + d]), exact,
                    kRounding * std::abs(exact) + 1e-6);
      }
      for (int h = 0; slot[t] >= 0 && h < c.kv_heads; ++h, ++written) {
        const double exact = rotated(key, t, c.kv_heads, h, d);
        ASSERT_NEAR(value(key_cache[cache_place(c, slot[t], h, d)]), exact,
                    kRounding * std::abs(exact) + 1e-6);
        ASSERT_EQ(value_cache[cache_place(c, slot[t], h, d)].bits,
                  value_in[(static_cast<std::size_t>(t) * c.kv_heads + h) * c.dim + d].bits);
      }
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < cached; ++i) kept += value_cache[i].bits == untouched.bits ? 1 : 0;
  EXPECT_GE(kept, cached - written);  // nothing beside the slots
}

}  // namespace
}  // namespace rackwright::kernels::own
