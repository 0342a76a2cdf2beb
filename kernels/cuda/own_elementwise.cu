/* Kernels of kernels/own that HBM bounds. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_rms_norm_1, (kRmsNormThreads), RmsNormArgs, rms_norm<1>)
RACKWRIGHT_KERNEL(rw_rms_norm_2, (kRmsNormThreads), RmsNormArgs, rms_norm<2>)
RACKWRIGHT_KERNEL(rw_rms_norm_4, (kRmsNormThreads), RmsNormArgs, rms_norm<4>)
RACKWRIGHT_KERNEL(rw_rms_norm_8, (kRmsNormThreads), RmsNormArgs, rms_norm<8>)
RACKWRIGHT_KERNEL(rw_rms_norm_narrow, (kRmsNormThreads), RmsNormArgs, rms_norm_narrow)
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
RACKWRIGHT_KERNEL(rw_fill_random, (kFillThreads), FillRandomArgs, fill_random)

namespace rackwright::kernels::own {

cudaError_t launch(const RmsNormArgs& args, cudaStream_t stream) {
  const Launch launch = launch_of(args);
  const int vectors = ceil_div(args.hidden, 8 * kRmsNormThreads);
  if (is_narrow(args)) return RACKWRIGHT_LAUNCH(rw_rms_norm_narrow, args, launch, stream);
  if (vectors <= 1) return RACKWRIGHT_LAUNCH(rw_rms_norm_1, args, launch, stream);
  if (vectors <= 2) return RACKWRIGHT_LAUNCH(rw_rms_norm_2, args, launch, stream);
  if (vectors <= 4) return RACKWRIGHT_LAUNCH(rw_rms_norm_4, args, launch, stream);
  return RACKWRIGHT_LAUNCH(rw_rms_norm_8, args, launch, stream);
}

cudaError_t launch(const QuantiseArgs& args, QuantScheme scheme, cudaStream_t stream) {
  const Launch launch = launch_of(args, scheme);
  switch (scheme) {
    case QuantScheme::fp8_token:
      return args.width <= 4096 ? RACKWRIGHT_LAUNCH(rw_quantise_rows_1, args, launch, stream)
                                : RACKWRIGHT_LAUNCH(rw_quantise_rows_4, args, launch, stream);
    case QuantScheme::fp8_group:
      return RACKWRIGHT_LAUNCH(rw_quantise_fp8_group, args, launch, stream);
    case QuantScheme::mxfp8:
      return RACKWRIGHT_LAUNCH(rw_quantise_mxfp8, args, launch, stream);
    case QuantScheme::mxfp4:
      return RACKWRIGHT_LAUNCH(rw_quantise_mxfp4, args, launch, stream);
    case QuantScheme::nvfp4:
      return RACKWRIGHT_LAUNCH(rw_quantise_nvfp4, args, launch, stream);
  }
  return cudaErrorInvalidValue;
}

cudaError_t launch(const SiluMulArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_silu_mul, args, launch_of(args), stream);
}

cudaError_t launch(const RotaryAppendArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_rotary_append, args, launch_of(args), stream);
}

cudaError_t launch(const StreamCopyArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_stream_copy, args, launch_of(args), stream);
}

cudaError_t launch(const FillRandomArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_fill_random, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
