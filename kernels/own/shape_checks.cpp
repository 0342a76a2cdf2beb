#include "kernels/own/shape_checks.hpp"

#include <fmt/format.h>

namespace rackwright::kernels::own {

namespace {

void check_head_dim(int head_dim) {
  if (head_dim == 64 || head_dim == 128) return;
  throw ShapeFault(fmt::format("attention with heads of {}: 64 or 128", head_dim));
}

void check_latent(int heads, int head_dim) {
  if (heads % kLatentRows == 0 && head_dim == kLatentKey) return;
  throw ShapeFault(fmt::format("MLA decode of {} heads on {} dimensions: a multiple of {} on {}",
                               heads, head_dim, kLatentRows, kLatentKey));
}

void check_peers(int values, int rank, int ranks) {
  if (values > 0 && ranks >= 2 && ranks <= kPeerRanks && rank >= 0 && rank < ranks) return;
  throw ShapeFault(
      fmt::format("all-reduce over peer memory of {} values, rank {} of {}: at least a value, on 2 to {} "
                  "ranks",
                  values, rank, ranks, kPeerRanks));
}

}  // namespace

void check_shape(const RmsNormArgs& args) {
  if (args.hidden % 8 == 0 && args.hidden <= 16384) return;
  throw ShapeFault(
      fmt::format("RMSNorm of {} columns: a multiple of 8, at most 16384", args.hidden));
}

void check_shape(const PeerReduceArgs<Bf16>& args) {
  check_peers(args.values, args.rank, args.ranks);
}
void check_shape(const PeerReduceArgs<float>& args) {
  check_peers(args.values, args.rank, args.ranks);
}

void check_shape(const QuantiseArgs& args, QuantScheme scheme) {
  const bool by_row = group_of(scheme) == 0;
  const int group = by_row ? 16 : group_of(scheme);
  if (args.width % group == 0 && (!by_row || args.width <= 16384)) return;
  throw ShapeFault(fmt::format("quantising rows of {}: a multiple of {}{}", args.width, group,
                               by_row ? ", at most 16384" : ""));
}

void check_shape(const RouterArgs& args) {
  if (args.top_k <= kRouterTopK && args.groups <= kWarp && args.experts % args.groups == 0 &&
      args.top_k <= args.experts / args.groups * args.kept_groups) {
    return;
  }
  throw ShapeFault(
      fmt::format("top {} of {} experts, {} of {} groups kept: at most {} of even groups",
                  args.top_k, args.experts, args.kept_groups, args.groups, kRouterTopK));
}

void check_shape(const PrefillArgs& /*args*/, int head_dim) {
  if (head_dim != 192) check_head_dim(head_dim);  // 192: values of 128
}

void check_shape(const DecodeArgs& args) {
  check_head_dim(args.key.head_dim);
}

void check_shape(const DecodeFp8Args& args) {
  check_head_dim(args.key.head_dim);
}

void check_shape(const LatentDecodeArgs& args) {
  check_latent(args.heads, args.latent.head_dim);
}

void check_shape(const LatentDecodeFp8Args& args) {
  check_latent(args.heads, args.latent.head_dim);
}

void check_shape(const MxGemmArgs& args) {
  if (args.n % 8 == 0 && args.k % 32 == 0) return;
  throw ShapeFault(
      fmt::format("MXFP4 GEMM with n = {}, k = {}: multiples of 8 and of 32", args.n, args.k));
}

void check_shape(const SamplingArgs& args) {
  if (args.top_k >= 1 && args.top_k <= kSamplingMost && args.temperature > 0) return;
  throw ShapeFault(fmt::format("sampling from the top {} at temperature {}: 1 to {}, above 0",
                               args.top_k, args.temperature, kSamplingMost));
}

}  // namespace rackwright::kernels::own
