#include "kernels/shape_rounding.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include <fmt/format.h>

namespace rackwright::kernels {

using namespace workloads;

namespace {

/// The power of sqrt(2) nearest to `value`.
double rounded(double value) {
  if (!(value > 1)) return 1;
  return std::round(std::exp2(std::round(2 * std::log2(value)) / 2));
}

/// Sizes that change from step to step are rounded; those of the model stay.
struct Round {
  GemmShape operator()(GemmShape shape) const {
    shape.m = rounded(shape.m);
    return shape;
  }
  AttentionShape operator()(AttentionShape shape) const { return tokens(shape); }
  LatentAttentionShape operator()(LatentAttentionShape shape) const { return tokens(shape); }
  ExpertShape operator()(ExpertShape shape) const {
    shape.touched_experts = std::min<double>(shape.local_experts, rounded(shape.touched_experts));
    shape.rank_tokens = std::max(shape.touched_experts, rounded(shape.rank_tokens));
    return shape;
  }
  ElementwiseShape operator()(ElementwiseShape shape) const {
    const double both = shape.bytes_read + shape.bytes_written;
    const double scale = both > 0 ? rounded(both) / both : 1;
    shape.bytes_read *= scale;
    shape.bytes_written *= scale;
    shape.flops *= scale;
    shape.size.rows *= scale;
    return shape;
  }
  CollectiveShape operator()(CollectiveShape shape) const {
    shape.bytes = rounded(shape.bytes);
    return shape;
  }
  HostShape operator()(HostShape shape) const { return shape; }

 private:
  /// Whole sequences of equal length, so that pairs and cached tokens follow from their product.
  template <class Shape>
  static Shape tokens(Shape shape) {
    const double sequences = rounded(shape.sequences);
    const double queries =
        shape.prefill ? rounded(shape.query_tokens / std::max(1.0, shape.sequences)) : 1;
    const double context =
        std::max(queries, rounded(shape.kv_tokens / std::max(1.0, shape.sequences)));
    shape.sequences = sequences;
    shape.query_tokens = sequences * queries;
    shape.kv_tokens = sequences * context;
    shape.pairs = sequences * queries * (context - queries + (queries + 1) / 2);
    return shape;
  }
};

}  // namespace

Operator with_rounded_shape(const Operator& op) {
  Operator near = op;
  near.shape =
      std::visit([](const auto& shape) -> OperatorShape { return Round{}(shape); }, op.shape);
  return near;
}

double amount_of_work(const Operator& op) {
  const OperatorWork work = work_of(op);
  if (work.flops > 0) return work.flops;
  return std::max(1.0, work.memory_bytes + work.wire_bytes);
}

std::string shape_key(const Operator& op) {
  const OperatorWork work = work_of(op);
  // Work and kind tell rounded shapes apart: equal work of one name is one operator.
  return fmt::format("{} {} {:.6g} {:.6g} {:.6g} {:.6g}", op.name, op.shape.index(), work.flops,
                     work.weight_bytes, work.memory_bytes, work.wire_bytes);
}

double error_of_scaling(double scale) {
  return 0.1 * std::abs(std::log2(scale));
}

}  // namespace rackwright::kernels
