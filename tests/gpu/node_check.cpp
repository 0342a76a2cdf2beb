/* node_check MODULE.so DATA [FILTER]: times the module's operators on GPU 0 by the sampler of
   `bench kernels`, each as graph and launched kernel by kernel, beside a copy and GEMMs measured in
   the same run, and what an empty kernel and a transfer of KV pages cost; compares products,
   attention and experts, at sizes that the host multiplies too, with double precision; a table on
   stderr, JSON on stdout. DATA holds workloads/models. Exit code 77 where there is no GPU, 1 where
   an operator did not run or a result is wrong. */
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/input_error.hpp"
#include "common/statistics.hpp"
#include "kernels/bench/bench_devices.hpp"
#include "kernels/bench/bounds.hpp"
#include "kernels/bench/suite.hpp"
#include "kernels/cuda_backend.hpp"
#include "kernels/cuda_loader.hpp"
#include "kernels/cuda_trial.hpp"

namespace {

using namespace rackwright;
using namespace rackwright::kernels;
using namespace rackwright::workloads;
using Json = nlohmann::ordered_json;

Operator product(double m, double n, double k, DataType type) {
  return {"gemm", OperatorClass::gemm, Lane::compute, 1, GemmShape{m, n, k, type}};
}

/// The default suite, products in every type, and a model with sinks, windows and MXFP4 experts.
std::vector<BenchCase> cases_of(const DataLocator& data, const std::string& filter) {
  std::vector<BenchCase> cases = default_suite({}, data);
  ServingPlan plan;
  plan.weights = DataType::mxfp4;
  const auto model = read_model_config(data.find("gpt-oss-120b", "workloads/models"));
  for (auto& one : step_cases("gpt-oss-120b", model, resolved(plan, model), {})) {
    cases.push_back(std::move(one));
  }
  for (const DataType type :
       {DataType::fp8, DataType::fp8_block, DataType::nvfp4, DataType::int8, DataType::fp32}) {
    cases.push_back(
        {fmt::format("gemm/{}/n:8192", to_string(type)), product(8192, 8192, 8192, type)});
  }
  std::erase_if(cases,
                [&](const BenchCase& one) { return one.name.find(filter) == std::string::npos; });
  return cases;
}

/// The same step as one graph and kernel by kernel.
struct GraphAndEager {
  double graph_s = 0, eager_s = 0;
};

GraphAndEager compare(CudaBackend& backend, Operator op) {
  constexpr int kRuns = 11;
  op.repeat = 10;  // launches that follow each other
  const auto step = backend.prepare({{op}}, {});
  auto& cuda = dynamic_cast<CudaPreparedStep&>(*step);
  std::vector<double> graph, eager;
  for (int run = 0; run < kRuns; ++run) {
    graph.push_back(cuda.run(ReplayMode::whole, nullptr).seconds);
    eager.push_back(cuda.run_eager());
  }
  return {quantile(graph, 0.5), quantile(eager, 0.5)};
}

/// The share of its bound that an operator is meant to reach (docs/kernels.md).
double aim_of(const BenchResult& result, const std::string& bound) {
  if (bound == "copy") return 0.85;
  // The rate of bf16 does not bound them.
  if (result.name.starts_with("gemm/int8") || result.name.starts_with("gemm/fp32")) return 0;
  const bool library = result.choice.find("cuBLAS") != std::string::npos ||
                       result.choice.find("cuDNN") != std::string::npos;
  if (library) return 0.70;
  return result.name.find("attention_prefill") != std::string::npos ? 0.35 : 0;
}

Json launch_costs(const CudaModule& module) {
  constexpr int kKernels = 1000;
  const auto cost = probe_launches(module, 0, kKernels);
  const auto each = [](double seconds) { return 1e6 * seconds / kKernels; };
  fmt::print(stderr,
             "an empty kernel, us: stream {:.2f} host, {:.2f} device; graph {:.2f}, {:.2f}\n",
             each(cost.stream_host_s), each(cost.stream_device_s), each(cost.graph_host_s),
             each(cost.graph_device_s));
  return {{"kernels", kKernels},
          {"stream_host_s", cost.stream_host_s},
          {"stream_device_s", cost.stream_device_s},
          {"graph_host_s", cost.graph_host_s},
          {"graph_device_s", cost.graph_device_s}};
}

/// 1024 pages of 1 MiB from GPU 0 to GPU 1.
Json transfer_costs(const CudaModule& module) {
  constexpr double kPage = 1 << 20;
  constexpr int kPages = 1024;
  const auto cost = probe_transfer(module, 0, 1, kPage, kPages);
  const auto rate = [](double s) { return s > 0 ? kPage * kPages / s / 1e9 : 0.0; };
  fmt::print(stderr, "1 GiB to GPU 1, GB/s: whole {:.0f}, pages {:.0f}, batch {:.0f}; {}\n",
             rate(cost.whole_s), rate(cost.pages_s), rate(cost.batch_s), cost.path);
  return {{"peer_access", cost.peer_access != 0},
          {"whole_s", cost.whole_s},
          {"pages_s", cost.pages_s},
          {"batch_s", cost.batch_s},
          {"path", cost.path}};
}

constexpr unsigned kTrialSeed = 11;

bool is_compared(const Operator& op) {
  return !std::holds_alternative<ElementwiseShape>(op.shape);
}

/// The operator at a size for the host, against double precision; own memory-bound kernels are
/// compared by own_kernels_gpu_tests.
Json compared(const CudaModule& module, const Operator& op, int& wrong) {
  if (!is_compared(op)) return {{"text", "-"}};
  try {
    const auto result = compare_with_host(module, 0, small_for_host(op), kTrialSeed);
    wrong += result.right() ? 0 : 1;
    return {{"text", result.right() ? fmt::format("ok {:.2f}", result.largest)
                                    : fmt::format("WRONG {}", result.wrong)},
            {"seed", kTrialSeed},
            {"elements", result.elements},
            {"wrong", result.wrong},
            {"largest_error_over_tolerance", result.largest},
            {"first_wrong", result.first_wrong},
            {"choice", result.choice}};
  } catch (const BackendUnavailable& error) {
    ++wrong;
    return {{"text", "FAILED"}, {"failed", error.what()}};
  }
}

Json row_of(const BenchResult& result, const MeasuredBounds& bounds, CudaBackend& backend,
            const Operator& op, const Json& host) {
  Json row = {{"name", result.name}, {"host", host}};
  if (result.samples.empty()) {
    row["failed"] = result.skipped.empty() ? to_string(result.stopped) : result.skipped;
    fmt::print(stderr, "{}: {}\n", result.name, row["failed"].get<std::string>());
    return row;
  }
  const auto both = compare(backend, op);
  const auto bound = share_of_bound(result, bounds);
  const double aim = aim_of(result, bound.bound);
  row.update({{"median_s", result.summary.median},
              {"median_low_s", result.summary.low},
              {"median_high_s", result.summary.high},
              {"samples", result.summary.n},
              {"discarded", result.discarded},
              {"cold", result.cold},
              {"bytes_per_s", result.bytes_per_s()},
              {"flop_per_s", result.flop_per_s()},
              {"share_of_bound", bound.share},
              {"bound", bound.bound},
              {"aim", aim},
              {"graph_of_10_s", both.graph_s},
              {"eager_of_10_s", both.eager_s},
              {"choice", result.choice}});
  fmt::print(
      stderr, "{:88} {:10.1f} {:8.0f} {:8.1f} {:5.0f}% {:4} {:6} {:7.1f} {:7.1f} {:10}  {}\n",
      result.name, 1e6 * result.summary.median, result.bytes_per_s() / 1e9,
      result.flop_per_s() / 1e12, 100 * bound.share, bound.bound,
      aim == 0             ? ""
      : bound.share >= aim ? "met"
                           : fmt::format("<{:.0f}%", 100 * aim),
      1e5 * both.graph_s, 1e5 * both.eager_s, host["text"].get<std::string>(), result.choice);
  return row;
}

int check(const std::string& file, const DataLocator& data, const std::string& filter) {
  const auto probe = probe_cuda(file);
  if (!probe.reason.empty()) {
    fmt::print(stderr, "node_check: skipped: {}\n", probe.reason);
    return 77;
  }
  const auto& gpu = probe.devices.front();
  const CudaModule module = open_cuda_module(file);
  CudaBenchDevice device(module, 0, gpu);
  CudaBackend backend(module, 0, gpu.name);
  const auto cases = cases_of(data, filter);
  BenchOptions options;
  options.power_window_s = 0;
  const auto bounds = bounds_of(run_benchmarks(bound_cases(cases, device), device, options, {}));
  Json document = {{"gpu", gpu.name}, {"copy_bytes_per_s", bounds.bytes_per_s}};
  for (const auto& [type, rate] : bounds.flop_per_s) {
    document["gemm_flop_per_s"][std::string(to_string(type))] = rate;
  }
  fmt::print(stderr, "{}, copy {:.0f} GB/s\n", gpu.name, bounds.bytes_per_s / 1e9);
  document["launch"] = launch_costs(module);
  if (probe.devices.size() > 1) document["transfer"] = transfer_costs(module);
  fmt::print(stderr, "{:88} {:>10} {:>8} {:>8} {:>6} {:4} {:6} {:>7} {:>7} {:10}  choice\n",
             "operator", "us, cold", "GB/s", "TFLOP/s", "bound", "", "aim", "graph", "eager",
             "host");
  const auto results = run_benchmarks(cases, device, options, {});
  int failed = 0, wrong = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Json host = compared(module, cases[i].op, wrong);
    if (host.contains("first_wrong") && host["wrong"] != 0) {
      fmt::print(stderr, "{}: {}\n", cases[i].name, host["first_wrong"].get<std::string>());
    }
    document["operators"].push_back(row_of(results[i], bounds, backend, cases[i].op, host));
    failed += results[i].samples.empty() ? 1 : 0;
  }
  document["failed"] = failed;
  document["wrong"] = wrong;
  fmt::print("{}\n", document.dump(2));
  return failed + wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: node_check MODULE.so DATA [FILTER]\n");
    return 2;
  }
  try {
    return check(argv[1], DataLocator({argv[2]}), argc > 3 ? argv[3] : "");
  } catch (const std::exception& error) {
    fmt::print(stderr, "node_check: {}\n", error.what());
    return 1;
  }
}
