#include "kernels/cuda_backend.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <exception>
#include <numeric>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/expert_rows.hpp"

namespace rackwright::kernels {

namespace {

using workloads::DataType;

[[noreturn]] void refuse(const workloads::Operator& op, const std::string& what) {
  throw BackendUnavailable(fmt::format(
      "{}: the CUDA module has no kernel for {}; use --backend analytical", op.name, what));
}

int whole(double value) {
  return std::max(1, static_cast<int>(std::lround(value)));
}

int cuda_type(const workloads::Operator& op, DataType type) {
  switch (type) {
    case DataType::bf16:
    case DataType::fp16:
      return RACKWRIGHT_CUDA_BF16;
    case DataType::fp8:
      return RACKWRIGHT_CUDA_FP8;
    case DataType::fp8_block:
      return RACKWRIGHT_CUDA_FP8_BLOCK;
    case DataType::mxfp4:
      return RACKWRIGHT_CUDA_MXFP4;
    case DataType::nvfp4:
      return RACKWRIGHT_CUDA_NVFP4;
    case DataType::int8:
      return RACKWRIGHT_CUDA_INT8;
    case DataType::fp32:
      return RACKWRIGHT_CUDA_FP32;
  }
  refuse(op, fmt::format("products in {}", to_string(type)));
}

int kernel_of(workloads::ElementwiseKernel kernel) {
  using workloads::ElementwiseKernel;
  switch (kernel) {
    case ElementwiseKernel::gather:
      return RACKWRIGHT_CUDA_GATHER;
    case ElementwiseKernel::norm:
      return RACKWRIGHT_CUDA_NORM;
    case ElementwiseKernel::residual_norm:
      return RACKWRIGHT_CUDA_RESIDUAL_NORM;
    case ElementwiseKernel::rotary_append:
      return RACKWRIGHT_CUDA_ROTARY_APPEND;
    case ElementwiseKernel::gated_activation:
      return RACKWRIGHT_CUDA_GATED_ACTIVATION;
    case ElementwiseKernel::route:
      return RACKWRIGHT_CUDA_ROUTE;
    case ElementwiseKernel::expert_sum:
      return RACKWRIGHT_CUDA_EXPERT_SUM;
    case ElementwiseKernel::top_k:
      return RACKWRIGHT_CUDA_TOP_K;
    case ElementwiseKernel::sample:
      return RACKWRIGHT_CUDA_SAMPLE;
    case ElementwiseKernel::other:
      break;
  }
  return -1;
}

int cache_type(const workloads::Operator& op, DataType type) {
  switch (cuda_type(op, type)) {
    case RACKWRIGHT_CUDA_BF16:
      return RACKWRIGHT_CUDA_BF16;
    case RACKWRIGHT_CUDA_FP8:
      return RACKWRIGHT_CUDA_FP8;
    default:
      refuse(op, fmt::format("attention on a {} cache", to_string(type)));
  }
}

/// As many pairs as equal sequences have when every query sees every key: a vision tower's.
bool sees_all(const workloads::AttentionShape& shape) {
  const double all = shape.query_tokens * shape.kv_tokens / std::max(shape.sequences, 1.0);
  return std::abs(shape.pairs - all) <= 1e-3 * all;
}

struct Converter {
  const workloads::Operator& op;
  CudaOperator out{};

  void operator()(const workloads::GemmShape& shape) {
    out.kind = RACKWRIGHT_CUDA_GEMM;
    out.type = cuda_type(op, shape.type);
    out.m = whole(shape.m), out.n = whole(shape.n), out.k = whole(shape.k);
  }
  void operator()(const workloads::AttentionShape& shape) {
    out.kind = shape.prefill ? RACKWRIGHT_CUDA_PREFILL : RACKWRIGHT_CUDA_DECODE;
    out.kv_type = cache_type(op, shape.kv_type);
    sequences(shape.sequences, shape.query_tokens, shape.kv_tokens);
    out.heads = shape.heads, out.kv_heads = shape.kv_heads;
    out.head_dim = out.value_dim = shape.head_dim;
    out.window = shape.window, out.sinks = shape.sinks ? 1 : 0;
    out.full = shape.prefill && sees_all(shape) ? 1 : 0;
  }
  void operator()(const workloads::LatentAttentionShape& shape) {
    sequences(shape.sequences, shape.query_tokens, shape.kv_tokens);
    out.heads = shape.heads;
    if (shape.prefill) {  // un-absorbed: keys and values of each head, in bf16
      out.kind = RACKWRIGHT_CUDA_PREFILL;
      out.kv_heads = shape.heads;
      out.head_dim = shape.nope + shape.rope, out.value_dim = shape.v;
      return;
    }
    out.kind = RACKWRIGHT_CUDA_LATENT_DECODE;
    out.kv_type = cache_type(op, shape.kv_type);
    out.kv_heads = 1;
    out.head_dim = shape.latent + shape.rope, out.value_dim = shape.latent;
  }
  void operator()(const workloads::ExpertShape& shape) {
    out.kind = RACKWRIGHT_CUDA_EXPERTS;
    out.type = cuda_type(op, shape.type);
    out.rows_of_experts = expert_rows(shape, kExpertSeed);
    out.experts = static_cast<int>(out.rows_of_experts.size());
    out.rows = std::accumulate(out.rows_of_experts.begin(), out.rows_of_experts.end(), 0);
    out.expert_rows = out.rows_of_experts.data();
    out.hidden = shape.hidden, out.intermediate = shape.intermediate;
    out.gated = shape.gated ? 1 : 0;
  }
  void operator()(const workloads::ElementwiseShape& shape) {
    out.bytes = shape.bytes_read + shape.bytes_written;
    out.kernel = kernel_of(shape.size.kernel);
    out.kind = out.kernel < 0 ? RACKWRIGHT_CUDA_STREAM : RACKWRIGHT_CUDA_ELEMENTWISE;
    const workloads::ElementwiseSize& size = shape.size;
    out.rows = whole(size.rows), out.width = whole(size.width);
    out.top_k = whole(std::ceil(size.top_k)), out.pairs = whole(size.rows * size.top_k);
    out.heads = size.heads, out.kv_heads = size.kv_heads, out.head_dim = size.head_dim;
    out.latent = size.latent;
    out.kv_type = size.kv_type == DataType::bf16 || size.kv_type == DataType::fp16
                      ? RACKWRIGHT_CUDA_BF16
                      : RACKWRIGHT_CUDA_FP8;
  }
  void operator()(const workloads::CollectiveShape&) { out.kind = RACKWRIGHT_CUDA_NOTHING; }
  void operator()(const workloads::HostShape&) { out.kind = RACKWRIGHT_CUDA_NOTHING; }

  /// Equal sequences of the same sums.
  void sequences(double count, double query_tokens, double keys) {
    out.sequences = whole(count);
    out.query_tokens = whole(query_tokens / out.sequences);
    out.keys = std::max(whole(keys / out.sequences), out.query_tokens);
  }
};

/// How the rows of experts were drawn.
std::string drawn(const workloads::Operator& op, const RackwrightCudaOperator& made) {
  const auto* shape = std::get_if<workloads::ExpertShape>(&op.shape);
  if (shape == nullptr) return {};
  return fmt::format("; {} to {} rows an expert: skew {}, placement of seed {}",
                     made.expert_rows[made.experts - 1], made.expert_rows[0], shape->skew,
                     kExpertSeed);
}

const workloads::CollectiveShape* between_ranks(const workloads::Operator& op) {
  const auto* shape = std::get_if<workloads::CollectiveShape>(&op.shape);
  return shape != nullptr && shape->ranks > 1 ? shape : nullptr;
}

std::string left_out(const workloads::CollectiveShape& shape) {
  return fmt::format("left out: {} between {} ranks takes no time here", to_string(shape.kind),
                     shape.ranks);
}

/// The collectives of a step as the module calls them back: no exception crosses it, the first is
/// kept.
class CollectiveHooks {
 public:
  explicit CollectiveHooks(StepCollectives* all) : all_(all) {}
  CollectiveHooks(const CollectiveHooks&) = delete;
  CollectiveHooks& operator=(const CollectiveHooks&) = delete;

  void add(const workloads::Operator& op, RackwrightCudaOperator& to) {
    const auto* shape = between_ranks(op);
    if (all_ == nullptr || shape == nullptr || shape->bytes <= 0) return;
    Hook& hook = hooks_.emplace_back(Hook{*this, all_->make(op), {}});
    hook.record = {enqueue, look, &hook};
    to.kind = RACKWRIGHT_CUDA_COLLECTIVE;
    to.collective = &hook.record;
  }
  /// Of operator `op`, "" when it is none of these.
  [[nodiscard]] std::string choice(const RackwrightCudaOperator& op) const {
    for (const Hook& hook : hooks_) {
      if (&hook.record == op.collective) return hook.collective->choice();
    }
    return {};
  }
  /// This rank goes on no further: why, if it was the ranks.
  void give_up() {
    if (all_ != nullptr) all_->abort();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  struct Hook {
    CollectiveHooks& owner;
    std::unique_ptr<StepCollective> collective;
    RackwrightCudaCollective record;
  };
  template <class Call>
  int keep(const Call& call) noexcept {
    try {
      if (!failure_) call();
    } catch (...) {
      failure_ = std::current_exception();
    }
    constexpr int kRanksFailed = 999;  // cudaErrorUnknown
    return failure_ ? kRanksFailed : 0;
  }
  static int enqueue(void* context, void* stream) {
    auto& hook = *static_cast<Hook*>(context);
    return hook.owner.keep([&] { hook.collective->enqueue(stream); });
  }
  static int look(void* context, double waited_s) {
    auto& owner = static_cast<Hook*>(context)->owner;
    return owner.keep([&] { owner.all_->look(waited_s); });
  }

  StepCollectives* all_;
  std::deque<Hook> hooks_;  ///< whose addresses stay
  std::exception_ptr failure_;
};

class CudaStep final : public CudaPreparedStep {
 public:
  CudaStep(const CudaModule& module, int device, const workloads::OperatorGraph& graph,
           StepCollectives* collectives)
      : module_(module), count_(graph.operators.size()), hooks_(collectives) {
    std::vector<CudaOperator> held;
    for (const workloads::Operator& op : graph.operators) held.push_back(to_cuda(op));
    std::vector<RackwrightCudaOperator> operators(held.begin(), held.end());
    for (std::size_t i = 0; i < count_; ++i) hooks_.add(graph.operators[i], operators[i]);
    char message[RACKWRIGHT_CUDA_TEXT] = "";
    const int code =
        module_.prepare(device, operators.data(), static_cast<int>(count_), &step_, message);
    if (code != 0) fail(message);
    try {
      read_choices(graph, operators);
      time_operators(nullptr);
    } catch (...) {
      module_.release(step_);
      throw;
    }
  }
  ~CudaStep() override { module_.release(step_); }
  CudaStep(const CudaStep&) = delete;
  CudaStep& operator=(const CudaStep&) = delete;

  [[nodiscard]] const std::vector<std::string>& choices() const override { return choices_; }
  /// Times of some run hold launches, as the stream could not be held for so long.
  [[nodiscard]] bool launch_included() const { return launch_included_; }
  double run_eager() override { return call(RACKWRIGHT_CUDA_EAGER, nullptr, nullptr, nullptr); }

  const StepTiming& run(ReplayMode mode, OperatorObserver* observer) override {
    if (mode == ReplayMode::per_operator) {
      time_operators(observer);
      return timing_;
    }
    double sum = 0;
    for (const OperatorTiming& one : timing_.operators) sum += one.seconds;
    timing_.seconds = call(RACKWRIGHT_CUDA_WHOLE, nullptr, nullptr, nullptr);
    timing_.overlap_s = std::max(0.0, sum - timing_.seconds);
    timing_.launch_s = std::max(0.0, timing_.seconds - sum);
    return timing_;
  }

 private:
  double call(int mode, RackwrightCudaObserver observer, void* context, double* operators) {
    char message[RACKWRIGHT_CUDA_TEXT] = "";
    RackwrightCudaTimes times{0, operators, 0};
    if (module_.run(step_, mode, observer, context, &times, message) != 0) fail(message);
    if (mode != RACKWRIGHT_CUDA_EAGER && times.launch_included != 0) launch_included_ = true;
    return times.total_s;
  }

  [[noreturn]] void fail(const char* message) {
    hooks_.give_up();
    throw BackendUnavailable(message);
  }

  void read_choices(const workloads::OperatorGraph& graph,
                    const std::vector<RackwrightCudaOperator>& operators) {
    for (std::size_t i = 0; i < count_; ++i) {
      char text[RACKWRIGHT_CUDA_TEXT] = "", message[RACKWRIGHT_CUDA_TEXT] = "";
      if (module_.choice(step_, static_cast<int>(i), text, message) != 0) {
        fail(message);
      }
      const std::string made = hooks_.choice(operators[i]);
      const auto* shape = between_ranks(graph.operators[i]);
      choices_.push_back(!made.empty()      ? made
                         : shape != nullptr ? left_out(*shape)
                                            : text + drawn(graph.operators[i], operators[i]));
    }
  }

  void time_operators(OperatorObserver* observer) {
    std::vector<double> seconds(count_);
    const auto watch = [](void* context, int op, int begin) {
      auto& to = *static_cast<OperatorObserver*>(context);
      const OperatorId id(static_cast<std::uint32_t>(op));
      begin != 0 ? to.begin(id) : to.end(id);
    };
    timing_ = {};
    timing_.seconds = call(RACKWRIGHT_CUDA_PER_OPERATOR, observer == nullptr ? nullptr : +watch,
                           observer, seconds.data());
    for (const double one : seconds) timing_.operators.push_back({.seconds = one});
  }

  CudaModule module_;
  std::size_t count_;
  CollectiveHooks hooks_;
  RackwrightCudaStep* step_ = nullptr;
  StepTiming timing_;
  std::vector<std::string> choices_;
  bool launch_included_ = false;
};

}  // namespace

CudaOperator to_cuda(const workloads::Operator& op) {
  Converter converter{op};
  converter.out.lane = static_cast<int>(op.lane);
  converter.out.repeat = static_cast<int>(op.repeat);
  std::visit(converter, op.shape);
  return std::move(converter.out);
}

CudaModule open_cuda_module(const std::string& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw BackendUnavailable(fmt::format("the CUDA module does not open: {}", ::dlerror()));
  }
  const auto symbol = [&](const char* name) { return ::dlsym(handle, name); };
  const auto abi = reinterpret_cast<RackwrightCudaAbi>(symbol("rackwright_cuda_abi"));
  const CudaModule module{
      reinterpret_cast<RackwrightCudaPrepare>(symbol("rackwright_cuda_prepare")),
      reinterpret_cast<RackwrightCudaRun>(symbol("rackwright_cuda_run")),
      reinterpret_cast<RackwrightCudaRelease>(symbol("rackwright_cuda_release")),
      reinterpret_cast<RackwrightCudaChoice>(symbol("rackwright_cuda_choice")),
      reinterpret_cast<RackwrightCudaLaunchProbe>(symbol("rackwright_cuda_launch_probe")),
      reinterpret_cast<RackwrightCudaTransferProbe>(symbol("rackwright_cuda_transfer")),
      reinterpret_cast<RackwrightCudaTrial>(symbol("rackwright_cuda_trial"))};
  if (abi == nullptr || abi() != RACKWRIGHT_CUDA_ABI || module.prepare == nullptr ||
      module.run == nullptr || module.release == nullptr || module.choice == nullptr ||
      module.launch_probe == nullptr || module.transfer == nullptr || module.trial == nullptr) {
    ::dlclose(handle);
    throw BackendUnavailable(
        fmt::format("{} is of another version: rebuild it with this program", path));
  }
  return module;
}

RackwrightCudaLaunch probe_launches(const CudaModule& module, int device, int kernels) {
  RackwrightCudaLaunch out{};
  char message[RACKWRIGHT_CUDA_TEXT] = "";
  if (module.launch_probe(device, kernels, &out, message) != 0) throw BackendUnavailable(message);
  return out;
}

RackwrightCudaTransfer probe_transfer(const CudaModule& module, int from, int to, double page_bytes,
                                      int pages) {
  RackwrightCudaTransfer out{};
  char message[RACKWRIGHT_CUDA_TEXT] = "";
  if (module.transfer(from, to, page_bytes, pages, &out, message) != 0) {
    throw BackendUnavailable(message);
  }
  return out;
}

std::unique_ptr<PreparedStep> CudaBackend::prepare(const workloads::OperatorGraph& step,
                                                   const RankContext& /*rank*/) {
  auto prepared = std::make_unique<CudaStep>(module_, device_, step, collectives_.get());
  for (std::size_t i = 0; i < step.operators.size(); ++i) {
    choices_.insert_or_assign(std::string(step.operators[i].name), prepared->choices()[i]);
  }
  if (prepared->launch_included()) {
    choices_["timing"] =
        "some operators are timed with their launches: queueing them took longer "
        "than a stream is held";
  }
  return prepared;
}

}  // namespace rackwright::kernels
