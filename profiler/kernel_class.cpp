#include "profiler/kernel_class.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

namespace rackwright::profiler {

namespace {

using workloads::OperatorClass;

struct Word {
  std::string_view text;
  OperatorClass op_class;
};

/// The first word found decides: a fused name goes to its heavier part.
constexpr Word kWords[] = {
    {"nccl", OperatorClass::collective},
    {"rccl", OperatorClass::collective},
    {"cross_device_reduce", OperatorClass::collective},
    {"all_reduce", OperatorClass::collective},
    {"allreduce", OperatorClass::collective},
    {"grouped_gemm", OperatorClass::moe},
    {"groupgemm", OperatorClass::moe},
    {"fused_moe", OperatorClass::moe},
    {"moe", OperatorClass::moe},
    {"splitkv", OperatorClass::attention_decode},
    {"paged_attention", OperatorClass::attention_decode},
    {"decode", OperatorClass::attention_decode},
    {"flash", OperatorClass::attention_prefill},
    {"fmha", OperatorClass::attention_prefill},
    {"sdpa", OperatorClass::attention_prefill},
    {"attention", OperatorClass::attention_prefill},
    {"gemm", OperatorClass::gemm},
    {"cutlass", OperatorClass::gemm},
    {"nvjet", OperatorClass::gemm},
    {"xmma", OperatorClass::gemm},
    {"cijk_", OperatorClass::gemm},
    {"gemv", OperatorClass::gemm},
    {"sampl", OperatorClass::sampling},
    {"topk", OperatorClass::sampling},
    {"radixsort", OperatorClass::sampling},
};

}  // namespace

OperatorClass kernel_class(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* found = std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& word) {
    return lower.find(word.text) != std::string::npos;
  });
  return found == std::end(kWords) ? OperatorClass::elementwise : found->op_class;
}

std::array<double, workloads::kOperatorClassCount> kernel_seconds(const Recording& recording) {
  std::array<double, workloads::kOperatorClassCount> seconds{};
  std::vector<std::optional<OperatorClass>> known(recording.names.size());
  for (const Event& event : recording.events) {
    if (event.kind != EventKind::kernel && event.kind != EventKind::collective) continue;
    auto& op_class = known[event.name];
    if (!op_class) {
      op_class = event.kind == EventKind::collective ? OperatorClass::collective
                                                     : kernel_class(recording.names[event.name]);
    }
    seconds[static_cast<std::size_t>(*op_class)] += event.duration_s;
  }
  return seconds;
}

}  // namespace rackwright::profiler
