#include "kernels/analytical/operator_models.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string_view>

#include "common/input_error.hpp"

namespace rackwright::kernels {
namespace {

using workloads::CollectiveKind;
using workloads::DataType;

const CalibratedModel& need(const DeviceProfile& profile, std::string_view operation,
                            std::initializer_list<std::string_view> variants) {
  for (const std::string_view variant : variants) {
    if (const CalibratedModel* model = profile.find(operation, variant)) return *model;
  }
  throw InputError({profile.device + " profile", 0, std::string(operation),
                    "a calibrated or assumed model", "none"});
}

/// Own kernel first, then the kernel most like it.
std::vector<std::string_view> kernels_like(DataType type, bool weight_only) {
  if (weight_only) return {"bf16"};
  switch (type) {
    case DataType::fp16:
      return {"fp16", "bf16"};
    case DataType::fp8:
      return {"fp8"};
    case DataType::fp8_block:
      return {"fp8_block", "fp8"};
    case DataType::int8:
      return {"int8", "fp8"};
    case DataType::mxfp4:
      return {"mxfp4", "nvfp4", "fp8"};
    case DataType::nvfp4:
      return {"nvfp4", "mxfp4", "fp8"};
    default:
      return {"bf16"};
  }
}

/// A kernel for another type stands in: no number of the data sheet says how good it is.
constexpr double kOtherKernelError = 0.3;

template <class Model>
Fitted<Model> of_type(const DeviceProfile& profile, std::string_view operation, DataType type,
                      bool weight_only) {
  for (const std::string_view variant : kernels_like(type, weight_only)) {
    const CalibratedModel* model = profile.find(operation, variant);
    if (model == nullptr) continue;
    auto fitted = Fitted<Model>::from(*model);
    const bool own = variant == workloads::to_string(type) || type == DataType::fp16;
    if (!own) {
      fitted.relative_error = std::hypot(fitted.relative_error, kOtherKernelError);
      fitted.extrapolated = true;
    }
    return fitted;
  }
  return Fitted<Model>::from(need(profile, operation, {"bf16"}));
}

template <class Model>
std::vector<std::pair<int, Fitted<Model>>> by_head_dim(const DeviceProfile& profile,
                                                       std::string_view operation) {
  std::vector<std::pair<int, Fitted<Model>>> result;
  for (const CalibratedModel& model : profile.models) {
    if (model.operation != operation) continue;
    int head_dim = 0;
    std::from_chars(model.variant.data(), model.variant.data() + model.variant.size(), head_dim);
    result.emplace_back(head_dim, Fitted<Model>::from(model));
  }
  if (result.empty()) need(profile, operation, {"128"});  // says what is missing
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return result;
}

CollectiveModel collectives(const DeviceProfile& profile, std::string_view operation,
                            std::string_view variant) {
  CollectiveModel result;
  for (const CalibratedModel& model : profile.models) {
    if (model.operation == operation && model.variant == variant) {
      result.add(TwoSegmentModel::from(model));
    }
  }
  if (result.empty()) need(profile, operation, {variant});
  return result;
}

/// Large GEMMs that the power cap holds under the source's share of peak.
void hold_at_cap(double& compute_efficiency, double sustained_share) {
  compute_efficiency = std::min(compute_efficiency, sustained_share);
}

}  // namespace

OperatorModels::OperatorModels(const DeviceInfo& device, const DeviceProfile& profile)
    : hardware_(hardware_of(device)),
      prefill_{by_head_dim<PrefillModel>(profile, "attention_prefill")},
      decode_{by_head_dim<DecodeModel>(profile, "attention_decode")},
      latent_prefill_{of_type<PrefillModel>(profile, "mla_prefill", DataType::bf16, false),
                      of_type<PrefillModel>(profile, "mla_prefill", DataType::fp8, false)},
      latent_decode_{of_type<DecodeModel>(profile, "mla_decode", DataType::bf16, false),
                     of_type<DecodeModel>(profile, "mla_decode", DataType::fp8, false)},
      elementwise_(Fitted<ElementwiseModel>::from(need(profile, "elementwise", {""}))),
      host_(Fitted<HostModel>::from(need(profile, "host", {""}))),
      engine_all_reduce_(collectives(profile, "all_reduce", "engine")),
      low_latency_exchange_{
          LowLatencyExchangeModel::from(need(profile, "expert_exchange", {"dispatch"})),
          LowLatencyExchangeModel::from(need(profile, "expert_exchange", {"combine"}))},
      normal_exchange_{NormalExchangeModel::from(need(profile, "normal_exchange", {"dispatch"})),
                       NormalExchangeModel::from(need(profile, "normal_exchange", {"combine"}))},
      network_(NetworkModel::from(need(profile, "network", {"ring"}))),
      power_(FittedPower::from(need(profile, "power", {""}))),
      gemm_power_(FittedPower::from(need(profile, "power", {"gemm", ""}))),
      prefill_power_(FittedPower::from(need(profile, "power", {"attention_prefill", ""}))),
      decode_power_(FittedPower::from(need(profile, "power", {"attention_decode", ""}))) {
  for (std::size_t i = 0; i < kDataTypeCount; ++i) {
    const auto type = static_cast<DataType>(i);
    gemm_[i] = of_type<GemmModel>(profile, "gemm", type, hardware_.weight_only[i]);
    experts_[i] = of_type<ExpertModel>(profile, "experts", type, hardware_.weight_only[i]);
    if (gemm_[i].extrapolated) {
      hold_at_cap(gemm_[i].model.compute_efficiency, hardware_.sustained_share);
    }
    if (experts_[i].extrapolated) {
      hold_at_cap(experts_[i].model.compute_efficiency, hardware_.sustained_share);
    }
  }
  for (std::size_t i = 0; i < nccl_.size(); ++i) {
    nccl_[i] = collectives(profile, workloads::to_string(static_cast<CollectiveKind>(i)), "nccl");
  }
  // Nothing measured says how long the CPU takes; that is a wide interval, not an extrapolation.
  host_.extrapolated = false;
}

template <class Model>
RawTime Fitted<Model>::corrected(double seconds,
                                 const std::array<double, ValueGrid::kMaxAxes>& point) const {
  constexpr double kBeyondTable = 0.15;
  RawTime result{seconds, relative_error, extrapolated};
  if (residual.empty()) return result;
  result.seconds *= static_cast<double>(std::exp(static_cast<float>(residual.at(point))));
  const double distance = residual.distance_outside(point);
  if (distance > 0) {
    result.relative_error += kBeyondTable * distance;
    result.extrapolated = extrapolated || distance > 1;
  }
  return result;
}

template struct Fitted<GemmModel>;
template struct Fitted<PrefillModel>;
template struct Fitted<DecodeModel>;
template struct Fitted<ExpertModel>;
template struct Fitted<ElementwiseModel>;

template <class Model>
const Fitted<Model>& OperatorModels::ByHeadDim<Model>::nearest(int head_dim, bool& exact) const {
  const auto distance = [&](int other) {
    return std::abs(std::log(static_cast<double>(head_dim) / std::max(1, other)));
  };
  const auto best = std::min_element(
      models.begin(), models.end(),
      [&](const auto& a, const auto& b) { return distance(a.first) < distance(b.first); });
  exact = best->first == head_dim;
  return best->second;
}

template struct OperatorModels::ByHeadDim<PrefillModel>;
template struct OperatorModels::ByHeadDim<DecodeModel>;

}  // namespace rackwright::kernels
