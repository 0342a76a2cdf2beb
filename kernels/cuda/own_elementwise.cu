/* Kernels of kernels/own that HBM bounds. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"
#include "kernels/own/quantise.hpp"
#include "kernels/own/rms_norm.hpp"
#include "kernels/own/rotary_append.hpp"
#include "kernels/own/silu_mul.hpp"
#include "kernels/own/stream_copy.hpp"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_rms_norm_1, (kRmsNormThreads), RmsNormArgs, rms_norm<1>)
RACKWRIGHT_KERNEL(rw_rms_norm_2, (kRmsNormThreads), RmsNormArgs, rms_norm<2>)
RACKWRIGHT_KERNEL(rw_rms_norm_4, (kRmsNormThreads), RmsNormArgs, rms_norm<4>)
RACKWRIGHT_KERNEL(rw_rms_norm_8, (kRmsNormThreads), RmsNormArgs, rms_norm<8>)
RACKWRIGHT_KERNEL(rw_silu_mul, (kSiluMulThreads), SiluMulArgs, silu_mul)
RACKWRIGHT_KERNEL(rw_rotary_append, (kRotaryThreads), RotaryAppendArgs, rotary_append)
RACKWRIGHT_KERNEL(rw_quantise_rows_1, (kQuantiseThreads), QuantiseArgs, quantise_rows<1>)
RACKWRIGHT_KERNEL(rw_quantise_rows_4, (kQuantiseThreads), QuantiseArgs, quantise_rows<4>)
RACKWRIGHT_KERNEL(rw_quantise_fp8_group, (kQuantiseThreads), QuantiseArgs,
                  quantise_groups<QuantScheme::fp8_group>)
RACKWRIGHT_KERNEL(rw_quantise_mxfp8, (kQuantiseThreads), QuantiseArgs,
                  quantise_groups<QuantScheme::mxfp8>)
RACKWRIGHT_KERNEL(rw_quantise_mxfp4, (kQuantiseThreads), QuantiseArgs,
                  quantise_groups<QuantScheme::mxfp4>)
RACKWRIGHT_KERNEL(rw_quantise_nvfp4, (kQuantiseThreads), QuantiseArgs,
                  quantise_groups<QuantScheme::nvfp4>)
RACKWRIGHT_KERNEL(rw_stream_copy, (kStreamThreads), StreamCopyArgs, stream_copy)

namespace rackwright::kernels::own {

cudaError_t launch(const StreamCopyArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_stream_copy, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
