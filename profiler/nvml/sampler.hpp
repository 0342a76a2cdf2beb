#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "profiler/nvml/gpu_reader.hpp"

namespace rackwright::profiler::nvml {

/// What a sampler saw.
struct NvmlRecord {
  std::string driver_version, library_version;
  std::vector<GpuIdentity> gpus;            ///< by NVML index, which follows the PCI bus
  std::vector<std::string> nvlink_sources;  ///< of each GPU
  std::vector<GpuSample> samples;           ///< by time, GPUs in turn
  double target_period_s = 0;
  double achieved_period_s = 0;  ///< mean; 0 with fewer than two rounds
  double slowest_round_s = 0;    ///< time that reading all GPUs once took at most
  std::uint64_t missed_rounds = 0;
  bool incomplete = false;
  std::vector<std::string> notes;  ///< a GPU that was lost, rounds that were missed

  /// Samples of one GPU, by time.
  [[nodiscard]] std::vector<GpuSample> of(unsigned gpu) const;
};

/// Reads all GPUs of the node in one thread.
class Sampler {
 public:
  /// Does not start yet. `period_s` > 0.
  Sampler(std::shared_ptr<const Library> library, double period_s);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  void start();
  /// Ends the thread and hands out what was recorded.
  NvmlRecord stop();
  /// By NVML index; known from construction on.
  [[nodiscard]] const std::vector<GpuIdentity>& gpus() const { return record_.gpus; }
  /// One round over all GPUs, in the caller's thread; not while started.
  void sample_once();

 private:
  void run();

  std::vector<std::unique_ptr<GpuReader>> readers_;
  std::vector<bool> lost_;
  NvmlRecord record_;
  std::uint64_t rounds_ = 0;
  double first_s_ = 0, last_s_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace rackwright::profiler::nvml
