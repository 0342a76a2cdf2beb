#pragma once

#include <cuda_runtime.h>

#include "kernels/own/fill_random.hpp"
#include "kernels/own/latent_decode.hpp"
#include "kernels/own/mxfp4_gemm.hpp"
#include "kernels/own/peer_all_reduce.hpp"
#include "kernels/own/page_copy.hpp"
#include "kernels/own/permute.hpp"
#include "kernels/own/prefill_attention.hpp"
#include "kernels/own/probes.hpp"
#include "kernels/own/quantise.hpp"
#include "kernels/own/rms_norm.hpp"
#include "kernels/own/rotary_append.hpp"
#include "kernels/own/router.hpp"
#include "kernels/own/sampling.hpp"
#include "kernels/own/silu_mul.hpp"
#include "kernels/own/stream_copy.hpp"

namespace rackwright::kernels::own {

/* Launches of the device kernels, as on_host.hpp runs them on the host; shapes are not checked
   here. The error is that of the launch. */
cudaError_t launch(const RmsNormArgs& args, cudaStream_t stream);
cudaError_t launch(const SiluMulArgs& args, cudaStream_t stream);
cudaError_t launch(const RotaryAppendArgs& args, cudaStream_t stream);
cudaError_t launch(const QuantiseArgs& args, QuantScheme scheme, cudaStream_t stream);
cudaError_t launch(const StreamCopyArgs& args, cudaStream_t stream);
cudaError_t launch(const FillRandomArgs& args, cudaStream_t stream);
cudaError_t launch(const RouterArgs& args, cudaStream_t stream);
cudaError_t launch(const PermuteArgs& args, cudaStream_t stream);
cudaError_t launch(const UnpermuteArgs& args, cudaStream_t stream);
cudaError_t launch(const PrefillArgs& args, int head_dim, cudaStream_t stream);
cudaError_t launch(const DecodeArgs& args, cudaStream_t stream);
cudaError_t launch(const DecodeFp8Args& args, cudaStream_t stream);
cudaError_t launch(const LatentDecodeArgs& args, cudaStream_t stream);
cudaError_t launch(const LatentDecodeFp8Args& args, cudaStream_t stream);
cudaError_t launch(const MergeArgs& args, cudaStream_t stream);
cudaError_t launch(const MxGemmArgs& args, cudaStream_t stream);
cudaError_t launch(const IndexerArgs& args, cudaStream_t stream);
cudaError_t launch(const SamplingArgs& args, cudaStream_t stream);
cudaError_t launch(const PageCopyArgs& args, cudaStream_t stream);
cudaError_t launch(const PeerReduceArgs<Bf16>& args, cudaStream_t stream);
cudaError_t launch(const PeerReduceArgs<float>& args, cudaStream_t stream);
cudaError_t launch(const LaunchProbeArgs& args, cudaStream_t stream);
cudaError_t launch(const HoldArgs& args, cudaStream_t stream);
cudaError_t launch(const BurnArgs& args, cudaStream_t stream);

}  // namespace rackwright::kernels::own
