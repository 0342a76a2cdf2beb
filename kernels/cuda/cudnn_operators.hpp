#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn_graph.hpp"

namespace rackwright::kernels::cuda {

/// Attention of equal sequences. Queries and outputs lie as tokens x heads x dimension, and so do
/// keys and values unless they are in pages.
struct CudnnAttention {
  int type = cudnn::kBf16;
  int sequences = 1, query_tokens = 1, keys = 1;
  int heads = 1, kv_heads = 1, key_dim = 128, value_dim = 128;
  bool causal = false;  ///< the last query sees all keys
  int window = 0;       ///< last keys that a query sees; 0: all
  bool sinks = false;
  int page_tokens = 0;        ///< 0: keys and values are not in pages
  bool shared_cache = false;  ///< the values are the first dimensions of the keys (MLA)
  bool nhd = false;  ///< order in a page: token, head, dimension; else head, token, dimension
};

/// Rows of all experts, one expert's after the other, times the expert's weights [in, out], which
/// lie along `in`.
struct CudnnGroupedGemm {
  int type = cudnn::kBf16;
  int rows = 1, experts = 1, in = 1, out = 1;
};

/// Tensors of an attention graph; those that a shape does not have keep id 0.
struct AttentionIds {
  std::int64_t query = 0, key = 0, value = 0, output = 0;
  std::int64_t scale = 0;            ///< float by value
  std::vector<std::int64_t> masked;  ///< floats by value: a large negative number
  std::int64_t window = 0;           ///< int32 by value
  std::int64_t sinks = 0;            ///< floats of the heads
  std::int64_t query_lengths = 0, key_lengths = 0, pages_of_keys = 0, pages_of_values = 0;
  std::vector<std::int64_t> ones;     ///< FP8 scales, in device memory
  std::vector<std::int64_t> largest;  ///< FP8: where the largest values are written
};

/// The graph as one operation (no mask but the lengths). Throws CudnnError where cuDNN refuses.
AttentionIds add_attention_operation(CudnnGraph& graph, const CudnnAttention& shape);
/// The graph as products, masks and softmax, which cuDNN fuses; knows causal masks, windows, sinks
/// and FP8 with a scale a tensor.
AttentionIds add_attention_pattern(CudnnGraph& graph, const CudnnAttention& shape);

struct GroupedIds {
  std::int64_t rows = 0, weights = 0, first_row = 0, output = 0;
};
GroupedIds add_grouped_gemm(CudnnGraph& graph, const CudnnGroupedGemm& shape);

}  // namespace rackwright::kernels::cuda
