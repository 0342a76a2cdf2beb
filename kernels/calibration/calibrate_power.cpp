#include <algorithm>
#include <variant>

#include "kernels/analytical/attention_model.hpp"
#include "kernels/analytical/hardware.hpp"
#include "kernels/analytical/power_model.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {
namespace {

/// Below this the reported watts depend on how the loop was launched, not on the kernel.
constexpr double kShortestKernel = 100e-6;

using Point = std::array<double, ValueGrid::kMaxAxes>;

struct WattRows {
  std::vector<const MeasuredRow*> rows;
  std::size_t shorter = 0;
  double least = 1;  ///< least share of TDP of any row
};

ActivityShares shares_of(const MeasuredRow& row, const Hardware& hardware) {
  const workloads::OperatorWork work = workloads::work_of(row.op);
  ActivityShares shares;
  shares.flop = std::min(1.0, work.flops / (row.seconds * hardware.peak_of(work.type)));
  shares.byte = std::min(1.0, work.memory_bytes / (row.seconds * hardware.memory));
  shares.exponential = std::min(1.0, work.exponentials / (row.seconds * hardware.exponentials));
  return shares;
}

template <class Keep>
WattRows rows_with_watts(const std::vector<const MeasuredSet*>& sets, const Hardware& hardware,
                         Keep keep) {
  WattRows result;
  for (const MeasuredSet* set : sets) {
    for (const MeasuredRow& row : set->rows) {
      if (!row.watts) continue;
      result.least = std::min(result.least, *row.watts / hardware.tdp_w);
      if (!keep(row)) continue;
      if (row.seconds < kShortestKernel) {
        ++result.shorter;
      } else {
        result.rows.push_back(&row);
      }
    }
  }
  return result;
}

ClassFit power_fit(const WattRows& watts, const Hardware& hardware) {
  ClassFit task;
  std::vector<ActivityShares> shares;
  for (const MeasuredRow* row : watts.rows) {
    shares.push_back(shares_of(*row, hardware));
    task.measured.push_back(*row->watts / hardware.tdp_w);
    task.groups.push_back(row->group);
  }
  // A row at the cap says only that the demand is at least the cap; the minimum in the model
  // treats it so.
  task.parameters = {{"flop_coefficient", 0.8, 0.1, 2},          {"flop_exponent", 0.8, 0.3, 1.2},
                     {"byte_coefficient", 0.5, 0.05, 1.5},       {"byte_exponent", 0.8, 0.2, 1.2},
                     {"exponential_coefficient", 0.1, 0.001, 1}, {"cap_share", 0.99, 0.95, 1}};
  // No table holds watts of collectives or watts under a lower cap: voltage scaling of CMOS logic
  // near its top clock, P ~ f^2.5, and a tenth of TDP for the links.
  // The least watts of any row are those of a GPU that is awake and waits.
  task.fixed = {{"idle_active", watts.least},
                {"link_coefficient", 0.1},
                {"frequency_exponent", 2.5},
                {"lowest_frequency", 0.1}};
  task.group_name = "an (n, k) or a number of heads";
  task.predict = [shares = std::move(shares)](const CalibratedModel& calibrated,
                                              std::vector<double>& result) {
    const PowerModel power = PowerModel::from(calibrated);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      result[i] = std::min(power.cap_share, power.demand(shares[i]));
    }
  };
  return task;
}

/// Watts differ by shape beyond what the shares say (a long inner product draws less): a residual
/// at the coordinates of the class's times.
void set_points(ClassFit& task, const WattRows& watts, const std::string& variant) {
  for (const MeasuredRow* row : watts.rows) {
    if (const auto* gemm = std::get_if<workloads::GemmShape>(&row->op.shape)) {
      task.points.push_back({gemm->m, gemm->n, gemm->k});
      continue;
    }
    const auto& attention = std::get<workloads::AttentionShape>(row->op.shape);
    task.points.push_back(attention.prefill
                              ? prefill_point(attention.heads, attention.pairs,
                                              attention.query_tokens, attention.sequences)
                              : decode_point(attention));
  }
  task.stiffness = {0.01, 0.05, 0.3};
  if (variant == "gemm") return set_axes(task, {"m", "n", "k"});
  if (variant == "attention_prefill") return set_axes(task, {"heads", "length", "sequences"});
  set_axes(task, {"group", "length", "sequences", "kv_heads"});
}

std::string class_of(const MeasuredRow& row) {
  if (std::holds_alternative<workloads::GemmShape>(row.op.shape)) return "gemm";
  const auto* attention = std::get_if<workloads::AttentionShape>(&row.op.shape);
  if (attention == nullptr) return "";
  return attention->prefill ? "attention_prefill" : "attention_decode";
}

Provenance provenance_of(const std::vector<const MeasuredSet*>& sets) {
  Provenance result;
  for (const MeasuredSet* set : sets) {
    const bool used = std::any_of(set->rows.begin(), set->rows.end(), [](const MeasuredRow& row) {
      return row.watts && row.seconds >= kShortestKernel;
    });
    if (!used) continue;
    if (!result.tables.empty()) {
      result.tables += ", ";
      result.software += ", ";
    }
    result.tables += set->provenance.tables;
    result.software += set->provenance.software;
  }
  return result;
}

}  // namespace

std::vector<CalibratedModel> calibrate_power(const DeviceInfo& device,
                                             const std::vector<const MeasuredSet*>& sets) {
  constexpr std::size_t kLeastRows = 60;
  const Hardware hardware = hardware_of(device);
  std::vector<CalibratedModel> models;
  for (const std::string variant : {"", "gemm", "attention_prefill", "attention_decode"}) {
    const WattRows watts = rows_with_watts(sets, hardware, [&](const MeasuredRow& row) {
      return variant.empty() || class_of(row) == variant;
    });
    if (watts.rows.size() < kLeastRows) continue;
    ClassFit task = power_fit(watts, hardware);
    if (!variant.empty()) set_points(task, watts, variant);
    CalibratedModel model;
    model.operation = "power";
    model.variant = variant;
    model.from = device.id;
    model.provenance = provenance_of(sets);
    fit(task, model);
    model.quality.excluded = watts.shorter;
    model.quality.excluded_because =
        "kernels under 100 us: their watts depend on how the loop was launched";
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace rackwright::kernels
