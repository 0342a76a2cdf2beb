#include <algorithm>

#include "kernels/analytical/hardware.hpp"
#include "kernels/analytical/power_model.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {
namespace {

/// Below this the reported watts depend on how the loop was launched, not on the kernel.
constexpr double kShortestKernel = 100e-6;

ActivityShares shares_of(const MeasuredRow& row, const Hardware& hardware) {
  const workloads::OperatorWork work = workloads::work_of(row.op);
  ActivityShares shares;
  shares.flop = std::min(1.0, work.flops / (row.seconds * hardware.peak_of(work.type)));
  shares.byte = std::min(1.0, work.memory_bytes / (row.seconds * hardware.memory));
  shares.exponential = std::min(1.0, work.exponentials / (row.seconds * hardware.exponentials));
  return shares;
}

}  // namespace

std::vector<CalibratedModel> calibrate_power(const DeviceInfo& device,
                                             const std::vector<const MeasuredSet*>& sets) {
  const Hardware hardware = hardware_of(device);
  ClassFit task;
  CalibratedModel model;
  std::vector<ActivityShares> shares;
  std::size_t shorter = 0;
  double least = 1;
  for (const MeasuredSet* set : sets) {
    bool used = false;
    for (const MeasuredRow& row : set->rows) {
      if (!row.watts) continue;
      least = std::min(least, *row.watts / hardware.tdp_w);
      if (row.seconds < kShortestKernel) {
        ++shorter;
        continue;
      }
      used = true;
      shares.push_back(shares_of(row, hardware));
      task.measured.push_back(*row.watts / hardware.tdp_w);
      task.groups.push_back(row.group);
    }
    if (!used) continue;
    if (!model.provenance.tables.empty()) {
      model.provenance.tables += ", ";
      model.provenance.software += ", ";
    }
    model.provenance.tables += set->provenance.tables;
    model.provenance.software += set->provenance.software;
  }
  if (shares.empty()) return {};
  // A row at the cap says only that the demand is at least the cap; the minimum in the model
  // treats it so.
  task.parameters = {{"flop_coefficient", 0.8, 0.1, 2},          {"flop_exponent", 0.8, 0.3, 1.2},
                     {"byte_coefficient", 0.5, 0.05, 1.5},       {"byte_exponent", 0.8, 0.2, 1.2},
                     {"exponential_coefficient", 0.1, 0.001, 1}, {"cap_share", 0.99, 0.95, 1}};
  // No table holds watts of collectives or watts under a lower cap: voltage scaling of CMOS logic
  // near its top clock, P ~ f^2.5, and a tenth of TDP for the links.
  // The least watts of any row are those of a GPU that is awake and waits.
  task.fixed = {{"idle_active", least},
                {"link_coefficient", 0.1},
                {"frequency_exponent", 2.5},
                {"lowest_frequency", 0.1}};
  task.group_name = "an (n, k) or a number of heads";
  task.predict = [shares](const CalibratedModel& calibrated, std::vector<double>& watts) {
    const PowerModel power = PowerModel::from(calibrated);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      watts[i] = std::min(power.cap_share, power.demand(shares[i]));
    }
  };
  model.operation = "power";
  model.from = device.id;
  fit(task, model);
  model.quality.excluded = shorter;
  model.quality.excluded_because =
      "kernels under 100 us: their watts depend on how the loop was launched";
  return {model};
}

}  // namespace rackwright::kernels
