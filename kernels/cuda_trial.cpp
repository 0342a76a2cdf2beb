#include "kernels/cuda_trial.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/cuda/product_padding.hpp"
#include "kernels/cuda/shuffled.hpp"
#include "kernels/own/number_formats.hpp"

namespace rackwright::kernels {
namespace {

using Bytes = std::vector<unsigned char>;
using Launched = std::map<int, Bytes>;  ///< by role

constexpr int kPage = 64;
constexpr double kSinkLogit = 0.5;  ///< of every head (device_attention.cpp)
constexpr int kMlaKey = 192;        ///< dimensions before absorption

enum class Element { bf16, e4m3, e2m1, int8, int32, fp32 };

template <class T>
T loaded(const Bytes& bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return value;
}

double value_of(const Bytes& bytes, Element element, std::size_t i) {
  switch (element) {
    case Element::bf16:
      return static_cast<double>(own::to_float(loaded<own::Bf16>(bytes, i)));
    case Element::e4m3:
      return static_cast<double>(own::from_e4m3(bytes[i]));
    case Element::e2m1:
      return static_cast<double>(own::from_e2m1(bytes[i / 2] >> (i % 2 * 4) & 15U));
    case Element::int8:
      return loaded<std::int8_t>(bytes, i);
    case Element::int32:
      return loaded<std::int32_t>(bytes, i);
    case Element::fp32:
      return static_cast<double>(loaded<float>(bytes, i));
  }
  return 0;
}

std::vector<double> values_of(const Bytes& bytes, Element element) {
  const double size = element == Element::bf16    ? 2
                      : element == Element::e2m1  ? 0.5
                      : element == Element::int32 ? 4
                      : element == Element::fp32  ? 4
                                                  : 1;
  std::vector<double> values(static_cast<std::size_t>(static_cast<double>(bytes.size()) / size));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_of(bytes, element, i);
  return values;
}

const Bytes& part_of(const Launched& launched, int role) {
  const auto found = launched.find(role);
  if (found == launched.end()) {
    throw BackendUnavailable(fmt::format("a trial without its part {}", role));
  }
  return found->second;
}

class Comparison {
 public:
  void check(std::size_t element, double got, double exact, double tolerance) {
    const double error = std::abs(got - exact);
    ++result.elements;
    if (error <= tolerance) {
      if (tolerance > 0) result.largest = std::max(result.largest, error / tolerance);
      return;
    }
    if (result.wrong++ > 0) return;
    result.first_wrong = fmt::format("launch {}, element {}: {:.6g}, expected {:.6g} +- {:.2g}",
                                     launch, element, got, exact, tolerance);
  }
  TrialResult result;
  std::size_t launch = 0;
};

// ---- products ----

struct ProductTypes {
  Element left, right, output;
  double rounding, sums;  ///< as the tolerance says
};

ProductTypes types_of(int type, bool weights_only) {
  constexpr double kBf16 = 1.0 / 256, kFp32Sums = 1.0 / 65536, kShortSums = 1.0 / 1024;
  if (weights_only) return {Element::bf16, Element::e2m1, Element::bf16, kBf16, kFp32Sums};
  switch (type) {
    case RACKWRIGHT_CUDA_BF16:
      return {Element::bf16, Element::bf16, Element::bf16, kBf16, kFp32Sums};
    case RACKWRIGHT_CUDA_NVFP4:
      return {Element::e2m1, Element::e2m1, Element::bf16, kBf16, kShortSums};
    case RACKWRIGHT_CUDA_INT8:
      return {Element::int8, Element::int8, Element::int32, 0, 0};
    case RACKWRIGHT_CUDA_FP32:
      return {Element::fp32, Element::fp32, Element::fp32, 1.0 / (1 << 23), kFp32Sums};
    default:
      return {Element::e4m3, Element::e4m3, Element::bf16, kBf16, kShortSums};
  }
}

/// `rows` of each group; group g has weights g.
void check_product(Comparison& comparison, const Launched& launched, int type,
                   const std::vector<int>& rows, std::size_t n, std::size_t k) {
  const ProductTypes types = types_of(type, launched.contains(RACKWRIGHT_CUDA_SCALE));
  const auto left = values_of(part_of(launched, RACKWRIGHT_CUDA_LEFT), types.left);
  const auto right = values_of(part_of(launched, RACKWRIGHT_CUDA_RIGHT), types.right);
  const auto output = values_of(part_of(launched, RACKWRIGHT_CUDA_OUTPUT), types.output);
  std::size_t row = 0;
  for (std::size_t group = 0; group < rows.size(); ++group) {
    for (int i = 0; i < rows[group]; ++i, ++row) {
      for (std::size_t column = 0; column < n; ++column) {
        const double* a = left.data() + row * k;
        const double* b = right.data() + (group * n + column) * k;
        double exact = 0, magnitude = 0;
        for (std::size_t at = 0; at < k; ++at) {
          exact += a[at] * b[at];
          magnitude += std::abs(a[at] * b[at]);
        }
        comparison.check(row * n + column, output.at(row * n + column), exact,
                         types.rounding * std::abs(exact) + types.sums * magnitude);
      }
    }
  }
}

std::size_t elements(const Launched& launched, int role, double bytes_each) {
  return static_cast<std::size_t>(static_cast<double>(part_of(launched, role).size()) / bytes_each);
}

double weight_bytes(int type, const Launched& launched) {
  switch (types_of(type, launched.contains(RACKWRIGHT_CUDA_SCALE)).right) {
    case Element::bf16:
      return 2;
    case Element::e2m1:
      return 0.5;
    case Element::fp32:
      return 4;
    default:
      return 1;
  }
}

/// One launch for all experts, or one for each, of rows in whole tiles.
void check_grouped(Comparison& comparison, const std::vector<Launched>& all, std::size_t& at,
                   const CudaOperator& op, int given_n, int given_k) {
  const auto [n, k] = cuda::padded_sizes(op.type, given_n, given_k);
  const std::size_t weights = static_cast<std::size_t>(n) * static_cast<std::size_t>(k);
  const auto next = [&]() -> const Launched& {
    if (at == all.size()) throw BackendUnavailable("a trial of experts with too few products");
    comparison.launch = at;
    return all[at++];
  };
  const Launched& first = next();
  const double each = weight_bytes(op.type, first);
  const auto wide = static_cast<std::size_t>(n), deep = static_cast<std::size_t>(k);
  if (elements(first, RACKWRIGHT_CUDA_RIGHT, each) == weights * op.rows_of_experts.size()) {
    return check_product(comparison, first, op.type, op.rows_of_experts, wide, deep);
  }
  for (std::size_t expert = 0; expert < op.rows_of_experts.size(); ++expert) {
    check_product(comparison, expert == 0 ? first : next(), op.type,
                  {cuda::rows_of_tiles(op.rows_of_experts[expert])}, wide, deep);
  }
}

// ---- attention ----

Element element_of(const Bytes& bytes, std::size_t count) {
  if (bytes.size() == count) return Element::e4m3;
  if (bytes.size() == 2 * count) return Element::bf16;
  throw BackendUnavailable(fmt::format("a trial of {} bytes for {} elements", bytes.size(), count));
}

/// Where the elements of a sequence's token and head lie.
struct CacheLayout {
  bool paged;
  std::size_t keys, kv_heads, dimensions, pages;
  std::vector<int> table;

  [[nodiscard]] std::size_t count(std::size_t sequences) const {
    return sequences * (paged ? pages * kPage : keys) * kv_heads * dimensions;
  }
  [[nodiscard]] std::size_t place(std::size_t sequence, std::size_t key, std::size_t head) const {
    if (!paged) return ((sequence * keys + key) * kv_heads + head) * dimensions;
    const auto page = static_cast<std::size_t>(table[sequence * pages + key / kPage]);
    return ((page * kv_heads + head) * kPage + key % kPage) * dimensions;
  }
};

struct AttentionTrial {
  std::size_t sequences, tokens, heads, key_dim, value_dim;
  CacheLayout keys, values;
  std::vector<double> query, key, value, output;
  double scale, score_error, rounding, most;
  int window;
  bool sinks, full;
};

/// First and last key, one past, that query `token` sees.
std::pair<std::size_t, std::size_t> seen(const AttentionTrial& trial, std::size_t token) {
  const std::size_t keys = trial.keys.keys;
  if (trial.full) return {0, keys};
  const std::size_t last = keys - trial.tokens + token + 1;
  const auto window = static_cast<std::size_t>(trial.window);
  return {trial.window > 0 && last > window ? last - window : 0, last};
}

void check_row(Comparison& comparison, const AttentionTrial& trial, std::size_t sequence,
               std::size_t token, std::size_t head) {
  const std::size_t row = (sequence * trial.tokens + token) * trial.heads + head;
  const std::size_t kv_head = head / (trial.heads / trial.keys.kv_heads);
  const auto [first, last] = seen(trial, token);
  std::vector<double> p;
  double most = trial.sinks ? kSinkLogit : -1e300, wrong_by = 0;
  for (std::size_t j = first; j < last; ++j) {
    const double* q = trial.query.data() + row * trial.key_dim;
    const double* k = trial.key.data() + trial.keys.place(sequence, j, kv_head);
    double score = 0, magnitude = 0;
    for (std::size_t d = 0; d < trial.key_dim; ++d) {
      score += q[d] * k[d];
      magnitude += std::abs(q[d] * k[d]);
    }
    p.push_back(score * trial.scale);
    most = std::max(most, p.back());
    wrong_by = std::max(wrong_by, magnitude * trial.scale * trial.score_error);
  }
  double sum = trial.sinks ? std::exp(kSinkLogit - most) : 0;
  for (double& one : p) sum += one = std::exp(one - most);
  const double spread = std::expm1(std::min(2 * wrong_by, 100.0));
  for (std::size_t d = 0; d < trial.value_dim; ++d) {
    const auto value = [&](std::size_t i) {
      return trial.value[trial.values.place(sequence, first + i, kv_head) + d];
    };
    double exact = 0, magnitude = 0, deviation = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      exact += p[i] / sum * value(i);
      magnitude += p[i] / sum * std::abs(value(i));
    }
    for (std::size_t i = 0; i < p.size(); ++i) {
      deviation += p[i] / sum * std::abs(value(i) - exact);
    }
    if (trial.sinks) deviation += std::exp(kSinkLogit - most) / sum * std::abs(exact);
    const std::size_t at = row * trial.value_dim + d;
    comparison.check(at, trial.output.at(at), std::clamp(exact, -trial.most, trial.most),
                     trial.rounding * magnitude + spread * deviation + 1e-9);
  }
}

void check_attention(Comparison& comparison, const Launched& launched, const CudaOperator& op) {
  const bool latent = op.kind == RACKWRIGHT_CUDA_LATENT_DECODE;
  const bool paged = op.kind != RACKWRIGHT_CUDA_PREFILL;
  const auto size = [](int value) { return static_cast<std::size_t>(value); };
  AttentionTrial trial{};
  trial.sequences = size(op.sequences), trial.tokens = size(op.query_tokens);
  trial.key_dim = size(op.head_dim), trial.value_dim = size(op.value_dim);
  const std::size_t pages = size((op.keys + kPage - 1) / kPage);
  const auto table = cuda::shuffled_pages(op.sequences, static_cast<int>(pages));
  trial.keys = {paged, size(op.keys), size(op.kv_heads), trial.key_dim, pages, table};
  trial.values = trial.keys;
  if (!latent) trial.values.dimensions = trial.value_dim;
  const Bytes& query = part_of(launched, RACKWRIGHT_CUDA_QUERY);
  const Bytes& output = part_of(launched, RACKWRIGHT_CUDA_OUTPUT);
  // MLA's own kernel takes heads in whole groups of 64.
  const std::size_t row_bytes = 2 * trial.sequences * trial.tokens * trial.key_dim;
  trial.heads = latent ? query.size() / row_bytes : size(op.heads);
  const std::size_t rows = trial.sequences * trial.tokens * trial.heads;
  const Element of_query = element_of(query, rows * trial.key_dim);
  const Element of_output = element_of(output, rows * trial.value_dim);
  trial.query = values_of(query, of_query);
  trial.output = values_of(output, of_output);
  const Bytes& key = part_of(launched, RACKWRIGHT_CUDA_KEY);
  trial.key = values_of(key, element_of(key, trial.keys.count(trial.sequences)));
  if (latent) {
    trial.value = trial.key;
  } else {
    const Bytes& value = part_of(launched, RACKWRIGHT_CUDA_VALUE);
    trial.value = values_of(value, element_of(value, trial.values.count(trial.sequences)));
  }
  const bool fp8 = of_query == Element::e4m3;
  trial.scale = 1 / std::sqrt(latent ? kMlaKey : op.head_dim);
  trial.score_error = fp8 ? 1.0 / 1024 : 1.0 / 65536;
  trial.rounding = fp8 || of_output == Element::e4m3 ? 1.0 / 8 : 1.0 / 128;
  trial.most = of_output == Element::e4m3 ? own::kLargestE4M3 : 1e300;
  trial.window = op.window, trial.sinks = op.sinks != 0;
  trial.full = op.full != 0;
  for (std::size_t s = 0; s < trial.sequences; ++s) {
    for (std::size_t t = 0; t < trial.tokens; ++t) {
      for (std::size_t h = 0; h < trial.heads; ++h) check_row(comparison, trial, s, t, h);
    }
  }
}

// ---- the run ----

struct Collector {
  std::vector<Launched> launched;
  Launched open;
  static void take(void* context, int role, const void* data, unsigned long long bytes) {
    auto& to = *static_cast<Collector*>(context);
    const auto* first = static_cast<const unsigned char*>(data);
    to.open[role].assign(first, first + bytes);
    if (role == RACKWRIGHT_CUDA_OUTPUT) to.launched.push_back(std::exchange(to.open, {}));
  }
};

std::vector<Launched> run_trial(const CudaModule& module, int device, const CudaOperator& op,
                                unsigned seed, std::string& choice) {
  char message[RACKWRIGHT_CUDA_TEXT] = "", text[RACKWRIGHT_CUDA_TEXT] = "";
  RackwrightCudaStep* step = nullptr;
  if (module.prepare(device, &op, 1, &step, message) != 0) throw BackendUnavailable(message);
  Collector collector;
  int code = module.choice(step, 0, text, message);
  if (code == 0) code = module.trial(step, 0, seed, &Collector::take, &collector, message);
  module.release(step);
  if (code != 0) throw BackendUnavailable(message);
  choice = text;
  return std::move(collector.launched);
}

void check_operator(Comparison& comparison, const std::vector<Launched>& all,
                    const CudaOperator& op) {
  std::size_t at = 0;
  switch (op.kind) {
    case RACKWRIGHT_CUDA_GEMM: {
      const auto [n, k] = cuda::padded_sizes(op.type, op.n, op.k);
      return check_product(comparison, all.at(0), op.type, {op.m}, static_cast<std::size_t>(n),
                           static_cast<std::size_t>(k));
    }
    case RACKWRIGHT_CUDA_EXPERTS: {
      const int up = op.gated != 0 ? 2 * op.intermediate : op.intermediate;
      check_grouped(comparison, all, at, op, up, op.hidden);
      return check_grouped(comparison, all, at, op, op.hidden, op.intermediate);
    }
    default:
      return check_attention(comparison, all.at(0), op);
  }
}

}  // namespace

TrialResult compare_with_host(const CudaModule& module, int device, const workloads::Operator& op,
                              unsigned seed) {
  CudaOperator once = to_cuda(op);
  once.repeat = 1;
  if (once.kind > RACKWRIGHT_CUDA_EXPERTS) {
    throw BackendUnavailable(fmt::format("{}: no comparison of such an operator", op.name));
  }
  Comparison comparison;
  const auto all = run_trial(module, device, once, seed, comparison.result.choice);
  if (all.empty()) throw BackendUnavailable(fmt::format("{}: nothing to compare", op.name));
  check_operator(comparison, all, once);
  return comparison.result;
}

namespace {

struct Small {
  workloads::GemmShape operator()(workloads::GemmShape shape) const {
    shape.m = std::min(shape.m, 96.0), shape.n = std::min(shape.n, 512.0);
    shape.k = std::min(shape.k, 1024.0);
    return shape;
  }
  workloads::AttentionShape operator()(workloads::AttentionShape shape) const {
    const int group = std::max(1, shape.heads / std::max(1, shape.kv_heads));
    shape.kv_heads = std::min(shape.kv_heads, 2);
    shape.heads = group * shape.kv_heads;
    return fewer(shape);
  }
  workloads::LatentAttentionShape operator()(workloads::LatentAttentionShape shape) const {
    if (shape.prefill) shape.heads = std::min(shape.heads, 4);
    return fewer(shape);
  }
  workloads::ExpertShape operator()(workloads::ExpertShape shape) const {
    shape.touched_experts = std::min(shape.touched_experts, 4.0);
    shape.rank_tokens = std::min(shape.rank_tokens, 150.0);
    shape.hidden = std::min(shape.hidden, 512);
    shape.intermediate = std::min(shape.intermediate, 256);
    return shape;
  }
  template <class Shape>
  Shape operator()(Shape shape) const {
    return shape;
  }

 private:
  /// Two sequences; all pairs where a query saw all keys, else the causal ones.
  template <class Shape>
  static Shape fewer(Shape shape) {
    const double sequences = std::max(1.0, shape.sequences);
    const double all = shape.query_tokens * shape.kv_tokens / sequences;
    const bool full = shape.prefill && std::abs(shape.pairs - all) <= 1e-3 * all;
    const double tokens =
        shape.prefill ? std::min(std::round(shape.query_tokens / sequences), 150.0) : 1;
    const double keys =
        std::max(tokens, std::min(std::round(shape.kv_tokens / sequences), full ? tokens : 500.0));
    shape.sequences = std::min(sequences, 2.0);
    shape.query_tokens = shape.sequences * tokens, shape.kv_tokens = shape.sequences * keys;
    shape.pairs = shape.sequences * tokens * (full ? keys : keys - tokens + (tokens + 1) / 2);
    return shape;
  }
};

}  // namespace

workloads::Operator small_for_host(const workloads::Operator& op) {
  workloads::Operator small = op;
  small.repeat = 1;
  small.shape = std::visit(
      [](const auto& shape) { return workloads::OperatorShape(Small{}(shape)); }, op.shape);
  return small;
}

}  // namespace rackwright::kernels
