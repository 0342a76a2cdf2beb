#include "profiler/import/import.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace rackwright::profiler {

const std::vector<RunFormat>& run_formats() {
  static const std::vector<RunFormat> formats{
      {"kineto", "PyTorch profiler trace (Chrome JSON, also .gz)", read_kineto},
      {"nsys", "Nsight Systems, nsys export --type sqlite", read_nsys},
      {"chakra", "Chakra execution trace (JSON or protobuf .et)", read_chakra},
      {"nccl-tests", "output of nccl-tests (text, or JSON of -J)", read_nccl_tests},
      {"nvidia-smi", "nvidia-smi --query-gpu=timestamp,… --format=csv", read_nvidia_smi},
      {"dcgm", "dcgmi dmon, or CSV with DCGM field names", read_dcgm},
      {"vllm-bench", "request times of vLLM or SGLang bench_serving (JSON, JSON lines)",
       read_serving_bench}};
  return formats;
}

void settle(Recording& recording) {
  double first = std::numeric_limits<double>::infinity();
  for (const Event& event : recording.events) first = std::min(first, event.start_s);
  for (const CounterSample& sample : recording.counters) first = std::min(first, sample.start_s);
  for (const auto& request : recording.requests) first = std::min(first, request.arrival_s);
  for (Event& event : recording.events) event.start_s -= first;
  for (CounterSample& sample : recording.counters) sample.start_s -= first;
  for (auto& request : recording.requests) {
    request.arrival_s -= first;
    request.first_token_s -= first;
    request.finish_s -= first;
  }
  std::stable_sort(recording.events.begin(), recording.events.end(),
                   [](const Event& a, const Event& b) { return a.start_s < b.start_s; });
}

bool is_collective_kernel(std::string_view name) {
  constexpr std::array<std::string_view, 7> kWords{
      "ncclKernel",          "ncclDevKernel",    "ncclDevFunc",       "rcclKernel",
      "cross_device_reduce", "allreduce_kernel", "twoshot_all_reduce"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
}

}  // namespace rackwright::profiler
