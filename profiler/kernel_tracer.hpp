#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "kernels/backend.hpp"
#include "profiler/recording.hpp"

namespace rackwright::profiler {

/// Kernels, copies and links as CUPTI sees them, through the module `rackwright_cupti`, which holds
/// CUPTI from construction to the end of this. One traced window; each operator in it is a range,
/// and kernels inside libraries map back to it by their external correlation.
class KernelTracer final : public kernels::OperatorObserver {
 public:
  /// To be made before any CUDA context. Null with the reason: no module, another version of it, no
  /// driver, or the tool that holds CUPTI.
  [[nodiscard]] static std::unique_ptr<KernelTracer> open(const std::filesystem::path& module,
                                                          std::string& reason);
  /// `lib/rackwright/rackwright_cupti.so` beside the program's folder.
  [[nodiscard]] static std::filesystem::path module_path();
  ~KernelTracer() override;
  KernelTracer(const KernelTracer&) = delete;
  KernelTracer& operator=(const KernelTracer&) = delete;

  /// Starts the window; "" or why it failed. Steps are prepared after it, so that graphs are
  /// captured while CUPTI watches.
  [[nodiscard]] std::string start();
  /// The step whose operators follow.
  void step(const workloads::OperatorGraph& graph);
  void begin(OperatorId id) override;
  void end(OperatorId id) override;
  /// Ends the window when the GPU is idle and adds to `recording` what was seen, times from
  /// `start_ns` (CLOCK_REALTIME). Dropped, untimed and cut records make it incomplete.
  void finish(std::int64_t start_ns, Recording& recording);

 private:
  struct Impl;
  explicit KernelTracer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rackwright::profiler
