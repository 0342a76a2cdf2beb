#include "profiler/collectors.hpp"

#include <ctime>
#include <exception>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "profiler/clock_alignment.hpp"
#include "profiler/nvml/gpu_match.hpp"
#include "profiler/nvml/nvml_tables.hpp"
#include "profiler/run_file_recording.hpp"
#include "profiler/run_schema.hpp"
#include "profiler/traced_steps.hpp"

namespace rackwright::profiler {

/// Operators as they ran, on one track of the host.
class WorkLog {
 public:
  explicit WorkLog(double start_s) : start_s_(start_s), name_(recording_.names) {
    recording_.tracks.push_back({-1, "operators as they ran"});
  }
  void add(std::string_view name, double from_s, double to_s) {
    ++calls_;
    constexpr double kLeastSeconds = 1e-4;  // shorter: a time that was known already, nothing ran
    if (to_s - from_s < kLeastSeconds) return;
    recording_.events.push_back(
        {from_s - start_s_, to_s - from_s, 0, name_(name), EventKind::op, -1});
  }
  [[nodiscard]] Recording finish() {
    const std::uint64_t kept = recording_.events.size();
    recording_.counts.push_back(
        {"operators", calls_, kept, kept == calls_ ? "" : "a shape that had run before"});
    return std::move(recording_);
  }

 private:
  double start_s_;
  Recording recording_;
  NameTable name_;
  std::uint64_t calls_ = 0;
};

namespace {

double realtime_s() {
  return static_cast<double>(nvml::realtime_us()) * 1e-6;
}

class WorkObserver final : public kernels::OperatorObserver {
 public:
  WorkObserver(const workloads::OperatorGraph& graph, WorkLog& log) : graph_(graph), log_(log) {}
  void begin(OperatorId) override { begin_s_ = realtime_s(); }
  void end(OperatorId id) override {
    log_.add(graph_.operators[id.value()].name, begin_s_, realtime_s());
  }

 private:
  const workloads::OperatorGraph& graph_;
  WorkLog& log_;
  double begin_s_ = 0;
};

/// A step that is run as it was, with its operators noted where that costs nothing.
class WatchedStep final : public kernels::PreparedStep {
 public:
  WatchedStep(std::unique_ptr<kernels::PreparedStep> step, workloads::OperatorGraph graph,
              bool by_operator, WorkLog& log)
      : step_(std::move(step)), graph_(std::move(graph)), by_operator_(by_operator), log_(log) {}

  const kernels::StepTiming& run(kernels::ReplayMode mode,
                                 kernels::OperatorObserver* observer) override {
    if (by_operator_ && observer == nullptr) {
      WorkObserver work(graph_, log_);
      return step_->run(kernels::ReplayMode::per_operator, &work);
    }
    const double begin_s = realtime_s();
    const kernels::StepTiming& timing = step_->run(mode, observer);
    log_.add("step", begin_s, realtime_s());
    return timing;
  }

 private:
  std::unique_ptr<kernels::PreparedStep> step_;
  workloads::OperatorGraph graph_;
  bool by_operator_;
  WorkLog& log_;
};

class WatchedBackend final : public kernels::Backend {
 public:
  /// `traced` may be null.
  WatchedBackend(kernels::Backend& backend, WorkLog& log, TracedSteps* traced)
      : backend_(backend), log_(log), traced_(traced) {}
  [[nodiscard]] std::string_view name() const override { return backend_.name(); }
  [[nodiscard]] std::string_view device() const override { return backend_.device(); }
  [[nodiscard]] bool measures_power() const override { return backend_.measures_power(); }
  std::unique_ptr<kernels::PreparedStep> prepare(const workloads::OperatorGraph& step,
                                                 const kernels::RankContext& rank) override {
    if (traced_ != nullptr) traced_->keep(step, rank);
    // On the host both modes run the same; on a GPU per_operator would be another measurement.
    return std::make_unique<WatchedStep>(backend_.prepare(step, rank), step,
                                         backend_.name() == "host", log_);
  }

 private:
  kernels::Backend& backend_;
  WorkLog& log_;
  TracedSteps* traced_;
};

/// The index of a GPU of CUDA's among those of NVML's; its own where NVML does not know it.
GpuNumber gpu_number(const WatchedGpu& gpu, const std::vector<nvml::GpuIdentity>& of_node) {
  std::vector<std::string> node;
  for (const nvml::GpuIdentity& one : of_node) node.push_back(one.pci_bus_id);
  return [cuda = gpu.pci_bus_ids, node](std::uint32_t device) {
    const auto found = device < cuda.size() ? nvml::find_by_bus(node, cuda[device]) : std::nullopt;
    return static_cast<int>(found.value_or(device));
  };
}

/// Leaves the readings of the GPU that this rank drives.
void keep_own(nvml::NvmlRecord& readings, const WatchedGpu& gpu) {
  const bool drives_one = !gpu.pci_bus_ids.empty();
  if (!gpu.shared_node || (!drives_one && gpu.device == 0)) return;
  const int own =
      drives_one ? gpu_number(gpu, readings.gpus)(static_cast<std::uint32_t>(gpu.device)) : -1;
  std::erase_if(readings.samples, [own](const nvml::GpuSample& sample) {
    return static_cast<int>(sample.gpu) != own;
  });
}

void write_meta(const std::filesystem::path& run, double start_s, double seconds,
                const ClockDisturbance& clock, const Recording& work) {
  Database database(run, Database::Access::read);
  write_recording(database, work);
  Statement insert(database, "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  const auto put = [&](std::string_view key, auto value) {
    insert.bind(0, key).bind(1, value).run();
  };
  put("format", std::string_view("collected"));
  put("device_names", std::string_view());
  put("collect.start_ns", static_cast<std::int64_t>(start_s * 1e9));
  put("collect.seconds", seconds);
  put("collect.disturbance", std::string_view(clock.reason));
  put("collect.incomplete", std::string_view(work.incomplete_reason));
  if (!work.incomplete) return;
  put("incomplete", std::int64_t{1});
  put("incomplete_reason", std::string_view(work.incomplete_reason));
}

}  // namespace

struct Collectors::Impl {
  ClockPair begin = read_clock_pair();
  WorkLog work{begin.realtime_s};
  std::filesystem::path sensors;
  std::string status;
  std::optional<nvml::Sampler> sampler;
  std::optional<TracedSteps> traced;
  WatchedGpu gpu;
  double headline_s = 0;      ///< its begin, CLOCK_REALTIME
  std::exception_ptr broken;  ///< what ended the repetitions

  void start_nvml(const CollectOptions& options);
  void start_cupti(const CollectOptions& options);
  void repeat_traced(Recording& recording);
  Recording end_work(std::optional<nvml::NvmlRecord>& readings, bool to_its_end);
};

void Collectors::Impl::start_nvml(const CollectOptions& options) {
  if (!options.nvml) {
    status = "NVML: switched off";
    return;
  }
  const nvml::Opened opened = nvml::open_nvml(options.nvml_library);
  const unsigned gpus = opened.library ? opened.library->device_count() : 0;
  if (gpus == 0) {
    status = fmt::format("NVML: no power of GPUs: {}",
                         opened.library ? "the driver counts none" : opened.reason);
    return;
  }
  status = fmt::format("NVML: {} GPU{}, read every {:.0f} ms", gpus, gpus == 1 ? "" : "s",
                       1e3 * options.period_s);
  sampler.emplace(opened.library, options.period_s);
  sampler->start();
}

void Collectors::Impl::start_cupti(const CollectOptions& options) {
  if (!options.cupti) return;
  traced.emplace(options.cupti_module, options.metric_plans);
  status += fmt::format("\nCUPTI: {}", traced->status());
}

Collectors::Collectors(const CollectOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->sensors = options.sensors;
  impl_->start_cupti(options);  // before any CUDA context
  std::string cupti = std::move(impl_->status);
  impl_->start_nvml(options);
  impl_->status += cupti;
}

Collectors::~Collectors() = default;

std::unique_ptr<kernels::Backend> Collectors::watch(kernels::Backend& backend,
                                                    kernels::Backend& traced,
                                                    const WatchedGpu& gpu) {
  impl_->gpu = gpu;
  impl_->headline_s = realtime_s();
  if (impl_->traced) impl_->traced->use(traced, gpu.device);
  return std::make_unique<WatchedBackend>(backend, impl_->work,
                                          impl_->traced ? &*impl_->traced : nullptr);
}

const std::string& Collectors::status() const {
  return impl_->status;
}

/// What fails in them, a rank or a GPU, costs what they would still have shown.
void Collectors::Impl::repeat_traced(Recording& recording) {
  try {
    traced->run(static_cast<std::int64_t>(begin.realtime_s * 1e9),
                gpu_number(gpu, sampler ? sampler->gpus() : std::vector<nvml::GpuIdentity>{}),
                recording);
  } catch (const std::exception& failure) {
    recording.incomplete = true;
    recording.incomplete_reason = fmt::format("traced repetitions: {}", failure.what());
    broken = std::current_exception();
  }
}

/// The headline window ends; then the repetitions with collectors in the way.
Recording Collectors::Impl::end_work(std::optional<nvml::NvmlRecord>& readings, bool to_its_end) {
  Recording recording = work.finish();
  if (headline_s > 0) {
    recording.windows.push_back(
        {"headline", headline_s - begin.realtime_s, realtime_s() - headline_s, false, true});
  }
  if (traced && to_its_end) repeat_traced(recording);
  if (sampler) {
    readings = sampler->stop();
    keep_own(*readings, gpu);
  }
  return recording;
}

std::string Collectors::add_to(const std::filesystem::path& run, bool to_its_end) {
  std::optional<nvml::NvmlRecord> readings;
  Recording work = impl_->end_work(readings, to_its_end);
  const ClockPair pairs[] = {impl_->begin, read_clock_pair()};
  const ClockDisturbance clock = find_disturbance(pairs);
  work.notes.push_back(
      "events and readings are in wall-clock seconds of the profile; slices and requests in those "
      "of the traffic");
  work.notes.push_back(impl_->status);
  if (!clock.reason.empty()) work.notes.push_back(clock.reason);
  if (readings) {
    work.notes.insert(work.notes.end(), readings->notes.begin(), readings->notes.end());
    work.counts.push_back(
        {"NVML readings", readings->samples.size(), readings->samples.size(), ""});
  }
  try {
    write_meta(run, pairs[0].realtime_s, pairs[1].raw_s - pairs[0].raw_s, clock, work);
  } catch (const SqliteError& error) {
    throw InputError(
        InputProblem{run.string(), 0, "", "a run file that can be extended", error.what()});
  }
  if (readings) {
    nvml::add_to_run(run, *readings, nvml::read_sensor_facts(impl_->sensors),
                     static_cast<std::int64_t>(pairs[0].realtime_s * 1e6));
  }
  if (impl_->broken) std::rethrow_exception(impl_->broken);
  return work.incomplete_reason;
}

}  // namespace rackwright::profiler
