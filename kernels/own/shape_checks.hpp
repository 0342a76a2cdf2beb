#pragma once

#include <stdexcept>

#include "kernels/own/latent_decode.hpp"
#include "kernels/own/mxfp4_gemm.hpp"
#include "kernels/own/peer_all_reduce.hpp"
#include "kernels/own/prefill_attention.hpp"
#include "kernels/own/quantise.hpp"
#include "kernels/own/rms_norm.hpp"
#include "kernels/own/router.hpp"
#include "kernels/own/sampling.hpp"

namespace rackwright::kernels::own {

/// A shape that a kernel does not hold; says what it holds.
class ShapeFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/* Throw ShapeFault. The other kernels hold every shape their arguments can state. */
void check_shape(const RmsNormArgs& args);
void check_shape(const QuantiseArgs& args, QuantScheme scheme);
void check_shape(const RouterArgs& args);
void check_shape(const PrefillArgs& args, int head_dim);
void check_shape(const DecodeArgs& args);
void check_shape(const DecodeFp8Args& args);
void check_shape(const LatentDecodeArgs& args);
void check_shape(const LatentDecodeFp8Args& args);
void check_shape(const MxGemmArgs& args);
void check_shape(const SamplingArgs& args);
void check_shape(const PeerReduceArgs<Bf16>& args);
void check_shape(const PeerReduceArgs<float>& args);

}  // namespace rackwright::kernels::own
