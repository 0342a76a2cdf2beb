#pragma once

#include <memory>
#include <string>

#include "common/data_locator.hpp"
#include "kernels/analytical/device_profile.hpp"
#include "kernels/backend.hpp"
#include "kernels/device_info.hpp"

namespace rackwright::kernels {

class OperatorModels;

/// Predicts operator time and energy from a device's facts and a calibrated profile; a device with
/// no profile uses the nearest architecture's and marks everything extrapolated. Pure: the same
/// graph gives the same numbers, and one object may be used from several threads.
class AnalyticalBackend final : public Backend {
 public:
  AnalyticalBackend(DeviceInfo device, DeviceProfile profile);
  /// Loads device and profile. Throws InputError for an unknown id; BackendUnavailable naming the
  /// blank facts when the device cannot be predicted for `type`.
  static std::unique_ptr<AnalyticalBackend> load(std::string_view device_id,
                                                 workloads::DataType type, const DataLocator& data,
                                                 const ProfileChoice& choice = {});

  [[nodiscard]] std::string_view name() const override { return "analytical"; }
  [[nodiscard]] std::string_view device() const override { return device_.id; }
  std::unique_ptr<PreparedStep> prepare(const workloads::OperatorGraph& step,
                                        const RankContext& rank) override;
  /// The same as prepare + run without allocation: fills `timing`.
  void predict(const workloads::OperatorGraph& step, const RankContext& rank,
               StepTiming& timing) const;
  /// One execution of one operator.
  [[nodiscard]] OperatorTiming predict(const workloads::Operator& op,
                                       const RankContext& rank) const;
  /// The least time physics allows: FLOP at the highest clock, bytes beyond L2 at the memory rate,
  /// bytes that must cross a link at its rate. s.
  [[nodiscard]] double physical_bound(const workloads::Operator& op, const RankContext& rank) const;
  [[nodiscard]] const DeviceInfo& device_info() const { return device_; }
  [[nodiscard]] const DeviceProfile& profile() const { return profile_; }

 private:
  DeviceInfo device_;
  DeviceProfile profile_;
  std::shared_ptr<const OperatorModels> models_;
};

}  // namespace rackwright::kernels
