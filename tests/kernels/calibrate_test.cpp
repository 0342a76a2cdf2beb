#include "kernels/calibration/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "kernels/analytical/analytical_backend.hpp"
#include "tests/shared_data.hpp"

namespace rackwright::kernels {
namespace {

using workloads::DataType;

DataLocator source_tree() {
  return DataLocator({RACKWRIGHT_SOURCE_DIR});
}

/// Mean |predicted / measured - 1| of the rows that `keep` lets through.
template <class Keep>
double mean_error(const char* device, const std::filesystem::path& table, Keep keep) {
  const auto backend = AnalyticalBackend::load(device, DataType::bf16, source_tree());
  double sum = 0;
  double rows = 0;
  for (const MeasuredRow& row : read_measured(table).rows) {
    if (!keep(row)) continue;
    sum += std::abs(backend->predict(row.op, {}).seconds / row.seconds - 1);
    ++rows;
  }
  return rows > 0 ? sum / rows : 1;
}

bool every(const MeasuredRow&) {
  return true;
}

#define RACKWRIGHT_TABLE(name)                        \
  RACKWRIGHT_NEED_SHARED("aiconfigurator-ops/" name); \
  const auto table = rackwright::testing::shared_data() / "aiconfigurator-ops" / name

TEST(Calibrated, H200GemmRowsArePredicted) {
  RACKWRIGHT_TABLE("gemm_power_h200_sxm_bf16_vllm0.22.0.csv");
  EXPECT_LT(mean_error("h200-sxm", table, every), 0.033);
}

TEST(Calibrated, H100LatentAttentionRowsArePredicted) {
  RACKWRIGHT_TABLE("mla_generation_h100_sxm_trtllm1.3.0rc20.csv");
  EXPECT_LT(mean_error("h100-sxm", table, every), 0.06);
}

TEST(Calibrated, GroupedAttentionRowsArePredicted) {
  RACKWRIGHT_TABLE("attn_generation_h100_sxm_hd128_trtllm1.3.0rc20.csv");
  EXPECT_LT(mean_error("h100-sxm", table, every), 0.10);
}

TEST(Calibrated, CollectivesOfA100ArePredicted) {
  RACKWRIGHT_TABLE("nccl_a100_sxm_2.27.3.csv");
  EXPECT_LT(mean_error("a100-sxm", table, every), 0.05);
}

TEST(Calibrated, HeldOutErrorsMeetTheBars) {
  // Mean error of rows whose whole group was left out of the fit.
  struct Bar {
    const char* device;
    const char* operation;
    const char* variant;
    int ranks;
    double mean;
  };
  for (const Bar& bar :
       {Bar{"a100-sxm", "gemm", "bf16", 0, 0.070}, Bar{"h200-sxm", "gemm", "bf16", 0, 0.033},
        Bar{"h100-sxm", "gemm", "bf16", 0, 0.038}, Bar{"h100-sxm", "gemm", "fp8", 0, 0.023},
        Bar{"h100-sxm", "attention_prefill", "128", 0, 0.11},
        Bar{"h100-sxm", "attention_decode", "128", 0, 0.11},
        Bar{"h200-sxm", "attention_decode", "128", 0, 0.10},
        Bar{"h100-sxm", "mla_prefill", "bf16", 0, 0.06},
        Bar{"h100-sxm", "mla_decode", "bf16", 0, 0.06},
        Bar{"h100-sxm", "all_reduce", "nccl", 8, 0.05},
        Bar{"h100-sxm", "all_reduce", "engine", 8, 0.06}}) {
    const DeviceProfile profile =
        read_profile(source_tree().find(bar.device, "kernels/devices/profiles"));
    const CalibratedModel* model = profile.find(bar.operation, bar.variant, bar.ranks);
    ASSERT_NE(model, nullptr) << bar.device << " " << bar.operation;
    EXPECT_LT(model->quality.held_out_mean, bar.mean) << bar.device << " " << bar.operation;
    EXPECT_LE(model->quality.fit_mean, model->quality.held_out_mean);
  }
}

TEST(Calibrate, TheSameTablesGiveTheShippedModels) {
  RACKWRIGHT_TABLE("custom_allreduce_a100_sxm_trtllm1.0.0.csv");
  const DeviceInfo a100 = find_device("a100-sxm", source_tree());
  const std::vector<std::filesystem::path> tables{table};
  const DeviceProfile first = calibrate(a100, tables);
  EXPECT_EQ(to_json(first), to_json(calibrate(a100, tables)));
  const DeviceProfile shipped =
      read_profile(source_tree().find("a100-sxm", "kernels/devices/profiles"));
  for (const CalibratedModel& model : first.models) {
    const CalibratedModel* other = shipped.find(model.operation, model.variant, model.ranks);
    ASSERT_NE(other, nullptr);
    EXPECT_NEAR(other->parameters.at("rate_2") / model.parameters.at("rate_2"), 1.0, 0.01);
  }
}

TEST(Calibrate, ATableOfAnotherDeviceIsRefused) {
  RACKWRIGHT_TABLE("custom_allreduce_a100_sxm_trtllm1.0.0.csv");
  const std::vector<std::filesystem::path> tables{table};
  EXPECT_THROW(static_cast<void>(calibrate(find_device("h100-sxm", source_tree()), tables)),
               InputError);
}

}  // namespace
}  // namespace rackwright::kernels
