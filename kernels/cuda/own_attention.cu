/* Attention of kernels/own: portable tensor-core kernels, sm_80 on. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/own/latent_decode.hpp"
#include "kernels/own/prefill_attention.hpp"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_prefill_64, (kPrefillThreads), PrefillArgs, prefill_attention<64>)
RACKWRIGHT_KERNEL(rw_prefill_128, (kPrefillThreads), PrefillArgs, prefill_attention<128>)
RACKWRIGHT_KERNEL(rw_decode_64, (kDecodeThreads, 4), DecodeArgs, decode_attention<64>)
RACKWRIGHT_KERNEL(rw_decode_128, (kDecodeThreads), DecodeArgs, decode_attention<128>)
RACKWRIGHT_KERNEL(rw_latent_decode, (kLatentThreads), LatentDecodeArgs, latent_decode)
RACKWRIGHT_KERNEL(rw_merge_attention, (128), MergeArgs, merge_attention)
