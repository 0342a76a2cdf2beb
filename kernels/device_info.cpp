#include "kernels/device_info.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/json_document.hpp"

namespace rackwright::kernels {
namespace {

using workloads::DataType;

constexpr int kDeviceFormatVersion = 1;
constexpr double kGiga = 1e9;
constexpr double kTera = 1e12;
constexpr double kMega = 1e6;
constexpr double kBitsPerByte = 8;

/// Reads fact `key` and converts it to SI; an absent key is a blank fact.
DeviceFact read_fact(ObjectReader& facts, std::string_view key, double to_si) {
  DeviceFact fact;
  if (!facts.has(key)) return fact;
  ObjectReader reader = facts.object(key);
  const auto scaled = [&](std::string_view name) {
    std::optional<double> value = reader.optional_number(name, {.min = 0});
    if (value) value = *value * to_si;
    return value;
  };
  fact.value = scaled("value");
  fact.low = scaled("low");
  fact.high = scaled("high");
  fact.source = reader.text("source");
  if (fact.value) {
    fact.status = reader.choice("status", {"published", "derived", "estimated"});
    fact.confidence = reader.choice("confidence", {"high", "medium", "low"});
  }
  if (fact.low && fact.high && *fact.low > *fact.high) {
    reader.problem("low", "a number not above high", "a larger one");
  }
  reader.ignore({"status", "confidence"});
  reader.finish();
  return fact;
}

void read_peaks(ObjectReader& facts, DeviceInfo& device) {
  const DeviceFact bf16 = read_fact(facts, "bf16_dense_tflops", kTera);
  const DeviceFact fp8 = read_fact(facts, "fp8_dense_tflops", kTera);
  const DeviceFact fp4 = read_fact(facts, "fp4_dense_tflops", kTera);
  device.peak_flops[DataType::bf16] = bf16;
  device.peak_flops[DataType::fp16] = bf16;
  device.peak_flops[DataType::fp8] = fp8;
  device.peak_flops[DataType::fp8_block] = fp8;
  device.peak_flops[DataType::mxfp4] = fp4;
  device.peak_flops[DataType::nvfp4] = fp4;
  device.peak_flops[DataType::int8] = read_fact(facts, "int8_dense_tops", kTera);
}

void read_facts(ObjectReader facts, DeviceInfo& device) {
  read_peaks(facts, device);
  const std::array<std::pair<std::string_view, std::pair<DeviceFact*, double>>, 13> others{{
      {"memory_gb_per_s", {&device.memory_bytes_per_s, kGiga}},
      {"memory_gb", {&device.memory_bytes, kGiga}},
      {"scale_up_gb_per_s_one_way", {&device.scale_up_bytes_per_s, kGiga}},
      {"scale_out_gbit_per_s", {&device.scale_out_bytes_per_s, kGiga / kBitsPerByte}},
      {"tdp_w", {&device.tdp_w, 1.0}},
      {"idle_w", {&device.idle_w, 1.0}},
      {"l2_mb", {&device.l2_bytes, kMega}},
      {"multiprocessors", {&device.multiprocessors, 1.0}},
      {"max_clock_mhz", {&device.max_clock_hz, kMega}},
      {"rated_clock_mhz", {&device.rated_clock_hz, kMega}},
      {"exponentials_per_clock", {&device.exponentials_per_clock, 1.0}},
      {"max_operating_degc", {&device.max_operating_c, 1.0}},
      {"sustained_bf16_tflops", {&device.sustained_bf16_flops, kTera}},
  }};
  for (const auto& [key, target] : others) {
    *target.first = read_fact(facts, key, target.second);
  }
  facts.finish();
}

std::map<std::string, double> read_errors(ObjectReader& source) {
  std::map<std::string, double> errors;
  if (!source.has("errors")) return errors;
  ObjectReader reader = source.object("errors");
  for (const std::string& key : reader.keys()) errors[key] = reader.number(key, {.min = 0});
  return errors;
}

std::string fact_name(DataType type) {
  switch (type) {
    case DataType::fp16:
      return "bf16 dense FLOP/s";
    case DataType::fp8_block:
      return "fp8 dense FLOP/s";
    case DataType::mxfp4:
    case DataType::nvfp4:
      return "fp4 dense FLOP/s";
    default:
      return std::string(workloads::to_string(type)) + " dense FLOP/s";
  }
}

}  // namespace

bool DeviceInfo::is_weight_only(DataType type) const {
  return std::find(weight_only.begin(), weight_only.end(), type) != weight_only.end();
}

std::optional<double> DeviceInfo::compute_flops(DataType type) const {
  const auto peak = peak_flops.find(is_weight_only(type) ? DataType::bf16 : type);
  return peak == peak_flops.end() ? std::nullopt : peak->second.value;
}

std::vector<std::string> DeviceInfo::missing_for(DataType type) const {
  std::vector<std::string> missing;
  // Heads, norms and attention run in bf16 whatever the weights are.
  if (!compute_flops(DataType::bf16)) missing.push_back(fact_name(DataType::bf16));
  if (!compute_flops(type) && fact_name(type) != fact_name(DataType::bf16)) {
    missing.push_back(fact_name(type));
  }
  if (!memory_bytes_per_s.value) missing.emplace_back("memory bandwidth");
  if (!memory_bytes.value) missing.emplace_back("memory capacity");
  if (!tdp_w.value) missing.emplace_back("TDP");
  return missing;
}

DeviceInfo read_device(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader reader(document, problems);
  reader.check_format_version(kDeviceFormatVersion);
  DeviceInfo device;
  device.id = reader.text("id");
  device.name = reader.text("name");
  device.vendor = reader.text("vendor");
  device.architecture = reader.text("architecture");
  read_facts(reader.object("facts"), device);
  for (const std::string& type :
       reader.has("weight_only") ? reader.texts("weight_only") : std::vector<std::string>{}) {
    device.weight_only.push_back(workloads::parse_data_type(type, "weight_only"));
  }
  device.stages_through_host = reader.boolean_or("stages_through_host", false);
  if (reader.has("measured_as")) device.measured_as = reader.texts("measured_as");
  for (ObjectReader& source : reader.objects("calibration")) {
    device.calibration.push_back(
        {source.text("profile"), source.number_or("transfer_error", 0, {.min = 0}),
         source.number_or("collective_latency_factor", 1, {.min = 0.1, .max = 10}),
         read_errors(source)});
    source.finish();
  }
  reader.finish();
  problems.throw_if_any();
  return device;
}

DeviceInfo find_device(std::string_view id, const DataLocator& data) {
  return read_device(data.find(id, "kernels/devices"));
}

}  // namespace rackwright::kernels
