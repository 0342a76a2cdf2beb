#include "cli/gpu_meters.hpp"

#include <memory>

#include "profiler/nvml/gpu_match.hpp"
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

kernels::GpuMeters gpu_meters(const std::string& pci_bus_id, const std::string& library) {
  const auto opened = nvml::open_nvml(library);
  if (!opened.library) return {};
  for (unsigned index = 0; index < opened.library->device_count(); ++index) {
    const auto reader = std::make_shared<Reader>(opened.library, index);
    if (!nvml::same_bus(reader->gpu.identity().pci_bus_id, pci_bus_id)) continue;
    (void)reader->joules();
    return {[reader] { return reader->read(nvml::Quantity::sm_clock); },
            [reader] { return reader->joules(); }};
  }
  return {};
}

}  // namespace rackwright::cli
