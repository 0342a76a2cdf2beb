#include "cli/gpu_meters.hpp"

#include <memory>

#include "profiler/nvml/gpu_reader.hpp"

namespace rackwright::cli {

namespace {

namespace nvml = profiler::nvml;

struct Reader {
  Reader(std::shared_ptr<const nvml::Library> library, unsigned index)
      : gpu(std::move(library), index) {}

  std::optional<double> read(nvml::Quantity quantity) {
    nvml::GpuSample sample;
    if (gpu.read(sample) != nvml::kSuccess || !sample.has(quantity)) return {};
    return sample[quantity];
  }
  std::optional<double> joules() {
    const auto now = read(nvml::Quantity::energy);
    if (!now) return {};
    const double since = *now - last_j;
    last_j = *now;
    return since;
  }

  nvml::GpuReader gpu;
  double last_j = 0;
};

}  // namespace

kernels::GpuMeters gpu_meters(unsigned index, const std::string& name) {
  const auto opened = nvml::open_nvml();
  if (!opened.library || index >= opened.library->device_count()) return {};
  const auto reader = std::make_shared<Reader>(opened.library, index);
  if (reader->gpu.identity().name != name) return {};
  (void)reader->joules();
  return {[reader] { return reader->read(nvml::Quantity::sm_clock); },
          [reader] { return reader->joules(); }};
}

}  // namespace rackwright::cli
