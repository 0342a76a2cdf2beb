#pragma once

#include <cstddef>

namespace rackwright::kernels {

/// One query block of one KV head: `rows` queries (all query heads of the group together) against
/// the `keys` first cached tokens, of which query row r sees the first `visible(r)`.
struct AttentionBlock {
  const float* q = nullptr;  ///< rows x qk_dim
  const float* k = nullptr;  ///< keys x qk_dim, rows `k_stride` apart
  const float* v = nullptr;  ///< keys x v_dim, rows `v_stride` apart
  float* out = nullptr;      ///< rows x v_dim
  float* scores = nullptr;   ///< rows x keys, work space
  std::size_t rows = 0, keys = 0, qk_dim = 0, v_dim = 0, k_stride = 0, v_stride = 0;
  std::size_t queries = 1;        ///< distinct query positions: rows = group x queries
  std::size_t first_visible = 0;  ///< keys that the block's first position sees
  std::size_t window = 0;         ///< > 0: only the last `window` of them
};

/// out = softmax(q k^T / sqrt(qk_dim), masked) v. Row r has position r % queries and sees
/// `first_visible + r % queries` keys.
void attend(const AttentionBlock& block);

}  // namespace rackwright::kernels
