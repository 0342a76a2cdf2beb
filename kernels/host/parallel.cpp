// The one file that includes Thrust: its TBB backend, the subset that CCCL and Thrust 1.17 share.
#include "kernels/host/parallel.hpp"

#include <cmath>
#include <cstdint>
#include <memory>

#include <cblas.h>
#include <tbb/global_control.h>

#include <thrust/for_each.h>
#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/reduce.h>
#include <thrust/system/tbb/execution_policy.h>
#include <thrust/tabulate.h>
#include <thrust/transform_reduce.h>

namespace rackwright::kernels {

namespace {

const auto kPolicy = thrust::tbb::par;

}  // namespace

void limit_threads(int threads) {
  static std::unique_ptr<tbb::global_control> limit;  // TBB takes it from an object that lives on
  limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                static_cast<std::size_t>(threads));
  openblas_set_num_threads(threads);
}

HostBuffer random_buffer(std::size_t size, unsigned seed) {
  HostBuffer values(size);
  const std::uint64_t first = static_cast<std::uint64_t>(seed) << 40U;
  thrust::tabulate(kPolicy, values.begin(), values.end(), [first](std::size_t i) {
    // SplitMix64 (Steele, Lea, Flood 2014) of the element's number; the high 24 bits fill a float.
    std::uint64_t z = (first + i + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return static_cast<float>((z ^ (z >> 31U)) >> 40U) * 0x1p-24F - 0.5F;
  });
  return values;
}

void scale_into(const HostBuffer& a, float scale, HostBuffer& out) {
  const float* in = a.data();
  const std::size_t size = a.size();
  thrust::tabulate(kPolicy, out.begin(), out.end(),
                   [=](std::size_t i) { return in[i < size ? i : i % size] * scale; });
}

void silu_mul(const HostBuffer& rows, std::size_t width, HostBuffer& out) {
  const float* in = rows.data();
  thrust::tabulate(kPolicy, out.begin(), out.end(), [=](std::size_t i) {
    const float* row = in + i / width * 2 * width;
    const float gate = row[i % width];
    return gate / (1.0F + std::exp(-gate)) * row[width + i % width];
  });
}

void for_each_index(std::size_t count, void (*body)(std::size_t, void*), void* context) {
  thrust::for_each(kPolicy, thrust::counting_iterator<std::size_t>(0),
                   thrust::counting_iterator<std::size_t>(count),
                   [=](std::size_t i) { body(i, context); });
}

void gather_rows(const HostBuffer& in, std::size_t width, const std::vector<int>& index,
                 HostBuffer& out) {
  const float* from = in.data();
  const int* rows = index.data();
  thrust::tabulate(kPolicy, out.begin(), out.end(), [=](std::size_t i) {
    return from[static_cast<std::size_t>(rows[i / width]) * width + i % width];
  });
}

double sum_of(const HostBuffer& values) {
  return thrust::transform_reduce(
      kPolicy, values.begin(), values.end(), [](float v) { return static_cast<double>(v); }, 0.0,
      thrust::plus<double>());
}

}  // namespace rackwright::kernels
