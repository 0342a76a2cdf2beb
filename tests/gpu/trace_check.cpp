/* trace_check CUDA_MODULE.so CUPTI_MODULE.so METRIC_PLANS.json: copies 1 GiB within GPU 0 ten times
   under the collectors of `profile` and compares what they saw with what is known. A line each on
   stdout: pass, FAIL or skip with the reason. Exit code 77 where there is no GPU, 1 on a FAIL.

   Kernel times against CUDA events: within 2 % or 1 us, whichever is more; events stand around the
   launch, a copy takes some 0.7 ms, so that the gaps of few us beside it are well below.
   DRAM bytes against 10 GiB each way: read within 5 %, as refresh and the host's own traffic come
   on top; written within 5 % more, as up to an L2 of 50 to 130 MB of the last copy may lie there
   unwritten (1.3 % of 10 GiB), and what stood there before is written instead. */
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/cuda_backend.hpp"
#include "kernels/cuda_loader.hpp"
#include "profiler/counter_sampler.hpp"
#include "profiler/kernel_tracer.hpp"

namespace {

using namespace rackwright;

constexpr int kCopies = 10;
constexpr double kBytes = 1024.0 * 1024 * 1024;

bool failed = false;

void say(bool good, const std::string& text) {
  fmt::print("{:<8}{}\n", good ? "pass" : "FAIL", text);
  failed = failed || !good;
}
void skip(const std::string& text) {
  fmt::print("{:<8}{}\n", "skip", text);
}

workloads::OperatorGraph copies() {
  workloads::OperatorGraph graph;
  graph.operators.assign(
      kCopies, {"copy", workloads::OperatorClass::elementwise, workloads::Lane::compute, 1,
                workloads::ElementwiseShape{kBytes, kBytes, 0, {}}});
  return graph;
}

int same_number(std::uint32_t device) {
  return static_cast<int>(device);
}

/// Each copy's kernel in the trace against the events around its launch.
void check_kernels(profiler::KernelTracer& tracer, kernels::PreparedStep& step,
                   const workloads::OperatorGraph& graph) {
  if (const std::string reason = tracer.start(); !reason.empty()) return skip("kernels: " + reason);
  tracer.step(graph);
  const kernels::StepTiming timing = step.run(kernels::ReplayMode::per_operator, &tracer);
  profiler::Recording recording;
  tracer.finish(0, same_number, recording);
  std::vector<double> seconds;
  for (const profiler::Event& event : recording.events) {
    const bool kernel = event.kind == profiler::EventKind::kernel;
    const std::string& name = recording.names[event.name];
    if (kernel && name.find("stream_copy") != std::string::npos) {
      seconds.push_back(event.duration_s);
    }
  }
  say(!recording.incomplete, "kernel trace: " + (recording.incomplete ? recording.incomplete_reason
                                                                      : "no record was lost"));
  if (seconds.size() != kCopies) {
    return say(false,
               fmt::format("kernel times: {} copies ran, {} were traced", kCopies, seconds.size()));
  }
  double worst = 0;
  bool good = true;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const double event_s = timing.operators[i].seconds;
    const double apart = std::abs(seconds[i] - event_s);
    good = good && apart <= std::max(0.02 * event_s, 1e-6);
    worst = std::max(worst, apart / event_s);
  }
  say(good, fmt::format("kernel times: {} copies at most {:.2f} % from CUDA events (2 % or 1 us)",
                        kCopies, 100 * worst));
}

double bytes_of(const profiler::Recording& recording, const std::string& name) {
  double bytes = 0;
  for (const profiler::CounterSample& sample : recording.counters) {
    if (recording.names[sample.name] == name) bytes += sample.value * sample.duration_s;
  }
  return bytes;
}

/// DRAM counters over the copies against their bytes.
void check_counters(const profiler::CuptiModule& module, const std::string& plans,
                    kernels::PreparedStep& step) {
  constexpr double kPeriod = 1e-4;
  std::string reason;
  const auto sampler = profiler::CounterSampler::open(
      module, profiler::cupti::read_metric_plans(plans), 0, kPeriod, reason);
  if (sampler) reason = sampler->start();
  if (!reason.empty()) return skip("counters: " + reason);
  (void)step.run(kernels::ReplayMode::whole, nullptr);
  profiler::Recording recording;
  sampler->finish(0, 0, recording);
  if (recording.incomplete) return say(false, "counters: " + recording.incomplete_reason);
  const double known = kCopies * kBytes;
  for (const auto& [name, tolerance] :
       {std::pair{"cupti_dram_read_rate", 0.05}, std::pair{"cupti_dram_written_rate", 0.1}}) {
    const double counted = bytes_of(recording, name);
    say(std::abs(counted - known) <= tolerance * known,
        fmt::format("{}: {:.4g} B counted, {:.4g} B copied ({:+.1f} %, at most {:.0f} %)", name,
                    counted, known, 100 * (counted / known - 1), 100 * tolerance));
  }
}

int check(const std::string& cuda, const std::string& cupti, const std::string& plans) {
  profiler::CuptiModule module;
  std::string reason = profiler::load_cupti(cupti, module);
  const auto tracer =
      reason.empty() ? profiler::KernelTracer::open(module, reason) : nullptr;  // before CUDA
  const auto probe = kernels::probe_cuda(cuda);
  if (probe.devices.empty()) {
    skip("no GPU: " + probe.reason);
    return 77;
  }
  kernels::CudaBackend backend(kernels::open_cuda_module(cuda), 0, probe.devices.front().name);
  const workloads::OperatorGraph graph = copies();
  const auto step = backend.prepare(graph, {});  // its own first runs are not traced
  tracer ? check_kernels(*tracer, *step, graph) : skip("kernels: " + reason);
  if (module.chip != nullptr) check_counters(module, plans, *step);
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: trace_check CUDA_MODULE.so CUPTI_MODULE.so METRIC_PLANS.json\n", stderr);
    return 2;
  }
  try {
    return check(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "trace_check: %s\n", error.what());
    return 1;
  }
}
