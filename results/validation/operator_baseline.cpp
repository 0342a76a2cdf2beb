#include "results/validation/operator_baseline.hpp"

#include <algorithm>
#include <limits>

namespace rackwright::results {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double roofline_at_80(const workloads::Operator& op, const kernels::DeviceInfo& device) {
  constexpr double kReached = 0.8;
  const workloads::OperatorWork work = workloads::work_of(op);
  const auto peak = device.compute_flops(work.type);
  if (!peak || *peak <= 0 || !device.memory_bytes_per_s.value) return kNothing;
  return std::max(work.flops / *peak, work.memory_bytes / *device.memory_bytes_per_s.value) /
         kReached;
}

double alpha_beta(const workloads::Operator& op, const kernels::DeviceInfo& device,
                  const kernels::RankContext& rank) {
  constexpr double kLatency = 10e-6;
  const auto& shape = std::get<workloads::CollectiveShape>(op.shape);
  const bool outside = shape.ranks > rank.scale_up_domain;
  const double rate =
      outside ? rank.scale_out_bytes_per_s : device.scale_up_bytes_per_s.value.value_or(0);
  if (rate <= 0) return kNothing;
  return kLatency + workloads::work_of(op).wire_bytes / rate;
}

double three_quarters_of_tdp(const kernels::DeviceInfo& device) {
  return device.tdp_w.value ? 0.75 * *device.tdp_w.value : kNothing;
}

}  // namespace rackwright::results
