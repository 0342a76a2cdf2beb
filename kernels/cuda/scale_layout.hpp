#pragma once

#include <cstddef>

namespace rackwright::kernels::cuda {

/* Where block scales lie for the tensor cores of Blackwell (cuBLAS 13.0 library guide, "1D block
   scaling for FP8 and FP4", scaling factors layout): tiles of 128 rows x 4 scales of 512 bytes, row
   r of a tile at 16 (r mod 32) + 4 (r / 32); tiles along the scales of the rows first. */

inline constexpr int kScaleTileRows = 128;
inline constexpr int kScaleTileColumns = 4;

/// Scales of a row of `columns` elements in groups of `group`, rounded up to whole tiles.
[[nodiscard]] constexpr int scale_columns(int columns, int group) {
  const int scales = (columns + group - 1) / group;
  return (scales + kScaleTileColumns - 1) / kScaleTileColumns * kScaleTileColumns;
}
[[nodiscard]] constexpr std::size_t scale_bytes(int rows, int columns, int group) {
  const int tiles = (rows + kScaleTileRows - 1) / kScaleTileRows;
  return static_cast<std::size_t>(tiles) * kScaleTileRows *
         static_cast<std::size_t>(scale_columns(columns, group));
}
/// Byte of scale `scale` of `row`; `columns` is what scale_columns gives.
[[nodiscard]] constexpr std::size_t scale_place(int row, int scale, int columns) {
  const std::size_t tile =
      static_cast<std::size_t>(row / kScaleTileRows) * (columns / kScaleTileColumns) +
      scale / kScaleTileColumns;
  return tile * kScaleTileRows * kScaleTileColumns + row % 32 * 16 + row % kScaleTileRows / 32 * 4 +
         scale % kScaleTileColumns;
}

}  // namespace rackwright::kernels::cuda
