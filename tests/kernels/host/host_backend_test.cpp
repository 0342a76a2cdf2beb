#include "kernels/host/host_backend.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/kernels/backend_contract.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;

HostOptions quick() {
  HostOptions options;
  options.least_seconds = 0;
  options.most_flops = 1e8;
  options.most_bytes = 1e7;
  return options;
}

std::unique_ptr<Backend> make_host() {
  return std::make_unique<HostBackend>(quick());
}

Operator gemm(double m, double n = 256) {
  return {"proj", OperatorClass::gemm, Lane::compute, 3, GemmShape{m, n, 256, DataType::bf16}};
}

TEST(HostBackend, RunsAShapeOnceAndScalesNearOnesByTheirWork) {
  HostBackend backend(quick());
  const OperatorTiming exact = backend.measure(gemm(64));
  EXPECT_GT(exact.seconds, 0);
  EXPECT_EQ(backend.measure(gemm(64)).seconds, exact.seconds);
  EXPECT_EQ(backend.measured(), 1U);
  const OperatorTiming near = backend.measure(gemm(70));  // rounds to 64
  EXPECT_EQ(backend.measured(), 1U);
  EXPECT_NEAR(near.seconds / exact.seconds, 70.0 / 64, 1e-9);
  EXPECT_GT(near.relative_error, exact.relative_error);
  EXPECT_GT(backend.measure(gemm(100)).seconds, 0);  // rounds to 91
  EXPECT_EQ(backend.measured(), 2U);
}

TEST(HostBackend, RunsAPartOfWhatIsTooLargeAndSaysExtrapolated) {
  HostBackend backend(quick());
  // 2 x 1024 x 4096 x 256 = 2.1 GFLOP of which 0.1 may run.
  const OperatorTiming timing = backend.measure(gemm(1024, 4096));
  EXPECT_TRUE(timing.extrapolated);
  EXPECT_GT(timing.seconds, 0);
}

TEST(HostBackend, AStepCountsRepeatsAndLeavesTheEnginesTimeOut) {
  HostBackend backend(quick());
  OperatorGraph graph;
  graph.operators = {gemm(64), {"host", OperatorClass::host, Lane::compute, 1, HostShape{4}}};
  const auto step = backend.prepare(graph, {});
  const StepTiming& timing = step->run(ReplayMode::whole, nullptr);
  EXPECT_DOUBLE_EQ(timing.seconds, 3 * backend.measure(gemm(64)).seconds);
  EXPECT_EQ(timing.operators.at(1).seconds, 0);
}

void write_zone(const std::filesystem::path& folder, const char* zone, std::uint64_t microjoules) {
  std::filesystem::create_directories(folder / zone);
  std::ofstream(folder / zone / "energy_uj") << microjoules << '\n';
  std::ofstream(folder / zone / "max_energy_range_uj") << 1000000 << '\n';
}

TEST(PackageEnergy, SumsPackagesAndFollowsAWrap) {
  const rackwright::testing::TemporaryFolder folder;
  write_zone(folder.path(), "intel-rapl:0", 900000);
  write_zone(folder.path(), "intel-rapl:1", 100);
  write_zone(folder.path(), "intel-rapl:0:0", 5);  // a part of package 0
  write_zone(folder.path(), "dtpm", 7);
  PackageEnergy energy(folder.path());
  ASSERT_TRUE(energy.available());
  write_zone(folder.path(), "intel-rapl:0", 200000);  // 100,000 to the top and 200,000 on
  write_zone(folder.path(), "intel-rapl:1", 600100);
  write_zone(folder.path(), "intel-rapl:0:0", 900000);
  EXPECT_NEAR(energy.joules().value(), 0.3 + 0.6, 1e-12);
  EXPECT_NEAR(energy.joules().value(), 0, 1e-12);
}

TEST(PackageEnergy, AbsentCountersAreAbsentNotZero) {
  const rackwright::testing::TemporaryFolder folder;
  EXPECT_FALSE(PackageEnergy(folder.path() / "none").available());
  EXPECT_FALSE(PackageEnergy(folder.path() / "none").joules());
  HostOptions options = quick();
  options.powercap = folder.path() / "none";
  EXPECT_FALSE(HostBackend(options).measures_power());
  write_zone(folder.path(), "intel-rapl:0", 1);
  options.powercap = folder.path();
  EXPECT_TRUE(HostBackend(options).measures_power());
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Kernels, BackendContract, ::testing::Values(make_host),
                         [](const auto&) { return std::string("Host"); });
}  // namespace testing

}  // namespace rackwright::kernels
