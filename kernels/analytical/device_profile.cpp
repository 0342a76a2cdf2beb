#include "kernels/analytical/device_profile.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "common/json_document.hpp"

namespace rackwright::kernels {
namespace {

constexpr int kProfileFormatVersion = 1;
/// Residuals are stored as whole thousandths: 0.1 % of a time, far under any measurement's noise.
constexpr double kResidualStep = 1e-3;
/// Assumed parameters of every class, for what no profile covers.
constexpr std::string_view kAssumedProfile = "default";
constexpr std::size_t kValuesPerLine = 24;

std::vector<float> parse_values(const std::vector<std::string>& lines, ObjectReader& reader) {
  std::vector<float> values;
  for (const std::string& line : lines) {
    const char* at = line.data();
    const char* const end = at + line.size();
    while (at < end) {
      int value = 0;
      const auto [next, error] = std::from_chars(at, end, value);
      if (error != std::errc{}) {
        reader.problem("values", "whole numbers separated by spaces", line);
        return values;
      }
      values.push_back(static_cast<float>(value * kResidualStep));
      at = next;
      while (at < end && *at == ' ') ++at;
    }
  }
  return values;
}

ValueGrid read_grid(ObjectReader reader) {
  std::vector<ValueGrid::Axis> axes;
  for (ObjectReader& axis : reader.objects("axes")) {
    axes.push_back({axis.text("name"), axis.numbers("knots", {.min = 1e-12})});
    axis.finish();
  }
  std::vector<float> values = parse_values(reader.texts("values_per_mille"), reader);
  reader.finish();
  try {
    return {std::move(axes), std::move(values)};
  } catch (const std::invalid_argument& error) {
    reader.problem("axes", "a consistent grid", error.what());
    return {};
  }
}

FitQuality read_quality(ObjectReader reader) {
  FitQuality quality;
  quality.rows = static_cast<std::size_t>(reader.integer_or("rows", 0, {.min = 0}));
  quality.excluded = static_cast<std::size_t>(reader.integer_or("excluded", 0, {.min = 0}));
  quality.excluded_because = reader.text_or("excluded_because", "");
  quality.fit_mean = reader.number_or("fit_mean", 0, {.min = 0});
  quality.held_out_mean = reader.number_or("held_out_mean", 0, {.min = 0});
  quality.held_out_median = reader.number_or("held_out_median", 0, {.min = 0});
  quality.held_out_p90 = reader.number("held_out_p90", {.min = 0});
  quality.held_out_group = reader.text_or("held_out_group", "");
  reader.finish();
  return quality;
}

CalibratedModel read_model(ObjectReader& reader) {
  CalibratedModel model;
  model.operation = reader.text("operation");
  model.variant = reader.text_or("variant", "");
  model.ranks = static_cast<int>(reader.integer_or("ranks", 0, {.min = 0}));
  ObjectReader provenance = reader.object("provenance");
  model.provenance.origin = provenance.choice("origin", {"measured", "derived", "assumed"});
  model.provenance.tables = provenance.text("tables");
  model.provenance.software = provenance.text_or("software", "");
  provenance.finish();
  model.quality = read_quality(reader.object("quality"));
  ObjectReader parameters = reader.object("parameters");
  for (const std::string& key : parameters.keys()) model.parameters[key] = parameters.number(key);
  if (reader.has("residual")) model.residual = read_grid(reader.object("residual"));
  reader.finish();
  return model;
}

nlohmann::ordered_json to_json(const ValueGrid& grid) {
  nlohmann::ordered_json json;
  json["axes"] = nlohmann::ordered_json::array();
  for (const auto& axis : grid.axes()) {
    json["axes"].push_back({{"name", axis.name}, {"knots", axis.knots}});
  }
  json["values_per_mille"] = nlohmann::ordered_json::array();
  std::string line;
  for (std::size_t i = 0; i < grid.values().size(); ++i) {
    if (!line.empty()) line += ' ';
    line += std::to_string(std::lround(grid.values()[i] / kResidualStep));
    if ((i + 1) % kValuesPerLine == 0 || i + 1 == grid.values().size()) {
      json["values_per_mille"].push_back(line);
      line.clear();
    }
  }
  return json;
}

/// Four significant digits: fits are not better than that.
double rounded(double value) {
  return value == 0 ? 0 : std::stod(fmt::format("{:.4g}", value));
}

nlohmann::ordered_json to_json(const FitQuality& quality) {
  nlohmann::ordered_json json;
  json["rows"] = quality.rows;
  if (quality.excluded > 0) {
    json["excluded"] = quality.excluded;
    json["excluded_because"] = quality.excluded_because;
  }
  json["fit_mean"] = rounded(quality.fit_mean);
  json["held_out_mean"] = rounded(quality.held_out_mean);
  json["held_out_median"] = rounded(quality.held_out_median);
  json["held_out_p90"] = rounded(quality.held_out_p90);
  json["held_out_group"] = quality.held_out_group;
  return json;
}

nlohmann::ordered_json to_json(const CalibratedModel& model) {
  nlohmann::ordered_json json;
  json["operation"] = model.operation;
  if (!model.variant.empty()) json["variant"] = model.variant;
  if (model.ranks > 0) json["ranks"] = model.ranks;
  json["provenance"] = {{"origin", model.provenance.origin},
                        {"tables", model.provenance.tables},
                        {"software", model.provenance.software}};
  json["quality"] = to_json(model.quality);
  json["parameters"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : model.parameters) json["parameters"][key] = rounded(value);
  if (!model.residual.empty()) json["residual"] = to_json(model.residual);
  return json;
}

/// Same thing to be modelled: what a nearer source already covers is not taken from a farther one.
bool covered(const std::vector<CalibratedModel>& models, const CalibratedModel& model) {
  return std::any_of(models.begin(), models.end(), [&](const CalibratedModel& other) {
    return other.operation == model.operation && other.variant == model.variant &&
           other.ranks == model.ranks;
  });
}

}  // namespace

const CalibratedModel* DeviceProfile::find(std::string_view operation, std::string_view variant,
                                           int ranks) const {
  for (const CalibratedModel& model : models) {
    if (model.operation == operation && model.variant == variant && model.ranks == ranks) {
      return &model;
    }
  }
  return nullptr;
}

DeviceProfile read_profile(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader reader(document, problems);
  reader.check_format_version(kProfileFormatVersion);
  DeviceProfile profile;
  profile.device = reader.text("device");
  for (ObjectReader& model : reader.objects("models")) {
    profile.models.push_back(read_model(model));
    profile.models.back().from = profile.device;
  }
  reader.finish();
  problems.throw_if_any();
  return profile;
}

std::string to_json(const DeviceProfile& profile) {
  nlohmann::ordered_json json;
  json["format_version"] = kProfileFormatVersion;
  json["device"] = profile.device;
  json["models"] = nlohmann::ordered_json::array();
  for (const CalibratedModel& model : profile.models) json["models"].push_back(to_json(model));
  return json.dump(1) + "\n";
}

namespace {

/// A source that the device file does not list: as far as the next family was off.
constexpr double kUnlistedSource = 0.4;

std::vector<CalibrationSource> sources_of(const DeviceInfo& device, const ProfileChoice& choice) {
  std::vector<CalibrationSource> sources = device.calibration;
  if (!choice.only_source.empty()) {
    const auto listed = std::find_if(
        sources.begin(), sources.end(),
        [&](const CalibrationSource& source) { return source.profile == choice.only_source; });
    CalibrationSource only{choice.only_source, kUnlistedSource, 1, {}};
    if (listed != sources.end()) only = *listed;
    sources = {only};
  }
  sources.push_back({std::string(kAssumedProfile), 0, 1, {}});
  return sources;
}

/// Source over target, 1 where one is blank.
double ratio(const DeviceFact& source, const DeviceFact& target) {
  return source.value && target.value ? *source.value / *target.value : 1;
}

/// Times of a kernel that are cycles of a fixed code path (launch, one thread block's work, a serial
/// walk) go with the clock; work of blocks that run side by side also with the multiprocessors. Fits
/// of A100 and H100 tables by themselves agree: launch of GEMM, decode 0.75, blocks 0.58, serial walk
/// 0.73; clocks 0.71, clocks x multiprocessors 0.58. Not prefill, whose launch is 10 us on both.
/// Collectives have a latency factor of their own.
void scale_cycles(const DeviceInfo& source, const DeviceInfo& target, CalibratedModel& model) {
  const bool decode = model.operation == "attention_decode" || model.operation == "mla_decode";
  if (!decode && model.operation != "gemm" && model.operation != "experts" &&
      model.operation != "elementwise") {
    return;
  }
  const double clock = ratio(source.max_clock_hz, target.max_clock_hz);
  const double width = ratio(source.multiprocessors, target.multiprocessors);
  for (auto& [key, value] : model.parameters) {
    if (!key.ends_with("_s")) continue;
    value *= clock;
    if (decode && key.starts_with("per_")) value *= width;
  }
}

/// The models of `sources` in their order, from the profiles `ID.SOFTWARE` that exist or, without
/// software, from the profiles `ID`.
void collect(const DeviceInfo& device, const std::vector<CalibrationSource>& sources,
             const std::string& software, const DataLocator& data,
             std::vector<CalibratedModel>& models) {
  constexpr std::string_view folder = "kernels/devices/profiles";
  const std::vector<std::string> ids = data.ids(folder);
  for (const CalibrationSource& source : sources) {
    const std::string id = software.empty() ? source.profile : source.profile + "." + software;
    if (!software.empty() && std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
    std::optional<DeviceInfo> other;  // that the source was measured on
    if (source.profile != device.id && source.profile != kAssumedProfile) {
      other = find_device(source.profile, data);
    }
    const double link_ratio =
        other ? 1 / ratio(other->scale_up_bytes_per_s, device.scale_up_bytes_per_s) : 1;
    DeviceProfile profile = read_profile(data.find(id, folder));
    for (CalibratedModel& model : profile.models) {
      const auto own = source.errors.find(model.operation);
      const double error = own == source.errors.end() ? source.relative_error : own->second;
      model.transfer_error = source.profile == device.id ? 0 : error;
      model.link_ratio = link_ratio;
      model.latency_factor = source.latency_factor;
      if (other) scale_cycles(*other, device, model);
      models.push_back(std::move(model));
    }
  }
}

/// Attention and expert kernels differ more by engine than by device; matrix products of all
/// engines come from the vendor's library.
bool engine_decides(const CalibratedModel& model) {
  return model.operation.starts_with("attention_") || model.operation.starts_with("mla_") ||
         model.operation == "experts";
}

/// Half-width added to kernels of another engine: H100 kernels of TensorRT-LLM against H200 kernels
/// of vLLM, 54 % mean in prefill.
constexpr double kOtherEngine = 0.5;

/// Moves the models of `engine` before the others, and drops those of other engines for the
/// operations that have any of it.
void prefer_engine(const std::string& engine, const std::string& device,
                   std::vector<CalibratedModel>& models) {
  const auto is_of = [&](const CalibratedModel& model) {
    return engine_of(model.provenance.software) == engine;
  };
  std::set<std::string> decided;
  for (const CalibratedModel& model : models) {
    if (engine_decides(model) && is_of(model)) decided.insert(model.operation);
  }
  std::erase_if(models, [&](const CalibratedModel& model) {
    return decided.contains(model.operation) && !is_of(model);
  });
  std::stable_partition(models.begin(), models.end(), [&](const CalibratedModel& model) {
    return model.from == device || (model.operation == "gemm" && is_of(model));
  });
  for (CalibratedModel& model : models) {
    const bool measured = model.provenance.origin == "measured";
    if (measured && engine_decides(model) && !is_of(model)) {
      model.transfer_error = std::hypot(model.transfer_error, kOtherEngine);
    }
  }
}

}  // namespace

std::string engine_of(std::string_view software) {
  const auto has = [&](std::string_view word) {
    return software.find(word) != std::string_view::npos;
  };
  if (has("vllm")) return "vllm";
  if (has("sglang") || has("flashinfer")) return "sglang";
  if (has("torch_flow") || has("TRTLLM") || has("trtllm") || software.starts_with("default 1.")) {
    return "trtllm";
  }
  return {};
}

DeviceProfile find_profile(const DeviceInfo& device, const DataLocator& data,
                           const ProfileChoice& choice) {
  const std::vector<CalibrationSource> sources = sources_of(device, choice);
  std::vector<CalibratedModel> candidates;
  if (!choice.software.empty()) collect(device, sources, choice.software, data, candidates);
  collect(device, sources, {}, data, candidates);
  if (!choice.engine.empty()) prefer_engine(choice.engine, device.id, candidates);
  DeviceProfile result;
  result.device = device.id;
  for (CalibratedModel& model : candidates) {
    if (!covered(result.models, model)) result.models.push_back(std::move(model));
  }
  return result;
}

}  // namespace rackwright::kernels
