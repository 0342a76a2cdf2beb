#include "cli/text_table.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace rackwright::cli {
namespace {

TEST(TextTable, PutsNamesLeftAndNumbersRight) {
  TextTable table({{"rack"}, {"kW", TextTable::Align::right}});
  table.add({"a", "9"});
  table.add({"longer", "132"});
  EXPECT_EQ(table.text(),
            "rack     kW\n"
            "------  ---\n"
            "a         9\n"
            "longer  132\n");
}

TEST(TextTable, CountsCharactersAndNotBytes) {
  EXPECT_EQ(width_of("\u2212"
                     "3.2 \u00b1 1"),
            8U);
  EXPECT_EQ(width_of(""), 0U);
}

TEST(TextTable, RefusesMoreCellsThanColumns) {
  TextTable table({{"rack"}});
  EXPECT_THROW(table.add({"a", "b"}), std::invalid_argument);
}

}  // namespace
}  // namespace rackwright::cli
