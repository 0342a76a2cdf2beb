#pragma once

#include <memory>

#include "profiler/nvml/gpu_sample.hpp"
#include "profiler/nvml/nvml_library.hpp"

namespace rackwright::profiler::nvml {

/// Reads one GPU. What it can answer is probed once; a quantity that it lacks stays NaN.
class GpuReader {
 public:
  GpuReader(std::shared_ptr<const Library> library, unsigned index);
  ~GpuReader();
  GpuReader(const GpuReader&) = delete;
  GpuReader& operator=(const GpuReader&) = delete;

  [[nodiscard]] const GpuIdentity& identity() const { return identity_; }
  [[nodiscard]] bool available(Quantity quantity) const { return probed_.has(quantity); }
  [[nodiscard]] bool has_gpm() const { return gpm_first_ != nullptr; }
  /// "NVLink 5, bytes per link", "NVLink up to 4, KiB of all links" or "none".
  [[nodiscard]] std::string nvlink_source() const;
  /// Fills `sample`; returns an NVML code. Everything but a lost GPU and a failing handle counts as
  /// "not answered". No call in it blocks for a measuring window.
  int read(GpuSample& sample);

 private:
  void read_identity();
  void probe_links();
  void probe_gpm();
  int read_fields(GpuSample& sample);
  void read_thermal(GpuSample& sample);
  void read_clocks(GpuSample& sample);
  void read_gpm(GpuSample& sample);

  std::shared_ptr<const Library> library_;
  unsigned index_;
  Device device_ = nullptr;
  int handle_code_ = kSuccess;
  GpuIdentity identity_;
  GpuSample probed_;
  std::vector<FieldValue> fields_;       ///< asked for in one call
  std::vector<Quantity> field_meaning_;  ///< of each
  std::vector<double> field_scale_;      ///< to SI
  unsigned links_ = 0;
  bool nvlink5_ = false;
  GpmSample gpm_first_ = nullptr;
  GpmSample gpm_second_ = nullptr;
  std::int64_t gpm_time_us_ = 0;
  bool instant_usage_ = false;  ///< nvmlDeviceGetPowerUsage is no average
};

/// A field's value by its stated type; NaN for an unknown type or a failed entry.
[[nodiscard]] double field_number(const FieldValue& field);

/// CLOCK_REALTIME, us.
[[nodiscard]] std::int64_t realtime_us();

}  // namespace rackwright::profiler::nvml
