/* Weight-only GEMM of kernels/own. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/own/mxfp4_gemm.hpp"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_mxfp4_gemm_16, (kMxThreads), MxGemmArgs, mxfp4_gemm<16>)
RACKWRIGHT_KERNEL(rw_mxfp4_gemm_64, (kMxThreads), MxGemmArgs, mxfp4_gemm<64>)
