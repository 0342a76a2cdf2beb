#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/data_locator.hpp"
#include "profiler/run_file.hpp"
#include "topology/catalog.hpp"
#include "topology/evaluation.hpp"
#include "topology/rack_design.hpp"
#include "workloads/workload.hpp"

namespace rackwright::cli {

/// The arguments that name a workload: a file or id, or run files that hold one.
struct WorkloadOptions {
  std::string input;
  std::vector<std::string> more_runs;  ///< of the same workload, on other devices or plans
  std::string model;
  std::string traffic;
  std::vector<std::string> settings;
  std::string service;  ///< workload of an imported run: model, plans and SLO
  std::string seed = "1";

  void add_to(CLI::App& app, const std::string& input_help);
  /// Adds `--workload`, which gives an imported run what it lacks.
  void allow_imported_runs(CLI::App& app);
  /// Lets further run files follow the first.
  void allow_more_runs(CLI::App& app);
  [[nodiscard]] std::uint64_t seed_value() const;
};

/// A workload with the text that makes a run file self-contained, and the runs it came from.
struct WorkloadInput {
  workloads::Workload workload;
  std::string json;  ///< see `embed_workload`
  std::vector<profiler::RunFile> runs;
  std::vector<std::string> run_files;  ///< names of `runs`
  /// Those of runs that were replays of the workload.
  [[nodiscard]] std::vector<const profiler::Trace*> traces() const;
};

/// Reads the workload, or the one inside the run files; then its plans are those of the runs. An
/// imported run has no model, plan and SLO: those are of `service`, and requests are the run's own
/// where it holds any.
/// Throws InputError, also for overrides of a run file and for runs of different workloads.
[[nodiscard]] WorkloadInput read_workload_input(const WorkloadOptions& options,
                                                const DataLocator& data);

/// Power that the first of the runs with any measured: a load case of racks of its device.
[[nodiscard]] std::optional<topology::MeasuredLoad> measured_load(const WorkloadInput& input,
                                                                  const DataLocator& data);
/// What the runs measured, on one rack: `results::add_measured_run` for each.
void add_measured(const WorkloadInput& input, const topology::RackDesign& design,
                  const DataLocator& data, topology::RackEvaluation& evaluation);

/// A workload as one JSON text that needs no other file: name, title, model config, plans, SLO,
/// requests. `model` is the published config.
[[nodiscard]] std::string embed_workload(const workloads::Workload& workload,
                                         const nlohmann::ordered_json& model);
/// Reads it back; `file` stands for the run file in messages.
[[nodiscard]] workloads::Workload read_embedded_workload(const std::string& json,
                                                         const std::string& file);

/// "all" or "a,b,c" (ids or paths). A rack named twice is an error.
[[nodiscard]] std::vector<topology::RackDesign> read_racks(const std::string& argument,
                                                           const DataLocator& data,
                                                           const topology::Catalog& catalog);

}  // namespace rackwright::cli
