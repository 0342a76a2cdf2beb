#include "cli/bench_kernels.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <regex>
#include <sstream>

#include <fmt/format.h>

#include "cli/backend_choice.hpp"
#include "cli/bench_text.hpp"
#include "cli/gpu_meters.hpp"
#include "cli/option_values.hpp"
#include "cli/workload_input.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "common/quantity_text.hpp"
#include "kernels/bench/bench_devices.hpp"
#include "kernels/bench/google_json.hpp"
#include "kernels/cuda_loader.hpp"

namespace rackwright::cli {

namespace {

using kernels::BenchCase;

/// Steps that two cores carry in a minute or two.
constexpr kernels::BenchSteps kHostSteps{16, 1024, 256};

std::unique_ptr<kernels::BenchDevice> open_device(const BackendChoice& choice) {
  if (choice.name == "host") return std::make_unique<kernels::HostBenchDevice>();
  return std::make_unique<kernels::CudaBenchDevice>(
      kernels::open_cuda_module(kernels::cuda_module_path()), 0, *choice.gpu,
      gpu_meters(choice.gpu->pci_bus_id));
}

std::vector<BenchCase> filtered(std::vector<BenchCase> cases, const std::string& filter) {
  if (filter.empty()) return cases;
  try {
    const std::regex wanted(filter);
    std::erase_if(cases,
                  [&](const BenchCase& one) { return !std::regex_search(one.name, wanted); });
  } catch (const std::regex_error&) {
    throw InputError(
        InputProblem{"", 0, "--filter", "a regular expression", fmt::format("\"{}\"", filter)});
  }
  if (cases.empty()) {
    throw InputError(InputProblem{"", 0, "--filter", "part of an operator's name; see --list",
                                  fmt::format("\"{}\", which none has", filter)});
  }
  return cases;
}

enum class Zero { allowed, refused };

double seconds_of(const std::string& text, const char* option, Zero zero = Zero::allowed) {
  const double seconds = text == "0" ? 0 : parse_duration(text, option).si();
  if (seconds > 0 || (seconds == 0 && zero == Zero::allowed)) return seconds;
  throw InputError(InputProblem{
      "", 0, option, zero == Zero::allowed ? "a duration of 0 or more" : "a duration above 0",
      fmt::format("\"{}\"", text)});
}

}  // namespace

void BenchKernels::add_options(CLI::App& app) {
  app.add_option("--backend", backend_,
                 "host, cuda or auto: cuda where there is a GPU, else host (auto)")
      ->type_name("B");
  app.add_option("--filter", filter_, "Only operators whose name has this regular expression")
      ->type_name("REGEX");
  app.add_option("--workload", workload_,
                 "Operators of a workload's steps under its first plan, not of the default models")
      ->type_name("W");
  app.add_option("--batch", batch_, "Sequences of the decode step (64; host 16)")->type_name("N");
  app.add_option("--context", context_, "Cached tokens of each (8192; host 1024)")->type_name("N");
  app.add_option("--prefill", prefill_, "Tokens of the prefill step (8192; host 256)")
      ->type_name("N");
  app.add_flag("--warm", warm_, "Warm cache: one set of buffers, not twice the last-level cache");
  app.add_option("-n,--samples", samples_, "Samples at least (10)")->type_name("N");
  app.add_option("--stopping", stopping_,
                 "When a series is long enough: stdrel, its deviation is small or known; entropy, "
                 "new samples bring no new values (stdrel)")
      ->check(CLI::IsMember({"stdrel", "entropy"}));
  app.add_option("-w,--warm-up", warm_up_, "Warm-up at most; ends when times settle (3s)")
      ->type_name("T");
  app.add_option("--time-limit", time_limit_, "Of the samples of one operator (15s)")
      ->type_name("T");
  app.add_option("--power-window", power_window_,
                 "One operator in a loop for its watts, where a counter can be read; 0: none (5s)")
      ->type_name("T");
  app.add_flag("--no-bounds", no_bounds_, "Do not measure copy and GEMM rates first");
  app.add_option("--seed", seed_, "Of data, order and intervals (1)")->type_name("N");
  app.add_option("--json", json_, "Every sample as Google Benchmark JSON, for compare.py")
      ->type_name("FILE");
  app.add_option("--format", format_, "On standard output: table or json (table)")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_flag("--list", list_, "Print the operators' names; run nothing");
}

kernels::BenchOptions BenchKernels::options() const {
  kernels::BenchOptions options;
  options.limits.least_samples = parse_count(samples_, "--samples", 2);
  options.limits.most_samples = std::max(options.limits.most_samples, options.limits.least_samples);
  if (stopping_ == "entropy") options.limits.criterion = kernels::Criterion::entropy;
  options.limits.wall_s = seconds_of(time_limit_, "--time-limit", Zero::refused);
  options.warm_up_s = seconds_of(warm_up_, "--warm-up");
  options.power_window_s = seconds_of(power_window_, "--power-window");
  if (options.power_window_s > 0 && options.power_window_s < 5) {
    throw InputError(InputProblem{"", 0, "--power-window",
                                  "0, or at least 5s: energy counters lie over shorter windows",
                                  fmt::format("\"{}\"", power_window_)});
  }
  options.cold = !warm_;
  options.seed = parse_count(seed_, "--seed");
  return options;
}

kernels::BenchSteps BenchKernels::steps(kernels::BenchSteps sizes) const {
  const auto set = [](int& size, const std::string& text, const char* option) {
    if (!text.empty()) size = static_cast<int>(parse_count(text, option, 1));
  };
  set(sizes.decode_sequences, batch_, "--batch");
  set(sizes.context, context_, "--context");
  set(sizes.prefill_tokens, prefill_, "--prefill");
  return sizes;
}

std::vector<BenchCase> BenchKernels::cases(CommandContext& context, bool on_gpu) const {
  const kernels::BenchSteps by_default = on_gpu ? kernels::BenchSteps{} : kHostSteps;
  if (workload_.empty()) return filtered(default_suite(steps(by_default), context.data), filter_);
  WorkloadOptions input;
  input.input = workload_;
  input.seed = seed_;
  const workloads::Workload workload = read_workload_input(input, context.data).workload;
  const auto plan = workloads::resolved(workload.plans.at(0), workload.model);
  kernels::BenchSteps sizes;
  const auto& traffic = workload.traffic;
  sizes.decode_sequences = on_gpu ? plan.max_batch : std::min(plan.max_batch, 16);
  sizes.context = std::max(1, static_cast<int>(traffic.mean_prompt() + traffic.mean_output() / 2));
  sizes.prefill_tokens = std::clamp(static_cast<int>(traffic.mean_prompt()), 1, plan.prefill_chunk);
  return filtered(step_cases(workload.name, workload.model, plan, steps(sizes)), filter_);
}

int BenchKernels::run(CommandContext& context) {
  const kernels::BenchOptions options = this->options();
  const BackendChoice choice = choose_backend(backend_, {"cuda", "host"}, "host");
  const std::vector<BenchCase> operators = cases(context, choice.name == "cuda");
  if (list_) {
    for (const BenchCase& one : operators) context.out << one.name << '\n';
    return kFine;
  }
  if (!json_.empty()) write_file(json_, "");  // before the long work: may it be written?
  const auto device = open_device(choice);
  context.err << fmt::format("{}: {}\n", choice.reason, device->name());
  ProgressLine line(context.err, context.err_is_terminal);
  const ProgressCallback progress = progress_on(line);
  BenchReport report;
  if (!no_bounds_) {
    report.results =
        kernels::run_benchmarks(bound_cases(operators, *device), *device, options, progress);
    report.bounds = kernels::bounds_of(report.results);
  }
  for (auto& one : kernels::run_benchmarks(operators, *device, options, progress)) {
    report.results.push_back(std::move(one));
  }
  line.finish();
  report.facts = bench_facts(*device, options);
  std::ostringstream json;
  write_google_json(json, report.results, report.bounds, report.facts);
  if (!json_.empty()) write_file(json_, json.str());
  context.out << (format_ == "json" ? json.str() : bench_text(report));
  const bool all = std::none_of(report.results.begin(), report.results.end(),
                                [](const auto& one) { return one.samples.empty(); });
  return all ? kFine : kIncomplete;
}

}  // namespace rackwright::cli
