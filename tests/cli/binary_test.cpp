#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
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
                           fs::path(RACKWRIGHT_BINARY).parent_path().string() + "':$PATH && " +
                           command + " >stdout 2>stderr";
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
                         [](const auto& info) { return info.param; });

TEST(Binary, ShowsNoProgressAndNoColourWhenStderrIsAFile) {
  const TemporaryFolder folder;
  folder.write("small.json", ::rackwright::testing::kSmallWorkload);
  ASSERT_EQ(shell(folder.path(), "rackwright profile ./small.json -o run.rw"), 0);
  const std::string text = read_file(folder.path() / "stderr");
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\033")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\r")));
}

TEST(Binary, KeepsAReadableRunWhenItIsInterrupted) {
  const TemporaryFolder folder;
  // An hour of traffic takes long enough to be interrupted.
  std::string workload = ::rackwright::testing::kSmallWorkload;
  workload.replace(workload.find("60}"), 2, "36000");
  folder.write("long.json", workload);
  const std::string run = (folder.path() / "run.rw").string();
  const std::string errors = (folder.path() / "stderr").string();
  const std::string file = (folder.path() / "long.json").string();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int out = open(errors.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dup2(out, STDERR_FILENO);
    execl(RACKWRIGHT_BINARY, "rackwright", "profile", file.c_str(), "-o", run.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 600 && !fs::exists(run); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kIncomplete);
  EXPECT_THAT(read_file(errors), HasSubstr("kept in " + run));
  const auto kept = profiler::read_run_file(run);
  EXPECT_TRUE(kept.trace.incomplete);
  EXPECT_FALSE(kept.trace.slices.empty());
}

}  // namespace
}  // namespace rackwright::cli
