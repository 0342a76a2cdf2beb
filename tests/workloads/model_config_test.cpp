#include "workloads/model_config.hpp"

#include <cctype>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/shared_data.hpp"

namespace rackwright::workloads {
namespace {

using ::testing::HasSubstr;

ModelConfig read_text(const std::string& text) {
  return read_model_config(JsonDocument::parse_text(text, "config.json"), "", "model");
}

std::string error_of(const std::string& text) {
  try {
    (void)read_text(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

ModelConfig shipped(const std::string& id) {
  return read_model_config(std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads/models" /
                           (id + ".json"));
}

/// Published counts. `total` is the number of elements in the published checkpoint, where the
/// publisher's hub page states it, else the model card's figure; `active` is the model card's, with
/// the tolerance that its digits allow (never under 1 %).
struct Published {
  const char* file;
  double total;
  double total_tolerance;
  double active;
  double active_tolerance;

  friend void PrintTo(const Published& row, std::ostream* out) { *out << row.file; }
};

class PublishedParameters : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedParameters, AreMetByTheConfigAsPublished) {
  const Published& row = GetParam();
  const std::string relative = std::string("model-configs/") + row.file + "_config.json";
  RACKWRIGHT_NEED_SHARED(relative);
  const ParameterCount count =
      count_parameters(read_model_config(testing::shared_data() / relative));
  EXPECT_NEAR(count.total, row.total, row.total_tolerance * row.total);
  EXPECT_NEAR(count.active, row.active, row.active_tolerance * row.active);
}

INSTANTIATE_TEST_SUITE_P(
    ModelCards, PublishedParameters,
    ::testing::Values(Published{"meta-llama--Meta-Llama-3.1-8B", 8.03e9, 1e-3, 8.03e9, 1e-2},
                      Published{"meta-llama--Meta-Llama-3.1-70B", 70.6e9, 1e-3, 70.6e9, 1e-2},
                      Published{"meta-llama--Meta-Llama-3.1-405B", 405.9e9, 1e-3, 405.9e9, 1e-2},
                      Published{"mistralai--Mixtral-8x7B-v0.1", 46.7e9, 1e-3, 12.9e9, 1e-2},
                      Published{"Qwen--Qwen3-235B-A22B", 235.09e9, 1e-3, 22e9, 1e-2},
                      // The card says 3.3 B active: one unit of its last digit.
                      Published{"Qwen--Qwen3-30B-A3B", 30.5e9, 2e-3, 3.3e9, 0.1 / 3.3},
                      Published{"Qwen--Qwen3-32B", 32.8e9, 2e-3, 32.8e9, 1e-2},
                      // The hub counts 31.1 B with the vision tower.
                      Published{"Qwen--Qwen3-VL-30B-A3B-Instruct", 31.1e9, 1e-3, 3.3e9, 0.1 / 3.3},
                      // README_WEIGHTS.md gives 36.7 B activated, the card rounds to 37 B.
                      Published{"deepseek-ai--DeepSeek-V3", 671e9, 1e-3, 36.7e9, 1e-2},
                      Published{"deepseek-ai--DeepSeek-V3.2", 671.9e9, 1e-3, 37e9, 2e-2},
                      // The card says 1 T; the checkpoint holds 1.026 T.
                      Published{"moonshotai--Kimi-K2-Instruct", 1.026e12, 1e-2, 32e9, 1e-2},
                      // gpt-oss model card, table 1: 116.83 B and 5.13 B.
                      Published{"openai--gpt-oss-120b", 116.83e9, 1e-4, 5.13e9, 1e-3},
                      // The card says 109 B and 17 B, both rounded to whole billions.
                      Published{"meta-llama--Llama-4-Scout-17B-16E-Instruct", 109e9, 1e-2, 17e9,
                                0.5 / 17}),
    [](const auto& row) {
      std::string name = row.param.file;
      for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return name;
    });

TEST(ModelConfig, ShippedModelsCountAsTheirPublishedCheckpoints) {
  // Elements of the published safetensors files (hub pages of the publishers).
  EXPECT_EQ(count_parameters(shipped("llama-3.1-8b")).total, 8030261248.0);
  EXPECT_EQ(count_parameters(shipped("llama-3.1-70b")).total, 70553706496.0);
  EXPECT_EQ(count_parameters(shipped("llama-3.1-405b")).total, 405853388800.0);
  EXPECT_EQ(count_parameters(shipped("mixtral-8x7b")).total, 46702792704.0);
  EXPECT_EQ(count_parameters(shipped("qwen3-32b")).total, 32762123264.0);
  EXPECT_EQ(count_parameters(shipped("qwen3-235b-a22b")).total, 235093634560.0);
  EXPECT_EQ(count_parameters(shipped("gpt-oss-120b")).total, 116829156672.0);
  EXPECT_EQ(count_parameters(shipped("llama-4-scout")).total, 108641793536.0);
  EXPECT_EQ(count_parameters(shipped("qwen3-vl-30b-a3b")).total, 31070754032.0);
}

TEST(ModelConfig, EveryShippedModelNamesItsSource) {
  const auto folder = std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / "workloads/models";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    const auto document = JsonDocument::parse_file(entry.path());
    EXPECT_THAT(document.root().value("rackwright_source", ""), HasSubstr("https://")) << entry;
    EXPECT_GT(count_parameters(read_model_config(entry.path())).active, 1e9) << entry;
  }
  EXPECT_GE(files, 12);
}

// ---- models that are not in any folder, from their published configs
// ------------------------------

TEST(ModelConfig, TiedEmbeddingsCountOnce) {
  // Llama 3.2 1B: 1,235,814,400 elements.
  const ModelConfig model = read_text(R"({"architectures": ["LlamaForCausalLM"],
    "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32,
    "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 8192, "vocab_size": 128256,
    "tie_word_embeddings": true})");
  EXPECT_EQ(count_parameters(model).total, 1235814400.0);
  EXPECT_EQ(count_parameters(model).active_without_embedding, 1235814400.0);
}

TEST(ModelConfig, Qwen2HasQueryKeyValueBiases) {
  // Qwen2.5 7B: 7,615,616,512 elements. head_dim is hidden / heads.
  const ModelConfig model = read_text(R"({"model_type": "qwen2", "hidden_size": 3584,
    "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
    "intermediate_size": 18944, "vocab_size": 152064, "sliding_window": 131072,
    "max_window_layers": 28, "use_sliding_window": false})");
  EXPECT_EQ(count_parameters(model).total, 7615616512.0);
  EXPECT_EQ(model.attention_clip(), 0);
}

TEST(ModelConfig, QwenSlidesFromMaxWindowLayersOn) {
  const ModelConfig model = read_text(R"({"model_type": "qwen2", "hidden_size": 3584,
    "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
    "intermediate_size": 18944, "vocab_size": 152064, "sliding_window": 4096,
    "max_window_layers": 20, "use_sliding_window": true})");
  ASSERT_EQ(model.layers.size(), 2U);
  EXPECT_EQ(model.layers[0].count, 20);
  EXPECT_EQ(model.layers[1].count, 8);
  EXPECT_EQ(model.layers[1].window, 4096);
}

TEST(ModelConfig, MistralSlidesOnAllLayersAndNemoHasItsOwnHeadSize) {
  // Mistral 7B v0.1: 7,241,732,096 elements.
  const ModelConfig first = read_text(R"({"architectures": ["MistralForCausalLM"],
    "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 32000,
    "sliding_window": 4096})");
  EXPECT_EQ(count_parameters(first).total, 7241732096.0);
  ASSERT_EQ(first.layers.size(), 1U);
  EXPECT_EQ(first.layers[0].span, AttentionSpan::sliding);
  // Mistral Nemo: 12,247,782,400 elements, 32 heads of 128 over hidden 5120.
  const ModelConfig nemo = read_text(R"({"architectures": ["MistralForCausalLM"],
    "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 32, "head_dim": 128,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 131072,
    "sliding_window": null})");
  EXPECT_EQ(count_parameters(nemo).total, 12247782400.0);
}

TEST(ModelConfig, MaverickAlternatesDenseAndExpertLayers) {
  // Llama 4 Maverick: 401.6 B elements with the vision tower, 17 B active.
  const ModelConfig model = read_text(R"({"architectures": ["Llama4ForConditionalGeneration"],
    "text_config": {"hidden_size": 5120, "num_hidden_layers": 48, "num_attention_heads": 40,
    "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 8192,
    "intermediate_size_mlp": 16384, "num_local_experts": 128, "num_experts_per_tok": 1,
    "interleave_moe_layer_step": 2, "attention_chunk_size": 8192, "vocab_size": 202048}})");
  EXPECT_NEAR(count_parameters(model).total, 401.6e9, 0.1e9);
  EXPECT_NEAR(count_parameters(model).active, 17e9, 0.5e9);
  int moe = 0;
  int full = 0;
  for (const LayerGroup& group : model.layers) {
    moe += group.moe ? group.count : 0;
    full += group.span == AttentionSpan::full ? group.count : 0;
  }
  EXPECT_EQ(moe, 24);
  EXPECT_EQ(full, 12);  // every fourth layer has no rotary embedding and sees everything
  ASSERT_EQ(model.notes.size(), 1U);
  EXPECT_THAT(model.notes[0], HasSubstr("vision tower"));
}

TEST(ModelConfig, SmallGptOssMatchesItsModelCard) {
  // gpt-oss model card, table 1: 20.91 B in total, 3.61 B active.
  const ModelConfig model = read_text(R"({"architectures": ["GptOssForCausalLM"],
    "hidden_size": 2880, "num_hidden_layers": 24, "num_attention_heads": 64,
    "num_key_value_heads": 8, "head_dim": 64, "attention_bias": true, "intermediate_size": 2880,
    "num_local_experts": 32, "num_experts_per_tok": 4, "vocab_size": 201088,
    "sliding_window": 128, "quantization_config": {"quant_method": "mxfp4"}})");
  EXPECT_NEAR(count_parameters(model).total, 20.91e9, 0.01e9);
  EXPECT_NEAR(count_parameters(model).active, 3.61e9, 0.01e9);
  EXPECT_EQ(model.published_type, DataType::bf16);
  EXPECT_EQ(model.published_expert_type, DataType::mxfp4);
  ASSERT_EQ(model.layers.size(), 2U);
  EXPECT_EQ(model.layers[0].count, 12);
}

TEST(ModelConfig, MlpOnlyAndSparseStepLayersAreDense) {
  // Layers 1, 3, 5, 7 of 0..7 are sparse; 3 is listed as MLP only.
  const ModelConfig model = read_text(R"({"model_type": "qwen3_moe", "hidden_size": 2048,
    "num_hidden_layers": 8, "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128,
    "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 128,
    "num_experts_per_tok": 8, "decoder_sparse_step": 2, "mlp_only_layers": [3],
    "vocab_size": 151936})");
  ASSERT_EQ(model.layers.size(), 2U);
  EXPECT_EQ(model.layers[0].count, 5);
  EXPECT_EQ(model.layers[0].dense_intermediate, 6144);
  EXPECT_EQ(model.layers[1].count, 3);
  EXPECT_TRUE(model.layers[1].moe);
}

// ---- derived figures
// -----------------------------------------------------------------------------

TEST(ModelConfig, CacheBytesPerTokenByHand) {
  // K and V x 80 layers x 8 heads x 128 x 2 B.
  EXPECT_EQ(kv_bytes_per_token(shipped("llama-3.1-70b"), DataType::bf16), 327680.0);
  EXPECT_EQ(kv_bytes_per_token(shipped("llama-3.1-70b"), DataType::fp8), 163840.0);
  // 61 layers x (512 + 64) x 2 B.
  EXPECT_EQ(kv_bytes_per_token(shipped("deepseek-v3"), DataType::bf16), 70272.0);
  // and 132 B of indexer keys per layer.
  EXPECT_EQ(kv_bytes_per_token(shipped("deepseek-v3.2"), DataType::bf16), 70272.0 + 61 * 132.0);
}

TEST(ModelConfig, WindowedLayersHoldAtMostTheirWindow) {
  // One layer holds 2 x 8 x 64 x 2 B = 2048 B per token; 18 layers of 1000 tokens, 18 of 128.
  EXPECT_EQ(kv_bytes_of_sequence(shipped("gpt-oss-120b"), DataType::bf16, 1000),
            18 * 2048.0 * (1000 + 128));
  EXPECT_EQ(shipped("gpt-oss-120b").attention_clip(), 128);
  EXPECT_EQ(shipped("llama-4-scout").attention_clip(), 8192);
  EXPECT_EQ(shipped("deepseek-v3.2").attention_clip(), 2048);
}

TEST(ModelConfig, WeightBytesFollowTheType) {
  const ModelConfig llama = shipped("llama-3.1-8b");
  EXPECT_EQ(weight_bytes(llama, DataType::bf16), 2 * 8030261248.0);
  // 32 layers x (41,943,040 + 176,160,768) linear weights at 1 B, the rest at 2 B.
  const double linear = 32.0 * (41943040 + 176160768);
  EXPECT_EQ(weight_bytes(llama, DataType::fp8), linear + 2 * (8030261248.0 - linear));
  // OpenAI: the 120b checkpoint is 60.8 GiB, whichever name the plan gives its types.
  const ModelConfig gpt = shipped("gpt-oss-120b");
  EXPECT_NEAR(weight_bytes(gpt, DataType::bf16), 60.8 * 1073741824.0, 0.1 * 1073741824.0);
  EXPECT_EQ(weight_bytes(gpt, DataType::mxfp4), weight_bytes(gpt, DataType::bf16));
}

TEST(ModelConfig, FlopsPerTokenByHand) {
  // 2 x (8,030,261,248 - input embedding 525,336,576 - norms 65 x 4096) and, at context 1000,
  // 32 layers x 4 x 32 heads x 128 x 1000.
  const double linear = 2 * (8030261248.0 - 525336576.0 - 65 * 4096.0);
  EXPECT_EQ(flops_per_token(shipped("llama-3.1-8b"), 0), linear);
  EXPECT_EQ(flops_per_token(shipped("llama-3.1-8b"), 1000), linear + 32 * 16384.0 * 1000);
}

// ---- refusals
// ------------------------------------------------------------------------------------

TEST(ModelConfig, UnknownArchitectureNamesTheSupportedOnes) {
  const std::string text = error_of(R"({"architectures": ["PhimoeForCausalLM"]})");
  EXPECT_THAT(text, HasSubstr("config.json:1: /architectures"));
  EXPECT_THAT(text, HasSubstr("GptOssForCausalLM"));
  EXPECT_THAT(text, HasSubstr("\"PhimoeForCausalLM\""));
  EXPECT_THAT(error_of("{}"), HasSubstr("neither architectures nor model_type"));
}

constexpr const char* kSmallQwen =
    R"("model_type": "qwen3", "hidden_size": 64, "num_hidden_layers": 2,
       "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
       "intermediate_size": 128, "vocab_size": 1000)";

TEST(ModelConfig, UnknownAttentionNamesTheSupportedOnes) {
  const std::string text = error_of(std::string("{") + kSmallQwen +
                                    R"(, "layer_types": ["full_attention", "linear_attention"]})");
  EXPECT_THAT(text, HasSubstr("chunked_attention"));
  EXPECT_THAT(text, HasSubstr("\"linear_attention\""));
}

TEST(ModelConfig, UnknownQuantisationNamesTheSupportedOnes) {
  const std::string text = error_of(std::string("{") + kSmallQwen +
                                    R"(, "quantization_config": {"quant_method": "quip"}})");
  EXPECT_THAT(text, HasSubstr("/quantization_config/quant_method"));
  EXPECT_THAT(text, HasSubstr("compressed-tensors"));
}

TEST(ModelConfig, QuantisationsSetTheLinearType) {
  const auto type_of = [](const std::string& quantisation) {
    return read_text(std::string("{") + kSmallQwen + ", \"quantization_config\": " + quantisation +
                     "}")
        .published_type;
  };
  EXPECT_EQ(type_of(R"({"quant_method": "fp8", "weight_block_size": [128, 128]})"),
            DataType::fp8_block);
  EXPECT_EQ(type_of(R"({"quant_method": "fbgemm_fp8"})"), DataType::fp8);
  EXPECT_EQ(type_of(R"({"quant_method": "modelopt", "quant_algo": "NVFP4"})"), DataType::nvfp4);
  EXPECT_EQ(type_of(R"({"quant_method": "compressed-tensors", "config_groups":
                       {"group_0": {"weights": {"num_bits": 8, "type": "int"}}}})"),
            DataType::int8);
}

TEST(ModelConfig, AllProblemsOfAFileAreReportedAtOnce) {
  const std::string text = error_of(R"({"model_type": "llama", "hidden_size": -5,
    "num_hidden_layers": "many", "num_attention_heads": 32, "num_key_value_heads": 7,
    "intermediate_size": 1e300, "vocab_size": 0})");
  for (const char* key : {"/hidden_size", "/num_hidden_layers", "/num_key_value_heads",
                          "/intermediate_size", "/vocab_size"}) {
    EXPECT_THAT(text, HasSubstr(key));
  }
}

}  // namespace
}  // namespace rackwright::workloads
