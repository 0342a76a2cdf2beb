/* Attention of kernels/own: portable tensor-core kernels, sm_80 on. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/cuda/own_kernels.cuh"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_prefill_64, (kPrefillThreads), PrefillArgs, prefill_attention<64>)
RACKWRIGHT_KERNEL(rw_prefill_128, (kPrefillThreads), PrefillArgs, prefill_attention<128>)
RACKWRIGHT_KERNEL(rw_prefill_192, (kPrefillThreads), PrefillArgs, prefill_attention<192>)
RACKWRIGHT_KERNEL(rw_decode_64, (kDecodeThreads, 4), DecodeArgs, decode_attention<64>)
RACKWRIGHT_KERNEL(rw_decode_128, (kDecodeThreads), DecodeArgs, decode_attention<128>)
RACKWRIGHT_KERNEL(rw_decode_64_fp8, (kDecodeThreads, 4), DecodeFp8Args, decode_attention<64>)
RACKWRIGHT_KERNEL(rw_decode_128_fp8, (kDecodeThreads), DecodeFp8Args, decode_attention<128>)
RACKWRIGHT_KERNEL(rw_latent_decode, (kLatentThreads), LatentDecodeArgs, latent_decode)
RACKWRIGHT_KERNEL(rw_latent_decode_fp8, (kLatentThreads), LatentDecodeFp8Args, latent_decode)
RACKWRIGHT_KERNEL(rw_merge_attention, (128), MergeArgs, merge_attention)

namespace rackwright::kernels::own {

cudaError_t launch(const PrefillArgs& args, int head_dim, cudaStream_t stream) {
  const Launch launch = launch_of(args, head_dim);
  if (head_dim == 64) return RACKWRIGHT_LAUNCH(rw_prefill_64, args, launch, stream);
  return head_dim == 128 ? RACKWRIGHT_LAUNCH(rw_prefill_128, args, launch, stream)
                         : RACKWRIGHT_LAUNCH(rw_prefill_192, args, launch, stream);
}

cudaError_t launch(const DecodeArgs& args, cudaStream_t stream) {
  const Launch launch = launch_of(args, args.key.head_dim);
  return args.key.head_dim == 64 ? RACKWRIGHT_LAUNCH(rw_decode_64, args, launch, stream)
                                 : RACKWRIGHT_LAUNCH(rw_decode_128, args, launch, stream);
}

cudaError_t launch(const DecodeFp8Args& args, cudaStream_t stream) {
  const Launch launch = launch_of(args, args.key.head_dim);
  return args.key.head_dim == 64 ? RACKWRIGHT_LAUNCH(rw_decode_64_fp8, args, launch, stream)
                                 : RACKWRIGHT_LAUNCH(rw_decode_128_fp8, args, launch, stream);
}

cudaError_t launch(const LatentDecodeArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_latent_decode, args, launch_of(args), stream);
}

cudaError_t launch(const LatentDecodeFp8Args& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_latent_decode_fp8, args, launch_of(args), stream);
}

cudaError_t launch(const MergeArgs& args, cudaStream_t stream) {
  return RACKWRIGHT_LAUNCH(rw_merge_attention, args, launch_of(args), stream);
}

}  // namespace rackwright::kernels::own
