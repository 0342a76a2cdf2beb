/* Weight-only GEMM of kernels/own. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_mxfp4_gemm_16, (kMxThreads), MxGemmArgs, mxfp4_gemm<16>)
RACKWRIGHT_KERNEL(rw_mxfp4_gemm_64, (kMxThreads), MxGemmArgs, mxfp4_gemm<64>)

namespace rackwright::kernels::own {

cudaError_t launch(const MxGemmArgs& args, cudaStream_t stream) {
  return mx_rows(args.m) == 16 ? RACKWRIGHT_LAUNCH(rw_mxfp4_gemm_16, args, launch_of(args), stream)
                               : RACKWRIGHT_LAUNCH(rw_mxfp4_gemm_64, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
