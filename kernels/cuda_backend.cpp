#include "kernels/cuda_backend.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>

#include "common/input_error.hpp"

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
    default:
      refuse(op, fmt::format("products in {}", to_string(type)));
  }
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
  RackwrightCudaOperator out{};

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
    out.experts = whole(shape.touched_experts);
    out.rows = whole(shape.rank_tokens / out.experts);
    out.hidden = shape.hidden, out.intermediate = shape.intermediate;
    out.gated = shape.gated ? 1 : 0;
  }
  void operator()(const workloads::ElementwiseShape& shape) {
    out.kind = RACKWRIGHT_CUDA_STREAM;
    out.bytes = shape.bytes_read + shape.bytes_written;
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

/// A collective between ranks, which one GPU cannot replay.
std::string left_out(const workloads::Operator& op) {
  const auto* shape = std::get_if<workloads::CollectiveShape>(&op.shape);
  if (shape == nullptr || shape->ranks <= 1) return {};
  return fmt::format("left out: {} between {} ranks takes no time here", to_string(shape->kind),
                     shape->ranks);
}

class CudaStep final : public CudaPreparedStep {
 public:
  CudaStep(const CudaModule& module, int device, const workloads::OperatorGraph& graph)
      : module_(module), count_(graph.operators.size()) {
    std::vector<RackwrightCudaOperator> operators;
    for (const workloads::Operator& op : graph.operators) operators.push_back(to_cuda(op));
    char message[RACKWRIGHT_CUDA_TEXT] = "";
    const int code =
        module_.prepare(device, operators.data(), static_cast<int>(count_), &step_, message);
    if (code != 0) throw BackendUnavailable(message);
    try {
      read_choices(graph);
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
    if (module_.run(step_, mode, observer, context, &times, message) != 0) {
      throw BackendUnavailable(message);
    }
    if (mode != RACKWRIGHT_CUDA_EAGER && times.launch_included != 0) launch_included_ = true;
    return times.total_s;
  }

  void read_choices(const workloads::OperatorGraph& graph) {
    for (std::size_t i = 0; i < count_; ++i) {
      char text[RACKWRIGHT_CUDA_TEXT] = "", message[RACKWRIGHT_CUDA_TEXT] = "";
      if (module_.choice(step_, static_cast<int>(i), text, message) != 0) {
        throw BackendUnavailable(message);
      }
      const std::string without = left_out(graph.operators[i]);
      choices_.push_back(without.empty() ? text : without);
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
  RackwrightCudaStep* step_ = nullptr;
  StepTiming timing_;
  std::vector<std::string> choices_;
  bool launch_included_ = false;
};

}  // namespace

RackwrightCudaOperator to_cuda(const workloads::Operator& op) {
  Converter converter{op};
  converter.out.lane = static_cast<int>(op.lane);
  converter.out.repeat = static_cast<int>(op.repeat);
  std::visit(converter, op.shape);
  return converter.out;
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
      reinterpret_cast<RackwrightCudaTransferProbe>(symbol("rackwright_cuda_transfer"))};
  if (abi == nullptr || abi() != RACKWRIGHT_CUDA_ABI || module.prepare == nullptr ||
      module.run == nullptr || module.release == nullptr || module.choice == nullptr ||
      module.launch_probe == nullptr || module.transfer == nullptr) {
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
  auto prepared = std::make_unique<CudaStep>(module_, device_, step);
  for (std::size_t i = 0; i < step.operators.size(); ++i) {
    choices_.insert_or_assign(std::string(step.operators[i].name), prepared->choices()[i]);
  }
  if (prepared->launch_included()) {
    choices_["timing"] = "some operators are timed with their launches: queueing them took longer "
                         "than a stream is held";
  }
  return prepared;
}

}  // namespace rackwright::kernels
