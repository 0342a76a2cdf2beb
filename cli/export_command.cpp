#include "cli/export_command.hpp"

#include <fstream>
#include <functional>
#include <ostream>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "cli/workload_input.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "kernels/analytical/analytical_backend.hpp"
#include "profiler/run_file.hpp"
#include "profiler/trace_io/chakra.hpp"
#include "profiler/trace_io/csv.hpp"
#include "profiler/trace_io/openmetrics.hpp"
#include "profiler/trace_io/perfetto.hpp"
#include "profiler/trace_io/recording_io.hpp"
#include "results/requirements_export.hpp"

namespace rackwright::cli {

namespace {

namespace fs = std::filesystem;

/// Writes through a file beside the target, so that a reader never sees half of it.
template <class Writer>
void write_beside(const fs::path& target, Writer writer) {
  if (fs::is_directory(target)) {
    throw InputError(InputProblem{target.string(), 0, "-o", "a file", "a folder"});
  }
  const fs::path part = target.string() + ".part";
  std::error_code ignored;
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    if (out) writer(out);
    out.flush();
    if (!out) {
      fs::remove(part, ignored);
      throw InputError(InputProblem{target.string(), 0, "-o", "a place that can be written",
                                    "no permission, no such folder, or a full disk"});
    }
  }
  fs::rename(part, target);
}

/// `run.csv` becomes `run-slices.csv`, `run-requests.csv`, `run-power.csv`.
fs::path with_suffix(const fs::path& path, const char* suffix) {
  return path.parent_path() /
         fmt::format("{}-{}{}", path.stem().string(), suffix,
                     path.has_extension() ? path.extension().string() : ".csv");
}

nlohmann::ordered_json read_json(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw InputError(InputProblem{file, 0, "", "a readable file", "none"});
  auto json = nlohmann::ordered_json::parse(in, nullptr, false);
  if (json.is_discarded()) {
    throw InputError(
        InputProblem{file, 0, "", "JSON, as rackwright evaluate --json writes", "other text"});
  }
  return json;
}

}  // namespace

void ExportCommand::add_options(CLI::App& app) {
  app.add_option("RUN", file_, "Run file; for requirements the output of evaluate --json")
      ->required()
      ->type_name("RUN.rw|EVALUATION.json");
  app.add_option(
         "--to", format_,
         "perfetto (ui.perfetto.dev), csv, openmetrics; chakra: an execution trace per rank "
         "for network simulators; requirements: budgets for a manufacturer, without the "
         "trace or anything private")
      ->required()
      ->type_name("FORMAT");
  app.add_option(
         "-o,--output", out_,
         "File to write; for csv the stem of three: slices, requests, power; for chakra the "
         "stem of STEM.0.et, STEM.1.et, … Default: standard output, for csv and chakra the "
         "name of the run")
      ->type_name("FILE");
  app.add_option("--first-step", first_step_, "Chakra: first engine step of a replay, from 0")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  app.add_option("--steps", steps_, "Chakra: engine steps of a replay")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--device", device_,
                 "Chakra: device whose operator times stand in the trace (the run's own)")
      ->type_name("ID");
  app.add_option("--previous", previous_, "Requirements: the evaluation of the generation before")
      ->type_name("EVALUATION.json");
  app.add_option("--guard-band", guard_band_pct_,
                 "Requirements: least share over each value, in percent")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--racks", racks_, "Requirements: racks of a row")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

int ExportCommand::export_requirements(CommandContext& context) const {
  results::RequirementsOptions options;
  options.guard_band = guard_band_pct_ / 100;
  options.racks = racks_;
  options.file = file_;
  options.previous_file = previous_;
  std::optional<nlohmann::ordered_json> previous;
  if (!previous_.empty()) previous = read_json(previous_);
  const auto json = results::to_requirements(read_json(file_), previous, options);
  if (out_.empty()) {
    context.out << json.dump(1) << '\n';
  } else {
    write_beside(out_, [&](std::ostream& out) { out << json.dump(1) << '\n'; });
    context.out << out_ << '\n';
  }
  return kFine;
}

void ExportCommand::export_csv(const profiler::RunFile& run, CommandContext& context) const {
  using Writer = std::function<void(std::ostream&)>;
  const fs::path base =
      out_.empty() ? fs::path(file_).filename().replace_extension(".csv") : fs::path(out_);
  const profiler::Trace& trace = run.trace;
  const profiler::Recording& recording = run.recording;
  std::vector<std::pair<const char*, Writer>> files;
  const auto add = [&](bool any, const char* suffix, Writer writer) {
    if (any) files.emplace_back(suffix, std::move(writer));
  };
  const bool replay = recording.empty() || !trace.slices.empty();
  add(replay, "slices", [&](std::ostream& out) { profiler::write_slices_csv(trace, out); });
  add(replay || !recording.requests.empty(), "requests",
      [&](std::ostream& out) { profiler::write_requests_csv(trace, out); });
  add(replay, "power", [&](std::ostream& out) { profiler::write_power_csv(trace, out); });
  add(!recording.events.empty(), "events",
      [&](std::ostream& out) { profiler::write_events_csv(recording, out); });
  add(!recording.counters.empty(), "counters",
      [&](std::ostream& out) { profiler::write_counters_csv(recording, out); });
  add(!recording.collectives.empty(), "collectives",
      [&](std::ostream& out) { profiler::write_collectives_csv(recording, out); });
  for (const auto& [suffix, writer] : files) write_beside(with_suffix(base, suffix), writer);
  for (const auto& [suffix, writer] : files)
    context.out << with_suffix(base, suffix).string() << '\n';
}

std::vector<profiler::TimedStep> ExportCommand::replayed_steps(const profiler::RunFile& run,
                                                               const DataLocator& data) const {
  const auto workload = read_embedded_workload(run.meta.workload_json, file_);
  const std::string id = device_.empty() ? run.trace.device : device_;
  if (id == "host") {
    throw InputError(InputProblem{file_, 0, "--device",
                                  "a device whose operator times stand in the trace",
                                  "none: the run is one on CPU cores"});
  }
  const auto device = kernels::find_device(id, data);
  profiler::ReplicaSetup setup;
  setup.plan = run.trace.plan;
  setup.gpu_memory_bytes = device.memory_bytes.value.value_or(0);
  setup.rank.scale_up_domain = std::max(1, run.trace.plan.gpus());
  setup.rank.scale_out_bytes_per_s = device.scale_out_bytes_per_s.value.value_or(0);
  const auto backend = kernels::AnalyticalBackend::load(device.id, setup.plan.weights, data);
  profiler::ReplayOptions options;
  options.seed = run.trace.seed;
  options.load_factor = run.trace.load_factor;
  options.keep_slices = false;
  auto steps = profiler::step_graphs(workload, setup, *backend, options, first_step_, steps_);
  if (steps.empty()) {
    throw InputError(InputProblem{file_, 0, "--first-step",
                                  fmt::format("a step below {}", run.trace.engine.steps),
                                  std::to_string(first_step_)});
  }
  return steps;
}

void ExportCommand::export_chakra(const profiler::RunFile& run, CommandContext& context) const {
  const std::string stem = out_.empty() ? fs::path(file_).stem().string() : out_;
  const auto write = [&](int rank, const std::function<void(std::ostream&)>& writer) {
    const std::string file = fmt::format("{}.{}.et", stem, rank);
    write_beside(file, writer);
    context.out << file << '\n';
  };
  if (run.meta.workload_json.empty()) {
    std::set<int> gpus;
    for (const auto& track : run.recording.tracks) gpus.insert(track.gpu);
    gpus.erase(-1);
    if (gpus.empty()) {
      throw InputError(InputProblem{file_, 0, "events",
                                    "kernels of a GPU, or a replay with its workload", "neither"});
    }
    for (const int gpu : gpus) {
      write(gpu, [&](std::ostream& out) { profiler::write_chakra(run.recording, gpu, out); });
    }
    return;
  }
  const auto steps = replayed_steps(run, context.data);
  profiler::ChakraGroups groups;
  for (int rank = 0; rank < run.trace.plan.gpus(); ++rank) {
    write(rank, [&](std::ostream& out) {
      profiler::write_chakra(steps, run.trace.plan, rank, out, groups);
    });
  }
  write_file(stem + ".groups.json", nlohmann::ordered_json(groups).dump() + "\n");
  context.out << stem << ".groups.json\n";
}

int ExportCommand::run(CommandContext& context) {
  if (format_ == "requirements") return export_requirements(context);
  if (format_ != "perfetto" && format_ != "csv" && format_ != "openmetrics" &&
      format_ != "chakra") {
    std::string found = fmt::format("\"{}\"", format_);
    const auto near =
        nearest_word(format_, {"perfetto", "csv", "openmetrics", "chakra", "requirements"});
    if (!near.empty()) found += fmt::format("; did you mean \"{}\"?", near);
    throw InputError(
        InputProblem{"", 0, "--to", "perfetto, csv, openmetrics, chakra or requirements", found});
  }
  const profiler::RunFile run = profiler::read_run_file(file_);
  const profiler::Trace& trace = run.trace;
  if (trace.incomplete) {
    context.err << fmt::format("rackwright: {} is incomplete: {}\n", file_,
                               trace.incomplete_reason);
  }
  const int code = trace.incomplete ? kIncomplete : kFine;
  if (format_ == "chakra") {
    export_chakra(run, context);
    return code;
  }
  const bool recorded = !run.recording.empty() && trace.slices.empty();
  if (format_ == "csv") {
    export_csv(run, context);
    return code;
  }
  if (recorded && format_ == "openmetrics") {
    throw InputError(InputProblem{file_, 0, "--to", "perfetto or csv for an imported run",
                                  "openmetrics, which holds a replay's totals"});
  }
  const auto write = [&](std::ostream& out) {
    if (format_ == "perfetto" && profiler::is_merged_run(file_)) {
      profiler::write_merged_perfetto(file_, out);
    } else if (recorded) {
      profiler::write_perfetto(run.recording, out);
    } else if (format_ == "perfetto") {
      profiler::PerfettoOptions options;
      options.recording = run.recording.empty() ? nullptr : &run.recording;
      profiler::write_perfetto(trace, out, options);
    } else {
      profiler::write_openmetrics(trace, out);
    }
  };
  if (out_.empty()) {
    write(context.out);
  } else {
    write_beside(out_, write);
    context.out << out_ << '\n';
  }
  return code;
}

}  // namespace rackwright::cli
