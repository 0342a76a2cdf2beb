#pragma once

#include <filesystem>
#include <vector>

#include "profiler/nvml/sampler.hpp"
#include "profiler/nvml/sensor_facts.hpp"

namespace rackwright::profiler::nvml {

/// Puts a record into an existing run file: table `gpus` (identity and place), table `gpu_settings`
/// (what limits temperature and shapes power), table `sensors` (what each power number means) and
/// rows of `counters`, times in s from `start_us` (CLOCK_REALTIME). The modelled rows named `power`
/// stay. Throws InputError.
void add_to_run(const std::filesystem::path& run, const NvmlRecord& record,
                const std::vector<SensorFacts>& sensors, std::int64_t start_us);

}  // namespace rackwright::profiler::nvml
