#include <gtest/gtest.h>

#include "tests/kernels/cudnn/plan_cases.hpp"
#if __has_include(<cudnn_graph.h>)
#include <cudnn_graph.h>
#endif

namespace rackwright::kernels::cuda::testing {
namespace {

#if defined(CUDNN_MAJOR) && CUDNN_MAJOR == 9 && CUDNN_MINOR >= 19
// Our copy of the numbers against the header.
constexpr bool same(int ours, int theirs) {
  return ours == theirs;
}
static_assert(same(cudnn::kFp8, CUDNN_DATA_FP8_E4M3) && same(cudnn::kBf16, CUDNN_DATA_BFLOAT16) &&
              same(cudnn::kInt32, CUDNN_DATA_INT32) && same(cudnn::kBoolean, CUDNN_DATA_BOOLEAN));
static_assert(same(cudnn::kPointwiseAxis, CUDNN_ATTR_POINTWISE_AXIS) &&
              same(cudnn::kPointwiseT, CUDNN_ATTR_OPERATION_POINTWISE_TDESC) &&
              same(cudnn::kMatmulK, CUDNN_ATTR_OPERATION_MATMUL_GEMM_K_OVERRIDE_DESC) &&
              same(cudnn::kMatmulPadding, CUDNN_ATTR_MATMUL_PADDING_VALUE) &&
              same(cudnn::kReductionDescriptor, CUDNN_ATTR_OPERATION_REDUCTION_DESC) &&
              same(cudnn::kPagedTable, CUDNN_ATTR_OPERATION_PAGED_CACHE_LOAD_PAGE_TABLE_DESC) &&
              same(cudnn::kSdpaLengthKv, CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_KVDESC) &&
              same(cudnn::kMoeOutput, CUDNN_ATTR_OPERATION_MOE_GROUPED_MATMUL_OUTPUT_DESC) &&
              same(cudnn::kDeviceJson, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION) &&
              same(cudnn::kPlanDevice, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP) &&
              same(cudnn::kHeurDevice, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP) &&
              same(cudnn::kPackWorkspace, CUDNN_ATTR_VARIANT_PACK_WORKSPACE) &&
              same(cudnn::kTensorByValue, CUDNN_ATTR_TENSOR_IS_BY_VALUE));
static_assert(same(cudnn::kOperationMoe, CUDNN_BACKEND_OPERATION_MOE_GROUPED_MATMUL_DESCRIPTOR) &&
              same(cudnn::kOperationSdpa, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR) &&
              same(cudnn::kOperationPagedLoad,
                   CUDNN_BACKEND_OPERATION_PAGED_CACHE_LOAD_DESCRIPTOR) &&
              same(cudnn::kDeviceProperties, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR) &&
              same(cudnn::kOperationReduction, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR));
static_assert(same(cudnn::kMoeModeType, CUDNN_TYPE_MOE_GROUPED_MATMUL_MODE) &&
              same(cudnn::kReductionOperatorType, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE) &&
              same(cudnn::kDescriptorType, CUDNN_TYPE_BACKEND_DESCRIPTOR) &&
              same(cudnn::kCharType, CUDNN_TYPE_CHAR));
static_assert(same(cudnn::kSelect, CUDNN_POINTWISE_BINARY_SELECT) &&
              same(cudnn::kGenIndex, CUDNN_POINTWISE_GEN_INDEX) &&
              same(cudnn::kLog, CUDNN_POINTWISE_LOG) &&
              same(cudnn::kCmpLt, CUDNN_POINTWISE_CMP_LT) &&
              same(cudnn::kAnd, CUDNN_POINTWISE_LOGICAL_AND) &&
              same(cudnn::kReduceAmax, CUDNN_REDUCE_TENSOR_AMAX) &&
              same(cudnn::kHeurA, CUDNN_HEUR_MODE_A));
#endif

class PlanCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    cudnn_ = cudnn_without_a_gpu();
    if (!cudnn_.usable) GTEST_SKIP() << cudnn_.reason;
  }
  Passed passed(std::size_t one, const Chip& chip) {
    return check(cudnn_.api, plan_cases()[one], chip);
  }
  OpenedCudnn cudnn_;
};

constexpr std::size_t kPrefill = 0, kLatentPrefill = 2, kFp8Prefill = 5, kDecode = 6,
                      kLatentDecode = 12, kGrouped = 13, kGroupedFp8 = 14;

// What the module takes from cuDNN, where it passes, must keep its name and shape.
TEST_F(PlanCheck, AttentionAndGroupedProductsPassOnTheGpusOfNow) {
  const Chip h100 = chips()[1];
  for (const std::size_t one : {kPrefill, kLatentPrefill, kDecode, kLatentDecode, kGrouped}) {
    EXPECT_GT(passed(one, h100).passed, 0) << plan_cases()[one].name;
  }
  EXPECT_GT(passed(kPrefill, chips()[0]).passed, 0);
  EXPECT_GT(passed(kPrefill, chips()[2]).passed, 0);
}

// GA100 has no FP8 matrix units (NVIDIA A100 white paper, table 3); H100 has them.
TEST_F(PlanCheck, Fp8NeedsHopper) {
  EXPECT_EQ(passed(kFp8Prefill, chips()[0]).passed, 0);
  EXPECT_EQ(passed(kGroupedFp8, chips()[0]).passed, 0);
  EXPECT_GT(passed(kFp8Prefill, chips()[1]).passed, 0);
}

// TU104 has no BF16 matrix units (Turing white paper: FP16, INT8, INT4).
TEST_F(PlanCheck, Bf16NeedsAmpere) {
  EXPECT_EQ(passed(kPrefill, turing()).passed, 0);
  EXPECT_EQ(passed(kGrouped, turing()).passed, 0);
}

}  // namespace
}  // namespace rackwright::kernels::cuda::testing
