#include "cli/profile_command.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <ostream>
#include <thread>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/gpu_meters.hpp"
#include "cli/option_values.hpp"
#include "common/input_error.hpp"
#include "common/launch/launch.hpp"
#include "common/quantity_text.hpp"
#include "kernels/analytical/analytical_backend.hpp"
#include "kernels/cuda_backend.hpp"
#include "kernels/cuda_loader.hpp"
#include "kernels/host/host_backend.hpp"
#include "kernels/measured_backend.hpp"
#include "kernels/nccl/nccl_collectives.hpp"
#include "kernels/nccl/nccl_step.hpp"
#include "kernels/rank_failure.hpp"
#include "profiler/collectors.hpp"
#include "profiler/cupti_loader.hpp"
#include "profiler/replay.hpp"
#include "results/measured_run.hpp"
#include "topology/catalog.hpp"

namespace rackwright::cli {

namespace {

constexpr double kPowerWindow = 5;  ///< s; energy counters lie over shorter ones

/// The backend that launches kernels itself, below what remembers near steps.
kernels::Backend& direct(kernels::Backend& backend) {
  auto* measured = dynamic_cast<kernels::MeasuredBackend*>(&backend);
  return measured != nullptr ? measured->direct() : backend;
}

/// Half of the machine's memory: the other half is the system's.
double host_memory_bytes() {
  return 0.5 * static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<double>(::sysconf(_SC_PAGE_SIZE));
}

/// Ranks of a machine share its cores.
int threads_of_a_rank(int ranks) {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / ranks);
}

double memory_of(const kernels::DeviceInfo& device) {
  if (device.memory_bytes.value) return *device.memory_bytes.value;
  throw BackendUnavailable(fmt::format("memory of {} is blank", device.id));
}

/// Whether one rank may stand for a replica of several GPUs.
enum class OneRank { models_all, is_one_gpu };

/// The first plan that fits and whose GPUs divide the ranks (any, where one rank models all); the
/// error of the last when none does.
workloads::ServingPlan choose_plan(const workloads::Workload& workload, double memory_bytes,
                                   int ranks, OneRank one = OneRank::models_all) {
  std::optional<InputError> failure;
  for (const auto& candidate : workload.plans) {
    const auto plan = workloads::resolved(candidate, workload.model);
    if (!workloads::plan_problem(workload.model, plan).empty()) continue;
    if ((ranks > 1 || one == OneRank::is_one_gpu) && ranks % plan.gpus() != 0) {
      failure = InputError(InputProblem{
          "", 0, "ranks",
          fmt::format("a multiple of the plan's {} GPUs (--gpus {})", plan.gpus(), plan.gpus()),
          std::to_string(ranks)});
      continue;
    }
    try {
      workloads::check_memory(workload.model, plan, memory_bytes, workload.traffic.longest(),
                              plan.gpus());
      return plan;
    } catch (const InputError& error) {
      failure = error;
    }
  }
  if (failure) throw *failure;
  throw InputError(InputProblem{
      "", 0, "plan", "a plan that suits the model",
      workload.plans.empty()
          ? "none"
          : workloads::plan_problem(workload.model,
                                    workloads::resolved(workload.plans.front(), workload.model))});
}

std::string memory_text(const workloads::Workload& workload, const workloads::ServingPlan& plan,
                        double memory_bytes) {
  const auto use = workloads::memory_use(workload.model, plan, memory_bytes);
  const auto gib = [](double bytes) { return bytes / gibibyte.si(); };
  return fmt::format(
      "memory per GPU: {:.1f} GiB weights, {:.1f} GiB activations, {:.1f} GiB reserve, "
      "{:.1f} GiB KV cache of {:.1f} GiB; {:.0f} tokens in the replica's cache\n",
      gib(use.weights), gib(use.activations), gib(use.reserve), gib(use.kv_available),
      gib(memory_bytes), use.kv_tokens);
}

/// Replays the beginning of the traffic and extends it.
std::string plan_text(const workloads::Workload& workload, const profiler::ReplicaSetup& setup,
                      kernels::Backend& backend, std::uint64_t seed,
                      const ProgressCallback& progress) {
  constexpr double kShare = 0.1;
  const double duration = workload.traffic.duration_s();
  profiler::ReplayOptions options;
  options.seed = seed;
  options.stop_after_s = kShare * duration;
  const auto start = std::chrono::steady_clock::now();
  const auto trace = profiler::replay(workload, setup, backend, options, progress);
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double done = static_cast<double>(trace.metrics.requests);
  const double scale = done > 0 ? static_cast<double>(workload.traffic.requests.size()) / done : 1;
  constexpr double kBytesPerSlice = 40;  // a row of the run file with its index
  return fmt::format(
      "{} requests over {:.0f} s, replayed {} of them to estimate\n"
      "about {:.0f} steps, {}{:.1f} minutes on this machine, {:.0f} MB run file\n",
      workload.traffic.requests.size(), duration, trace.metrics.requests,
      static_cast<double>(trace.engine.steps) * scale,
      backend.name() == "analytical" ? "" : "at most ",  // what ran before is not run again
      wall * scale / 60,
      static_cast<double>(trace.slices.size()) * kBytesPerSlice * scale / 1e6 + 0.1);
}

/// What the power of steps will take beside their times.
std::string power_plan_text(const kernels::Backend& backend) {
  const auto* measured = dynamic_cast<const kernels::MeasuredBackend*>(&backend);
  if (measured == nullptr) return "";
  if (!measured->measures_power()) return "power: none, no energy counter can be read here\n";
  const auto windows = static_cast<double>(measured->power_windows());
  return fmt::format(
      "power: {:.0f} windows of {:.0f} s (steps with prefill and without, by octave of their FLOP, "
      "as far as replayed) and one idle: {:.1f} minutes more\n",
      windows, kPowerWindow, (windows + 1) * kPowerWindow / 60);
}

std::string energy_text(const profiler::Trace& trace) {
  if (trace.power_unknown) {
    return fmt::format("power not measured: no {} energy counter can be read here",
                       trace.backend == "host" ? "CPU" : "GPU");
  }
  const double joules = trace.joules_per_gpu() * trace.plan.gpus();
  const char* where = trace.backend == "host"   ? "CPU packages"
                      : trace.backend == "cuda" ? "the GPU's energy counter, whole steps over 5 s"
                                                : "module input";
  return fmt::format("{:.3g} output tokens/J at {}",
                     joules > 0 ? static_cast<double>(trace.engine.output_tokens) / joules : 0.0,
                     where);
}

/// Whole steps against their operators one by one: `totals` are the operators' own, with the time
/// between them as the host's.
std::string gap_text(const profiler::Trace& trace) {
  double all = 0;
  for (const auto& total : trace.totals) all += total.seconds;
  const double host =
      trace.totals[static_cast<std::size_t>(workloads::OperatorClass::host)].seconds;
  return fmt::format(
      "operators one by one {:.1f} s, host and launch {:.1f} s; overlap hides {:.1f} s of them\n",
      all - host, host, std::max(0.0, all - trace.engine.busy_s));
}

std::string summary_text(const profiler::Trace& trace) {
  const auto& metrics = trace.metrics;
  std::string text =
      fmt::format("{} steps in {:.1f} s of traffic, {} busy {:.1f} %\n", trace.engine.steps,
                  trace.end_s, trace.backend == "host" ? "cores" : "GPU", 100 * trace.busy_share());
  if (metrics.requests == 0) return text;
  text += fmt::format(
      "TTFT P50 {:.3f} s, P99 {:.3f} s; TPOT P50 {:.1f} ms, P99 {:.1f} ms; SLO met by {:.2f} %\n"
      "{:.1f} output tokens/s; {}\n",
      metrics.ttft_p50, metrics.ttft_p99, 1e3 * metrics.tpot_p50, 1e3 * metrics.tpot_p99,
      100 * metrics.attainment, metrics.output_tokens_per_s, energy_text(trace));
  text += fmt::format("step time ± {:.0f} % (90 %){}\n", 100 * trace.relative_error,
                      trace.extrapolated ? ", extrapolated" : "");
  return text + gap_text(trace);
}

/// Mean draw of an idle GPU; nothing where no counter can be read.
std::optional<double> measure_idle_w(const kernels::GpuMeters& meters) {
  if (!meters.joules()) return {};
  std::this_thread::sleep_for(std::chrono::duration<double>(kPowerWindow));
  const auto joules = meters.joules();
  if (!joules) return {};
  return *joules / kPowerWindow;
}

/// Opens NCCL on this rank's GPU. A call of all ranks of the replica.
std::unique_ptr<kernels::StepCollectives> collectives_between(launch::Communicator& replica,
                                                              int device,
                                                              const workloads::ServingPlan& plan) {
  const auto& nccl = kernels::open_nccl(kernels::nccl_module_path());
  char name[RACKWRIGHT_NCCL_TEXT] = "", message[RACKWRIGHT_NCCL_TEXT] = "";
  if (nccl.open(device, name, message) != 0) throw BackendUnavailable(message);
  return kernels::nccl_step_collectives(nccl, replica, plan);
}

/// Every rank of a machine drives a GPU of its own.
void check_gpus(int ranks_here, int gpus) {
  if (ranks_here <= gpus) return;
  throw InputError(InputProblem{
      "", 0, "ranks",
      fmt::format(
          "at most the {} GPU{} of this machine: run on more nodes with mpirun, or choose a "
          "plan of fewer GPUs",
          gpus, gpus == 1 ? "" : "s"),
      std::to_string(ranks_here)});
}

/// What ran each operator on a GPU, for the run's record.
std::vector<std::string> choices_of(const kernels::Backend& backend) {
  const auto* measured = dynamic_cast<const kernels::MeasuredBackend*>(&backend);
  if (measured == nullptr) return {};
  const auto* cuda = dynamic_cast<const kernels::CudaBackend*>(&measured->inner());
  if (cuda == nullptr) return {};
  std::vector<std::string> out;
  for (const auto& [name, choice] : cuda->choices()) out.push_back(name + ": " + choice);
  return out;
}

}  // namespace

void ProfileCommand::add_options(CLI::App& app) {
  workload_.add_to(app, "Workload: id or file");
  app.add_option(
         "--backend", backend_,
         "analytical, host, cuda or auto: cuda where there is a GPU, else analytical (auto)")
      ->type_name("B");
  app.add_option("--device", device_, "Device that the analytical backend predicts (h100-sxm)")
      ->type_name("ID");
  app.add_option("--scale-up-domain", domain_, "GPUs that share a scale-up (NVLink) domain (8)")
      ->type_name("N");
  app.add_flag("--no-nvml", no_nvml_, "Do not sample power, clocks and links of the node's GPUs");
  app.add_flag("--no-cupti", no_cupti_,
               "Do not trace kernels and graphs nor sample counters, so that Nsight can attach");
  app.add_option("--gpus", gpus_,
                 "Ranks on this machine, without MPI: GPUs of the plan, or a multiple (1)")
      ->type_name("N");
  app.add_flag("--plan", plan_, "Print steps, minutes and memory; run nothing");
  app.add_option("-o,--output", out_, "Run file to write, must not exist; of several ranks: folder")
      ->type_name("RUN.rw");
}

std::unique_ptr<kernels::Backend> ProfileCommand::load_backend(
    const workloads::Workload& workload, const DataLocator& data, ProfileRanks& ranks,
    BackendChoice& choice, profiler::ReplicaSetup& setup) const {
  if (choice.name == "host") {
    setup.gpu_memory_bytes = host_memory_bytes() / ranks.on_host();
    setup.plan = choose_plan(workload, setup.gpu_memory_bytes, ranks.count());
    kernels::HostOptions options;
    options.ranks = ranks.join_replica(setup.plan.gpus());
    options.ranks_on_host = ranks.on_host();
    if (ranks.several()) options.threads = threads_of_a_rank(ranks.on_host());
    return std::make_unique<kernels::HostBackend>(options);
  }
  if (choice.name == "cuda") {
    try {
      check_gpus(ranks.on_host(), static_cast<int>(choice.pci_bus_ids.size()));
      return load_cuda(workload, data, choice, ranks, setup);
    } catch (const BackendUnavailable& error) {
      if (backend_ != "auto") throw;
      choice.reason = fmt::format("analytical backend, not cuda: {}", error.what());
    }
  }
  const auto device = kernels::find_device(device_, data);
  setup.gpu_memory_bytes = memory_of(device);
  setup.plan = choose_plan(workload, setup.gpu_memory_bytes, ranks.count());
  (void)ranks.join_replica(setup.plan.gpus());
  setup.rank.scale_out_bytes_per_s = device.scale_out_bytes_per_s.value.value_or(0);
  return kernels::AnalyticalBackend::load(device.id, setup.plan.weights, data);
}

std::unique_ptr<kernels::Backend> ProfileCommand::load_cuda(const workloads::Workload& workload,
                                                            const DataLocator& data,
                                                            const BackendChoice& choice,
                                                            ProfileRanks& ranks,
                                                            profiler::ReplicaSetup& setup) const {
  const RackwrightCudaDevice& gpu = *choice.gpu;
  setup.gpu_memory_bytes = gpu.memory_bytes;
  setup.plan = choose_plan(workload, setup.gpu_memory_bytes, ranks.count(), OneRank::is_one_gpu);
  launch::Communicator* replica = ranks.join_replica(setup.plan.gpus());
  const int device = ranks.place_on_host();
  if (device >= static_cast<int>(choice.pci_bus_ids.size())) {
    throw BackendUnavailable(fmt::format("{} ranks on this machine, CUDA counts {} GPUs",
                                         ranks.on_host(), choice.pci_bus_ids.size()));
  }
  const kernels::GpuMeters meters =
      gpu_meters(choice.pci_bus_ids[static_cast<std::size_t>(device)]);
  if (!plan_) setup.idle_w = measure_idle_w(meters);
  kernels::MeasuredOptions options;
  options.joules = meters.joules;
  options.power_window_s = plan_ ? 0 : kPowerWindow;  // a plan counts the windows only
  const bool among_ranks = setup.plan.gpus() > 1;
  if (among_ranks) options.ranks = replica;
  return std::make_unique<kernels::MeasuredBackend>(
      std::make_unique<kernels::CudaBackend>(
          kernels::open_cuda_module(kernels::cuda_module_path()), device,
          results::device_named(gpu.name, data),
          among_ranks ? collectives_between(*replica, device, setup.plan) : nullptr),
      options);
}

std::unique_ptr<profiler::Collectors> ProfileCommand::start_collectors(
    const DataLocator& data) const {
  if (plan_ || backend_ == "analytical") return nullptr;
  profiler::CollectOptions options;
  options.nvml = !no_nvml_;
  options.cupti = backend_ != "host" && !no_cupti_;
  options.cupti_module = profiler::cupti_module_path();
  options.metric_plans = data.file("profiler/cupti/metric_plans.json");
  options.sensors = data.file("profiler/nvml/sensors.json");
  return std::make_unique<profiler::Collectors>(options);
}

int ProfileCommand::start_ranks(int gpus, CommandContext& context) const {
  if (!plan_) check_rank_folder(out_);
  const BackendChoice choice =
      choose_backend(backend_, {"analytical", "cuda", "host"}, "analytical");
  const WorkloadInput input = read_workload_input(workload_, context.data);
  if (choice.name == "host") (void)choose_plan(input.workload, host_memory_bytes() / gpus, gpus);
  if (choice.name == "cuda") {
    check_gpus(gpus, static_cast<int>(choice.pci_bus_ids.size()));
    (void)choose_plan(input.workload, choice.gpu->memory_bytes, gpus, OneRank::is_one_gpu);
  }
  return run_ranks_here(gpus, out_, context.err);
}

int ProfileCommand::record(const WorkloadInput& input, const profiler::ReplicaSetup& setup,
                           kernels::Backend& backend, std::uint64_t seed, ProfileRanks& ranks,
                           const BackendChoice& choice, profiler::Collectors* collectors,
                           CommandContext& context) const {
  ProgressLine line(context.err, context.err_is_terminal && ranks.first());
  profiler::RunMeta meta;
  meta.version = context.version;
  meta.command = context.command_line;
  meta.data_hash = topology::Catalog::load(context.data).hash();
  meta.workload_json = input.json;
  const std::string file = ranks.file_in(out_).string();
  profiler::RunFileWriter writer(file, meta);  // before the long work: may it be written?
  ranks.start_record(file);
  profiler::ReplayOptions options;
  options.seed = seed;
  options.keep_partial = true;
  options.checkpoint = [&](const profiler::Trace& so_far) {
    writer.keep(so_far);
    ranks.look();
  };
  const profiler::WatchedGpu gpu{ranks.place_on_host(), choice.pci_bus_ids, ranks.on_host() > 1};
  const auto watched = collectors ? collectors->watch(backend, direct(backend), gpu) : nullptr;
  const auto trace = profiler::replay(input.workload, setup, watched ? *watched : backend, options,
                                      progress_on(line));
  line.finish();
  profiler::Recording record;
  record.notes = choices_of(backend);
  record.notes.empty() ? writer.write(trace) : writer.write(trace, record);
  const auto incomplete = [&](std::string_view why) {
    context.err << fmt::format("rackwright: {}; kept in {}, marked incomplete\n", why, file);
    return kIncomplete;
  };
  std::string lost;
  try {
    if (collectors) lost = collectors->add_to(file, !trace.incomplete);
  } catch (const kernels::RankFailure& failure) {
    return incomplete(failure.what());
  } catch (const Interrupted& interrupt) {
    return incomplete(interrupt.what());
  }
  if (trace.incomplete) {
    return incomplete(
        fmt::format("{} at {:.1f} s of traffic", trace.incomplete_reason, trace.end_s));
  }
  ranks.finish_record();
  writer.finish();
  if (ranks.first()) context.out << summary_text(trace);
  const int merged = ranks.several() ? ranks.merge(out_, context.out, context.err) : kFine;
  if (!ranks.several()) context.out << out_ << '\n';
  return lost.empty() ? merged : incomplete(lost);
}

int ProfileCommand::run(CommandContext& context) {
  std::uint64_t seed = workload_.seed_value();
  if (!plan_ && out_.empty()) {
    throw InputError(InputProblem{"", 0, "profile", "-o RUN.rw or --plan", "neither"});
  }
  const int gpus = parse_ranks(gpus_);
  if (gpus > 1 && launch::starter() == launch::Starter::nobody) {
    if (!plan_ || backend_ == "cuda") return start_ranks(gpus, context);
  }
  ProfileRanks ranks;
  if (!ranks.several() && !out_.empty() && std::filesystem::exists(out_)) {
    throw InputError(
        InputProblem{out_, 0, "-o", "a file that does not exist yet", "one that does"});
  }
  auto collectors = start_collectors(context.data);  // CUPTI comes before any CUDA context
  BackendChoice choice = choose_backend(backend_, {"analytical", "cuda", "host"}, "analytical");
  const WorkloadInput input = read_workload_input(workload_, context.data);
  profiler::ReplicaSetup setup;
  setup.rank.scale_up_domain = static_cast<int>(parse_count(domain_, "--scale-up-domain", 1));
  const auto backend = load_backend(input.workload, context.data, ranks, choice, setup);
  ranks.deal(setup, seed);
  if (ranks.first()) {
    context.err << fmt::format("{}; {} as {}\n", choice.reason, backend->device(),
                               setup.plan.label());
  }
  if (backend->name() == "analytical") collectors.reset();  // nothing runs
  if (collectors && ranks.first()) context.err << collectors->status() << '\n';
  if (!plan_) {
    return record(input, setup, *backend, seed, ranks, choice, collectors.get(), context);
  }
  ProgressLine line(context.err, context.err_is_terminal && ranks.first());
  const std::string text = plan_text(input.workload, setup, *backend, seed, progress_on(line));
  line.finish();
  if (ranks.first()) {
    context.out << memory_text(input.workload, setup.plan, setup.gpu_memory_bytes) << text
                << power_plan_text(*backend);
  }
  return kFine;
}

}  // namespace rackwright::cli
