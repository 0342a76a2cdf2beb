#pragma once

#include <array>

#include "kernels/device_info.hpp"

namespace rackwright::kernels {

inline constexpr std::size_t kDataTypeCount = 8;

/// Facts of a device in the form the models compute with. SI. 0 = blank.
struct Hardware {
  /// FLOP/s of products with weights of a type, at the data-sheet clock.
  std::array<double, kDataTypeCount> peak{};
  std::array<bool, kDataTypeCount> weight_only{};
  double memory = 0;  ///< B/s
  double l2_bytes = 0;
  double multiprocessors = 0;
  double clock_hz = 0;
  double exponentials = 0;  ///< softmax exponentials per second at the highest clock
  double clock_ratio = 1;   ///< highest clock over the clock of the data-sheet peaks
  double link = 0;          ///< scale-up B/s, one direction
  double tdp_w = 0;
  double sustained_share = 1;  ///< FLOP/s at the power cap over the peak, of large GEMMs

  [[nodiscard]] double peak_of(workloads::DataType type) const {
    return peak[static_cast<std::size_t>(type)];
  }
  [[nodiscard]] bool stores_only(workloads::DataType type) const {
    return weight_only[static_cast<std::size_t>(type)];
  }
};

[[nodiscard]] Hardware hardware_of(const DeviceInfo& device);

}  // namespace rackwright::kernels
