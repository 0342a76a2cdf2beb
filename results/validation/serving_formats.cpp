#include "results/validation/serving_formats.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::results {

std::vector<ValidationFormat> serving_formats() {
  return {
      {"splitwise",
       "prefill and decode time of batches, one row a repeat",
       "bytes and FLOP at 80 % of their rates",
       ".csv",
       {"time", "prefill", "decode"},
       false,
       validate_splitwise},
      {"aicfg-e2e",
       "TPOT and TTFT of served models at steady load",
       "a step of bytes and FLOP at 80 % of their rates",
       ".csv",
       {"time", "tpot", "ttft"},
       false,
       validate_served_models},
      {"vllm-replay",
       "requests of a recorded run, replayed",
       "prompt and answer at 80 % of the rates, no queue",
       "_requests.jsonl",
       {"time", "throughput"},
       false,
       validate_request_replay},
      {"ml-energy",
       "power and energy per token of served models",
       "75 % of TDP",
       ".csv",
       {"power", "energy"},
       false,
       validate_ml_energy},
      {"mlperf-power",
       "wall power of a node over a benchmark run, one log a file",
       "6.6 kW, the plate of eight GPUs and the rest",
       ".csv",
       {"power", "energy"},
       false,
       validate_node_power},
      {"zeus",
       "speed and power under a power cap, one row a job and limit",
       "no slowdown; 75 % of the highest limit",
       ".csv",
       {"time", "power"},
       false,
       validate_power_cap},
      {"gpu-power-timelines",
       "GPU power over a job, from utilisation and samples over 15 s old, or the data sheet alone",
       "75 % of TDP",
       ".csv",
       {"power", "data-sheet"},
       true,
       validate_power_timeline},
      {"biohpc-thermal",
       "GPU temperature and power of a server over months",
       "mean temperature of the first half",
       ".csv",
       {"temperature", "tracked"},
       false,
       validate_temperature},
  };
}

kernels::DeviceProfile serving_profile(std::string_view id, const DataLocator& data) {
  return kernels::read_profile(data.find(id, "profiler/serving_profiles"));
}

const kernels::CalibratedModel& model_of(const kernels::DeviceProfile& profile,
                                         std::string_view operation, std::string_view variant) {
  if (const auto* model = profile.find(operation, variant)) return *model;
  throw InputError({profile.device + " profile", 0, std::string(operation),
                    fmt::format("a model of variant \"{}\"", variant), "none"});
}

std::string row_name(const std::filesystem::path& path, std::size_t line) {
  return fmt::format("{}:{}", path.filename().string(), line);
}

void set_interval(ValidationRow& row, double relative) {
  row.low = std::max(0.0, row.predicted * (1 - relative));
  row.high = row.predicted * (1 + relative);
}

}  // namespace rackwright::results
