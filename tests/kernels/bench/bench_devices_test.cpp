#include "kernels/bench/bench_devices.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "kernels/host/host_operator.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;

Operator of(OperatorShape shape) {
  return {"op", OperatorClass::gemm, Lane::compute, 1, std::move(shape)};
}

TEST(HostWork, GemmIsInFloat) {
  const auto work = host_work(of(GemmShape{16, 100, 200, DataType::fp8}));
  EXPECT_EQ(work.flops, 2.0 * 16 * 100 * 200);
  EXPECT_EQ(work.memory_bytes, 4.0 * (16 * 200 + 200 * 100 + 16 * 100));
  EXPECT_EQ(work.type, DataType::fp32);
}

TEST(HostWork, CausalAttentionCountsThePairsItSees) {
  AttentionShape shape;
  shape.prefill = true;
  shape.sequences = 2, shape.query_tokens = 2 * 4, shape.kv_tokens = 2 * 6;
  shape.heads = 8, shape.kv_heads = 2, shape.head_dim = 16;
  const auto work = host_work(of(shape));
  // Queries 3 to 6 of 6: 3 + 4 + 5 + 6 = 18 pairs a head and sequence; 2 x (16 + 16) FLOP each.
  EXPECT_EQ(work.flops, 2.0 * 8 * 18 * 64);
  // q and out of 8 heads, k and v of 2: per sequence 4 x 8 x 32 + 6 x 2 x 32 floats.
  EXPECT_EQ(work.memory_bytes, 4.0 * 2 * (4 * 8 * 32 + 6 * 2 * 32));
  shape.window = 2;
  EXPECT_EQ(host_work(of(shape)).flops, 2.0 * 8 * 8 * 64);  // 4 queries see 2 keys each
}

TEST(HostWork, LatentDecodeReadsTheLatentOnce) {
  LatentAttentionShape shape;
  shape.sequences = 1, shape.query_tokens = 1, shape.kv_tokens = 100;
  shape.heads = 16, shape.latent = 512, shape.rope = 64, shape.nope = 128, shape.v = 128;
  const auto work = host_work(of(shape));
  EXPECT_EQ(work.flops, 2.0 * 16 * 100 * (576 + 512));
  EXPECT_EQ(work.memory_bytes, 4.0 * (16 * (576 + 512) + 100 * 576));
}

TEST(HostWork, ExpertsReadTheirWeightsOnce) {
  ExpertShape shape;
  shape.rank_tokens = 40, shape.touched_experts = 10, shape.hidden = 64, shape.intermediate = 32;
  const auto work = host_work(of(shape));
  EXPECT_EQ(work.flops, 2.0 * 40 * 3 * 64 * 32);
  EXPECT_EQ(work.memory_bytes, 4.0 * (10 * 3 * 64 * 32 + 40 * (128 + 64 + 32)));
}

TEST(HostWork, StreamsAndCopiesAreTheirBytes) {
  EXPECT_EQ(host_work(of(ElementwiseShape{4000, 2000, 5})).memory_bytes, 6000);
  CollectiveShape shape;
  shape.kind = CollectiveKind::all_gather, shape.ranks = 4, shape.bytes = 4096;
  EXPECT_EQ(host_work(of(shape)).memory_bytes, 2 * 3072);  // 3/4 of it, read and written
  EXPECT_EQ(host_work(of(HostShape{})).memory_bytes, 0);
}

TEST(HostBenchDevice, RunsAnOperatorAndTimesIt) {
  HostBenchDevice device;
  const auto work = device.prepare(of(GemmShape{32, 32, 32, DataType::bf16}), 2, 1);
  EXPECT_GT(work->run().seconds, 0);
  EXPECT_GT(work->run().seconds, 0);
  EXPECT_GT(device.memory_bytes(), 0);
  EXPECT_GE(device.cache_bytes(), 0);
  EXPECT_NE(device.name().find("cores"), std::string::npos);
  EXPECT_EQ(device.math_type(of(GemmShape{})), DataType::fp32);
}

TEST(HostBenchDevice, HostTimeIsNoKernel) {
  HostBenchDevice device;
  EXPECT_THROW((void)device.prepare(of(HostShape{1}), 1, 1), BackendUnavailable);
}

TEST(HostBenchDevice, ReadsClockAndEnergyWhereTheyAre) {
  const ::rackwright::testing::TemporaryFolder sysfs;
  sysfs.write("devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1800000\n");  // kHz
  sysfs.write("devices/system/cpu/cpu0/cpufreq/base_frequency", "2400000\n");
  sysfs.write("class/powercap/intel-rapl:0/energy_uj", "1000000\n");
  sysfs.write("class/powercap/intel-rapl:0/max_energy_range_uj", "65532610987\n");
  HostBenchDevice device(sysfs.path());
  EXPECT_EQ(device.clock_hz(), 1.8e9);
  EXPECT_EQ(device.rated_clock_hz(), 2.4e9);
  sysfs.write("class/powercap/intel-rapl:0/energy_uj", "3500000\n");
  EXPECT_NEAR(device.joules().value_or(0), 2.5, 1e-9);
}

TEST(HostBenchDevice, SaysNothingWhereNothingCanBeRead) {
  const ::rackwright::testing::TemporaryFolder sysfs;
  HostBenchDevice device(sysfs.path());
  EXPECT_FALSE(device.clock_hz());
  EXPECT_FALSE(device.rated_clock_hz());
  EXPECT_FALSE(device.joules());
}

RackwrightCudaDevice facts() {
  RackwrightCudaDevice device{};
  std::strcpy(device.name, "Stand-in");
  device.memory_bytes = 80e9, device.l2_bytes = 50e6, device.clock_hz = 1.98e9;
  return device;
}

/// A module whose steps take as long as they have operators, in ms.
CudaModule module_of_milliseconds() {
  CudaModule module;
  module.prepare = [](int, const RackwrightCudaOperator*, int count, RackwrightCudaStep** step,
                      char*) {
    *step = reinterpret_cast<RackwrightCudaStep*>(new int(count));
    return 0;
  };
  module.run = [](RackwrightCudaStep* step, int, RackwrightCudaObserver, void*,
                  RackwrightCudaTimes* times, char*) {
    times->total_s = 1e-3 * *reinterpret_cast<int*>(step);
    if (times->operator_s != nullptr) times->operator_s[0] = times->total_s;
    return 0;
  };
  module.choice = [](RackwrightCudaStep*, int, char* text, char*) {
    std::strcpy(text, "cuDNN");
    return 0;
  };
  module.release = [](RackwrightCudaStep* step) { delete reinterpret_cast<int*>(step); };
  return module;
}

TEST(CudaBenchDevice, TimesAreTheModules) {
  CudaBenchDevice device(module_of_milliseconds(), 0, facts());
  Operator op = of(GemmShape{8, 8, 8, DataType::bf16});
  op.repeat = 4;
  const auto work = device.prepare(op, 3, 1);
  EXPECT_DOUBLE_EQ(work->run().seconds, 1e-3);
  EXPECT_EQ(work->choice(), "cuDNN");
  EXPECT_EQ(device.cache_bytes(), 50e6);
  EXPECT_EQ(device.memory_bytes(), 40e9);
  EXPECT_EQ(device.rated_clock_hz(), 1.98e9);
  EXPECT_EQ(device.name(), "Stand-in");
  EXPECT_FALSE(device.joules());
  EXPECT_FALSE(device.clock_hz());
}

TEST(CudaBenchDevice, TypesAreBoundByTheProductsTheyRunIn) {
  const CudaBenchDevice device(module_of_milliseconds(), 0, facts());
  EXPECT_EQ(device.math_type(of(GemmShape{1, 1, 1, DataType::mxfp4})), DataType::bf16);
  EXPECT_EQ(device.math_type(of(GemmShape{1, 1, 1, DataType::fp8_block})), DataType::fp8);
  EXPECT_EQ(device.math_type(of(GemmShape{1, 1, 1, DataType::nvfp4})), DataType::nvfp4);
  EXPECT_EQ(device.work(of(GemmShape{1, 2, 3, DataType::bf16})).flops, 12);
}

TEST(CudaBenchDevice, WhatTheModuleLacksIsRefusedByName) {
  CudaBenchDevice device(module_of_milliseconds(), 0, facts());
  AttentionShape refused;
  refused.kv_type = DataType::nvfp4;
  EXPECT_THROW((void)device.prepare(of(refused), 1, 1), BackendUnavailable);
}

}  // namespace
}  // namespace rackwright::kernels
