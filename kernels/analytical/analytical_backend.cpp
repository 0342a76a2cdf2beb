#include "kernels/analytical/analytical_backend.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/input_error.hpp"
#include "kernels/analytical/operator_models.hpp"

namespace rackwright::kernels {
namespace {

/// Nothing is executed, so the timing is known as soon as the step is prepared.
class PredictedStep final : public PreparedStep {
 public:
  explicit PredictedStep(StepTiming timing) : timing_(std::move(timing)) {}

  const StepTiming& run(ReplayMode mode, OperatorObserver* observer) override {
    if (mode == ReplayMode::per_operator && observer != nullptr) {
      for (std::uint32_t i = 0; i < timing_.operators.size(); ++i) {
        observer->begin(OperatorId(i));
        observer->end(OperatorId(i));
      }
    }
    return timing_;
  }

 private:
  StepTiming timing_;
};

}  // namespace

AnalyticalBackend::AnalyticalBackend(DeviceInfo device, DeviceProfile profile)
    : device_(std::move(device)),
      profile_(std::move(profile)),
      models_(std::make_shared<const OperatorModels>(device_, profile_)) {}

std::unique_ptr<AnalyticalBackend> AnalyticalBackend::load(std::string_view device_id,
                                                           workloads::DataType type,
                                                           const DataLocator& data,
                                                           const ProfileChoice& choice) {
  DeviceInfo device = find_device(device_id, data);
  if (const auto missing = device.missing_for(type); !missing.empty()) {
    throw BackendUnavailable(fmt::format("{} cannot be predicted: {} {} blank in its data sheet",
                                         device.id, fmt::join(missing, ", "),
                                         missing.size() == 1 ? "is" : "are"));
  }
  DeviceProfile profile = find_profile(device, data, choice);
  return std::make_unique<AnalyticalBackend>(std::move(device), std::move(profile));
}

std::unique_ptr<PreparedStep> AnalyticalBackend::prepare(const workloads::OperatorGraph& step,
                                                         const RankContext& rank) {
  StepTiming timing;
  predict(step, rank, timing);
  return std::make_unique<PredictedStep>(std::move(timing));
}

void AnalyticalBackend::predict(const workloads::OperatorGraph& step, const RankContext& rank,
                                StepTiming& timing) const {
  timing.seconds = 0;
  timing.joules = 0;
  timing.overlap_s = 0;
  timing.launch_s = 0;
  timing.operators.clear();
  for (const workloads::Operator& op : step.operators) {
    OperatorTiming one = models_->price(op, rank);
    one.seconds *= op.repeat;
    one.joules *= op.repeat;
    timing.seconds += one.seconds;
    timing.joules += one.joules;
    timing.operators.push_back(one);
  }
}

OperatorTiming AnalyticalBackend::predict(const workloads::Operator& op,
                                          const RankContext& rank) const {
  return models_->price(op, rank);
}

double AnalyticalBackend::physical_bound(const workloads::Operator& op,
                                         const RankContext& rank) const {
  return models_->physical_bound(op, rank);
}

}  // namespace rackwright::kernels
