#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "kernels/cuda/device_operators.hpp"
#include "kernels/cuda/own_kernels.cuh"
#include "kernels/cuda/product_padding.hpp"
#include "kernels/cuda/runtime_checks.hpp"

namespace rackwright::kernels::cuda {
namespace {

std::string shape_text(const char* what, int m, int n, int k) {
  return std::string(what) + " of m = " + std::to_string(m) + ", n = " + std::to_string(n) +
         ", k = " + std::to_string(k);
}

own::QuantScheme scheme_of(int type) {
  switch (type) {
    case RACKWRIGHT_CUDA_FP8_BLOCK:
      return own::QuantScheme::fp8_group;
    case RACKWRIGHT_CUDA_MXFP8:
      return own::QuantScheme::mxfp8;
    case RACKWRIGHT_CUDA_NVFP4:
      return own::QuantScheme::nvfp4;
    default:
      return own::QuantScheme::fp8_token;
  }
}

/// Where the rows of each begin, and where the last end.
std::vector<int> first_rows(const std::vector<int>& rows) {
  std::vector<int> first{0};
  for (const int one : rows) first.push_back(first.back() + one);
  return first;
}

}  // namespace

Launcher DeviceOperators::quantise(int type, int rows, int given_width) {
  const int width = round_up(given_width, multiple_of_k(type));
  if (type == RACKWRIGHT_CUDA_BF16 || type == RACKWRIGHT_CUDA_MXFP4 ||
      type == RACKWRIGHT_CUDA_FP32) {
    return {};
  }
  own::QuantScheme scheme = scheme_of(type);
  if (scheme == own::QuantScheme::fp8_token && width > 16384 && width % 128 == 0) {
    scheme = own::QuantScheme::fp8_group;
  }
  const int group = own::group_of(scheme) == 0 ? 16 : own::group_of(scheme);
  const std::size_t scales = product_of({rows, width / group + 1});
  void* scale = memory_.own(sizeof(float) * scales);
  return [this, type, scheme, rows, width, scale, scales](void* stream) {
    const std::size_t count = product_of({rows, width});
    const std::size_t bytes = element_bytes(type, count);
    own::QuantiseArgs args;
    args.input = view<const own::Bf16>(memory_.next(2 * count), count);
    args.output = view<std::uint32_t>(memory_.next(bytes), bytes / 4);
    args.scale = view<float>(scale, scales);
    args.block_scale = view<std::uint8_t>(scale, scales);
    args.rows = rows, args.width = width;
    return static_cast<int>(launch(args, scheme, static_cast<cudaStream_t>(stream)));
  };
}

/// A quantised type reads the activations in bf16, quantises them, and multiplies.
Prepared DeviceOperators::gemm(int type, int m, int n, int k) {
  Prepared multiply = product(type, m, n, k);
  const Launcher first = quantise(type, m, k);
  if (!first) return multiply;
  return {[first, second = std::move(multiply.run)](void* stream) {
            const int code = first(stream);
            return code != 0 ? code : second(stream);
          },
          (type == RACKWRIGHT_CUDA_INT8 ? "own quantiser, E4M3 for INT8 as of the same bytes; "
                                        : "own quantiser; ") +
              multiply.choice};
}

Prepared DeviceOperators::product(int type, int m, int given_n, int given_k) {
  const auto [n, k] = padded_sizes(type, given_n, given_k);
  Prepared out = padded_product(type, m, n, k);
  out.choice += padding_text(type, given_n, given_k);
  return out;
}

Prepared DeviceOperators::padded_product(int type, int m, int n, int k) {
  if (type == RACKWRIGHT_CUDA_MXFP4) return mx_product({m}, n, k);
  const auto places = [this, type, m, n, k] {
    void* left = memory_.next(element_bytes(type, product_of({m, k})), RACKWRIGHT_CUDA_LEFT);
    void* right = memory_.next(element_bytes(type, product_of({n, k})), RACKWRIGHT_CUDA_RIGHT);
    return ProductPlaces{
        left, right, memory_.next(output_bytes(type, product_of({m, n})), RACKWRIGHT_CUDA_OUTPUT)};
  };
  const auto candidates = [&](ScaleMode mode) {
    return library_.candidates({type, m, n, k}, mode, places);
  };
  try {
    return choose_product(calls_, shape_text("product", m, n, k), scale_modes(type), candidates);
  } catch (const CudaError& error) {
    if (type != RACKWRIGHT_CUDA_NVFP4 || error.code() != cudaErrorNotSupported) throw;
    Prepared instead = mx_product({m}, n, k);
    instead.choice +=
        "; in place of NVFP4 (16 weights a scale: 6 % more bytes): " + std::string(error.what());
    return instead;
  }
}

/// Own kernel: weights in MXFP4, products in bf16; experts side by side, each of its rows.
Prepared DeviceOperators::mx_product(const std::vector<int>& rows, int n, int k) {
  const std::vector<int> first = first_rows(rows);
  const int* table = memory_.table(first);
  const int experts = static_cast<int>(rows.size()), all = first.back();
  const int most = *std::max_element(rows.begin(), rows.end());
  const auto run = [this, most, all, n, k, experts, table](void* stream) {
    const std::size_t in = product_of({all, k}), out = product_of({all, n});
    const std::size_t weights = product_of({experts, n, k});
    own::MxGemmArgs args;
    args.left = view<const own::Bf16>(memory_.next(2 * in, RACKWRIGHT_CUDA_LEFT), in);
    args.weight =
        view<const std::uint32_t>(memory_.next(weights / 2, RACKWRIGHT_CUDA_RIGHT), weights / 8);
    args.scale =
        view<const std::uint8_t>(memory_.next(weights / 32, RACKWRIGHT_CUDA_SCALE), weights / 32);
    args.output = view<own::Bf16>(memory_.next(2 * out, RACKWRIGHT_CUDA_OUTPUT), out);
    args.m = most, args.n = n, args.k = k;
    args.groups = experts;
    args.first_row = {table, experts + 1};
    return static_cast<int>(launch(args, static_cast<cudaStream_t>(stream)));
  };
  return {run, std::string("own rw_mxfp4_gemm_") + (own::mx_rows(most) == 16 ? "16" : "64") +
                   ", MXFP4 weights, products in BF16, cold cache"};
}

std::vector<Candidate> DeviceOperators::grouped_candidates(int type, const std::vector<int>& rows,
                                                           int n, int k,
                                                           std::vector<std::string>& notes) {
  if (type != RACKWRIGHT_CUDA_BF16 && type != RACKWRIGHT_CUDA_FP8 &&
      type != RACKWRIGHT_CUDA_FP8_BLOCK) {
    return {};
  }
  std::vector<int> first = first_rows(rows);
  const int experts = static_cast<int>(rows.size()), all = first.back();
  first.pop_back();
  const CudnnGroupedGemm shape{.type = type == RACKWRIGHT_CUDA_BF16 ? cudnn::kBf16 : cudnn::kFp8,
                               .rows = all,
                               .experts = experts,
                               .in = k,
                               .out = n};
  const int* table = memory_.table(first);
  const auto add = [this, type, all, experts, n, k, shape, table](CudnnGraph& graph) {
    const GroupedIds ids = add_grouped_gemm(graph, shape);
    return CudnnBinder([this, type, all, experts, n, k, ids, table] {
      const auto next = [&](std::size_t bytes, int role) { return memory_.next(bytes, role); };
      return std::vector<CudnnGraph::Place>{
          {ids.rows, next(element_bytes(type, product_of({all, k})), RACKWRIGHT_CUDA_LEFT)},
          {ids.weights,
           next(element_bytes(type, product_of({experts, n, k})), RACKWRIGHT_CUDA_RIGHT)},
          {ids.first_row, const_cast<int*>(table)},
          {ids.output, next(2 * product_of({all, n}), RACKWRIGHT_CUDA_OUTPUT)}};
    });
  };
  const char* name = type == RACKWRIGHT_CUDA_BF16 ? "grouped product, BF16"
                                                  : "grouped product, FP8 without scales";
  return cudnn_candidates(
      cudnn_, {{name, add}}, [this](std::size_t bytes) { return memory_.own(bytes); }, notes);
}

/// A cuBLASLt product an expert, prepared once for all experts of as many tiles of rows.
Candidate DeviceOperators::one_by_one(int type, const std::vector<int>& rows, int n, int k) {
  std::map<int, Prepared> by_rows;
  std::vector<Launcher> runs;
  for (const int one : rows) {
    const int tiles = rows_of_tiles(one);
    auto found = by_rows.find(tiles);
    if (found == by_rows.end()) {
      found = by_rows.emplace(tiles, product(type, tiles, n, k)).first;
    }
    runs.push_back(found->second.run);
  }
  return {"one product an expert, rows in whole tiles of 16 or 64, the largest: " +
              by_rows.rbegin()->second.choice,
          in_turn(std::move(runs))};
}

/// cuDNN's grouped product against one cuBLASLt product after the other; MXFP4 by the own kernel.
Prepared DeviceOperators::grouped(int type, const std::vector<int>& rows, int given_n,
                                  int given_k) {
  const auto [n, k] = padded_sizes(type, given_n, given_k);
  if (type == RACKWRIGHT_CUDA_MXFP4) {
    Prepared out = mx_product(rows, n, k);
    out.choice += padding_text(type, given_n, given_k);
    return out;
  }
  std::vector<std::string> notes;
  std::vector<Candidate> all = grouped_candidates(type, rows, n, k, notes);
  try {
    all.push_back(one_by_one(type, rows, n, k));
  } catch (const CudaError& error) {
    if (error.lost() || error.code() != cudaErrorNotSupported) throw;
    notes.emplace_back(error.what());
  }
  if (const std::string padding = padding_text(type, given_n, given_k); !padding.empty()) {
    notes.push_back(padding.substr(2));
  }
  return choose_quickest(calls_, shape_text("products of experts", rows.front(), n, k),
                         std::move(all), notes);
}

/// Quantiser, grouped product, SiLU, quantiser, grouped product.
Prepared DeviceOperators::experts(const RackwrightCudaOperator& op) {
  const std::vector<int> rows(op.expert_rows, op.expert_rows + op.experts);
  const int all = op.rows, up = op.gated != 0 ? 2 * op.intermediate : op.intermediate;
  Prepared first = grouped(op.type, rows, up, op.hidden);
  Prepared second = grouped(op.type, rows, op.hidden, op.intermediate);
  std::vector<Launcher> stages;
  if (Launcher one = quantise(op.type, all, op.hidden)) stages.push_back(std::move(one));
  stages.push_back(std::move(first.run));
  if (op.gated != 0) stages.push_back(gated_activation(all, op.intermediate));
  if (Launcher one = quantise(op.type, all, op.intermediate)) stages.push_back(std::move(one));
  stages.push_back(std::move(second.run));
  return {in_turn(std::move(stages)),
          "first product: " + first.choice + " | second: " + second.choice};
}

}  // namespace rackwright::kernels::cuda
