#include "workloads/vision_reader.hpp"

#include "workloads/config_values.hpp"

namespace rackwright::workloads {
namespace {

/// One pre-norm ViT block with biases: four projections, two MLP matrices, two LayerNorms.
double vit_block(double hidden, double intermediate) {
  return 4 * (hidden * hidden + hidden) + 2 * hidden * intermediate + intermediate + hidden +
         4 * hidden;
}

}  // namespace

/// Qwen3-VL (modeling_qwen3_vl.py, transformers 4.57): patch convolution over two frames, learned
/// positions, ViT blocks, one merger at the end and one per deepstack layer. A merger is a
/// LayerNorm, a square matrix over merge^2 patches, and a matrix to the language model.
VisionConfig read_qwen_vision(ObjectReader vision) {
  VisionConfig config;
  config.depth = positive(vision, "depth");
  config.hidden = positive(vision, "hidden_size");
  config.intermediate = positive(vision, "intermediate_size");
  config.heads = positive(vision, "num_heads");
  config.patch_size = positive(vision, "patch_size");
  config.merge = positive_or(vision, "spatial_merge_size", 2);
  config.out_hidden = positive(vision, "out_hidden_size");
  config.native_patches = positive_or(vision, "num_position_embeddings", 2304);
  const double channels = positive_or(vision, "in_channels", 3);
  const double frames = positive_or(vision, "temporal_patch_size", 2);
  const double hidden = config.hidden;
  const double merged = hidden * config.merge * config.merge;
  const double patch = channels * frames * config.patch_size * config.patch_size;
  double deepstack = 0;
  if (vision.has("deepstack_visual_indexes")) {
    deepstack = static_cast<double>(vision.numbers("deepstack_visual_indexes").size());
  }
  config.projector = (1 + deepstack) * (merged * merged + merged * config.out_hidden);
  const double projector_other =
      2 * hidden + deepstack * 2 * merged + (1 + deepstack) * (merged + config.out_hidden);
  config.parameters = patch * hidden + hidden + config.native_patches * hidden +
                      config.depth * vit_block(hidden, config.intermediate) + config.projector +
                      projector_other;
  return config;
}

/// Llama 4 (modeling_llama4.py, transformers 4.51). Defaults are those of the published
/// vision_config of Llama-4-Scout-17B-16E-Instruct, which Maverick shares.
VisionConfig read_llama4_vision(ObjectReader vision, int text_hidden) {
  VisionConfig config;
  config.depth = positive_or(vision, "num_hidden_layers", 34);
  config.hidden = positive_or(vision, "hidden_size", 1408);
  config.intermediate = positive_or(vision, "intermediate_size", 5632);
  config.heads = positive_or(vision, "num_attention_heads", 16);
  config.patch_size = positive_or(vision, "patch_size", 14);
  config.merge = static_cast<int>(
      1.0 / vision.number_or("pixel_shuffle_ratio", 0.5, {.min = 0.125, .max = 1}));
  config.out_hidden = text_hidden;
  const int image = positive_or(vision, "image_size", 336);
  const double channels = positive_or(vision, "num_channels", 3);
  const double adapter_in = positive_or(vision, "projector_input_dim", 4096);
  const double adapter_out = positive_or(vision, "projector_output_dim", 4096);
  const int side = image / config.patch_size;
  config.native_patches = side * side + 1;  // one class token
  const double hidden = config.hidden;
  const double patch = channels * config.patch_size * config.patch_size;
  config.projector = static_cast<double>(config.intermediate) * adapter_in +
                     adapter_in * adapter_out + adapter_out * text_hidden;
  config.parameters = patch * hidden + hidden + config.native_patches * hidden +
                      config.depth * vit_block(hidden, config.intermediate) + 4 * hidden +
                      config.projector;
  return config;
}

}  // namespace rackwright::workloads
