#include "common/data_locator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright {
namespace {

TEST(DataLocator, EarlierRootsWin) {
  const testing::TemporaryFolder first;
  const testing::TemporaryFolder second;
  const auto mine = first.write("topology/racks/a.json", "{}");
  second.write("topology/racks/a.json", "{}");
  second.write("topology/racks/b.json", "{}");
  const DataLocator data({first.path(), second.path()});
  EXPECT_EQ(data.find("a", "topology/racks"), mine);
  EXPECT_EQ(data.ids("topology/racks"), (std::vector<std::string>{"a", "b"}));
}

TEST(DataLocator, ASlashOrJsonMeansAPath) {
  const testing::TemporaryFolder folder;
  const auto file = folder.write("x.json", "{}");
  const DataLocator data({folder.path()});
  EXPECT_EQ(data.find(file.string(), "topology/racks"), file);
  EXPECT_THROW((void)data.find("./absent.json", "topology/racks"), InputError);
}

TEST(DataLocator, UnknownIdOffersTheNearest) {
  const testing::TemporaryFolder folder;
  folder.write("topology/racks/gb200-nvl72.json", "{}");
  const DataLocator data({folder.path()});
  try {
    (void)data.find("gb200-nvl27", "topology/racks");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("did you mean \"gb200-nvl72\"?"));
  }
}

}  // namespace
}  // namespace rackwright
