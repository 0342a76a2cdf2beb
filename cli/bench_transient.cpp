#include "cli/bench_transient.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <ostream>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/gpu_meters.hpp"
#include "cli/option_values.hpp"
#include "common/input_error.hpp"
#include "common/quantity_text.hpp"
#include "kernels/bench/bench_devices.hpp"
#include "kernels/cuda_loader.hpp"
#include "kernels/device_info.hpp"
#include "results/measured_run.hpp"

namespace rackwright::cli {

namespace {

/// A number with the unit that must follow it.
double number_with(std::string_view text, std::string_view unit, const char* option) {
  if (!text.ends_with(unit)) {
    throw InputError(InputProblem{"", 0, option, fmt::format("a number with {}", unit),
                                  fmt::format("\"{}\"", text)});
  }
  text.remove_suffix(unit.size());
  return parse_positive(text.substr(0, text.find_last_not_of(' ') + 1), option);
}

/// Short beside a burst of 2 ms, the shortest that a wave may have.
workloads::Operator load_of(const std::string& backend) {
  using namespace workloads;
  const double n = backend == "host" ? 256 : 4096;
  return {"gemm", OperatorClass::gemm, Lane::compute, 1, GemmShape{n, n, n, DataType::bf16}};
}

/// One device with its load.
struct Loaded {
  std::unique_ptr<kernels::BenchDevice> device;
  std::unique_ptr<kernels::BenchWork> work;
  kernels::WaveResult result;
  std::exception_ptr failure;
};

std::vector<Loaded> load_devices(const BackendChoice& choice,
                                 const std::vector<RackwrightCudaDevice>& gpus) {
  std::vector<Loaded> loaded;
  if (choice.name == "host") {
    loaded.emplace_back().device = std::make_unique<kernels::HostBenchDevice>();
  } else {
    const auto module = kernels::open_cuda_module(kernels::cuda_module_path());
    for (unsigned i = 0; i < gpus.size(); ++i) {
      loaded.emplace_back().device = std::make_unique<kernels::CudaBenchDevice>(
          module, static_cast<int>(i), gpus[i], gpu_meters(gpus[i].pci_bus_id));
    }
  }
  for (Loaded& one : loaded) {
    one.work = one.device->prepare(load_of(choice.name), 1, 1);
    (void)one.work->run();  // what is loaded late must not make the first burst late
  }
  return loaded;
}

/// All devices at once, each by a thread of its own.
void run_all(std::vector<Loaded>& devices, const std::vector<kernels::Burst>& bursts) {
  std::vector<std::jthread> threads;
  for (Loaded& one : devices) {
    threads.emplace_back([&one, &bursts] {
      try {
        kernels::WaveClock clock;
        one.result = kernels::run_wave(bursts, *one.work, clock, interrupted);
      } catch (...) {
        one.failure = std::current_exception();
      }
    });
  }
  threads.clear();
  for (const Loaded& one : devices) {
    if (one.failure) std::rethrow_exception(one.failure);
  }
  throw_if_interrupted();
}

std::string result_text(std::vector<Loaded>& devices, const kernels::PowerWave& wave) {
  std::string text;
  const double length = static_cast<double>(bursts_of(wave).size()) / wave.frequency_hz;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const auto& result = devices[i].result;
    text += fmt::format(
        "{} {}: {} bursts, {:.1f} % of the time under load, {:.0f} GEMMs; begins at most {:.2f} ms "
        "late, ends at most {:.2f} ms late{}\n",
        devices[i].device->name(), i, result.bursts, 100 * result.high_s / length,
        result.executions, 1e3 * result.worst_late_s, 1e3 * std::max(0.0, result.worst_overrun_s),
        result.missed > 0 ? fmt::format("; {} bursts missed", result.missed) : "");
    const auto joules = devices[i].device->joules();
    text += joules ? fmt::format("  mean {:.0f} W over the wave\n", *joules / length)
                   : "  power absent: no energy counter can be read here\n";
  }
  return text;
}

}  // namespace

void BenchTransient::add_options(CLI::App& app) {
  app.add_option("--power-ceiling", ceiling_, "What all devices together may draw at the site")
      ->required()
      ->type_name("P");
  app.add_option("--backend", backend_, "host, cuda or auto: cuda where there is a GPU (auto)")
      ->type_name("B");
  app.add_option("--frequency", frequency_, "0.1Hz to 50Hz (1Hz)")->type_name("F");
  app.add_option("--duty", duty_, "Part of a period under load, 10% to 90% (50%)")->type_name("D");
  app.add_option("--seconds", seconds_, "Length (10)")->type_name("S");
  app.add_option("--peak-power", peak_,
                 "Highest draw of one device, such as its EDPp, instead of the TDP in its file")
      ->type_name("P");
  app.add_option("--start-at", start_at_,
                 "CLOCK_REALTIME in seconds, the same on each node (the next second but two)")
      ->type_name("T");
  app.add_flag("--plan", plan_, "Check the ceiling and print the schedule; run nothing");
}

kernels::PowerWave BenchTransient::wave() const {
  kernels::PowerWave wave;
  wave.frequency_hz = number_with(frequency_, "Hz", "--frequency");
  wave.duty = number_with(duty_, "%", "--duty") / 100;
  wave.seconds = parse_positive(seconds_, "--seconds");
  kernels::WaveClock clock;
  wave.start_s = start_at_.empty() ? kernels::next_start(clock.now(), 2)
                                   : parse_positive(start_at_, "--start-at");
  check_wave(wave);
  if (wave.start_s <= clock.now()) {
    throw InputError(InputProblem{"", 0, "--start-at", "a time to come",
                                  fmt::format("{:.3f}, now {:.3f}", wave.start_s, clock.now())});
  }
  return wave;
}

Power BenchTransient::peak_each(const BackendChoice& choice, const DataLocator& data) const {
  if (!peak_.empty()) return parse_power(peak_, "--peak-power");
  if (choice.name == "host") return 0 * watt;
  const std::string id = results::device_named(choice.gpu->name, data);
  const auto ids = data.ids("kernels/devices");
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) return 0 * watt;
  return kernels::find_device(id, data).tdp_w.value.value_or(0) * watt;
}

int BenchTransient::run(CommandContext& context) {
  const Power ceiling = parse_power(ceiling_, "--power-ceiling");
  const kernels::PowerWave wave = this->wave();
  const BackendChoice choice = choose_backend(backend_, {"cuda", "host"}, "host");
  std::vector<RackwrightCudaDevice> gpus;
  if (choice.name == "cuda") gpus = kernels::probe_cuda(kernels::cuda_module_path()).devices;
  const int count = choice.name == "host" ? 1 : static_cast<int>(gpus.size());
  const Power peak = peak_each(choice, context.data);
  kernels::check_ceiling(peak, count, ceiling);
  const auto bursts = bursts_of(wave);
  context.out << fmt::format(
      "square wave of {:g} Hz, {:g} % under load, {} periods from {:%F %T} UTC; at most {} on {} "
      "device{}, ceiling {}\n",
      wave.frequency_hz, 100 * wave.duty, bursts.size(),
      fmt::gmtime(static_cast<std::time_t>(wave.start_s)), to_text(count * peak), count,
      count == 1 ? "" : "s", to_text(ceiling));
  if (plan_) return kFine;
  context.err << choice.reason << '\n';
  auto devices = load_devices(choice, gpus);
  for (Loaded& one : devices) (void)one.device->joules();
  run_all(devices, bursts);
  context.out << result_text(devices, wave);
  const bool whole = std::none_of(devices.begin(), devices.end(),
                                  [](const Loaded& one) { return one.result.missed > 0; });
  return whole ? kFine : kIncomplete;
}

}  // namespace rackwright::cli
