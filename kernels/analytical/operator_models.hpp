#pragma once

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/analytical/attention_model.hpp"
#include "kernels/analytical/collective_model.hpp"
#include "kernels/analytical/hardware.hpp"
#include "kernels/analytical/power_model.hpp"
#include "kernels/analytical/roofline.hpp"
#include "kernels/backend.hpp"

namespace rackwright::kernels {

/// Time of one execution before the physical bound and the power cap.
struct RawTime {
  double seconds = 0;
  double relative_error = 0;
  bool extrapolated = false;
};

/// A model of one class with its residual and how far it can be trusted.
template <class Model>
struct Fitted {
  Model model;
  ValueGrid residual;
  double relative_error = 0;
  bool extrapolated = false;

  static Fitted from(const CalibratedModel& calibrated) {
    return {Model::from(calibrated), calibrated.residual,
            std::hypot(calibrated.quality.held_out_p90, calibrated.transfer_error),
            calibrated.transfer_error > 0 || calibrated.provenance.origin == "assumed"};
  }
  /// `seconds` of the model corrected by the residual at `point`. Up to a factor 2 outside the grid
  /// the border's residual is a fair guess; farther out it is an extrapolation.
  [[nodiscard]] RawTime corrected(double seconds,
                                  const std::array<double, ValueGrid::kMaxAxes>& point) const;
};

/// Power of one class with its residual ln(measured / modelled) at the coordinates of the class's
/// time residual. The residual holds for kernels from 100 us up.
struct FittedPower {
  PowerModel model;
  ValueGrid residual;
  double error = 0;

  static FittedPower from(const CalibratedModel& calibrated) {
    return {PowerModel::from(calibrated), calibrated.residual,
            std::hypot(calibrated.quality.held_out_p90, calibrated.transfer_error)};
  }
};

struct HostModel {
  double per_step_s = 0;
  double per_sequence_s = 0;
  static HostModel from(const CalibratedModel& model) {
    return {parameter(model, "per_step_s"), parameter(model, "per_sequence_s")};
  }
};

/// The models of one device, looked up once so that a prediction touches no map and no string.
class OperatorModels {
 public:
  /// Throws InputError when `profile` lacks a class.
  OperatorModels(const DeviceInfo& device, const DeviceProfile& profile);

  /// One execution of `op`: time, energy, error.
  [[nodiscard]] OperatorTiming price(const workloads::Operator& op, const RankContext& rank) const;
  [[nodiscard]] const Hardware& hardware() const { return hardware_; }
  /// The least time the device's rates allow: FLOP at the highest clock, bytes beyond L2 at the
  /// memory rate, bytes that must cross a link at the link's rate.
  [[nodiscard]] double physical_bound(const workloads::Operator& op, const RankContext& rank) const;

 private:
  using DataType = workloads::DataType;
  using Work = workloads::OperatorWork;
  template <class Model>
  struct ByHeadDim {
    std::vector<std::pair<int, Fitted<Model>>> models;  ///< ascending head dimension
    [[nodiscard]] const Fitted<Model>& nearest(int head_dim, bool& exact) const;
  };

  [[nodiscard]] RawTime raw(const workloads::GemmShape& shape, const Work& work,
                            const RankContext& rank) const;
  [[nodiscard]] RawTime raw(const workloads::AttentionShape& shape, const Work& work,
                            const RankContext& rank) const;
  [[nodiscard]] RawTime raw(const workloads::LatentAttentionShape& shape, const Work& work,
                            const RankContext& rank) const;
  [[nodiscard]] RawTime raw(const workloads::ExpertShape& shape, const Work& work,
                            const RankContext& rank) const;
  [[nodiscard]] RawTime raw(const workloads::ElementwiseShape& shape, const Work& work,
                            const RankContext& rank) const;
  [[nodiscard]] RawTime raw(const workloads::CollectiveShape& shape, const Work& work,
                            const RankContext& rank) const;
  [[nodiscard]] RawTime raw(const workloads::HostShape& shape, const Work& work,
                            const RankContext& rank) const;
  [[nodiscard]] RawTime exchange_time(const workloads::CollectiveShape& shape,
                                      const RankContext& rank) const;
  [[nodiscard]] CollectiveEstimate inside(const workloads::CollectiveShape& shape, int ranks,
                                          double bytes) const;
  [[nodiscard]] double bound(const workloads::Operator& op, const Work& work,
                             const RankContext& rank) const;
  /// The power model of the operator's class and its correction.
  [[nodiscard]] std::pair<const FittedPower*, double> power_of(const workloads::Operator& op,
                                                               double seconds) const;

  Hardware hardware_;
  std::array<Fitted<GemmModel>, kDataTypeCount> gemm_;
  std::array<Fitted<ExpertModel>, kDataTypeCount> experts_;
  ByHeadDim<PrefillModel> prefill_;
  ByHeadDim<DecodeModel> decode_;
  std::array<Fitted<PrefillModel>, 2> latent_prefill_;  ///< latent cache in 16 and in 8 bits
  std::array<Fitted<DecodeModel>, 2> latent_decode_;
  Fitted<ElementwiseModel> elementwise_;
  Fitted<HostModel> host_;
  std::array<CollectiveModel, 5> nccl_;  ///< by CollectiveKind
  CollectiveModel engine_all_reduce_;
  std::array<LowLatencyExchangeModel, 2> low_latency_exchange_;  ///< dispatch, combine
  std::array<NormalExchangeModel, 2> normal_exchange_;           ///< dispatch, combine
  NetworkModel network_;
  FittedPower power_;  ///< of any operator
  FittedPower gemm_power_;
  FittedPower prefill_power_;
  FittedPower decode_power_;
};

}  // namespace rackwright::kernels
