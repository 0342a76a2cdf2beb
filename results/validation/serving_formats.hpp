#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "kernels/analytical/device_profile.hpp"
#include "results/validation/validation.hpp"

/// The formats of served models, power and temperature. Each function is a `ValidationFormat::run`.
namespace rackwright::results {

/// The formats of this header, for the registry.
[[nodiscard]] std::vector<ValidationFormat> serving_formats();

using ValidationRows = std::vector<ValidationRow>;

/// GPU temperature from power, one server over months. `temperature`: a + R P fitted on the first
/// half; `tracked`: with a slow offset that follows past residuals. Scored on the later half.
[[nodiscard]] ValidationRows validate_temperature(const ValidationRequest& request,
                                                  const DataLocator& data,
                                                  const ProgressCallback& progress);
/// Speed and power under a power cap, from the run of the same job at the highest limit.
[[nodiscard]] ValidationRows validate_power_cap(const ValidationRequest& request,
                                                const DataLocator& data,
                                                const ProgressCallback& progress);
/// Wall power of a node over one benchmark run: idle, plateau, energy.
[[nodiscard]] ValidationRows validate_node_power(const ValidationRequest& request,
                                                 const DataLocator& data,
                                                 const ProgressCallback& progress);
/// GPU power sampled over a job. `power`: levels of each state of utilisation from samples of the
/// same file that are at least 15 s old, where there are any; `data-sheet`: from the device and the
/// utilisation alone.
[[nodiscard]] ValidationRows validate_power_timeline(const ValidationRequest& request,
                                                     const DataLocator& data,
                                                     const ProgressCallback& progress);

/// TPOT and TTFT of served models at steady load (`tpot`, `ttft`, or both with `time`).
[[nodiscard]] ValidationRows validate_served_models(const ValidationRequest& request,
                                                    const DataLocator& data,
                                                    const ProgressCallback& progress);
/// Prefill and decode time of batches (`prefill`, `decode`, or both with `time`).
[[nodiscard]] ValidationRows validate_splitwise(const ValidationRequest& request,
                                                const DataLocator& data,
                                                const ProgressCallback& progress);
/// Power of a GPU that serves at a held batch, and energy per token.
[[nodiscard]] ValidationRows validate_ml_energy(const ValidationRequest& request,
                                                const DataLocator& data,
                                                const ProgressCallback& progress);
/// Requests of a recorded vLLM run through our engine, arrivals as recorded: TTFT and end-to-end
/// time of each, and throughput per second with the `throughput` quantity.
[[nodiscard]] ValidationRows validate_request_replay(const ValidationRequest& request,
                                                     const DataLocator& data,
                                                     const ProgressCallback& progress);

// ---- shared by the formats ---------------------------------------------------------------------

/// `profiler/serving_profiles/ID.json`.
[[nodiscard]] kernels::DeviceProfile serving_profile(std::string_view id, const DataLocator& data);
/// Throws InputError when the profile lacks it.
[[nodiscard]] const kernels::CalibratedModel& model_of(const kernels::DeviceProfile& profile,
                                                       std::string_view operation,
                                                       std::string_view variant = "");
/// "table.csv:12".
[[nodiscard]] std::string row_name(const std::filesystem::path& path, std::size_t line);
/// Low and high of `row` around its prediction, `relative` to it and never under 0.
void set_interval(ValidationRow& row, double relative);

}  // namespace rackwright::results
