// The one file that includes Thrust: its TBB backend, the subset that CCCL and Thrust 1.17 share.
#include "kernels/host/parallel.hpp"

#include <cmath>

#include <thrust/for_each.h>
#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/random.h>
#include <thrust/reduce.h>
#include <thrust/system/tbb/execution_policy.h>
#include <thrust/tabulate.h>
#include <thrust/transform_reduce.h>

namespace rackwright::kernels {

namespace {

const auto kPolicy = thrust::tbb::par;

}  // namespace

HostBuffer random_buffer(std::size_t size, unsigned seed) {
  HostBuffer values(size);
  thrust::tabulate(kPolicy, values.begin(), values.end(), [seed](std::size_t i) {
    thrust::minstd_rand engine(seed + static_cast<unsigned>(i / 64) * 7919U + 1U);
    engine.discard(i % 64 + 1);
    return thrust::uniform_real_distribution<float>(-0.5F, 0.5F)(engine);
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
