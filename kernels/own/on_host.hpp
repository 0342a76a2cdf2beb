#pragma once

#include "kernels/own/fill_random.hpp"
#include "kernels/own/host_executor.hpp"
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

/* Run the kernel that the device would run, thread by thread. Throw KernelFault; ShapeFault for a
   shape the kernel does not hold. */
void run_on_host(HostExecutor& executor, const RmsNormArgs& args);
void run_on_host(HostExecutor& executor, const SiluMulArgs& args);
void run_on_host(HostExecutor& executor, const RotaryAppendArgs& args);
void run_on_host(HostExecutor& executor, const QuantiseArgs& args, QuantScheme scheme);
void run_on_host(HostExecutor& executor, const StreamCopyArgs& args);
void run_on_host(HostExecutor& executor, const FillRandomArgs& args);
void run_on_host(HostExecutor& executor, const RouterArgs& args);
/// All four stages.
void run_on_host(HostExecutor& executor, const PermuteArgs& args);
void run_on_host(HostExecutor& executor, const UnpermuteArgs& args);
void run_on_host(HostExecutor& executor, const PrefillArgs& args, int head_dim);
/// The parts only; MergeArgs adds them.
void run_on_host(HostExecutor& executor, const DecodeArgs& args);
void run_on_host(HostExecutor& executor, const DecodeFp8Args& args);
void run_on_host(HostExecutor& executor, const LatentDecodeArgs& args);
void run_on_host(HostExecutor& executor, const LatentDecodeFp8Args& args);
void run_on_host(HostExecutor& executor, const MergeArgs& args);
void run_on_host(HostExecutor& executor, const MxGemmArgs& args);
void run_on_host(HostExecutor& executor, const IndexerArgs& args);
void run_on_host(HostExecutor& executor, const SamplingArgs& args);
void run_on_host(HostExecutor& executor, const PageCopyArgs& args);
/// Meets the executors of the other ranks, which run meanwhile and take blocks in the same order.
void run_on_host(HostExecutor& executor, const PeerReduceArgs<Bf16>& args);
void run_on_host(HostExecutor& executor, const PeerReduceArgs<float>& args);
void run_on_host(HostExecutor& executor, const LaunchProbeArgs& args);
void run_on_host(HostExecutor& executor, const BurnArgs& args);
/// Ends when the time has passed: nothing else runs on the host meanwhile.
void run_on_host(HostExecutor& executor, const HoldArgs& args);

}  // namespace rackwright::kernels::own
