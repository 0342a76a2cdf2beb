#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "kernels/calibration/measured_table.hpp"
#include "results/validation/measured_device.hpp"

namespace rackwright::results {

/// The model's answer for one row of a table of kernels or collectives.
struct OperatorPrediction {
  std::string row;        ///< "gemm.csv:12"
  std::string operation;  ///< "bf16", "prefill", "all_reduce 8 GPUs"
  bool predictable = true;
  double predicted = 0;
  double low = 0, high = 0;  ///< 90 % interval
  std::string unit;          ///< "s" or "W"
  bool extrapolated = false;
  std::string note;  ///< why there is no prediction, or what it rests on
};

/// Predicts one row; a fact or model that is missing makes it unpredictable with a note.
[[nodiscard]] OperatorPrediction predict_operator(const kernels::MeasuredRow& row,
                                                  const kernels::AnalyticalBackend& backend,
                                                  bool power);
/// The scale-up domain a row ran in and the device's adapter.
[[nodiscard]] kernels::RankContext context_of(const kernels::MeasuredRow& row,
                                              const kernels::DeviceInfo& device);

struct OperatorRequest {
  std::filesystem::path path;
  std::string device;        ///< id; "" when the rows name theirs
  bool collectives = false;  ///< the table must be one of collectives
  bool power = false;        ///< W instead of s
};

/// Every row of a table, in order. Throws InputError for a table of the wrong kind.
[[nodiscard]] std::vector<OperatorPrediction> predict_operators(const OperatorRequest& request,
                                                                const DataLocator& data);

}  // namespace rackwright::results
