#include "kernels/host/host_operator.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

#include <cblas.h>

#include "kernels/host/host_attention.hpp"
#include "kernels/host/parallel.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

std::size_t whole(double value) {
  return static_cast<std::size_t>(std::max(1.0, std::round(value)));
}

/// C[m,n] = A[m,k] B[k,n].
void multiply(std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b,
              float* c) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
              static_cast<int>(k), 1.0F, a, static_cast<int>(k), b, static_cast<int>(n), 0.0F, c,
              static_cast<int>(n));
}

class HostGemm final : public HostOperator {
 public:
  HostGemm(const GemmShape& shape, unsigned seed)
      : m_(whole(shape.m)),
        n_(whole(shape.n)),
        k_(whole(shape.k)),
        a_(random_buffer(m_ * k_, seed)),
        b_(random_buffer(k_ * n_, seed + 1)),
        c_(m_ * n_) {}
  void run() override { multiply(m_, n_, k_, a_.data(), b_.data(), c_.data()); }
  [[nodiscard]] double checksum() const override { return sum_of(c_); }

 private:
  std::size_t m_, n_, k_;
  HostBuffer a_, b_, c_;
};

/// What both kinds of attention come down to.
struct AttentionPlan {
  std::size_t sequences = 1, queries = 1, context = 1;  ///< per sequence
  std::size_t groups = 1, heads_per_group = 1;          ///< KV heads, query heads of each
  std::size_t qk_dim = 1, v_dim = 1;
  bool values_in_keys = false;  ///< absorbed MLA: V is the first v_dim columns of K
  std::size_t window = 0;
};

/// Whole sequences of equal length.
template <class Shape>
AttentionPlan tokens_of(const Shape& shape) {
  AttentionPlan plan;
  plan.sequences = whole(shape.sequences);
  plan.queries = whole(shape.query_tokens / static_cast<double>(plan.sequences));
  plan.context =
      std::max(plan.queries, whole(shape.kv_tokens / static_cast<double>(plan.sequences)));
  return plan;
}

AttentionPlan plan_of(const AttentionShape& shape) {
  AttentionPlan plan = tokens_of(shape);
  plan.groups = static_cast<std::size_t>(std::max(1, shape.kv_heads));
  plan.heads_per_group =
      std::max<std::size_t>(1, static_cast<std::size_t>(shape.heads) / plan.groups);
  plan.qk_dim = plan.v_dim = static_cast<std::size_t>(std::max(1, shape.head_dim));
  plan.window = static_cast<std::size_t>(std::max(0, shape.window));
  return plan;
}

AttentionPlan plan_of(const LatentAttentionShape& shape) {
  AttentionPlan plan = tokens_of(shape);
  const auto heads = static_cast<std::size_t>(std::max(1, shape.heads));
  if (shape.prefill) {
    plan.groups = heads;
    plan.qk_dim = static_cast<std::size_t>(shape.nope + shape.rope);
    plan.v_dim = static_cast<std::size_t>(shape.v);
  } else {
    plan.heads_per_group = heads;
    plan.qk_dim = static_cast<std::size_t>(shape.latent + shape.rope);
    plan.v_dim = static_cast<std::size_t>(shape.latent);
    plan.values_in_keys = true;
  }
  return plan;
}

class HostAttention final : public HostOperator {
 public:
  HostAttention(const AttentionPlan& plan, unsigned seed)
      : plan_(plan),
        q_(random_buffer(plan.sequences * plan.groups * rows() * plan.qk_dim, seed)),
        k_(random_buffer(plan.sequences * plan.groups * plan.context * plan.qk_dim, seed + 1)),
        v_(plan.values_in_keys
               ? HostBuffer()
               : random_buffer(plan.sequences * plan.groups * plan.context * plan.v_dim, seed + 2)),
        out_(plan.sequences * plan.groups * rows() * plan.v_dim),
        scores_(blocks() * plan.heads_per_group * tile() * plan.context) {}

  void run() override {
    openblas_set_num_threads(1);  // the blocks are what runs side by side
    for_each_index(
        blocks(), [](std::size_t i, void* self) { static_cast<HostAttention*>(self)->block(i); },
        this);
    openblas_set_num_threads(openblas_get_num_procs());
  }
  [[nodiscard]] double checksum() const override { return sum_of(out_); }

 private:
  static constexpr std::size_t kTile = 64;
  [[nodiscard]] std::size_t rows() const { return plan_.heads_per_group * plan_.queries; }
  [[nodiscard]] std::size_t blocks() const { return plan_.sequences * plan_.groups; }
  [[nodiscard]] std::size_t tile() const { return std::min(kTile, plan_.queries); }

  /// All queries of one sequence and KV head, tile by tile; a tile reads no key behind its last
  /// one.
  void block(std::size_t index) {
    const float* k = k_.data() + index * plan_.context * plan_.qk_dim;
    const float* v = plan_.values_in_keys ? k : v_.data() + index * plan_.context * plan_.v_dim;
    for (std::size_t first = 0; first < plan_.queries; first += tile()) {
      const std::size_t queries = std::min(tile(), plan_.queries - first);
      AttentionBlock one;
      one.queries = queries;
      one.rows = plan_.heads_per_group * queries;
      one.first_visible = plan_.context - plan_.queries + first + 1;
      one.keys = std::min(plan_.context, one.first_visible + queries - 1);
      one.qk_dim = one.k_stride = plan_.qk_dim;
      one.v_dim = plan_.v_dim;
      one.v_stride = plan_.values_in_keys ? plan_.qk_dim : plan_.v_dim;
      one.window = plan_.window;
      const std::size_t row = index * rows() + first * plan_.heads_per_group;
      one.q = q_.data() + row * plan_.qk_dim;
      one.k = k;
      one.v = v;
      one.out = out_.data() + row * plan_.v_dim;
      one.scores = scores_.data() + index * plan_.heads_per_group * tile() * plan_.context;
      attend(one);
    }
  }

  AttentionPlan plan_;
  HostBuffer q_, k_, v_, out_, scores_;
};

class HostExperts final : public HostOperator {
 public:
  HostExperts(const ExpertShape& shape, unsigned seed)
      : hidden_(static_cast<std::size_t>(shape.hidden)),
        width_(static_cast<std::size_t>(shape.intermediate)),
        experts_(whole(shape.touched_experts)),
        rows_(whole(shape.rank_tokens / static_cast<double>(experts_))),
        gated_(shape.gated) {
    const std::size_t in_columns = (gated_ ? 2 : 1) * width_;
    const std::size_t one = hidden_ * in_columns + width_ * hidden_;
    held_ = std::clamp<std::size_t>(kWeightFloats / one, 1, experts_);
    in_weights_ = random_buffer(held_ * hidden_ * in_columns, seed);
    out_weights_ = random_buffer(held_ * width_ * hidden_, seed + 1);
    tokens_ = random_buffer(std::max<std::size_t>(1, rows_ * experts_) * hidden_, seed + 2);
    for (std::size_t i = 0; i < rows_; ++i) {
      order_.push_back(static_cast<int>((i * 7919 + seed) % (rows_ * experts_)));
    }
    gathered_.resize(rows_ * hidden_);
    wide_.resize(rows_ * in_columns);
    narrow_.resize(rows_ * width_);
    result_.resize(rows_ * hidden_);
    out_.resize(tokens_.size());
  }

  void run() override {
    std::fill(out_.begin(), out_.end(), 0.0F);
    for (std::size_t expert = 0; expert < experts_; ++expert) run_expert(expert % held_);
  }
  [[nodiscard]] double checksum() const override { return sum_of(out_); }

 private:
  /// Weights held: more than any cache, not all of a large model's experts.
  static constexpr std::size_t kWeightFloats = std::size_t{1} << 26;

  void run_expert(std::size_t held) {
    const std::size_t in_columns = wide_.size() / rows_;
    gather_rows(tokens_, hidden_, order_, gathered_);
    multiply(rows_, in_columns, hidden_, gathered_.data(),
             in_weights_.data() + held * hidden_ * in_columns, wide_.data());
    if (gated_) {
      silu_mul(wide_, width_, narrow_);
    } else {
      scale_into(wide_, 1.0F, narrow_);
    }
    multiply(rows_, hidden_, width_, narrow_.data(), out_weights_.data() + held * width_ * hidden_,
             result_.data());
    for (std::size_t i = 0; i < rows_; ++i) {  // two experts of a token must not meet
      float* to = out_.data() + static_cast<std::size_t>(order_[i]) * hidden_;
      const float* from = result_.data() + i * hidden_;
      for (std::size_t c = 0; c < hidden_; ++c) to[c] += 0.125F * from[c];
    }
  }

  std::size_t hidden_, width_, experts_, rows_, held_ = 1;
  bool gated_;
  HostBuffer in_weights_, out_weights_, tokens_, gathered_, wide_, narrow_, result_, out_;
  std::vector<int> order_;
};

/// Reads and writes as many bytes as the operator.
class HostStream final : public HostOperator {
 public:
  HostStream(double bytes_read, double bytes_written, unsigned seed)
      : in_(random_buffer(whole(bytes_read / sizeof(float)), seed)),
        out_(whole(bytes_written / sizeof(float))) {}
  void run() override {
    scale_into(in_, 0.5F, out_);
    if (in_.size() > out_.size()) rest_ = sum_of(in_);  // a reduction reads all of it
  }
  [[nodiscard]] double checksum() const override { return sum_of(out_) + rest_; }

 private:
  HostBuffer in_, out_;
  double rest_ = 0;
};

}  // namespace

std::unique_ptr<HostOperator> make_host_operator(const Operator& op, unsigned seed) {
  struct Make {
    const Operator& op;
    unsigned seed;
    using Result = std::unique_ptr<HostOperator>;
    Result operator()(const GemmShape& shape) const {
      return std::make_unique<HostGemm>(shape, seed);
    }
    Result operator()(const AttentionShape& shape) const {
      return std::make_unique<HostAttention>(plan_of(shape), seed);
    }
    Result operator()(const LatentAttentionShape& shape) const {
      return std::make_unique<HostAttention>(plan_of(shape), seed);
    }
    Result operator()(const ExpertShape& shape) const {
      return std::make_unique<HostExperts>(shape, seed);
    }
    Result operator()(const ElementwiseShape& shape) const {
      return std::make_unique<HostStream>(shape.bytes_read, shape.bytes_written, seed);
    }
    Result operator()(const CollectiveShape&) const {
      const double bytes = work_of(op).wire_bytes;
      return bytes > 0 ? std::make_unique<HostStream>(bytes, bytes, seed) : nullptr;
    }
    Result operator()(const HostShape&) const { return nullptr; }
  };
  return std::visit(Make{op, seed}, op.shape);
}

OperatorWork host_work(const Operator& op) {
  struct Count {
    const Operator& op;
    OperatorWork operator()(const GemmShape& shape) const {
      const double m = rounded(shape.m), n = rounded(shape.n), k = rounded(shape.k);
      return of(2 * m * n * k, m * k + k * n + m * n);
    }
    OperatorWork operator()(const AttentionShape& shape) const { return attention(plan_of(shape)); }
    OperatorWork operator()(const LatentAttentionShape& shape) const { return attention(plan_of(shape)); }
    OperatorWork operator()(const ExpertShape& shape) const {
      const double experts = rounded(shape.touched_experts);
      const double rows = rounded(shape.rank_tokens / experts);
      const double hidden = shape.hidden, width = shape.intermediate;
      const double in_columns = (shape.gated ? 2 : 1) * width;
      const double weights = hidden * in_columns + width * hidden;
      return of(2 * experts * rows * weights,
                experts * (weights + rows * (2 * hidden + in_columns + width)));
    }
    OperatorWork operator()(const ElementwiseShape& shape) const {
      return of(0, rounded(shape.bytes_read / sizeof(float)) +
                       rounded(shape.bytes_written / sizeof(float)));
    }
    OperatorWork operator()(const CollectiveShape&) const {
      return of(0, 2 * work_of(op).wire_bytes / sizeof(float));
    }
    OperatorWork operator()(const HostShape&) const { return of(0, 0); }

   private:
    static double rounded(double value) { return static_cast<double>(whole(value)); }
    static OperatorWork of(double flops, double floats) {
      OperatorWork work;
      work.flops = flops;
      work.memory_bytes = sizeof(float) * floats;
      work.type = DataType::fp32;
      return work;
    }
    static OperatorWork attention(const AttentionPlan& plan) {
      const auto number = [](std::size_t value) { return static_cast<double>(value); };
      const double blocks = number(plan.sequences * plan.groups);
      const double rows = number(plan.heads_per_group * plan.queries);
      // Query i of a sequence sees context - queries + i + 1 keys, at most the window.
      double pairs = 0;
      for (std::size_t i = plan.context - plan.queries; i < plan.context; ++i) {
        pairs += number(plan.window > 0 ? std::min(plan.window, i + 1) : i + 1);
      }
      const double qk = number(plan.qk_dim), v = number(plan.v_dim);
      const double cached = number(plan.context) * (qk + (plan.values_in_keys ? 0 : v));
      return of(2 * blocks * number(plan.heads_per_group) * pairs * (qk + v),
                blocks * (rows * (qk + v) + cached));
    }
  };
  return std::visit(Count{op}, op.shape);
}

}  // namespace rackwright::kernels
