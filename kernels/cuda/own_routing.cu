/* Kernels of kernels/own that route tokens to experts. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_route, (kRouterWarps * kWarp), RouterArgs, route)
RACKWRIGHT_KERNEL(rw_permute_count, (kPermuteThreads), PermuteArgs, permute_count)
RACKWRIGHT_KERNEL(rw_permute_offsets, (kPermuteThreads), PermuteArgs, permute_offsets)
RACKWRIGHT_KERNEL(rw_permute_place, (kPermuteThreads), PermuteArgs, permute_place)
RACKWRIGHT_KERNEL(rw_permute_rows, (128), PermuteArgs, permute_rows)
RACKWRIGHT_KERNEL(rw_unpermute_rows, (128), UnpermuteArgs, unpermute_rows)

namespace rackwright::kernels::own {

cudaError_t launch(const PermuteArgs& args, cudaStream_t stream) {
  const auto stage = [&](PermuteStage which) { return launch_of(args, which); };
  if (const cudaError_t error =
          RACKWRIGHT_LAUNCH(rw_permute_count, args, stage(PermuteStage::count), stream);
      error != cudaSuccess) {
    return error;
  }
  if (const cudaError_t error =
          RACKWRIGHT_LAUNCH(rw_permute_offsets, args, stage(PermuteStage::offsets), stream);
      error != cudaSuccess) {
    return error;
  }
  if (const cudaError_t error =
          RACKWRIGHT_LAUNCH(rw_permute_place, args, stage(PermuteStage::place), stream);
      error != cudaSuccess) {
    return error;
  }
  return RACKWRIGHT_LAUNCH(rw_permute_rows, args, stage(PermuteStage::rows), stream);
}

cudaError_t launch(const RouterArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_route, args, launch_of(args), stream);
}

cudaError_t launch(const UnpermuteArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_unpermute_rows, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
