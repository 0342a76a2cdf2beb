#pragma once

#include "common/json_document.hpp"
#include "workloads/model_config.hpp"

namespace rackwright::workloads {

/// The `vision_config` of Qwen3-VL.
[[nodiscard]] VisionConfig read_qwen_vision(ObjectReader vision);
/// The `vision_config` of Llama 4; absent keys take the published values. `text_hidden` is the
/// hidden size of the language model.
[[nodiscard]] VisionConfig read_llama4_vision(ObjectReader vision, int text_hidden);

}  // namespace rackwright::workloads
