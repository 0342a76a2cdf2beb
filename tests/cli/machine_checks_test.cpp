#include "cli/machine_checks.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/gpu_checks.hpp"
#include "tests/profiler/nvml/stand_in.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::cli {
namespace {

using ::rackwright::testing::StandIn;
using ::rackwright::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = MachineCheck::State;

class MachineChecks : public ::testing::Test {
 protected:
  /// A node whose NVML is the stand-in.
  MachineView node() const {
    return {.cuda_module = folder_.path() / "none.so",
            .proc = folder_.path(),
            .dev = folder_.path(),
            .nvml = std::string(RACKWRIGHT_STAND_INS) + "/full/libnvidia-ml.so.1"};
  }
  /// A machine with nothing of NVIDIA's.
  MachineView bare() const {
    MachineView view = node();
    view.nvml = "/nowhere/libnvidia-ml.so.1";
    return view;
  }
  static MachineCheck find(const std::vector<MachineCheck>& checks, const std::string& name) {
    const auto at = std::find_if(checks.begin(), checks.end(),
                                 [&](const MachineCheck& check) { return check.name == name; });
    EXPECT_NE(at, checks.end()) << name;
    return at == checks.end() ? MachineCheck{} : *at;
  }
  TemporaryFolder folder_;
};

TEST_F(MachineChecks, EveryMissingThingSaysWhatIsNeededAndHowToGetIt) {
  for (const MachineCheck& check : check_machine(bare())) {
    EXPECT_FALSE(check.detail.empty()) << check.name;
    if (check.state != State::missing) continue;
    EXPECT_FALSE(check.needed.empty()) << check.name;
    EXPECT_FALSE(check.without.empty()) << check.name;
    EXPECT_FALSE(check.remedy.empty()) << check.name;
  }
}

TEST_F(MachineChecks, ABareMachineCannotAskWhatNeedsAGpu) {
  const auto checks = check_machine(bare());
  for (const char* name : {"NVML features", "MIG off", "persistence mode", "clocks", "peer access",
                           "IMEX", "counter permission"}) {
    EXPECT_EQ(find(checks, name).state, State::unknown) << name;
  }
  EXPECT_EQ(find(checks, "NVML").state, State::missing);
  EXPECT_EQ(find(checks, "NVIDIA driver").state, State::missing);
  EXPECT_FALSE(has_gpu(checks));
}

TEST_F(MachineChecks, ABareMachineMeasuresNothingOnAGpu) {
  for (const Ability& ability : abilities(check_machine(bare()))) {
    EXPECT_FALSE(ability.missing.empty()) << ability.name;
  }
}

TEST_F(MachineChecks, NvmlSaysWhatItCan) {
  const StandIn script{{"GPUS", "8"}};
  const auto checks = check_machine(node());
  EXPECT_EQ(find(checks, "NVML").detail, "driver 580.00-stand-in, 8 GPUs");
  EXPECT_THAT(find(checks, "NVML features").detail, HasSubstr("power_instant"));
  EXPECT_THAT(find(checks, "NVML features").detail, HasSubstr("not answered: nvlink_sent"));
  EXPECT_EQ(find(checks, "peer access").detail, "GPU 0 reads 7 of 7 others directly");
  EXPECT_EQ(find(checks, "persistence mode").state, State::found);
  EXPECT_THAT(find(checks, "clocks").detail, HasSubstr("held down by software power cap"));
  // The stand-in is in an NVLink domain and no daemon runs in the empty /proc.
  EXPECT_EQ(find(checks, "IMEX").state, State::missing);
  const auto list = abilities(checks);
  const auto power = std::find_if(list.begin(), list.end(), [](const Ability& ability) {
    return ability.name == "power, energy, clocks and temperatures";
  });
  ASSERT_NE(power, list.end());
  EXPECT_THAT(power->missing, IsEmpty());
}

TEST_F(MachineChecks, AGpuWithoutPowerReadingsIsSaid) {
  const StandIn script{{"UNSUPPORTED", "all"}};
  EXPECT_EQ(find(check_machine(node()), "NVML features").state, State::missing);
}

TEST_F(MachineChecks, MigIsRefusedWithAReason) {
  const StandIn script{{"MIG", "1"}};
  const auto checks = check_machine(node());
  EXPECT_EQ(find(checks, "MIG off").state, State::missing);
  EXPECT_THAT(find(checks, "MIG off").remedy, HasSubstr("-mig 0"));
  EXPECT_FALSE(has_gpu(checks));
}

// Only a GPU that would take part keeps a run from starting.
TEST_F(MachineChecks, ARunOnAGpuOfMigIsRefused) {
  const std::string nvml = node().nvml;
  EXPECT_EQ(mig_refusal({"0000:1b:00.0"}, nvml), "");
  const StandIn script{{"MIG", "1"}};
  EXPECT_THAT(mig_refusal({"0000:1b:00.0"}, nvml),
              AllOf(HasSubstr("GPU 0 is split by MIG"), HasSubstr("nvidia-smi -i 0 -mig 0")));
  EXPECT_EQ(mig_refusal({"0000:7f:00.0"}, nvml), "");
}

TEST_F(MachineChecks, TheDaemonAndAChannelMakeImexReady) {
  const StandIn script{};
  folder_.write("4711/comm", "nvidia-imex\n");
  folder_.write("nvidia-caps-imex-channels/channel0", "");
  EXPECT_EQ(find(check_machine(node()), "IMEX").state, State::found);
}

TEST_F(MachineChecks, CountersForAdministratorsOnlyNeedAnAdministrator) {
  folder_.write("driver/nvidia/params", "Mobile: 4294967295\nRmProfilingAdminOnly: 1\n");
  folder_.write("self/status", "Name:\tx\nCapEff:\t0000000000000000\n");
  const MachineCheck user = find(check_machine(bare()), "counter permission");
  EXPECT_EQ(user.state, State::missing);
  EXPECT_THAT(user.remedy, HasSubstr("NVreg_RestrictProfilingToAdminUsers=0"));
  folder_.write("self/status", "CapEff:\t0000000000200000\n");  // bit 21: CAP_SYS_ADMIN
  EXPECT_EQ(find(check_machine(bare()), "counter permission").state, State::found);
  folder_.write("self/status", "CapEff:\t0000000000000000\n");
  folder_.write("driver/nvidia/params", "RmProfilingAdminOnly: 0\n");
  EXPECT_EQ(find(check_machine(bare()), "counter permission").state, State::found);
}

TEST_F(MachineChecks, WhoHoldsTheCountersIsNamed) {
  EXPECT_EQ(find(check_machine(bare()), "counters free").state, State::found);
  folder_.write("812/comm", "nv-hostengine\n");
  const MachineCheck check = find(check_machine(bare()), "counters free");
  EXPECT_EQ(check.state, State::missing);
  EXPECT_THAT(check.detail, HasSubstr("nv-hostengine (process 812)"));
  EXPECT_THAT(check.remedy, HasSubstr("dcgmi profile --pause"));
}

}  // namespace
}  // namespace rackwright::cli
