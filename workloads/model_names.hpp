#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/data_locator.hpp"
#include "workloads/model_config.hpp"

namespace rackwright::workloads {

/// The part of a published name that says which shape it is, in the form of our ids: owner, tuning,
/// date and number format are dropped. "meta-llama/Llama-3.1-70B-Instruct" is "llama-3.1-70b",
/// "Qwen__Qwen3-30B-A3B-Thinking-2507" is "qwen3-30b-a3b", "nvidia/DeepSeek-R1-0528-FP4" is
/// "deepseek-r1".
[[nodiscard]] std::string shape_name(std::string_view published);

/// The shipped model of that shape: by id, or by `rackwright_also` in its file, which lists names
/// of models of the same shape (DeepSeek-R1 has the shape of DeepSeek-V3). Nothing when none has
/// it.
[[nodiscard]] std::optional<ModelConfig> find_model_of(std::string_view published,
                                                       const DataLocator& data);

/// A model known by its size alone, in parameters: layers = 32 (parameters / 8e9)^0.36 as in the
/// published Llama 3 models, width from 12 layers width^2, eight KV heads of 128, a gated MLP that
/// takes the rest. With fewer active parameters: eight experts of as many as match both counts are
/// used per token. Good for weight and KV bytes; noted as assumed.
[[nodiscard]] ModelConfig model_of_size(std::string name, double total_parameters,
                                        double active_parameters);

}  // namespace rackwright::workloads
