#include "kernels/host/host_attention.hpp"

#include <algorithm>
#include <cmath>

#include <cblas.h>

namespace rackwright::kernels {

namespace {

/// Softmax over [from, to) of a row; the rest becomes 0.
void masked_softmax(float* row, std::size_t keys, std::size_t from, std::size_t to) {
  std::fill(row, row + from, 0.0F);
  std::fill(row + to, row + keys, 0.0F);
  const float highest = *std::max_element(row + from, row + to);
  float sum = 0;
  for (std::size_t i = from; i < to; ++i) sum += row[i] = std::exp(row[i] - highest);
  for (std::size_t i = from; i < to; ++i) row[i] /= sum;
}

}  // namespace

void attend(const AttentionBlock& block) {
  const auto rows = static_cast<int>(block.rows);
  const auto keys = static_cast<int>(block.keys);
  const auto qk = static_cast<int>(block.qk_dim);
  const float scale = 1.0F / std::sqrt(static_cast<float>(block.qk_dim));
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, keys, qk, scale, block.q, qk, block.k,
              static_cast<int>(block.k_stride), 0.0F, block.scores, keys);
  for (std::size_t r = 0; r < block.rows; ++r) {
    const std::size_t to = std::min(block.keys, block.first_visible + r % block.queries);
    const std::size_t from = block.window > 0 && to > block.window ? to - block.window : 0;
    masked_softmax(block.scores + r * block.keys, block.keys, from, to);
  }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, static_cast<int>(block.v_dim), keys,
              1.0F, block.scores, keys, block.v, static_cast<int>(block.v_stride), 0.0F, block.out,
              static_cast<int>(block.v_dim));
}

}  // namespace rackwright::kernels
