#include <algorithm>
#include <map>
#include <type_traits>

#include <fmt/format.h>

#include "kernels/analytical/attention_model.hpp"
#include "kernels/analytical/hardware.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "kernels/calibration/class_fit.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

/// Rows of one operation, with everything a prediction needs.
template <class Shape>
struct Rows {
  std::vector<Shape> shapes;
  std::vector<OperatorWork> works;

  void add(const MeasuredRow& row, ClassFit& task) {
    shapes.push_back(std::get<Shape>(row.op.shape));
    works.push_back(work_of(row.op));
    task.measured.push_back(row.seconds);
    task.groups.push_back(row.group);
  }
};

template <class Shape>
ClassFit prefill_fit(const std::vector<const MeasuredRow*>& rows, const Hardware& hardware) {
  ClassFit task;
  task.parameters = {{"t0_s", 8e-6, 1e-6, 5e-5},
                     {"compute_efficiency", 0.7, 0.05, 1},
                     {"exponential_efficiency", 0.8, 0.05, 10},
                     {"memory_efficiency", 0.8, 0.05, 2},
                     {"exponent", 2, 1, 10},
                     {"wave", 1, 0.05, 10},
                     {"half_length", 100, 1, 5000}};
  Rows<Shape> kept;
  for (const MeasuredRow* row : rows) {
    const auto& shape = std::get<Shape>(row->op.shape);
    kept.add(*row, task);
    task.points.push_back({static_cast<double>(shape.heads),
                           equivalent_length(shape.pairs, shape.query_tokens), shape.sequences});
  }
  set_axes(task, {"heads", "length", "sequences"});
  task.group_name = "a number of heads";
  task.predict = [hardware, kept = std::move(kept)](const CalibratedModel& calibrated,
                                                    std::vector<double>& seconds) {
    const PrefillModel model = PrefillModel::from(calibrated);
    for (std::size_t i = 0; i < kept.shapes.size(); ++i) {
      seconds[i] = model.seconds(kept.shapes[i], kept.works[i], hardware);
    }
  };
  return task;
}

template <class Shape>
ClassFit decode_fit(const std::vector<const MeasuredRow*>& rows, const Hardware& hardware,
                    double wide_group) {
  constexpr bool latent = std::is_same_v<Shape, LatentAttentionShape>;
  ClassFit task;
  task.parameters = {{"t0_s", 6e-6, 1e-6, 5e-5},           {"per_kv_head_s", 1e-8, 1e-11, 1e-6},
                     {"per_head_s", 1e-9, 1e-12, 1e-6},    {"memory_efficiency", 0.85, 0.05, 1.5},
                     {"compute_efficiency", 0.4, 0.01, 1}, {"serial_s", 1e-9, 1e-13, 1e-6},
                     {"log_length_s", 5e-7, 1e-9, 1e-5},   {"exponent", 2, 1, 10}};
  task.fixed = {{"wide_group", wide_group}, {"head_rows", latent ? 64.0 : 1.0}};
  Rows<Shape> kept;
  for (const MeasuredRow* row : rows) {
    kept.add(*row, task);
    task.points.push_back(decode_point(kept.shapes.back()));
  }
  if (latent) {
    set_axes(task, {"heads", "length", "sequences"});
    task.group_name = "a number of heads";
  } else {
    set_axes(task, {"group", "length", "sequences", "kv_heads"});
    task.group_name = "a number of heads";
  }
  task.predict = [hardware, kept = std::move(kept)](const CalibratedModel& calibrated,
                                                    std::vector<double>& seconds) {
    const DecodeModel model = DecodeModel::from(calibrated);
    for (std::size_t i = 0; i < kept.shapes.size(); ++i) {
      seconds[i] = model.seconds(kept.shapes[i], hardware);
    }
  };
  return task;
}

/// TensorRT-LLM's decode kernel reads the KV once per query head when a group is wider than this.
constexpr double kTensorRtWideGroup = 32;

bool is_tensorrt(const MeasuredSet& set) {
  return set.provenance.software.find("torch_flow") != std::string::npos;
}

/// A row faster than its bytes at the memory rate, too big for L2, did not read them all.
bool reads_too_little(const MeasuredRow& row, const Hardware& hardware) {
  const double bytes = std::max(0.0, work_of(row.op).memory_bytes - hardware.l2_bytes);
  return bytes / hardware.memory > row.seconds;
}

CalibratedModel named(const char* operation, std::string variant, const MeasuredSet& set,
                      const DeviceInfo& device) {
  CalibratedModel model;
  model.operation = operation;
  model.variant = std::move(variant);
  model.provenance = set.provenance;
  model.from = device.id;
  return model;
}

void note_excluded(std::size_t excluded, CalibratedModel& model) {
  if (excluded == 0) return;
  model.quality.excluded = excluded;
  model.quality.excluded_because = "faster than their KV bytes beyond L2 at the memory rate";
}

}  // namespace

std::vector<CalibratedModel> calibrate_attention(const DeviceInfo& device, const MeasuredSet& set) {
  const Hardware hardware = hardware_of(device);
  std::map<std::pair<bool, int>, std::vector<const MeasuredRow*>> classes;
  std::map<std::pair<bool, int>, std::size_t> excluded;
  for (const MeasuredRow& row : set.rows) {
    const auto& shape = std::get<AttentionShape>(row.op.shape);
    const std::pair key{!shape.prefill, shape.head_dim};
    if (reads_too_little(row, hardware)) {
      ++excluded[key];
    } else {
      classes[key].push_back(&row);
    }
  }
  std::vector<CalibratedModel> models;
  for (const auto& [key, rows] : classes) {
    const auto& [decode, head_dim] = key;
    CalibratedModel model = named(decode ? "attention_decode" : "attention_prefill",
                                  std::to_string(head_dim), set, device);
    fit(decode
            ? decode_fit<AttentionShape>(rows, hardware, is_tensorrt(set) ? kTensorRtWideGroup : 0)
            : prefill_fit<AttentionShape>(rows, hardware),
        model);
    note_excluded(excluded[key], model);
    models.push_back(std::move(model));
  }
  return models;
}

std::vector<CalibratedModel> calibrate_latent_attention(const DeviceInfo& device,
                                                        const MeasuredSet& set) {
  const Hardware hardware = hardware_of(device);
  std::map<std::pair<bool, DataType>, std::vector<const MeasuredRow*>> classes;
  std::map<std::pair<bool, DataType>, std::size_t> excluded;
  for (const MeasuredRow& row : set.rows) {
    const auto& shape = std::get<LatentAttentionShape>(row.op.shape);
    const std::pair key{!shape.prefill, shape.kv_type};
    if (key.first && reads_too_little(row, hardware)) {
      ++excluded[key];
    } else {
      classes[key].push_back(&row);
    }
  }
  std::vector<CalibratedModel> models;
  for (const auto& [key, rows] : classes) {
    const bool decode = key.first;
    CalibratedModel model = named(decode ? "mla_decode" : "mla_prefill",
                                  std::string(to_string(key.second)), set, device);
    fit(decode ? decode_fit<LatentAttentionShape>(rows, hardware, 0)
               : prefill_fit<LatentAttentionShape>(rows, hardware),
        model);
    note_excluded(excluded[key], model);
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace rackwright::kernels
