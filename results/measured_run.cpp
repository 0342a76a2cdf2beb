#include "results/measured_run.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "kernels/device_info.hpp"
#include "profiler/kernel_class.hpp"
#include "profiler/measured_power.hpp"
#include "topology/evaluation_context.hpp"

namespace rackwright::results {

namespace {

using profiler::MeasuredPower;

/// Trays of the groups, from the bottom.
std::vector<const topology::Slot*> trays_of(const topology::RackDesign& design, bool switches) {
  std::vector<const topology::Slot*> trays;
  for (const auto& slot : design.slots) {
    if (slot.group == "compute" || (switches && slot.group == "switch")) trays.push_back(&slot);
  }
  std::stable_sort(trays.begin(), trays.end(),
                   [](const auto* a, const auto* b) { return a->unit < b->unit; });
  return trays;
}

void note_place(const topology::RackDesign& design, const profiler::RecordedGpu& gpu,
                std::vector<std::string>& notes) {
  if (!gpu.slot && !gpu.tray) return;
  std::string says = fmt::format("GPU {} ({}) says", gpu.gpu, gpu.name);
  if (!gpu.chassis.empty()) says += fmt::format(" chassis {},", gpu.chassis);
  if (gpu.slot) says += fmt::format(" slot {},", *gpu.slot);
  if (gpu.tray) says += fmt::format(" compute tray {},", *gpu.tray);
  if (gpu.module) says += fmt::format(" module {},", *gpu.module);
  says.pop_back();
  const topology::Slot* slot = slot_of(design, gpu);
  notes.push_back(slot == nullptr ? fmt::format("{}: {} has no such tray", says, design.id)
                                  : fmt::format("{}: {} at unit {:g} of the drawing", says,
                                                slot->id, slot->unit));
}

/// Device of the run's GPUs; "" when the run does not say.
std::string device_of(const profiler::RunFile& run, const DataLocator& data) {
  if (!run.recording.gpus.empty()) return device_named(run.recording.gpus.front().name, data);
  return run.trace.device;
}

/// GPUs with a statement; the others become notes.
std::vector<MeasuredPower> usable(std::vector<MeasuredPower> all, const std::string& file,
                                  std::vector<std::string>& notes) {
  std::erase_if(all, [&](const MeasuredPower& power) {
    if (power.refusal.empty()) return false;
    notes.push_back(
        fmt::format("{}: no power of GPU {} is stated: {}", file, power.gpu, power.refusal));
    return true;
  });
  return all;
}

/// Mean over the GPUs, between the lowest and the highest of them.
template <class Value>
Estimate over_gpus(const std::vector<MeasuredPower>& powers, Value value) {
  double low = value(powers.front()), high = low, sum = 0;
  for (const MeasuredPower& power : powers) {
    low = std::min(low, value(power));
    high = std::max(high, value(power));
    sum += value(power);
  }
  return between(low, std::clamp(sum / static_cast<double>(powers.size()), low, high), high,
                 {"W", Origin::measured, fmt::format("{} by NVML", powers.front().scope)});
}

void add_figures(const std::vector<MeasuredPower>& powers, const topology::RackDesign& design,
                 topology::RackEvaluation& evaluation) {
  if (evaluation.figures.find("measured.gpu_power")) return;  // of an earlier run
  const MeasuredPower& first = powers.front();
  const std::string window = fmt::format("{:.1f} s", first.window_s);
  const Estimate mean = over_gpus(powers, [](const MeasuredPower& p) { return p.mean_w; });
  evaluation.figures.add(
      {"measured.gpu_power", "GPU power as measured, mean", mean, window, first.source});
  if (first.peak_1s_w > 0) {
    evaluation.figures.add({"measured.gpu_peak",
                            "GPU power as measured, highest 1 s of the readings",
                            over_gpus(powers, [](const MeasuredPower& p) { return p.peak_1s_w; }),
                            "1 s", first.source});
  }
  if (evaluation.figures.find("power.module.as_measured")) return;  // the load case says it
  evaluation.figures.add({"measured.rack_gpus",
                          fmt::format("All {} GPUs at the measured mean", design.gpus),
                          scaled(mean, design.gpus * 1e-3, "kW"), window,
                          "measured mean of a GPU x GPUs of the rack"});
}

void add_lane(const MeasuredPower& power, const topology::RackDesign& design,
              topology::RackEvaluation& evaluation) {
  if (power.readings.t.size() < 3) return;
  auto lane =
      topology::lane_of(profiler::windowed_means(power.readings, 1.0), 1.0, design.gpus * 1e-3);
  lane.label = "All GPUs at the measured power";
  lane.unit = "kW";
  lane.note = fmt::format("measured on GPU {} x {}, 1 s means, time of the measurement", power.gpu,
                          design.gpus);
  lane.window = "1 s";
  evaluation.timelines.push_back(std::move(lane));
}

void note_kernels(const profiler::Recording& recording, const std::string& file,
                  std::vector<std::string>& notes) {
  const auto classes = profiler::kernel_seconds(recording);
  double total = 0;
  for (const double seconds : classes) total += seconds;
  if (!(total > 0)) return;
  std::string text;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (!(classes[c] > 0)) continue;
    text +=
        fmt::format("{}{} {:.1f} %", text.empty() ? "" : ", ",
                    to_string(static_cast<workloads::OperatorClass>(c)), 100 * classes[c] / total);
  }
  notes.push_back(
      fmt::format("{}: {:.3f} s of kernels as measured: {} (by their names)", file, total, text));
}

/// What an imported run does not hold, and what stands in for it.
void note_gaps(const profiler::Recording& recording, const std::string& file, bool has_power,
               std::vector<std::string>& notes) {
  if (recording.format == "collected") return;
  const auto lacks = [&](const char* what, const char* instead) {
    notes.push_back(fmt::format("{} ({}) holds no {}: {}", file, recording.format, what, instead));
  };
  if (recording.requests.empty()) lacks("requests", "the traffic is the workload's");
  if (recording.events.empty()) lacks("kernels", "time by class is modelled");
  if (!has_power) lacks("usable power of a GPU", "power is modelled");
}

/// The highest busbw of each operation of nccl-tests.
void note_collectives(const profiler::Recording& recording, const std::string& file,
                      std::vector<std::string>& notes) {
  std::map<std::string, const profiler::CollectiveSample*> best;
  for (const auto& sample : recording.collectives) {
    auto& held = best[sample.operation];
    if (held == nullptr || sample.busbw > held->busbw) held = &sample;
  }
  const std::string of = recording.device_names.empty()
                             ? std::string("GPUs that the log does not name")
                             : recording.device_names.front();
  for (const auto& [operation, sample] : best) {
    notes.push_back(fmt::format(
        "{}: {} over {} ranks of {}: busbw {:.1f} GB/s, algbw {:.1f} GB/s at {:g} MiB as measured; "
        "busbw is no wire speed, and no load or limit of the rack rests on it",
        file, operation, sample->ranks, of, sample->busbw / 1e9, sample->algbw / 1e9,
        sample->bytes / (1 << 20)));
  }
}

}  // namespace

std::string device_named(const std::string& name, const DataLocator& data) {
  for (const std::string& id : data.ids("kernels/devices")) {
    const auto device = kernels::find_device(id, data);
    const auto& names = device.measured_as;
    if (id == name || std::find(names.begin(), names.end(), name) != names.end()) return id;
  }
  return name;
}

std::optional<topology::MeasuredLoad> measured_load(const profiler::RunFile& run,
                                                    const DataLocator& data) {
  constexpr double kWindow = 1.0;
  topology::MeasuredLoad load{device_of(run, data)};
  double gpus = 0;
  for (const MeasuredPower& power : profiler::measured_power(run.recording)) {
    if (!power.refusal.empty()) continue;
    const auto means = profiler::windowed_means(power.readings, kWindow);
    if (means.empty()) continue;
    if (gpus == 0) load.source = power.source;
    if (gpus == 0 || means.size() < load.gpu_w.size()) load.gpu_w.resize(means.size());
    for (std::size_t i = 0; i < load.gpu_w.size(); ++i) {
      load.gpu_w[i] = (load.gpu_w[i] * gpus + means[i]) / (gpus + 1);
    }
    ++gpus;
  }
  if (gpus == 0 || load.device.empty()) return std::nullopt;
  load.window_s = static_cast<double>(load.gpu_w.size()) * kWindow;
  return load;
}

const topology::Slot* slot_of(const topology::RackDesign& design,
                              const profiler::RecordedGpu& gpu) {
  const auto at = [](const std::vector<const topology::Slot*>& trays, int index) {
    const bool there = index >= 0 && index < static_cast<int>(trays.size());
    return there ? trays[static_cast<std::size_t>(index)] : nullptr;
  };
  const topology::Slot* by_slot = gpu.slot ? at(trays_of(design, true), *gpu.slot - 1) : nullptr;
  const topology::Slot* by_tray = gpu.tray ? at(trays_of(design, false), *gpu.tray) : nullptr;
  if (by_slot != nullptr && by_tray != nullptr && by_slot != by_tray) return nullptr;
  return by_tray != nullptr ? by_tray : by_slot;
}

void add_measured_run(topology::RackEvaluation& evaluation, const topology::RackDesign& design,
                      const profiler::RunFile& run, const std::string& file,
                      const DataLocator& data) {
  const profiler::Recording& recording = run.recording;
  if (recording.counts.empty()) return;
  auto& notes = evaluation.notes;
  for (const auto& gpu : recording.gpus) note_place(design, gpu, notes);
  note_kernels(recording, file, notes);
  note_collectives(recording, file, notes);
  const auto powers = usable(profiler::measured_power(recording), file, notes);
  note_gaps(recording, file, !powers.empty(), notes);
  if (powers.empty()) return;
  const std::string device = device_of(run, data);
  if (device == design.device) {
    add_figures(powers, design, evaluation);
    add_lane(powers.front(), design, evaluation);
    notes.push_back(fmt::format("{}: measured power: {}", file, powers.front().source));
  } else {
    notes.push_back(fmt::format(
        "{}: a GPU drew {:.1f} W ({}) on {}: not carried over to {}", file, powers.front().mean_w,
        powers.front().source,
        device.empty() ? "a device that the run does not name (import with --device ID)" : device,
        design.device));
  }
}

}  // namespace rackwright::results
