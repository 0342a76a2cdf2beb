#include "kernels/cuda/cudnn_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kernels/fake_cudnn.hpp"

namespace rackwright::kernels::cuda {
namespace {

using ::testing::HasSubstr;

using testing::FakeCudnn;

class CudnnRunner : public ::testing::Test {
 protected:
  std::vector<Candidate> candidates() {
    const CudnnVariant variant{"fused pattern", [](CudnnGraph& graph) {
                                 const AttentionIds ids = add_attention_pattern(
                                     graph, {.query_tokens = 64, .keys = 64, .causal = true});
                                 return CudnnBinder([ids] {
                                   return std::vector<CudnnGraph::Place>{{ids.query, nullptr}};
                                 });
                               }};
    return cudnn_candidates(
        library_, {variant},
        [this](std::size_t bytes) -> void* {
          asked_ = bytes;
          return &asked_;
        },
        notes_);
  }
  FakeCudnn state_;
  CudnnLibrary library_{FakeCudnn::opened()};
  std::vector<std::string> notes_;
  std::size_t asked_ = 0;
};

TEST_F(CudnnRunner, EveryPlanThatLoadsIsACandidate) {
  state_.configs = 3, state_.bad = 2;
  {
    const auto found = candidates();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "cuDNN 9.19.0, fused pattern, engine 7, plan 1");
    EXPECT_EQ(found[1].name, "cuDNN 9.19.0, fused pattern, engine 7, plan 3");
    EXPECT_EQ(asked_, 4096U);
    EXPECT_EQ(found[1].run(nullptr), 0);
    EXPECT_EQ(state_.executed, 1);
  }
  EXPECT_EQ(state_.open, 0);
  EXPECT_TRUE(notes_.empty());
}

TEST_F(CudnnRunner, AGraphThatCudnnRefusesLeavesItsReason) {
  state_.refuse_kind = cudnn::kOperationGraph;
  EXPECT_TRUE(candidates().empty());
  EXPECT_EQ(state_.open, 0);
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_THAT(notes_[0], HasSubstr("cuDNN 9.19.0: "));
  EXPECT_THAT(notes_[0], HasSubstr("head dimension not supported"));
}

TEST_F(CudnnRunner, WithoutPlansItSaysSo) {
  state_.configs = 0;
  EXPECT_TRUE(candidates().empty());
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_THAT(notes_[0], HasSubstr("propose no plan"));
}

TEST(CudnnLibrary, ALibraryThatIsNotThereIsNamed) {
  const CudnnLibrary library(open_cudnn("libcudnn-absent.so.9"));
  EXPECT_FALSE(library.usable());
  std::vector<std::string> notes;
  EXPECT_TRUE(cudnn_candidates(
                  library, {}, [](std::size_t) { return nullptr; }, notes)
                  .empty());
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("libcudnn-absent.so.9"));
}

}  // namespace
}  // namespace rackwright::kernels::cuda
