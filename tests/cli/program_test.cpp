#include "cli/program.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "common/csv_reader.hpp"
#include "tests/cli/run_cli.hpp"

namespace rackwright::cli {
namespace {

using ::rackwright::testing::run_cli;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Program, PrintsItsVersion) {
  const auto result = run_cli({"--version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, ::testing::MatchesRegex("rackwright [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Program, WithoutACommandListsThemAndFails) {
  const auto result = run_cli({});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("review"));
  EXPECT_THAT(result.out, IsEmpty());
}

TEST(Program, HelpNamesEveryCommandAndTheExitCodes) {
  const auto result = run_cli({"--help"});
  EXPECT_EQ(result.code, 0);
  for (const auto& command : make_commands()) {
    EXPECT_THAT(result.out, HasSubstr(std::string(command->name())));
  }
  EXPECT_THAT(result.out, HasSubstr("Exit codes: 0 fine, 1 finding, 2 bad input"));
}

TEST(Program, EveryCommandHasHelpWithAnExampleOfItself) {
  for (const auto& command : make_commands()) {
    const std::string name(command->name());
    const auto result = run_cli({name, "--help"});
    EXPECT_EQ(result.code, 0) << name;
    EXPECT_THAT(result.out, HasSubstr("rackwright " + name + " ")) << name;
    EXPECT_THAT(result.out, HasSubstr("--data-dir")) << name;
    ASSERT_FALSE(command->examples().empty()) << name;
    EXPECT_THAT(command->examples().back(), StartsWith("rackwright " + name)) << name;
  }
}

TEST(Program, AnUnknownCommandOffersTheNearest) {
  const auto result = run_cli({"reveiw"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("did you mean \"review\"?"));
}

TEST(Program, AnUnknownOptionOffersTheNearest) {
  const auto result = run_cli({"fabric", "--design", "x", "--nods", "4"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--nodes"));
}

TEST(Program, AMissingArgumentIsBadInput) {
  const auto result = run_cli({"fabric"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("expected --design; see --help, found nothing"));
}

TEST(Completion, NamesEveryCommandAndItsOptions) {
  const std::string script =
      read_file(std::string(RACKWRIGHT_SOURCE_DIR) + "/cli/completion/rackwright.bash");
  for (const auto& command : make_commands()) {
    CLI::App app;
    command->add_options(app);
    EXPECT_THAT(script, HasSubstr("    " + std::string(command->name()) + ") options="))
        << command->name();
    for (const CLI::Option* option : app.get_options()) {
      for (const auto& name : option->get_lnames()) {
        EXPECT_THAT(script, HasSubstr("--" + name)) << command->name();
      }
    }
  }
}

}  // namespace
}  // namespace rackwright::cli
