#include <algorithm>
#include <cctype>

#include "common/input_error.hpp"
#include "results/validation/served_tables.hpp"
#include "workloads/model_names.hpp"

namespace rackwright::results {

namespace {

/// Lower case, one dash for each separator.
std::string normal_name(std::string text) {
  for (char& c : text) {
    c = c == '_' || c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

const workloads::ModelConfig* ServedCatalog::model(const std::string& published) {
  auto at = models_.find(published);
  if (at == models_.end()) {
    at = models_.emplace(published, workloads::find_model_of(published, data_)).first;
  }
  return at->second ? &*at->second : nullptr;
}

std::string ServedCatalog::device_id(const std::string& name) {
  const auto at = devices_.find(name);
  if (at != devices_.end()) return at->second;
  const auto ids = data_.ids("kernels/devices");
  const std::string plain = normal_name(name);
  std::string found;
  std::string bare = plain;  // "b200-sxm" is "b200", "a100-80gb" is "a100"
  for (const std::string_view ending : {"-sxm", "-80gb", "-141gb"}) {
    if (bare.ends_with(ending)) bare.resize(bare.size() - ending.size());
  }
  for (const std::string& id : {plain, bare, bare + "-sxm"}) {
    if (found.empty() && contains(ids, id)) found = id;
  }
  for (const std::string& id : ids) {
    if (!found.empty()) break;
    for (const std::string& other : kernels::find_device(id, data_).measured_as) {
      if (normal_name(other) == plain || normal_name(other) == bare) found = id;
    }
  }
  devices_[name] = found;
  return found;
}

const kernels::AnalyticalBackend& ServedCatalog::backend(const std::string& device,
                                                         workloads::DataType type) {
  auto& slot = backends_[device + " " + std::string(workloads::to_string(type))];
  if (!slot) slot = kernels::AnalyticalBackend::load(device, type, data_);
  return *slot;
}

void ServedCatalog::price(ServedRow& row) {
  if (!row.excluded.empty()) return;
  try {
    const auto& backend = this->backend(row.device_id, row.point.plan.weights);
    const kernels::DeviceInfo& device = backend.device_info();
    // Room for logits is set aside per sequence: no more than will run.
    constexpr double kMostSequences = 1024;
    row.point.plan.max_batch =
        static_cast<int>(std::clamp(row.point.concurrency, 1.0, kMostSequences));
    row.point.plan = workloads::resolved(row.point.plan, row.point.model);
    if (const auto problem = workloads::plan_problem(row.point.model, row.point.plan);
        !problem.empty()) {
      row.excluded = "plan does not fit the model: " + problem;
      return;
    }
    row.peak_flops = device.compute_flops(workloads::DataType::bf16).value_or(1e14);
    row.tdp_w = device.tdp_w.value.value_or(0);
    row.idle_w = device.idle_w.value.value_or(0);
    row.point.gpu_memory_bytes = device.memory_bytes.value.value_or(0);
    row.point.rank.scale_out_bytes_per_s = device.scale_out_bytes_per_s.value.value_or(0);
    if (row.device_id.starts_with("gb")) row.point.rank.scale_up_domain = 72;
    row.costs = profiler::serving_costs(row.point, backend);
    if (row.tpot_s && row.costs.cached_sequences < 1) {
      // It was measured, so it ran: the row does not say all of the plan.
      row.costs.cached_sequences = row.point.concurrency;
      row.costs.extrapolated = true;
    }
    if (row.disaggregated) {
      profiler::ServingPoint prefill = row.point;
      prefill.plan = workloads::resolved(row.prefill_plan, row.point.model);
      prefill.plan.max_batch = row.point.plan.max_batch;
      if (workloads::plan_problem(prefill.model, prefill.plan).empty()) {
        row.costs.prefill = profiler::serving_costs(prefill, backend).prefill;
      }
    }
    row.priced = true;
  } catch (const BackendUnavailable& error) {
    row.excluded = error.what();
  }
}

}  // namespace rackwright::results
