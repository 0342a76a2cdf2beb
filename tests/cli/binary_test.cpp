#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "common/csv_reader.hpp"
#include "profiler/run_file.hpp"
#include "tests/cli/run_cli.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::cli {
namespace {

namespace fs = std::filesystem;
using ::rackwright::testing::TemporaryFolder;
using ::testing::HasSubstr;

/// Exit code of a shell command that is run in `folder` with the program on PATH.
int shell(const fs::path& folder, const std::string& command) {
  const std::string line = "cd '" + folder.string() + "' && PATH='" +
                           fs::path(RACKWRIGHT_BINARY).parent_path().string() + "':$PATH && { " +
                           command + "; } >stdout 2>stderr";
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Examples : public ::testing::TestWithParam<std::string> {};

TEST_P(Examples, OfTheHelpWork) {
  for (const auto& command : make_commands()) {
    if (command->name() != GetParam()) continue;
    const TemporaryFolder folder;
    for (const auto& example : command->examples()) {
      const int code = shell(folder.path(), example);
      EXPECT_TRUE(code == kFine || code == kFinding) << example << ": " << code << "\n"
                                                     << read_file(folder.path() / "stderr");
    }
  }
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : make_commands()) names.emplace_back(command->name());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Help, Examples, ::testing::ValuesIn(command_names()),
                         [](const auto& example) { return example.param; });

TEST(Binary, ShowsNoProgressAndNoColourWhenStderrIsAFile) {
  const TemporaryFolder folder;
  folder.write("small.json", ::rackwright::testing::kSmallWorkload);
  ASSERT_EQ(shell(folder.path(), "rackwright profile ./small.json -o run.rw"), 0);
  const std::string text = read_file(folder.path() / "stderr");
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\033")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\r")));
}

/// A workload whose replay takes long enough to be interrupted.
std::string long_workload() {
  std::string workload = ::rackwright::testing::kSmallWorkload;
  workload.replace(workload.find("60}"), 2, "36000");
  return workload;
}

/// Runs the program in the background until `started`, then interrupts it; its exit code.
int interrupt(const std::vector<std::string>& arguments, const fs::path& errors,
              const std::function<bool()>& started) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int out = open(errors.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dup2(out, STDERR_FILENO);
    execv(RACKWRIGHT_BINARY, argv.data());
    _exit(127);
  }
  for (int i = 0; i < 600 && !started(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Binary, KeepsAReadableRunWhenItIsInterrupted) {
  const TemporaryFolder folder;
  const std::string file = folder.write("long.json", long_workload()).string();
  const std::string run = (folder.path() / "run.rw").string();
  const fs::path errors = folder.path() / "stderr";
  EXPECT_EQ(interrupt({"rackwright", "profile", file, "-o", run}, errors,
                      [&] { return fs::exists(run); }),
            kIncomplete);
  EXPECT_THAT(read_file(errors), HasSubstr("kept in " + run));
  const auto kept = profiler::read_run_file(run);
  EXPECT_TRUE(kept.trace.incomplete);
  EXPECT_FALSE(kept.trace.slices.empty());
}

TEST(Binary, AnInterruptedReviewLeavesNothingBehind) {
  const TemporaryFolder folder;
  const std::string file = folder.write("long.json", long_workload()).string();
  const fs::path out = folder.path() / "out";
  const fs::path errors = folder.path() / "stderr";
  EXPECT_EQ(
      interrupt({"rackwright", "review", file, "--racks", "dgx-h100-air", "--out", out.string()},
                errors, [&] { return fs::exists(out); }),
      kIncomplete);
  EXPECT_FALSE(fs::exists(out));
}

}  // namespace
}  // namespace rackwright::cli
