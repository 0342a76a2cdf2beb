/* Kernels of kernels/own that work on the memory of several ranks. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_one_shot_all_reduce, (kOneShotThreads), OneShotArgs, one_shot_all_reduce)

namespace rackwright::kernels::own {

cudaError_t launch(const OneShotArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_one_shot_all_reduce, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
