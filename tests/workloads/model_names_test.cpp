#include "workloads/model_names.hpp"

#include <gtest/gtest.h>

namespace rackwright::workloads {
namespace {

DataLocator source_tree() {
  return DataLocator({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
}

TEST(ShapeName, DropsOwnerTuningDateAndNumberFormat) {
  EXPECT_EQ(shape_name("meta-llama/Llama-3.1-70B-Instruct"), "llama-3.1-70b");
  EXPECT_EQ(shape_name("Qwen__Qwen3-30B-A3B-Thinking-2507"), "qwen3-30b-a3b");
  EXPECT_EQ(shape_name("nvidia/DeepSeek-R1-0528-FP4"), "deepseek-r1");
  EXPECT_EQ(shape_name("Qwen/Qwen3-235B-A22B-FP8"), "qwen3-235b-a22b");
  EXPECT_EQ(shape_name("llama2-70b"), "llama-2-70b");
  EXPECT_EQ(shape_name("meta-llama/Meta-Llama-3.1-405B"), "llama-3.1-405b");
}

TEST(FindModel, KnowsModelsOfTheSameShape) {
  const auto r1 = find_model_of("deepseek-ai/DeepSeek-R1-0528", source_tree());
  ASSERT_TRUE(r1.has_value());
  EXPECT_EQ(r1->experts.value().routed, 256);
  EXPECT_FALSE(find_model_of("nobody/unheard-of-7b", source_tree()).has_value());
}

TEST(ModelOfSize, HasAboutAsManyParametersAsAskedFor) {
  for (const double size : {8e9, 32e9, 70e9}) {
    const auto count = count_parameters(model_of_size("x", size, size));
    EXPECT_NEAR(count.total, size, 0.1 * size);
  }
  const auto sparse = count_parameters(model_of_size("x", 30e9, 3e9));
  EXPECT_NEAR(sparse.total, 30e9, 4.5e9);
  EXPECT_NEAR(sparse.active, 3e9, 0.9e9);
}

TEST(ShippedModels, OfTheServingTablesHaveThePublishedSize) {
  // Model cards: BLOOM 176.2 B, Llama 2 70B 69.0 B, Qwen3 8.2, 14.8 and 30.5 B, Gemma 3 text
  // models 11.8 B (12.2 with vision) and 27.0 B (27.4 with vision).
  const std::pair<const char*, double> published[] = {
      {"bloom-176b", 176.2e9}, {"llama-2-70b", 69.0e9},   {"qwen3-8b", 8.2e9},
      {"qwen3-14b", 14.8e9},   {"qwen3-30b-a3b", 30.5e9}, {"gemma-3-12b", 11.8e9},
      {"gemma-3-27b", 27.0e9}};
  for (const auto& [id, size] : published) {
    const auto model = find_model_of(id, source_tree());
    ASSERT_TRUE(model.has_value()) << id;
    EXPECT_NEAR(count_parameters(*model).total, size, 0.01 * size) << id;
  }
}

}  // namespace
}  // namespace rackwright::workloads
