#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.hpp"

namespace rackwright::profiler {

struct CollectOptions {
  bool nvml = true;
  bool cupti = false;  ///< for a backend that launches kernels
  std::filesystem::path cupti_module;
  std::filesystem::path metric_plans;  ///< `profiler/cupti/metric_plans.json`
  std::string nvml_library = "libnvidia-ml.so.1";
  std::filesystem::path sensors;  ///< `profiler/nvml/sensors.json`
  double period_s = 0.1;          ///< between readings; GPM of Hopper is invalid below 0.1 s
};

/// The GPU that a backend runs on, and all as CUDA numbers them: NVML numbers otherwise.
struct WatchedGpu {
  int device = 0;
  std::vector<std::string> pci_bus_ids;
  /// Other ranks profile on this node too: each keeps the readings of the GPU that it drives, so
  /// that a merged run has each once. Without GPUs of CUDA the first rank keeps all.
  bool shared_node = false;
};

/// Collectors of the node beside a replay, from construction on: NVML readings of every GPU, and
/// when which operator really ran. With CUPTI the first steps are run again at the end: untraced,
/// traced by kernel, traced by graph, and with counters. The repetitions that give times and power
/// are not. The ranks of a replica run them together. NVML reads throughout; `windows` of the run
/// file say what disturbed the work when, and power is stated over the replay itself. Times are
/// wall clock from `start_ns`. The slices of a replay are in traffic time, where a step that was
/// timed once stands at every place it occurs.
class Collectors {
 public:
  /// Starts what can be started; never throws for a node without a driver.
  explicit Collectors(const CollectOptions& options);
  ~Collectors();
  Collectors(const Collectors&) = delete;
  Collectors& operator=(const Collectors&) = delete;

  /// The same backend, its work noted by wall clock; the window "headline" begins. Steps are traced
  /// on `traced`, which runs every step anew. Must not outlive this or either.
  [[nodiscard]] std::unique_ptr<kernels::Backend> watch(kernels::Backend& backend,
                                                        kernels::Backend& traced,
                                                        const WatchedGpu& gpu = {});
  /// "NVML: 2 GPUs, read every 100 ms", or why there is none; a second line for CUPTI.
  [[nodiscard]] const std::string& status() const;
  /// Runs the traced repetitions if the replay came `to_its_end`, ends the collectors and puts what
  /// they saw into the run file: `events` (operators as they ran), `windows`, `gpus`, `sensors`,
  /// `counters`, `sources`, `notes`, and `collect.*` in `meta`. Returns "" or what was lost, by
  /// which the run is then marked incomplete. Throws InputError when the file cannot be extended;
  /// what ended the repetitions early (RankFailure, Interrupted, BackendUnavailable) once all is in
  /// the file.
  [[nodiscard]] std::string add_to(const std::filesystem::path& run, bool to_its_end = true);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rackwright::profiler
