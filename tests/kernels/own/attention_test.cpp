#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "kernels/own/number_formats.hpp"
#include "kernels/own/on_host.hpp"
#include "kernels/own/shape_checks.hpp"
#include "tests/kernels/own/device_memory.hpp"

namespace rackwright::kernels::own {
namespace {

using testing::Memory;
using testing::random_bf16;
using testing::value;

/* Tolerance: probabilities are rounded to bf16 (2^-9 of each, random in sign) and so is the output
   (2^-9 of at most 1): with values in [-1, 1] the sum is within 2^-7. Wrong masks, scales or rows
   are off by tenths. */
constexpr double kTolerance = 1.0 / 128;

/// softmax over `seen` of scale x q.k, with a sink; then the weighted values. Double precision.
std::vector<double> attend(const std::vector<double>& query,
                           const std::vector<std::vector<double>>& keys,
                           const std::vector<std::vector<double>>& values, double scale,
                           const double* sink) {
  std::vector<double> scores;
  double most = sink == nullptr ? -1e300 : *sink;
  for (const auto& key : keys) {
    scores.push_back(scale * std::inner_product(query.begin(), query.end(), key.begin(), 0.0));
    most = std::max(most, scores.back());
  }
  double total = sink == nullptr ? 0 : std::exp(*sink - most);
  std::vector<double> out(values.empty() ? 0 : values[0].size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const double p = std::exp(scores[i] - most);
    total += p;
    for (std::size_t d = 0; d < out.size(); ++d) out[d] += p * values[i][d];
  }
  for (double& x : out) x /= total;
  return out;
}

std::vector<double> row_of(Memory<Bf16>& memory, std::size_t first, int count) {
  std::vector<double> row;
  for (int d = 0; d < count; ++d) row.push_back(value(memory[first + d]));
  return row;
}

struct PrefillCase {
  ThreadOrder order;
  int dim, heads, kv_heads, window;
  bool sinks;
  std::vector<int> queries, keys;  ///< by sequence
  bool full = false;
};
class Prefill : public ::testing::TestWithParam<PrefillCase> {};
INSTANTIATE_TEST_SUITE_P(
    Shapes, Prefill,
    ::testing::Values(
        PrefillCase{ThreadOrder::forward, 128, 2, 1, 0, false, {70, 1}, {70, 1}},
        PrefillCase{ThreadOrder::backward, 64, 4, 2, 0, false, {5, 33}, {139, 64}},  // chunked
        PrefillCase{ThreadOrder::shuffled, 64, 2, 2, 40, true, {130}, {130}},        // gpt-oss
        PrefillCase{ThreadOrder::shuffled, 128, 1, 1, 128, false, {17}, {200}},
        PrefillCase{ThreadOrder::forward, 64, 1, 1, 0, true, {64}, {65}},
        PrefillCase{ThreadOrder::shuffled, 192, 2, 2, 0, false, {66, 3}, {66, 70}},  // MLA
        PrefillCase{ThreadOrder::backward, 192, 1, 1, 0, false, {20}, {129}},
        PrefillCase{ThreadOrder::forward, 64, 2, 2, 0, false, {70, 5}, {70, 66}, true}));

TEST_P(Prefill, IsSoftmaxAttentionOfDoublePrecision) {
  const PrefillCase c = GetParam();
  RandomSource random(51);
  Memory<std::int32_t> first_query(c.queries.size() + 1), first_key(c.keys.size() + 1);
  for (std::size_t s = 0; s < c.queries.size(); ++s) {
    first_query[s + 1] = first_query[s] + c.queries[s];
    first_key[s + 1] = first_key[s] + c.keys[s];
  }
  const std::size_t tokens = first_query[c.queries.size()], all_keys = first_key[c.keys.size()];
  auto query = random_bf16(tokens * c.heads * c.dim, random, 2);
  auto key = random_bf16(all_keys * c.kv_heads * c.dim, random, 2);
  const int value_dim = prefill_value_dim(c.dim);
  auto values = random_bf16(all_keys * c.kv_heads * value_dim, random);
  Memory<float> sinks(c.heads);
  for (int h = 0; h < c.heads; ++h) sinks[h] = static_cast<float>(1 + h);
  Memory<Bf16> output(tokens * c.heads * value_dim, Bf16{0x7fff});
  const float scale = 1 / std::sqrt(static_cast<float>(c.dim));
  HostExecutor executor(c.order);
  run_on_host(executor,
              PrefillArgs{query.input(), key.input(), values.input(), first_query.input(),
                          first_key.input(), c.sinks ? sinks.input() : View<const float>{},
                          output.view(), static_cast<int>(c.queries.size()),
                          *std::max_element(c.queries.begin(), c.queries.end()), c.heads,
                          c.kv_heads, c.window, scale, c.full},
              c.dim);
  for (std::size_t s = 0; s < c.queries.size(); ++s) {
    for (int q = 0; q < c.queries[s]; ++q) {
      for (int h = 0; h < c.heads; ++h) {
        const int position = c.full ? c.keys[s] - 1 : c.keys[s] - c.queries[s] + q;
        const int lowest = c.window == 0 ? 0 : std::max(0, position - c.window + 1);
        std::vector<std::vector<double>> seen, held;
        for (int k = lowest; k <= position; ++k) {
          const std::size_t at =
              static_cast<std::size_t>(first_key[s] + k) * c.kv_heads + h * c.kv_heads / c.heads;
          seen.push_back(row_of(key, at * c.dim, c.dim));
          held.push_back(row_of(values, at * value_dim, value_dim));
        }
        const std::size_t at = static_cast<std::size_t>(first_query[s] + q) * c.heads + h;
        const double sink = sinks[h];
        const auto exact =
            attend(row_of(query, at * c.dim, c.dim), seen, held, scale, c.sinks ? &sink : nullptr);
        for (int d = 0; d < value_dim; ++d) {
          ASSERT_NEAR(value(output[at * value_dim + d]), exact[d], kTolerance)
              << s << " " << q << " " << h << " " << d;
        }
      }
    }
  }
}

struct DecodeCase {
  ThreadOrder order;
  KvLayout layout;
  int dim, heads, kv_heads, page, splits, window;
  bool sinks;
  std::vector<int> lengths;
};

/// A cache whose pages lie in shuffled order.
struct Paged {
  Memory<Bf16> data;
  PagedCache<Bf16> cache;
};
Paged paged(std::size_t pages, const DecodeCase& c, int dim, int kv_heads, RandomSource& random) {
  Paged p{random_bf16(pages * c.page * kv_heads * dim, random), {}};
  p.cache = {p.data.view(), c.page, kv_heads, dim, c.layout};
  return p;
}
PagedCache<const Bf16> input_of(Paged& p) {
  return {p.data.input(), p.cache.page_size, p.cache.kv_heads, p.cache.head_dim, p.cache.layout};
}

struct PageTable {
  Memory<std::int32_t> pages, length;
  int longest = 0;
  std::size_t count = 0;
};
PageTable page_table(const DecodeCase& c, RandomSource& random) {
  const int longest = (*std::max_element(c.lengths.begin(), c.lengths.end()) + c.page - 1) / c.page;
  std::vector<int> order(c.lengths.size() * longest);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  PageTable table{Memory<std::int32_t>(order.size()), Memory<std::int32_t>(c.lengths.size()),
                  longest, order.size()};
  for (std::size_t i = 0; i < order.size(); ++i) table.pages[i] = order[i];
  for (std::size_t s = 0; s < c.lengths.size(); ++s) table.length[s] = c.lengths[s];
  return table;
}

class Decode : public ::testing::TestWithParam<DecodeCase> {};
INSTANTIATE_TEST_SUITE_P(
    Shapes, Decode,
    ::testing::Values(
        DecodeCase{ThreadOrder::forward, KvLayout::hnd, 128, 8, 1, 16, 3, 0, false, {200, 1, 65}},
        DecodeCase{ThreadOrder::backward, KvLayout::nhd, 64, 16, 2, 16, 1, 0, true, {64, 130}},
        DecodeCase{ThreadOrder::shuffled, KvLayout::nhd, 64, 8, 1, 1, 2, 128, true, {300}},
        DecodeCase{ThreadOrder::shuffled, KvLayout::hnd, 128, 20, 1, 64, 2, 0, false, {77}},
        DecodeCase{ThreadOrder::forward, KvLayout::hnd, 128, 2, 2, 64, 4, 100, false, {99, 256}}));

TEST_P(Decode, SplitAndMergedIsSoftmaxAttentionOfDoublePrecision) {
  const DecodeCase c = GetParam();
  RandomSource random(52);
  PageTable table = page_table(c, random);
  Paged keys = paged(table.count, c, c.dim, c.kv_heads, random);
  Paged values = paged(table.count, c, c.dim, c.kv_heads, random);
  const int sequences = static_cast<int>(c.lengths.size()), rows = sequences * c.heads;
  auto query = random_bf16(static_cast<std::size_t>(rows) * c.dim, random, 3);
  Memory<float> sinks(c.heads, 1.5F);
  const std::size_t parts = static_cast<std::size_t>(rows) * c.splits;
  Memory<float> sums(parts * c.dim, NAN), largest(parts, NAN), total(parts, NAN);
  const SplitResults partial{sums.view(), largest.view(), total.view()};
  Memory<Bf16> output(query.size());
  const float scale = 1 / std::sqrt(static_cast<float>(c.dim));
  HostExecutor executor(c.order);
  run_on_host(executor, DecodeArgs{query.input(), input_of(keys), input_of(values),
                                   table.pages.input(), table.length.input(), partial, sequences,
                                   c.heads, table.longest, c.splits, c.window, scale});
  run_on_host(executor, MergeArgs{partial, c.sinks ? sinks.input() : View<const float>{},
                                  output.view(), rows, c.heads, c.dim, c.splits});
  for (int row = 0; row < rows; ++row) {
    const int s = row / c.heads, head = row % c.heads * c.kv_heads / c.heads;
    std::vector<std::vector<double>> seen, held;
    for (int k = c.window == 0 ? 0 : std::max(0, c.lengths[s] - c.window); k < c.lengths[s]; ++k) {
      const int page = table.pages[static_cast<std::size_t>(s) * table.longest + k / c.page];
      const std::size_t at = keys.cache.place(page, k % c.page, head);
      seen.push_back(row_of(keys.data, at, c.dim));
      held.push_back(row_of(values.data, at, c.dim));
    }
    const std::size_t at = static_cast<std::size_t>(row) * c.dim;
    const double sink = 1.5;
    const auto exact =
        attend(row_of(query, at, c.dim), seen, held, scale, c.sinks ? &sink : nullptr);
    for (int d = 0; d < c.dim; ++d)
      ASSERT_NEAR(value(output[at + d]), exact[d], kTolerance) << row << " " << d;
  }
}

class DecodeFp8 : public ::testing::TestWithParam<DecodeCase> {};
INSTANTIATE_TEST_SUITE_P(
    Shapes, DecodeFp8,
    ::testing::Values(
        DecodeCase{ThreadOrder::forward, KvLayout::hnd, 128, 8, 1, 64, 2, 0, false, {130, 1}},
        DecodeCase{ThreadOrder::backward, KvLayout::nhd, 64, 16, 2, 16, 1, 0, true, {70, 64}},
        DecodeCase{ThreadOrder::shuffled, KvLayout::hnd, 128, 20, 1, 64, 3, 100, false, {200}}));

/// Codes of E4M3 but for its two NaN, and what they are times `scale`.
struct Codes {
  Memory<std::uint8_t> data;
  std::vector<double> value;
};
Codes random_codes(std::size_t count, double scale, RandomSource& random) {
  Codes codes{Memory<std::uint8_t>(count), {}};
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = static_cast<std::uint8_t>(random.below(127) + 128 * random.below(2));
    codes.data[i] = code;
    codes.value.push_back(static_cast<double>(from_e4m3(code)) * scale);
  }
  return codes;
}

// An E4M3 is exact in bf16, so the tolerance is that of a bf16 cache. Scales: the largest is 1.
TEST_P(DecodeFp8, IsAttentionOnTheWidenedCache) {
  const DecodeCase c = GetParam();
  RandomSource random(54);
  PageTable table = page_table(c, random);
  constexpr float kScale = 1.0F / 448;
  const std::size_t cached = table.count * c.page * c.kv_heads * c.dim;
  Codes keys = random_codes(cached, kScale, random), values = random_codes(cached, kScale, random);
  const PagedCache<const std::uint8_t> cache{keys.data.input(), c.page, c.kv_heads, c.dim,
                                             c.layout};
  PagedCache<const std::uint8_t> value_cache = cache;
  value_cache.data = values.data.input();
  const int sequences = static_cast<int>(c.lengths.size()), rows = sequences * c.heads;
  auto query = random_bf16(static_cast<std::size_t>(rows) * c.dim, random, 3);
  Memory<float> sinks(c.heads, 1.5F);
  const std::size_t parts = static_cast<std::size_t>(rows) * c.splits;
  Memory<float> sums(parts * c.dim, NAN), largest(parts, NAN), total(parts, NAN);
  const SplitResults partial{sums.view(), largest.view(), total.view()};
  Memory<Bf16> output(query.size());
  const float scale = 1 / std::sqrt(static_cast<float>(c.dim));
  HostExecutor executor(c.order);
  run_on_host(executor, DecodeFp8Args{query.input(), cache, value_cache, table.pages.input(),
                                      table.length.input(), partial, sequences, c.heads,
                                      table.longest, c.splits, c.window, scale * kScale, kScale});
  run_on_host(executor, MergeArgs{partial, c.sinks ? sinks.input() : View<const float>{},
                                  output.view(), rows, c.heads, c.dim, c.splits});
  for (int row = 0; row < rows; ++row) {
    const int s = row / c.heads, head = row % c.heads * c.kv_heads / c.heads;
    std::vector<std::vector<double>> seen, held;
    for (int k = c.window == 0 ? 0 : std::max(0, c.lengths[s] - c.window); k < c.lengths[s]; ++k) {
      const int page = table.pages[static_cast<std::size_t>(s) * table.longest + k / c.page];
      const std::int64_t at = cache.place(page, k % c.page, head);
      seen.emplace_back(keys.value.begin() + at, keys.value.begin() + at + c.dim);
      held.emplace_back(values.value.begin() + at, values.value.begin() + at + c.dim);
    }
    const std::size_t at = static_cast<std::size_t>(row) * c.dim;
    const double sink = 1.5;
    const auto exact =
        attend(row_of(query, at, c.dim), seen, held, scale, c.sinks ? &sink : nullptr);
    for (int d = 0; d < c.dim; ++d)
      ASSERT_NEAR(value(output[at + d]), exact[d], kTolerance) << row << " " << d;
  }
}

class LatentDecode : public ::testing::TestWithParam<DecodeCase> {};
INSTANTIATE_TEST_SUITE_P(
    Shapes, LatentDecode,
    ::testing::Values(
        DecodeCase{ThreadOrder::forward, KvLayout::hnd, 576, 64, 1, 16, 2, 0, false, {75, 1}},
        DecodeCase{ThreadOrder::backward, KvLayout::hnd, 576, 64, 1, 64, 3, 0, false, {33}},
        DecodeCase{ThreadOrder::shuffled, KvLayout::nhd, 576, 128, 1, 64, 1, 0, false, {96}}));

TEST_P(LatentDecode, IsAttentionOfAllHeadsOnTheLatent) {
  const DecodeCase c = GetParam();
  RandomSource random(53);
  PageTable table = page_table(c, random);
  Paged latent = paged(table.count, c, kLatentKey, 1, random);
  const int sequences = static_cast<int>(c.lengths.size()), rows = sequences * c.heads;
  auto query = random_bf16(static_cast<std::size_t>(rows) * kLatentKey, random, 3);
  const std::size_t parts = static_cast<std::size_t>(rows) * c.splits;
  Memory<float> sums(parts * kLatent, NAN), largest(parts, NAN), total(parts, NAN);
  const SplitResults partial{sums.view(), largest.view(), total.view()};
  Memory<Bf16> output(static_cast<std::size_t>(rows) * kLatent);
  const float scale = 1 / std::sqrt(192.0F);
  HostExecutor executor(c.order);
  run_on_host(executor, LatentDecodeArgs{query.input(), input_of(latent), table.pages.input(),
                                         table.length.input(), partial, sequences, c.heads,
                                         table.longest, c.splits, scale});
  run_on_host(executor, MergeArgs{partial, {}, output.view(), rows, c.heads, kLatent, c.splits});
  for (int s = 0; s < sequences; ++s) {
    std::vector<std::vector<double>> seen, held;
    for (int k = 0; k < c.lengths[s]; ++k) {
      const int page = table.pages[static_cast<std::size_t>(s) * table.longest + k / c.page];
      seen.push_back(row_of(latent.data, latent.cache.place(page, k % c.page, 0), kLatentKey));
      held.emplace_back(seen.back().begin(), seen.back().begin() + kLatent);
    }
    for (int h = 0; h < c.heads; ++h) {
      const std::size_t row = static_cast<std::size_t>(s) * c.heads + h;
      const auto exact =
          attend(row_of(query, row * kLatentKey, kLatentKey), seen, held, scale, nullptr);
      for (int d = 0; d < kLatent; ++d) {
        ASSERT_NEAR(value(output[row * kLatent + d]), exact[d], kTolerance)
            << s << " " << h << " " << d;
      }
    }
  }
}

// The same on codes of E4M3, which are exact in bf16; the largest value is 1.
TEST_P(LatentDecode, OfE4m3IsAttentionOnTheWidenedLatent) {
  const DecodeCase c = GetParam();
  RandomSource random(55);
  PageTable table = page_table(c, random);
  constexpr float kLatentScale = 1.0F / 448;
  Codes codes = random_codes(table.count * c.page * kLatentKey, kLatentScale, random);
  const PagedCache<const std::uint8_t> latent{codes.data.input(), c.page, 1, kLatentKey, c.layout};
  const int sequences = static_cast<int>(c.lengths.size()), rows = sequences * c.heads;
  auto query = random_bf16(static_cast<std::size_t>(rows) * kLatentKey, random, 3);
  const std::size_t parts = static_cast<std::size_t>(rows) * c.splits;
  Memory<float> sums(parts * kLatent, NAN), largest(parts, NAN), total(parts, NAN);
  const SplitResults partial{sums.view(), largest.view(), total.view()};
  Memory<Bf16> output(static_cast<std::size_t>(rows) * kLatent);
  const float scale = 1 / std::sqrt(192.0F);
  HostExecutor executor(c.order);
  run_on_host(executor, LatentDecodeFp8Args{query.input(), latent, table.pages.input(),
                                            table.length.input(), partial, sequences, c.heads,
                                            table.longest, c.splits, scale, kLatentScale});
  run_on_host(executor, MergeArgs{partial, {}, output.view(), rows, c.heads, kLatent, c.splits});
  for (int s = 0; s < sequences; ++s) {
    std::vector<std::vector<double>> seen, held;
    for (int k = 0; k < c.lengths[s]; ++k) {
      const int page = table.pages[static_cast<std::size_t>(s) * table.longest + k / c.page];
      const auto at = codes.value.begin() + latent.place(page, k % c.page, 0);
      seen.emplace_back(at, at + kLatentKey);
      held.emplace_back(at, at + kLatent);
    }
    for (int h = 0; h < c.heads; ++h) {
      const std::size_t row = static_cast<std::size_t>(s) * c.heads + h;
      const auto exact =
          attend(row_of(query, row * kLatentKey, kLatentKey), seen, held, scale, nullptr);
      for (int d = 0; d < kLatent; ++d) {
        ASSERT_NEAR(value(output[row * kLatent + d]), exact[d], kTolerance) << h << " " << d;
      }
    }
  }
}

TEST(Attention, HeadsItWasNotBuiltForAreRefused) {
  HostExecutor executor;
  EXPECT_THROW(run_on_host(executor, PrefillArgs{}, 96), ShapeFault);
  LatentDecodeArgs args;
  args.heads = 16;
  args.latent.head_dim = kLatentKey;
  EXPECT_THROW(run_on_host(executor, args), ShapeFault);
}

}  // namespace
}  // namespace rackwright::kernels::own
