#pragma once

#include <string>

#include "kernels/cuda/cuda_abi.h"

namespace rackwright::kernels::cuda {

/// What a type's kernels ask of the sizes of a product, as engines pad them: groups of scales along
/// k, 16-byte rows.
struct ProductSizes {
  int n = 0, k = 0;
};

[[nodiscard]] constexpr int multiple_of_k(int type) {
  switch (type) {
    case RACKWRIGHT_CUDA_BF16:
    case RACKWRIGHT_CUDA_FP32:
      return 1;
    case RACKWRIGHT_CUDA_FP8:
    case RACKWRIGHT_CUDA_INT8:
      return 16;
    case RACKWRIGHT_CUDA_FP8_BLOCK:
      return 128;
    default:
      return 32;
  }
}

[[nodiscard]] constexpr int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

[[nodiscard]] constexpr ProductSizes padded_sizes(int type, int n, int k) {
  return {round_up(n, multiple_of_k(type) == 1 ? 1 : 16), round_up(k, multiple_of_k(type))};
}

inline constexpr int kRowsOfTile = 16;

/// Rows of one expert's product, in whole tiles: few different products then serve all experts.
[[nodiscard]] constexpr int rows_of_tiles(int rows) {
  return round_up(rows, rows <= 128 ? kRowsOfTile : 64);
}

/// "; padded from n = 360, k = 200", or nothing.
[[nodiscard]] inline std::string padding_text(int type, int n, int k) {
  const ProductSizes padded = padded_sizes(type, n, k);
  if (padded.n == n && padded.k == k) return {};
  return "; padded from n = " + std::to_string(n) + ", k = " + std::to_string(k);
}

}  // namespace rackwright::kernels::cuda
