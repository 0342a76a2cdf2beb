#pragma once

#include <functional>
#include <optional>
#include <string>

#include "kernels/bench/bench_device.hpp"
#include "kernels/cuda_backend.hpp"
#include "kernels/host/package_energy.hpp"

namespace rackwright::kernels {

/// The cores of this machine, as `host_operator.hpp` runs operators: in float. Clock by cpufreq,
/// energy by powercap, where they can be read.
class HostBenchDevice final : public BenchDevice {
 public:
  explicit HostBenchDevice(std::filesystem::path sysfs = "/sys");
  [[nodiscard]] std::string backend() const override { return "host"; }
  /// The processor's name and how many of its cores there are.
  [[nodiscard]] std::string name() const override;
  [[nodiscard]] workloads::OperatorWork work(const workloads::Operator& op) const override;
  [[nodiscard]] workloads::DataType math_type(const workloads::Operator&) const override {
    return workloads::DataType::fp32;
  }
  [[nodiscard]] std::unique_ptr<BenchWork> prepare(const workloads::Operator& op, int copies,
                                                   unsigned seed) override;
  [[nodiscard]] double cache_bytes() const override;
  /// A quarter of what is free now.
  [[nodiscard]] double memory_bytes() const override;
  [[nodiscard]] std::optional<double> clock_hz() override;
  [[nodiscard]] std::optional<double> rated_clock_hz() const override { return rated_hz_; }
  [[nodiscard]] std::optional<double> joules() override { return energy_.joules(); }

 private:
  std::filesystem::path clock_;
  std::optional<double> rated_hz_;
  PackageEnergy energy_;
};

/// Meters of a GPU; those that are absent return nothing.
struct GpuMeters {
  std::function<std::optional<double>()> clock_hz = [] { return std::optional<double>(); };
  std::function<std::optional<double>()> joules = [] { return std::optional<double>(); };
};

/// One GPU, by the CUDA module: each execution is a launch of a graph between two events. The
/// module fills buffers with random data of its own fixed seeds.
class CudaBenchDevice final : public BenchDevice {
 public:
  CudaBenchDevice(const CudaModule& module, int index, const RackwrightCudaDevice& facts,
                  GpuMeters meters = {});
  [[nodiscard]] std::string backend() const override { return "cuda"; }
  [[nodiscard]] std::string name() const override { return facts_.name; }
  [[nodiscard]] workloads::OperatorWork work(const workloads::Operator& op) const override;
  /// FP8 of any scaling, NVFP4, or bf16: MXFP4 weights are multiplied in bf16.
  [[nodiscard]] workloads::DataType math_type(const workloads::Operator& op) const override;
  [[nodiscard]] std::unique_ptr<BenchWork> prepare(const workloads::Operator& op, int copies,
                                                   unsigned seed) override;
  [[nodiscard]] double cache_bytes() const override { return facts_.l2_bytes; }
  /// Half of the GPU's.
  [[nodiscard]] double memory_bytes() const override { return 0.5 * facts_.memory_bytes; }
  [[nodiscard]] std::optional<double> clock_hz() override { return meters_.clock_hz(); }
  [[nodiscard]] std::optional<double> rated_clock_hz() const override { return facts_.clock_hz; }
  [[nodiscard]] std::optional<double> joules() override { return meters_.joules(); }

 private:
  CudaBackend backend_;
  RackwrightCudaDevice facts_;
  GpuMeters meters_;
};

}  // namespace rackwright::kernels
