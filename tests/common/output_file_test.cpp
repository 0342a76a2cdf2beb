#include "common/output_file.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright {
namespace {

namespace fs = std::filesystem;

TEST(WriteFile, ReplacesTheWholeFile) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("a.txt", "old and longer");
  write_file(path, "new");
  EXPECT_EQ(read_file(path), "new");
}

TEST(WriteFile, LeavesNothingWhenTheFolderIsMissing) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(write_file(folder.path() / "absent" / "a.txt", "x"), InputError);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(OutputFolder, AppearsOnlyOnCommit) {
  const testing::TemporaryFolder folder;
  {
    OutputFolder out(folder.path() / "run");
    out.add("a.json", "{}");
    EXPECT_FALSE(fs::exists(folder.path() / "run" / "a.json"));
  }
  EXPECT_FALSE(fs::exists(folder.path() / "run"));
  {
    OutputFolder out(folder.path() / "run");
    out.add("a.json", "{}");
    out.commit();
  }
  EXPECT_EQ(read_file(folder.path() / "run" / "a.json"), "{}");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path() / "run"), {}), 1);
}

TEST(OutputFolder, KeepsWhatWasThereOnFailure) {
  const testing::TemporaryFolder folder;
  folder.write("run/review.json", "earlier");
  {
    OutputFolder out(folder.path() / "run");
    out.add("review.json", "half");
  }
  EXPECT_EQ(read_file(folder.path() / "run" / "review.json"), "earlier");
}

TEST(OutputFolder, AFileInTheWayIsAnError) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("run", "x");
  EXPECT_THROW(OutputFolder out(path), InputError);
  EXPECT_THROW(OutputFolder out(path / "below"), InputError);
}

}  // namespace
}  // namespace rackwright
