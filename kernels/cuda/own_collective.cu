/* Kernels of kernels/own that work on the memory of several ranks. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_one_shot_all_reduce_bf16, (kPeerThreads), PeerReduceArgs<Bf16>,
                  one_shot_all_reduce)
RACKWRIGHT_KERNEL(rw_one_shot_all_reduce_f32, (kPeerThreads), PeerReduceArgs<float>,
                  one_shot_all_reduce)
RACKWRIGHT_KERNEL(rw_two_shot_all_reduce_bf16, (kPeerThreads), PeerReduceArgs<Bf16>,
                  two_shot_all_reduce)
RACKWRIGHT_KERNEL(rw_two_shot_all_reduce_f32, (kPeerThreads), PeerReduceArgs<float>,
                  two_shot_all_reduce)

namespace rackwright::kernels::own {

cudaError_t launch(const PeerReduceArgs<Bf16>& args, cudaStream_t stream) {
  return args.two_shot != 0
             ? RACKWRIGHT_LAUNCH(rw_two_shot_all_reduce_bf16, args, launch_of(args), stream)
             : RACKWRIGHT_LAUNCH(rw_one_shot_all_reduce_bf16, args, launch_of(args), stream);
}
cudaError_t launch(const PeerReduceArgs<float>& args, cudaStream_t stream) {
  return args.two_shot != 0
             ? RACKWRIGHT_LAUNCH(rw_two_shot_all_reduce_f32, args, launch_of(args), stream)
             : RACKWRIGHT_LAUNCH(rw_one_shot_all_reduce_f32, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
