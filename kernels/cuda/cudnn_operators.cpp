#include "kernels/cuda/cudnn_operators.hpp"

namespace rackwright::kernels::cuda {

namespace {

using namespace cudnn;

int pages_of(const CudnnAttention& shape) {
  return (shape.keys + shape.page_tokens - 1) / shape.page_tokens;
}

/// Sequences x heads x tokens x dimension, in memory tokens x heads x dimension.
CudnnTensor token_major(CudnnGraph& graph, int type, Sizes dimensions) {
  const std::int64_t heads = dimensions[1], tokens = dimensions[2], dim = dimensions[3];
  return graph.memory(type, dimensions, {tokens * heads * dim, dim, heads * dim, 1});
}

/// Pages x heads x tokens x dimension in either order; tokens are `pitch` elements apart.
CudnnTensor page_container(CudnnGraph& graph, const CudnnAttention& shape, int dim) {
  const std::int64_t heads = shape.kv_heads, page = shape.page_tokens;
  const std::int64_t pitch = shape.shared_cache ? shape.key_dim : dim;
  const Sizes dimensions{static_cast<std::int64_t>(shape.sequences) * pages_of(shape), heads, page,
                         dim};
  if (!shape.nhd) {
    return graph.memory(shape.type, dimensions, {heads * page * pitch, page * pitch, pitch, 1});
  }
  return graph.memory(shape.type, dimensions, {page * heads * pitch, pitch, heads * pitch, 1});
}

CudnnTensor page_table(CudnnGraph& graph, const CudnnAttention& shape) {
  return graph.memory(kInt32, {shape.sequences, 1, pages_of(shape), 1});
}

CudnnTensor lengths(CudnnGraph& graph, const CudnnAttention& shape) {
  return graph.memory(kInt32, {shape.sequences, 1, 1, 1});
}

/// The parts of the pattern, with the score tensor as it goes.
class Pattern {
 public:
  Pattern(CudnnGraph& graph, const CudnnAttention& shape, AttentionIds& ids)
      : graph_(graph), shape_(shape), ids_(ids) {}

  void build() {
    query_ = token_major(graph_, shape_.type,
                         {shape_.sequences, shape_.heads, shape_.query_tokens, shape_.key_dim});
    ids_.query = query_.id;
    if (ragged()) {
      query_lengths_ = lengths(graph_, shape_), key_lengths_ = lengths(graph_, shape_);
      ids_.query_lengths = query_lengths_.id, ids_.key_lengths = key_lengths_.id;
    }
    const CudnnTensor keys = transposed_keys();
    score_ = score();
    graph_.matmul(query_, keys, score_,
                  ragged() ? CudnnGraph::Lengths{&query_lengths_, &key_lengths_, nullptr}
                           : CudnnGraph::Lengths{});
    const CudnnTensor scale = graph_.number(kFloat);
    ids_.scale = scale.id;
    times(scale);
    if (fp8()) times(one()), times(one());
    mask();
    softmax();
    multiply_values();
  }

 private:
  [[nodiscard]] bool fp8() const { return shape_.type == kFp8; }
  /// Lengths are tensors where a page may be partly filled or queries are fewer than keys.
  [[nodiscard]] bool ragged() const {
    return shape_.page_tokens > 0 || shape_.query_tokens != shape_.keys;
  }
  [[nodiscard]] CudnnTensor score() {
    return graph_.between(kFloat,
                          {shape_.sequences, shape_.heads, shape_.query_tokens, shape_.keys});
  }
  [[nodiscard]] CudnnTensor row() {
    return graph_.between(kFloat, {shape_.sequences, shape_.heads, shape_.query_tokens, 1});
  }
  /// A float in device memory that is 1.
  CudnnTensor one() {
    CudnnTensor out = graph_.memory(kFloat, {1, 1, 1, 1});
    ids_.ones.push_back(out.id);
    return out;
  }
  void times(const CudnnTensor& factor) {
    const CudnnTensor next = score();
    graph_.pointwise(kMul, kFloat, score_, &factor, nullptr, next);
    score_ = next;
  }

  CudnnTensor transposed_keys() {
    const std::int64_t heads = shape_.kv_heads, dim = shape_.key_dim, keys = shape_.keys;
    const Sizes dimensions{shape_.sequences, heads, dim, keys};
    if (shape_.page_tokens == 0) {
      CudnnTensor out =
          graph_.memory(shape_.type, dimensions, {keys * heads * dim, dim, 1, heads * dim});
      ids_.key = out.id;
      return out;
    }
    const CudnnTensor pages = page_container(graph_, shape_, shape_.key_dim);
    const CudnnTensor table = page_table(graph_, shape_);
    ids_.key = pages.id, ids_.pages_of_keys = table.id;
    CudnnTensor out =
        graph_.between(shape_.type, dimensions, {dim * keys * heads, dim * keys, 1, dim});
    graph_.load_pages(pages, key_lengths_, table, out);
    return out;
  }

  CudnnTensor values() {
    const Sizes dimensions{shape_.sequences, shape_.kv_heads, shape_.keys, shape_.value_dim};
    if (shape_.page_tokens == 0) {
      CudnnTensor out = token_major(graph_, shape_.type, dimensions);
      ids_.value = out.id;
      return out;
    }
    const CudnnTensor pages = page_container(graph_, shape_, shape_.value_dim);
    const CudnnTensor table = page_table(graph_, shape_);
    ids_.value = pages.id, ids_.pages_of_values = table.id;
    CudnnTensor out = graph_.between(shape_.type, dimensions);
    graph_.load_pages(pages, key_lengths_, table, out);
    return out;
  }

  CudnnTensor index(std::int64_t axis) {
    const CudnnTensor out = graph_.between(kInt32, score_.dimensions);
    graph_.pointwise(kGenIndex, kFloat, score_, nullptr, nullptr, out, axis);
    return out;
  }
  CudnnTensor combined(int mode, const CudnnTensor& x, const CudnnTensor& b, int type,
                       int precision) {
    const CudnnTensor out = graph_.between(type, score_.dimensions);
    graph_.pointwise(mode, precision, x, &b, nullptr, out);
    return out;
  }
  CudnnTensor compared(int mode, const CudnnTensor& x, const CudnnTensor& b) {
    return combined(mode, x, b, kBoolean, kBoolean);
  }
  void keep_where(const CudnnTensor& seen) {
    const CudnnTensor masked = graph_.number(kFloat);
    ids_.masked.push_back(masked.id);
    const CudnnTensor next = score();
    graph_.pointwise(kSelect, kFloat, score_, &masked, &seen, next);
    score_ = next;
  }

  void mask() {
    if (ragged()) {
      const CudnnTensor rows = index(2), columns = index(3);
      const CudnnTensor row_is = compared(kCmpLt, rows, query_lengths_);
      const CudnnTensor column_is = compared(kCmpLt, columns, key_lengths_);
      keep_where(compared(kAnd, row_is, column_is));
    }
    if (shape_.causal) {
      CudnnTensor rows = index(2);
      const CudnnTensor columns = index(3);
      if (ragged()) {
        rows = combined(kAdd, rows, key_lengths_, kInt32, kInt32);
        rows = combined(kSub, rows, query_lengths_, kInt32, kInt32);
      }
      keep_where(compared(kCmpGe, rows, columns));
    }
    if (shape_.window > 0) {
      const CudnnTensor rows = index(2);
      CudnnTensor columns = index(3);
      const CudnnTensor window = graph_.number(kInt32);
      ids_.window = window.id;
      columns = combined(kAdd, columns, window, kInt32, kInt32);
      if (ragged()) {
        columns = combined(kSub, columns, key_lengths_, kInt32, kInt32);
        columns = combined(kAdd, columns, query_lengths_, kInt32, kInt32);
      }
      keep_where(compared(kCmpGt, columns, rows));
    }
  }

  void softmax() {
    CudnnTensor largest = row();
    graph_.reduce(kReduceMax, score_, largest);
    CudnnTensor sink;
    if (shape_.sinks) {
      sink = graph_.memory(kFloat, {1, shape_.heads, 1, 1});
      ids_.sinks = sink.id;
      const CudnnTensor with = row();
      graph_.pointwise(kMax, kFloat, largest, &sink, nullptr, with);
      largest = with;
    }
    const CudnnTensor less = score(), powers = score();
    graph_.pointwise(kSub, kFloat, score_, &largest, nullptr, less);
    graph_.pointwise(kExp, kFloat, less, nullptr, nullptr, powers);
    CudnnTensor total = row();
    if (shape_.sinks) {
      const CudnnTensor below = row(), power = row(), keys = row();
      graph_.pointwise(kSub, kFloat, sink, &largest, nullptr, below);
      graph_.pointwise(kExp, kFloat, below, nullptr, nullptr, power);
      graph_.reduce(kReduceAdd, powers, keys);
      graph_.pointwise(kAdd, kFloat, keys, &power, nullptr, total);
    } else {
      graph_.reduce(kReduceAdd, powers, total);
    }
    // cuDNN knows the softmax of attention by its statistics; nobody reads them.
    const CudnnTensor logarithm = row(), statistics = row();
    graph_.pointwise(kLog, kFloat, total, nullptr, nullptr, logarithm);
    graph_.pointwise(kAdd, kFloat, largest, &logarithm, nullptr, statistics);
    score_ = fp8() ? score() : graph_.between(shape_.type, score_.dimensions);
    graph_.pointwise(kDiv, kFloat, powers, &total, nullptr, score_);
  }

  CudnnTensor largest_of(const CudnnTensor& of) {
    CudnnTensor out = graph_.memory(kFloat, {1, 1, 1, 1});
    ids_.largest.push_back(out.id);
    graph_.reduce(kReduceAmax, of, out);
    return out;
  }

  void multiply_values() {
    const CudnnGraph::Lengths cut =
        ragged() ? CudnnGraph::Lengths{&query_lengths_, nullptr, &key_lengths_}
                 : CudnnGraph::Lengths{};
    const Sizes dimensions{shape_.sequences, shape_.heads, shape_.query_tokens, shape_.value_dim};
    if (!fp8()) {
      const CudnnTensor value = values();
      const CudnnTensor output = token_major(graph_, shape_.type, dimensions);
      ids_.output = output.id;
      graph_.matmul(score_, value, output, cut);
      return;
    }
    (void)largest_of(score_);
    const CudnnTensor scaled = graph_.between(kFp8, score_.dimensions);
    const CudnnTensor scale = one();
    graph_.pointwise(kMul, kFloat, score_, &scale, nullptr, scaled);
    const CudnnTensor value = values();
    CudnnTensor sum = graph_.between(kFloat, dimensions);
    graph_.matmul(scaled, value, sum, cut);
    for (int i = 0; i < 2; ++i) {
      const CudnnTensor factor = one(), next = graph_.between(kFloat, dimensions);
      graph_.pointwise(kMul, kFloat, sum, &factor, nullptr, next);
      sum = next;
    }
    (void)largest_of(sum);
    const CudnnTensor factor = one();
    const CudnnTensor output = token_major(graph_, kFp8, dimensions);
    ids_.output = output.id;
    graph_.pointwise(kMul, kFloat, sum, &factor, nullptr, output);
  }

  CudnnGraph& graph_;
  const CudnnAttention& shape_;
  AttentionIds& ids_;
  CudnnTensor query_, score_, query_lengths_, key_lengths_;
};

}  // namespace

AttentionIds add_attention_pattern(CudnnGraph& graph, const CudnnAttention& shape) {
  AttentionIds ids;
  Pattern(graph, shape, ids).build();
  return ids;
}

AttentionIds add_attention_operation(CudnnGraph& graph, const CudnnAttention& shape) {
  AttentionIds ids;
  const CudnnTensor query = token_major(
      graph, shape.type, {shape.sequences, shape.heads, shape.query_tokens, shape.key_dim});
  const CudnnTensor output = token_major(
      graph, shape.type, {shape.sequences, shape.heads, shape.query_tokens, shape.value_dim});
  const CudnnTensor scale = graph.number(kFloat);
  ids.query = query.id, ids.output = output.id, ids.scale = scale.id;
  if (shape.page_tokens == 0) {
    const CudnnTensor key = token_major(
        graph, shape.type, {shape.sequences, shape.kv_heads, shape.keys, shape.key_dim});
    const CudnnTensor value = token_major(
        graph, shape.type, {shape.sequences, shape.kv_heads, shape.keys, shape.value_dim});
    ids.key = key.id, ids.value = value.id;
    graph.operation(kOperationSdpa, {{kSdpaQ, &query},
                                     {kSdpaK, &key},
                                     {kSdpaV, &value},
                                     {kSdpaO, &output},
                                     {kSdpaScale, &scale}});
    return ids;
  }
  const CudnnTensor key = page_container(graph, shape, shape.key_dim);
  const CudnnTensor value = page_container(graph, shape, shape.value_dim);
  const CudnnTensor key_table = page_table(graph, shape), value_table = page_table(graph, shape);
  const CudnnTensor query_lengths = lengths(graph, shape), key_lengths = lengths(graph, shape);
  ids.key = key.id, ids.value = value.id;
  ids.pages_of_keys = key_table.id, ids.pages_of_values = value_table.id;
  ids.query_lengths = query_lengths.id, ids.key_lengths = key_lengths.id;
  graph.operation(kOperationSdpa, {{kSdpaQ, &query},
                                   {kSdpaK, &key},
                                   {kSdpaV, &value},
                                   {kSdpaO, &output},
                                   {kSdpaScale, &scale},
                                   {kSdpaPagesK, &key_table},
                                   {kSdpaPagesV, &value_table},
                                   {kSdpaLengthQ, &query_lengths},
                                   {kSdpaLengthKv, &key_lengths}});
  return ids;
}

GroupedIds add_grouped_gemm(CudnnGraph& graph, const CudnnGroupedGemm& shape) {
  const std::int64_t in = shape.in, out = shape.out;
  const CudnnTensor rows = graph.memory(shape.type, {1, shape.rows, in});
  const CudnnTensor weights = graph.memory(shape.type, {shape.experts, in, out}, {in * out, 1, in});
  const CudnnTensor first = graph.memory(kInt32, {shape.experts, 1, 1});
  const CudnnTensor output = graph.memory(kBf16, {1, shape.rows, out});
  graph.operation(
      kOperationMoe,
      {{kMoeToken, &rows}, {kMoeWeight, &weights}, {kMoeFirstToken, &first}, {kMoeOutput, &output}},
      true);
  return {rows.id, weights.id, first.id, output.id};
}

}  // namespace rackwright::kernels::cuda
