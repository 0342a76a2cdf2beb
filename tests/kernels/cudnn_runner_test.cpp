#include "kernels/cuda/cudnn_runner.hpp"

#include <cstdio>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::kernels::cuda {
namespace {

using ::testing::HasSubstr;

/// A cuDNN that proposes `configs` for the first heuristic and none for the fallback; the plans in
/// `bad` do not load. Descriptors are counted.
struct FakeCudnn {
  int configs = 2, refuse_kind = -1;
  int open = 0, executed = 0;
  int plans = 0;
  int heuristics = 0;
  int bad = 0;  ///< number of the plan that does not load
};
FakeCudnn* fake = nullptr;

struct FakeDescriptor {
  int kind;
};

int create(int kind, CudnnDescriptor* out) {
  *out = new FakeDescriptor{kind};
  ++fake->open;
  return 0;
}
int destroy(CudnnDescriptor one) {
  delete static_cast<FakeDescriptor*>(one);
  --fake->open;
  return 0;
}
int set(CudnnDescriptor, int, int, std::int64_t, const void*) {
  return 0;
}
int get(CudnnDescriptor, int attribute, int, std::int64_t wanted, std::int64_t* got, void* values) {
  if (attribute == cudnn::kHeurResults) {
    *got = fake->heuristics == 1 ? fake->configs : 0;
    return 0;
  }
  *got = 1;
  const std::int64_t value = attribute == cudnn::kPlanWorkspace ? 4096 : 7;
  if (attribute != cudnn::kConfigEngine && wanted == 1) std::memcpy(values, &value, sizeof value);
  return 0;
}
int finalize(CudnnDescriptor one) {
  const int kind = static_cast<FakeDescriptor*>(one)->kind;
  if (kind == cudnn::kEngineHeur) ++fake->heuristics;
  if (kind == cudnn::kPlan) return ++fake->plans == fake->bad ? cudnn::kNotSupported : 0;
  return kind == fake->refuse_kind ? cudnn::kNotSupported : 0;
}
int execute(void*, CudnnDescriptor, CudnnDescriptor) {
  ++fake->executed;
  return 0;
}
int create_handle(void** out) {
  *out = reinterpret_cast<void*>(1);
  return 0;
}
int destroy_handle(void*) {
  return 0;
}
int set_stream(void*, void*) {
  return 0;
}
void last_error(char* text, std::size_t size) {
  std::snprintf(text, size, "head dimension not supported");
}

OpenedCudnn opened() {
  return {{create, destroy, set, get, finalize, execute, create_handle, destroy_handle, set_stream,
           nullptr, last_error},
          true,
          "cuDNN 9.19.0"};
}

class CudnnRunner : public ::testing::Test {
 protected:
  CudnnRunner() { fake = &state_; }
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
  CudnnLibrary library_{opened()};
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
