#include "kernels/calibration/calibrate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/input_error.hpp"

namespace rackwright::kernels {
DeviceProfile calibrate(const DeviceInfo& device, std::span<const std::filesystem::path> paths,
                        const std::function<void(std::string_view)>& progress) {
  std::vector<MeasuredTable> tables;
  for (const auto& path : paths) tables.push_back(read_measured(path));
  DeviceProfile profile;
  profile.device = device.id;
  const auto add = [&](TableKind kind, auto&& fit_class) {
    const MeasuredSet set = rows_of(device, tables, kind);
    if (set.rows.empty()) return;
    if (progress) progress(to_string(kind));
    for (CalibratedModel& model : fit_class(set)) profile.models.push_back(std::move(model));
  };
  add(TableKind::gemm, [&](const auto& set) { return calibrate_gemm(device, set); });
  add(TableKind::attention, [&](const auto& set) { return calibrate_attention(device, set); });
  add(TableKind::latent_attention,
      [&](const auto& set) { return calibrate_latent_attention(device, set); });
  add(TableKind::experts, [&](const auto& set) { return calibrate_experts(device, set); });
  add(TableKind::nccl, [](const auto& set) { return calibrate_collectives(set); });
  add(TableKind::engine_all_reduce, [](const auto& set) { return calibrate_collectives(set); });
  add(TableKind::expert_exchange,
      [&](const auto& set) { return calibrate_exchange(device, set, false); });
  add(TableKind::normal_exchange,
      [&](const auto& set) { return calibrate_exchange(device, set, true); });
  add(TableKind::layers, [&](const auto& set) { return calibrate_elementwise(device, set); });
  add(TableKind::network, [](const auto& set) { return calibrate_collectives(set); });
  const MeasuredSet gemm = rows_of(device, tables, TableKind::gemm);
  // Layers of another library than the GEMM tables' are not mixed with them.
  if (gemm.rows.empty()) {
    add(TableKind::layers, [&](const auto& set) { return calibrate_gemm(device, set); });
  }
  const MeasuredSet attention = rows_of(device, tables, TableKind::attention);
  if (progress) progress("power");
  for (CalibratedModel& model : calibrate_power(device, {&gemm, &attention})) {
    profile.models.push_back(std::move(model));
  }
  if (profile.models.empty()) {
    throw InputError({paths.empty() ? std::string{} : paths.front().string(), 0, "device",
                      fmt::format("rows of {}", fmt::join(device.measured_as, " or ")), "none"});
  }
  return profile;
}

}  // namespace rackwright::kernels
