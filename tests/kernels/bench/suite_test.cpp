#include "kernels/bench/suite.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

std::vector<std::string> names_of(const std::vector<BenchCase>& cases) {
  std::vector<std::string> names;
  for (const auto& one : cases) names.push_back(one.name);
  return names;
}

std::vector<BenchCase> suite() {
  const DataLocator data{std::vector<std::filesystem::path>{RACKWRIGHT_SOURCE_DIR}};
  return default_suite({}, data);
}

TEST(Suite, HoldsTheOperatorsOfPublishedShapes) {
  // Llama 3.1 8B: hidden 4096, 32 + 2 x 8 heads of 128, width 14336, vocabulary 128256.
  // DeepSeek-V3 on 8: 128 / 8 heads over a latent of 512. Qwen3-30B-A3B: 2048 wide, experts of 768.
  EXPECT_THAT(
      names_of(suite()),
      ::testing::IsSupersetOf(
          {"llama-3.1-8b/decode/qkv_proj/bf16/m:64/n:6144/k:4096",
           "llama-3.1-8b/prefill/gate_up_proj/bf16/m:8192/n:28672/k:4096",
           "llama-3.1-8b/decode/lm_head/bf16/m:64/n:128256/k:4096",
           "llama-3.1-8b/decode/attention_decode/heads:32/kv:8/dim:128/batch:64/q:1/kv:8192",
           "llama-3.1-8b/prefill/attention_prefill/heads:32/kv:8/dim:128/batch:1/q:8192/kv:8192",
           "deepseek-v3/decode/attention_decode/heads:16/latent:512/batch:64/q:1/kv:8192"}));
}

TEST(Suite, HasNoNameTwiceAndNoCollectives) {
  auto names = names_of(suite());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  for (const auto& one : suite()) {
    EXPECT_NE(one.op.op_class, workloads::OperatorClass::collective) << one.name;
    EXPECT_NE(one.op.op_class, workloads::OperatorClass::host) << one.name;
    EXPECT_EQ(one.op.repeat, 1U);
  }
}

TEST(Suite, PrefillAttentionSeesHalfTheSquare) {
  for (const auto& one : suite()) {
    const auto* shape = std::get_if<workloads::AttentionShape>(&one.op.shape);
    if (shape == nullptr || !shape->prefill) continue;
    EXPECT_DOUBLE_EQ(shape->pairs, 8192.0 * 8193 / 2);
  }
}

}  // namespace
}  // namespace rackwright::kernels
