#include "results/validation/operator_formats.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../shared_data.hpp"
#include "common/input_error.hpp"
#include "results/validation/operator_prediction.hpp"
#include "results/validation/score.hpp"

namespace rackwright::results {
namespace {

using ::rackwright::testing::shared_data;
using ::testing::HasSubstr;

DataLocator source_tree() {
  return DataLocator({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
}

std::filesystem::path file_with(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(::testing::TempDir()) / name;
  std::ofstream(path) << text;
  return path;
}

std::vector<ValidationRow> validate(const ValidationFormat& format, std::filesystem::path path,
                                    const std::string& source = "") {
  return format.run({{std::move(path)}, "", std::string(format.quantities.front()), source},
                    source_tree(), {});
}

constexpr const char* kGemm = "version,device,kernel_source,gemm_dtype,m,n,k,latency\n";
constexpr const char* kNccl =
    "op,version,device,kernel_source,nccl_dtype,num_gpus,message_size,latency\n";

/// 2 m n k = 2 x 8192^3 FLOP at 989.4 dense TFLOP/s is 1.11 ms; the highest clock is at most an
/// eighth over the rated one.
TEST(OperatorFormats, NoGemmIsFasterThanTheDataSheet) {
  const auto path =
      file_with("gemm_bound.csv",
                std::string(kGemm) + "1,NVIDIA H100 80GB HBM3,torch,bfloat16,8192,8192,8192,1.6\n");
  const auto rows = validate(gemm_format(), path);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_DOUBLE_EQ(rows[0].measured, 1.6e-3);
  EXPECT_GE(rows[0].predicted, 2.0 * 8192 * 8192 * 8192 / 989.4e12 / 1.125);
  EXPECT_LE(rows[0].low, rows[0].predicted);
  EXPECT_GE(rows[0].high, rows[0].predicted);
  EXPECT_FALSE(rows[0].extrapolated);
}

/// The same product in 0.5 ms would be 2.2 PFLOP/s: no physics explains it.
TEST(OperatorFormats, ARowFasterThanThePeakIsNamedAndNotScored) {
  const auto path =
      file_with("gemm_fast.csv",
                std::string(kGemm) + "1,NVIDIA H100 80GB HBM3,torch,bfloat16,8192,8192,8192,0.5\n");
  const auto rows = validate(gemm_format(), path);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows[0].excluded, HasSubstr("bound"));
  EXPECT_EQ(score(rows).all.rows, 0u);
}

TEST(OperatorFormats, AnotherCardsCalibrationIsSaidToBeExtrapolated) {
  const auto path =
      file_with("gemm_other.csv",
                std::string(kGemm) + "1,NVIDIA H100 80GB HBM3,torch,bfloat16,8192,8192,8192,1.6\n");
  const auto own = validate(gemm_format(), path);
  const auto carried = validate(gemm_format(), path, "a100-sxm");
  ASSERT_EQ(carried.size(), 1u);
  EXPECT_TRUE(carried[0].extrapolated);
  EXPECT_GT(carried[0].high - carried[0].low, own[0].high - own[0].low);
}

/// 2^28 halves are 512 MiB; each of two GPUs sends 2 (n - 1) / n = 1 times that over a PCIe 4.0 x16
/// link of 32 GB/s: 16.8 ms at the least.
TEST(OperatorFormats, CardsWithoutNvlinkStageThroughTheHostUnderTheLinkRate) {
  const auto path = file_with(
      "pcie.csv", std::string(kNccl) + "all_reduce,2,NVIDIA L40S,NCCL,half,2,268435456,30\n");
  const auto rows = predict_operators({path, "", true, false}, source_tree());
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_GE(rows[0].predicted, 536870912.0 / 32e9);
  EXPECT_TRUE(rows[0].extrapolated);
  EXPECT_THAT(rows[0].note, HasSubstr("stages through host"));
  EXPECT_GE(rows[0].high / rows[0].predicted, 1.25);
}

TEST(OperatorFormats, ATableOfKernelsIsNoTableOfCollectives) {
  const auto path =
      file_with("kernels.csv",
                std::string(kGemm) + "1,NVIDIA H100 80GB HBM3,torch,bfloat16,8192,8192,8192,1.6\n");
  EXPECT_THROW((void)predict_operators({path, "", true, false}, source_tree()), InputError);
  EXPECT_THROW((void)validate(nccl_format(), path), InputError);
}

TEST(OperatorFormats, BadRowsSayLineAndColumn) {
  const auto path = file_with(
      "bad.csv", std::string(kGemm) + "1,NVIDIA H100 80GB HBM3,torch,bfloat16,8192,-4,8192,1.6\n");
  try {
    (void)validate(gemm_format(), path);
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("bad.csv:2"));
    EXPECT_THAT(error.what(), HasSubstr("n"));
  }
}

/// Within a device's own tables (fitted rows) and from another generation's only; the bars are the
/// project's for unseen shapes and for a GPU known by its data sheet.
TEST(OperatorFormats, SharedTablesStayWithinTheirBars) {
  RACKWRIGHT_NEED_SHARED("aiconfigurator-ops");
  struct Case {
    ValidationFormat format;
    const char* table;
    const char* source;
    double bar;
  };
  for (const Case& one :
       {Case{gemm_format(), "gemm_power_h200_sxm_bf16_vllm0.22.0.csv", "", 0.033},
        Case{gemm_format(), "gemm_power_h200_sxm_bf16_vllm0.22.0.csv", "h100-sxm", 0.14},
        Case{latent_attention_format(), "mla_generation_h100_sxm_trtllm1.3.0rc20.csv", "", 0.06},
        Case{engine_all_reduce_format(), "custom_allreduce_h100_sxm_trtllm1.3.0rc20.csv", "",
             0.06}}) {
    const auto rows =
        validate(one.format, shared_data() / "aiconfigurator-ops" / one.table, one.source);
    const ValidationSummary summary = score(rows);
    ASSERT_GT(summary.all.rows, 50u) << one.table;
    EXPECT_LT(summary.all.mape, one.bar) << one.table << one.source;
    EXPECT_LT(summary.all.mape, summary.all.baseline_mape.value()) << one.table << one.source;
    EXPECT_GE(summary.all.covered, 0.8) << one.table << one.source;
  }
}

}  // namespace
}  // namespace rackwright::results
