/* Kernels of kernels/own that select, gather and probe. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_index_largest, (kSelectThreads), IndexerArgs, index_largest)
RACKWRIGHT_KERNEL(rw_sample, (kSelectThreads), SamplingArgs, sample)
RACKWRIGHT_KERNEL(rw_copy_pages, (kPageCopyThreads), PageCopyArgs, copy_pages)
RACKWRIGHT_KERNEL(rw_launch_probe, (kWarp), LaunchProbeArgs, launch_probe)
RACKWRIGHT_KERNEL(rw_hold_stream, (kWarp), HoldArgs, hold_stream)
RACKWRIGHT_KERNEL(rw_burn, (kBurnThreads), BurnArgs, burn)

namespace rackwright::kernels::own {

cudaError_t launch(const IndexerArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_index_largest, args, launch_of(args), stream);
}

cudaError_t launch(const SamplingArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_sample, args, launch_of(args), stream);
}

cudaError_t launch(const PageCopyArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_copy_pages, args, launch_of(args), stream);
}

cudaError_t launch(const LaunchProbeArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_launch_probe, args, launch_of(args), stream);
}

cudaError_t launch(const HoldArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_hold_stream, args, launch_of(args), stream);
}

cudaError_t launch(const BurnArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_burn, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
