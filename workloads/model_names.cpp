#include "workloads/model_names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "common/json_document.hpp"

namespace rackwright::workloads {

namespace {

/// Endings that do not change the shape, after a '-'.
bool is_variant(std::string_view word) {
  constexpr std::array words{"instruct", "it",    "chat",  "thinking", "base",     "hf",
                             "fp8",      "fp4",   "nvfp4", "mxfp4",    "bf16",     "fp16",
                             "int8",     "awq",   "gptq",  "turbo",    "dynamic",  "reasoning",
                             "preview",  "block", "w4a16", "w8a8",     "quantized"};
  if (std::find(words.begin(), words.end(), word) != words.end()) return true;
  // A date: "2507", "0528".
  return word.size() == 4 && std::all_of(word.begin(), word.end(),
                                         [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool lists(const std::filesystem::path& path, const std::string& name) {
  const JsonDocument document = JsonDocument::parse_file(path);
  const auto also = document.root().find("rackwright_also");
  if (also == document.root().end() || !also->is_array()) return false;
  return std::any_of(also->begin(), also->end(), [&](const auto& entry) {
    return entry.is_string() && shape_name(entry.template get<std::string>()) == name;
  });
}

}  // namespace

std::string shape_name(std::string_view published) {
  if (const auto at = published.find_last_of('/'); at != std::string_view::npos) {
    published.remove_prefix(at + 1);
  }
  if (const auto at = published.find("__"); at != std::string_view::npos) {
    published.remove_prefix(at + 2);
  }
  std::string name;
  for (const char c : published) {
    name += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (name.starts_with("meta-llama-")) name.erase(0, 5);  // "Meta-Llama-3.1-70B"
  if (name.starts_with("llama2")) name.insert(5, "-");
  if (name.starts_with("llama3")) name.insert(5, "-");
  for (;;) {
    const auto at = name.find_last_of('-');
    if (at == std::string::npos || !is_variant(std::string_view(name).substr(at + 1))) break;
    name.resize(at);
  }
  return name;
}

std::optional<ModelConfig> find_model_of(std::string_view published, const DataLocator& data) {
  constexpr std::string_view kFolder = "workloads/models";
  const std::string name = shape_name(published);
  const auto ids = data.ids(kFolder);
  if (std::find(ids.begin(), ids.end(), name) != ids.end()) {
    return read_model_config(data.find(name, kFolder));
  }
  for (const std::string& id : ids) {
    const auto path = data.find(id, kFolder);
    if (lists(path, name)) return read_model_config(path);
  }
  return std::nullopt;
}

ModelConfig model_of_size(std::string name, double total_parameters, double active_parameters) {
  constexpr int kHeadDim = 128;
  constexpr int kKvHeads = 8;
  constexpr int kVocabulary = 128256;
  constexpr int kTopK = 8;
  ModelConfig model;
  model.name = std::move(name);
  model.architecture = "assumed";
  model.vocabulary = kVocabulary;
  model.max_positions = 131072;
  const double active = std::clamp(active_parameters, 1e6, std::max(1e6, total_parameters));
  const bool sparse = active < 0.9 * total_parameters;
  // 8B has 32 layers, 70B 80, 405B 126: layers ~ parameters^0.36. A sparse model is as deep and
  // wide as a dense one of the geometric mean of both counts.
  const double size = sparse ? std::sqrt(active * total_parameters) : active;
  const double depth = 32 * std::pow(size / 8e9, 0.36);
  const int layers = std::max(2, static_cast<int>(std::lround(depth)));
  const double width = std::sqrt(active / (12.0 * layers));
  model.hidden = std::max(256, static_cast<int>(std::lround(width / 256)) * 256);
  model.attention.heads = std::max(kKvHeads, model.hidden / kHeadDim / kKvHeads * kKvHeads);
  model.attention.kv_heads = kKvHeads;
  model.attention.head_dim = kHeadDim;
  const double hidden = model.hidden;
  const double attention = hidden * kHeadDim * (2.0 * model.attention.heads + 2.0 * kKvHeads);
  const double rest = std::max(0.0, active - 2.0 * kVocabulary * hidden) / layers - attention;
  const auto multiple = [](double value) {
    return std::max(128, static_cast<int>(std::lround(value / 128)) * 128);
  };
  LayerGroup group;
  group.count = layers;
  if (sparse) {
    ExpertConfig experts;
    experts.top_k = kTopK;
    experts.intermediate = multiple(rest / (3 * hidden * kTopK));
    const double expert = 3.0 * hidden * experts.intermediate * layers;
    experts.routed = std::clamp(
        static_cast<int>(std::lround((total_parameters - active) / expert)) + kTopK, kTopK, 1024);
    model.experts = experts;
    group.moe = true;
  } else {
    group.dense_intermediate = multiple(rest / (3 * hidden));
  }
  model.layers = {group};
  model.notes.emplace_back("shape assumed from the number of parameters");
  return model;
}

}  // namespace rackwright::workloads
