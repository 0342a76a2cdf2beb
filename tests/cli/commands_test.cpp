#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/csv_reader.hpp"
#include "profiler/run_file.hpp"
#include "tests/cli/run_cli.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::cli {
namespace {

namespace fs = std::filesystem;
using ::rackwright::testing::kSmallWorkload;
using ::rackwright::testing::run_cli;
using ::rackwright::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Commands : public ::testing::Test {
 protected:
  std::string small() { return folder_.write("small.json", kSmallWorkload).string(); }
  std::string path(const std::string& name) { return (folder_.path() / name).string(); }
  TemporaryFolder folder_;
};

std::vector<std::string> entries_of(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_F(Commands, ReviewWritesTheSameBytesForTheSameSeed) {
  const std::string workload = small();
  const auto first = run_cli({"review", workload, "--racks", "dgx-h100-air,next-gen-template",
                              "--out", path("a"), "--seed", "3"});
  ASSERT_EQ(first.code, 0) << first.err;
  const auto second = run_cli({"review", workload, "--racks", "dgx-h100-air,next-gen-template",
                               "--out", path("b"), "--seed", "3"});
  EXPECT_EQ(read_file(path("a/review.json")), read_file(path("b/review.json")));
  EXPECT_EQ(read_file(path("a/report.html")), read_file(path("b/report.html")));
  EXPECT_THAT(entries_of(path("a")),
              ::testing::IsSupersetOf({"dgx-h100-air.rw", "report.html", "review.json"}));
  EXPECT_THAT(first.out, HasSubstr("dgx-h100-air"));
  EXPECT_THAT(first.out, HasSubstr("Undecided"));
  EXPECT_THAT(first.out, HasSubstr(path("a/report.html")));
  EXPECT_THAT(read_file(path("a/review.json")), Not(HasSubstr(folder_.path().string())));
}

TEST_F(Commands, ReviewRunsARunFileItWrote) {
  ASSERT_EQ(run_cli({"profile", small(), "--device", "h100-sxm", "-o", path("run.rw")}).code, 0);
  const auto result =
      run_cli({"review", path("run.rw"), "--racks", "dgx-h100-air", "--out", path("a"), "--json"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["workload"], "small");
}

TEST_F(Commands, ReviewTakesRunsOfOneWorkloadOnSeveralDevices) {
  for (const char* device : {"h100-sxm", "h200-sxm"}) {
    ASSERT_EQ(
        run_cli({"profile", small(), "--device", device, "-o", path(std::string(device) + ".rw")})
            .code,
        0);
  }
  const auto result = run_cli({"review", path("h100-sxm.rw"), path("h200-sxm.rw"), "--racks",
                               "dgx-h100-air", "--out", path("a")});
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(Commands, ReviewRefusesRunsOfDifferentWorkloads) {
  ASSERT_EQ(run_cli({"profile", small(), "--device", "h100-sxm", "-o", path("a.rw")}).code, 0);
  ASSERT_EQ(
      run_cli({"profile", small(), "--seed", "2", "--device", "h100-sxm", "-o", path("b.rw")}).code,
      0);
  const auto result = run_cli(
      {"review", path("a.rw"), path("b.rw"), "--racks", "dgx-h100-air", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("b.rw: workload: expected the model, requests and SLO"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Commands, ReviewRefusesALineLongerThanAnyTraceHas) {
  const auto csv = folder_.write("long.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n" +
                                                 std::string(2 << 20, '7') + ",1,1\n");
  const auto result = run_cli({"review", small(), "--traffic", "azure:" + csv.string(), "--racks",
                               "dgx-h100-air", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("long.csv:2:"));
}

TEST_F(Commands, ReviewFindsAnUnwritableFolderBeforeItReadsAnything) {
  folder_.write("file", "x");
  const auto result =
      run_cli({"review", "no-such-workload", "--racks", "all", "--out", path("file/out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("a place that can be written"));
  EXPECT_THAT(result.err, Not(HasSubstr("no-such-workload")));
}

TEST_F(Commands, ReviewLeavesNothingBehindWhenItFails) {
  const auto result =
      run_cli({"review", "no-such-workload", "--racks", "all", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Commands, ReviewNamesTheNearestRack) {
  const auto result = run_cli({"review", small(), "--racks", "gb200-nvl27", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("did you mean \"gb200-nvl72\"?"));
}

TEST_F(Commands, ReviewRefusesAPowerWithoutAUnit) {
  const auto result = run_cli(
      {"review", small(), "--racks", "all", "--out", path("out"), "--gpu-power-cap", "600"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--gpu-power-cap"));
}

TEST_F(Commands, ReviewSaysWhenTheModelFitsNoCandidate) {
  const auto result = run_cli({"review", small(), "--model", "llama-3.1-405b", "--racks",
                               "dgx-h100-air", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("GB too much per GPU"));
}

TEST_F(Commands, ReviewReadsATruncatedTraceAsAnErrorWithItsLine) {
  const auto csv = folder_.write("cut.csv",
                                 "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                                 "2023-11-16 18:17:03.9799600,4808,10\n"
                                 "2023-11-16 18:17:04.03");
  const auto result = run_cli({"review", small(), "--traffic", "azure:" + csv.string(), "--racks",
                               "dgx-h100-air", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("cut.csv:3:"));
}

TEST_F(Commands, ReviewRefusesNegativeAndNotANumber) {
  for (const char* tokens : {"-5", "nan"}) {
    const auto csv =
        folder_.write("bad.csv", std::string("TIMESTAMP,ContextTokens,GeneratedTokens\n"
                                             "2023-11-16 18:17:03.9799600,") +
                                     tokens + ",10\n");
    const auto result = run_cli({"review", small(), "--traffic", "azure:" + csv.string(), "--racks",
                                 "dgx-h100-air", "--out", path("out")});
    EXPECT_EQ(result.code, 2) << tokens;
    EXPECT_THAT(result.err, HasSubstr("bad.csv:2:")) << tokens;
  }
}

TEST_F(Commands, ReviewTellsAFolderFromAFile) {
  const auto result = run_cli(
      {"review", folder_.path().string() + "/", "--racks", "dgx-h100-air", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("folder"));
}

TEST_F(Commands, ReviewReportsAMissingTraceFile) {
  const auto result = run_cli({"review", small(), "--traffic", "azure:" + path("none.csv"),
                               "--racks", "dgx-h100-air", "--out", path("out")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("none.csv"));
  EXPECT_THAT(result.err, HasSubstr("no such file"));
}

TEST_F(Commands, ProfileWritesARunThatEvaluateAndExportRead) {
  const auto profile = run_cli({"profile", small(), "--device", "h100-sxm", "-o", path("run.rw")});
  ASSERT_EQ(profile.code, 0) << profile.err;
  EXPECT_THAT(profile.out, HasSubstr("TTFT P50"));
  EXPECT_THAT(profile.out, HasSubstr("operators one by one "));
  const auto evaluate = run_cli({"evaluate", path("run.rw"), "--rack", "dgx-h100-air", "--json"});
  EXPECT_LE(evaluate.code, 1) << evaluate.err;
  EXPECT_EQ(nlohmann::json::parse(evaluate.out)["rack"], "dgx-h100-air");
  const auto perfetto = run_cli({"export", path("run.rw"), "--to", "perfetto"});
  EXPECT_EQ(perfetto.code, 0) << perfetto.err;
  EXPECT_TRUE(nlohmann::json::parse(perfetto.out).contains("traceEvents"));
  const auto csv = run_cli({"export", path("run.rw"), "--to", "csv", "-o", path("run.csv")});
  EXPECT_EQ(csv.code, 0) << csv.err;
  EXPECT_TRUE(fs::exists(path("run-slices.csv")));
  const auto metrics = run_cli({"export", path("run.rw"), "--to", "openmetrics"});
  EXPECT_THAT(metrics.out, ::testing::EndsWith("# EOF\n"));
}

TEST_F(Commands, ProfileDoesNotOverwrite) {
  folder_.write("run.rw", "mine");
  EXPECT_EQ(run_cli({"profile", small(), "-o", path("run.rw")}).code, 2);
  EXPECT_EQ(read_file(path("run.rw")), "mine");
}

TEST_F(Commands, ProfilePlansWithoutWriting) {
  const auto result = run_cli({"profile", small(), "--plan"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("memory per GPU"));
  EXPECT_THAT(result.out, HasSubstr("minutes"));
  EXPECT_THAT(entries_of(folder_.path()), ::testing::ElementsAre("small.json"));
}

TEST_F(Commands, ProfileSaysWhichBackendIsNotThere) {
  const auto cuda = run_cli({"profile", small(), "--backend", "cuda", "-o", path("run.rw")});
  if (cuda.code == 0) GTEST_SKIP() << "a GPU is here";
  EXPECT_EQ(cuda.code, 3);
  EXPECT_THAT(cuda.err, HasSubstr("backend cuda: "));
  EXPECT_FALSE(fs::exists(path("run.rw")));
  const auto automatic = run_cli({"profile", small(), "--backend", "auto", "-o", path("b.rw")});
  EXPECT_EQ(automatic.code, 0);
  EXPECT_THAT(automatic.err, HasSubstr("analytical backend, as no GPU can be used: "));
  const auto unknown = run_cli({"profile", small(), "--backend", "analitical", "-o", path("a.rw")});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("analytical"));
}

TEST_F(Commands, EvaluateRefusesAFileThatIsNoRun) {
  const auto file = folder_.write("no.rw", "this is text");
  const auto result = run_cli({"evaluate", file.string(), "--rack", "dgx-h100-air"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("no.rw"));
}

TEST_F(Commands, FabricCountsThePublishedSuperPod) {
  // DGX H100 SuperPOD reference architecture, table of 4 SU: 127 nodes, 32 leaf, 16 spine switches.
  const auto result =
      run_cli({"fabric", "--design", "dgx-h100-superpod", "--nodes", "127", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["leaf"], 32);
  EXPECT_EQ(json["spine"], 16);
  EXPECT_EQ(json["gpus"], 1016);
  for (const char* key :
       {"core", "node_leaf_cables", "leaf_spine_cables", "spine_core_cables", "nodes", "notes"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

TEST_F(Commands, FabricRefusesNoNodes) {
  EXPECT_EQ(run_cli({"fabric", "--design", "dgx-h100-superpod", "--nodes", "0"}).code, 2);
}

TEST_F(Commands, FabricWantsAQuestionAboutWhatFailed) {
  const auto result = run_cli({"fabric", "--design", "nvl72", "--nodes", "18", "--failed", "plane:3"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--collective or --traffic"));
}

// Old nodes among new ones: the slower GPU of both decides, not that of the design. Four H100 of one
// node have 450 GB/s one way (data sheet): 1 GiB takes 1 + 1/4 of it by NVLS, 2.98 ms.
TEST_F(Commands, FabricAsksTheGpusThatTakePart) {
  const ::rackwright::testing::TemporaryFolder folder;
  auto json = nlohmann::json::parse(
      std::ifstream(RACKWRIGHT_SOURCE_DIR "/topology/fabrics/dgx-b300-superpod-eth.json"));
  json["generations"] = {{{"nodes", 1}, {"link_gbit_per_s", 400}, {"device", "h100-sxm"}}};
  const auto file = (folder.path() / "mixed.json").string();
  std::ofstream(file) << json;
  const auto answer = [&](const char* ranks) {
    const auto result = run_cli({"fabric", "--design", file, "--nodes", "4", "--collective",
                                 "all_reduce", "--ranks", ranks, "--json"});
    EXPECT_EQ(result.code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  };
  const auto old = answer("4"), both = answer("32");
  EXPECT_EQ(old["device"], "h100-sxm");
  EXPECT_NEAR(old["bound_s"].get<double>(), 1.25 * (1 << 30) / 450e9, 1e-6);
  EXPECT_EQ(both["device"], "h100-sxm and b300");
}

TEST_F(Commands, CatalogListsShowsAndChecks) {
  EXPECT_THAT(run_cli({"catalog", "list", "racks"}).out, HasSubstr("gb300-nvl72\n"));
  const auto part = run_cli({"catalog", "show", "vertiv-cdu-121"});
  EXPECT_EQ(part.code, 0);
  EXPECT_THAT(part.out, HasSubstr("121000"));
  EXPECT_THAT(part.out, HasSubstr("published"));
  const auto check = run_cli({"catalog", "check"});
  EXPECT_EQ(check.code, 0) << check.err;
  EXPECT_THAT(check.out, HasSubstr("all hold"));
  EXPECT_THAT(run_cli({"catalog", "show", "vertiv-cdu-112"}).err,
              HasSubstr("did you mean \"vertiv-cdu-121\"?"));
}

TEST_F(Commands, CheckSeesTheKindOfEachShippedFile) {
  const std::string root = RACKWRIGHT_SOURCE_DIR;
  const auto result = run_cli(
      {"check", root + "/topology/racks/gb200-nvl72.json",
       root + "/topology/fabrics/gb200-superpod.json", root + "/topology/catalog/cdus.json",
       root + "/kernels/devices/h100-sxm.json", root + "/workloads/llama-3.1-8b-chat.json",
       root + "/workloads/models/llama-3.1-8b.json", root + "/workloads/requests/chat.json"});
  EXPECT_EQ(result.code, 0) << result.err;
  for (const char* kind : {"rack design", "fabric design", "part catalogue", "device", "workload",
                           "model config", "request description"}) {
    EXPECT_THAT(result.out, HasSubstr(std::string(": ") + kind + ", holds")) << kind;
  }
}

TEST_F(Commands, CheckReportsTheProblemsOfAllFiles) {
  const auto broken = folder_.write("broken.json", "{\"parts\": ");
  const auto foreign = folder_.write("foreign.json", "{\"a\": 1}");
  const auto result = run_cli({"check", broken.string(), foreign.string()});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("broken.json:1"));
  EXPECT_THAT(result.err, HasSubstr("foreign.json"));
}

TEST_F(Commands, NewMakesARackThatChecks) {
  const auto made = run_cli({"new", "rack", "--from", "dgx-h100-air", "-o", path("mine.json")});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(nlohmann::json::parse(read_file(path("mine.json")))["id"], "mine");
  EXPECT_EQ(run_cli({"check", path("mine.json")}).code, 0);
  EXPECT_EQ(run_cli({"new", "rack", "--from", "dgx-h100-air", "-o", path("mine.json")}).code, 2);
}

TEST_F(Commands, DoctorKnowsWhetherAGpuIsHere) {
  const auto result = run_cli({"doctor"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("usable NVIDIA GPU"));
  const bool here = result.out.find("found   usable NVIDIA GPU") != std::string::npos;
  EXPECT_EQ(run_cli({"doctor", "--require-gpu"}).code, here ? 0 : 3);
}

}  // namespace
}  // namespace rackwright::cli
