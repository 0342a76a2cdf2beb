#pragma once

#include <cstddef>
#include <vector>

namespace rackwright::kernels {

using HostBuffer = std::vector<float>;

/// Threads of Thrust and OpenBLAS in this process from now on.
void limit_threads(int threads);
/// Uniform in (-0.5, 0.5), the same for the same seed.
[[nodiscard]] HostBuffer random_buffer(std::size_t size, unsigned seed);
/// out[i] = a[i % size of a] * scale, in parallel.
void scale_into(const HostBuffer& a, float scale, HostBuffer& out);
/// gate[i] / (1 + exp(-gate[i])) * up[i] of rows [gate | up] of `width` each.
void silu_mul(const HostBuffer& rows, std::size_t width, HostBuffer& out);
/// Calls `body(i)` for i in [0, count), in parallel.
void for_each_index(std::size_t count, void (*body)(std::size_t, void*), void* context);
/// out row i = in row `index[i]`.
void gather_rows(const HostBuffer& in, std::size_t width, const std::vector<int>& index,
                 HostBuffer& out);
/// Sum in double.
[[nodiscard]] double sum_of(const HostBuffer& values);

}  // namespace rackwright::kernels
