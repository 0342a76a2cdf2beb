#include "kernels/own/on_host.hpp"

#include "kernels/own/shape_checks.hpp"

namespace rackwright::kernels::own {

void run_on_host(HostExecutor& executor, const RmsNormArgs& args) {
  check_shape(args);
  const Launch launch = launch_of(args);
  const int vectors = ceil_div(args.hidden, 8 * kRmsNormThreads);
  if (is_narrow(args)) {
    executor.run(launch, [&](HostThread& t) { rms_norm_narrow(t, args); });
  } else if (vectors <= 1) {
    executor.run(launch, [&](HostThread& t) { rms_norm<1>(t, args); });
  } else if (vectors <= 2) {
    executor.run(launch, [&](HostThread& t) { rms_norm<2>(t, args); });
  } else if (vectors <= 4) {
    executor.run(launch, [&](HostThread& t) { rms_norm<4>(t, args); });
  } else {
    executor.run(launch, [&](HostThread& t) { rms_norm<8>(t, args); });
  }
}

void run_on_host(HostExecutor& executor, const SiluMulArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { silu_mul(t, args); });
}

void run_on_host(HostExecutor& executor, const PeerReduceArgs<Bf16>& args) {
  check_shape(args);
  executor.run(launch_of(args), [&](HostThread& t) { peer_all_reduce(t, args); });
}
void run_on_host(HostExecutor& executor, const PeerReduceArgs<float>& args) {
  check_shape(args);
  executor.run(launch_of(args), [&](HostThread& t) { peer_all_reduce(t, args); });
}

void run_on_host(HostExecutor& executor, const RotaryAppendArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { rotary_append(t, args); });
}

void run_on_host(HostExecutor& executor, const QuantiseArgs& args, QuantScheme scheme) {
  check_shape(args, scheme);
  const Launch launch = launch_of(args, scheme);
  switch (scheme) {
    case QuantScheme::fp8_token:
      if (args.width <= 4096) {
        executor.run(launch, [&](HostThread& t) { quantise_rows<1>(t, args); });
      } else {
        executor.run(launch, [&](HostThread& t) { quantise_rows<4>(t, args); });
      }
      break;
    case QuantScheme::fp8_group:
      executor.run(launch,
                   [&](HostThread& t) { quantise_groups<QuantScheme::fp8_group>(t, args); });
      break;
    case QuantScheme::mxfp8:
      executor.run(launch, [&](HostThread& t) { quantise_groups<QuantScheme::mxfp8>(t, args); });
      break;
    case QuantScheme::mxfp4:
      executor.run(launch, [&](HostThread& t) { quantise_groups<QuantScheme::mxfp4>(t, args); });
      break;
    case QuantScheme::nvfp4:
      executor.run(launch, [&](HostThread& t) { quantise_groups<QuantScheme::nvfp4>(t, args); });
      break;
  }
}

void run_on_host(HostExecutor& executor, const StreamCopyArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { stream_copy(t, args); });
}

void run_on_host(HostExecutor& executor, const FillRandomArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { fill_random(t, args); });
}

void run_on_host(HostExecutor& executor, const RouterArgs& args) {
  check_shape(args);
  executor.run(launch_of(args), [&](HostThread& t) { route(t, args); });
}

void run_on_host(HostExecutor& executor, const PermuteArgs& args) {
  executor.run(launch_of(args, PermuteStage::count),
               [&](HostThread& t) { permute_count(t, args); });
  executor.run(launch_of(args, PermuteStage::offsets),
               [&](HostThread& t) { permute_offsets(t, args); });
  executor.run(launch_of(args, PermuteStage::place),
               [&](HostThread& t) { permute_place(t, args); });
  executor.run(launch_of(args, PermuteStage::rows), [&](HostThread& t) { permute_rows(t, args); });
}

void run_on_host(HostExecutor& executor, const UnpermuteArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { unpermute_rows(t, args); });
}

void run_on_host(HostExecutor& executor, const PrefillArgs& args, int head_dim) {
  check_shape(args, head_dim);
  const Launch launch = launch_of(args, head_dim);
  if (head_dim == 64) {
    executor.run(launch, [&](HostThread& t) { prefill_attention<64>(t, args); });
  } else if (head_dim == 128) {
    executor.run(launch, [&](HostThread& t) { prefill_attention<128>(t, args); });
  } else {
    executor.run(launch, [&](HostThread& t) { prefill_attention<192>(t, args); });
  }
}

namespace {

template <class Kv>
void run_decode(HostExecutor& executor, const DecodeArgsOf<Kv>& args) {
  const int head_dim = args.key.head_dim;
  const Launch launch = launch_of(args, head_dim);
  if (head_dim == 64) {
    executor.run(launch, [&](HostThread& t) { decode_attention<64>(t, args); });
  } else {
    executor.run(launch, [&](HostThread& t) { decode_attention<128>(t, args); });
  }
}

}  // namespace

void run_on_host(HostExecutor& executor, const DecodeArgs& args) {
  check_shape(args);
  run_decode(executor, args);
}
void run_on_host(HostExecutor& executor, const DecodeFp8Args& args) {
  check_shape(args);
  run_decode(executor, args);
}

void run_on_host(HostExecutor& executor, const LatentDecodeArgs& args) {
  check_shape(args);
  executor.run(launch_of(args), [&](HostThread& t) { latent_decode(t, args); });
}

void run_on_host(HostExecutor& executor, const LatentDecodeFp8Args& args) {
  check_shape(args);
  executor.run(launch_of(args), [&](HostThread& t) { latent_decode(t, args); });
}

void run_on_host(HostExecutor& executor, const MergeArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { merge_attention(t, args); });
}

void run_on_host(HostExecutor& executor, const MxGemmArgs& args) {
  check_shape(args);
  const Launch launch = launch_of(args);
  if (mx_rows(args.m) == 16) {
    executor.run(launch, [&](HostThread& t) { mxfp4_gemm<16>(t, args); });
  } else {
    executor.run(launch, [&](HostThread& t) { mxfp4_gemm<64>(t, args); });
  }
}

void run_on_host(HostExecutor& executor, const IndexerArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { index_largest(t, args); });
}

void run_on_host(HostExecutor& executor, const SamplingArgs& args) {
  check_shape(args);
  executor.run(launch_of(args), [&](HostThread& t) { sample(t, args); });
}

void run_on_host(HostExecutor& executor, const PageCopyArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { copy_pages(t, args); });
}

void run_on_host(HostExecutor& executor, const LaunchProbeArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { launch_probe(t, args); });
}

void run_on_host(HostExecutor& executor, const BurnArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { burn(t, args); });
}

void run_on_host(HostExecutor& executor, const HoldArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { hold_stream(t, args); });
}

}  // namespace rackwright::kernels::own
