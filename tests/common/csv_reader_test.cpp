#include "common/csv_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_folder.hpp"

namespace rackwright {
namespace {

using ::testing::HasSubstr;

class CsvReaderTest : public ::testing::Test {
 protected:
  std::string error_of(std::string_view content, const auto& action) {
    try {
      CsvReader reader(folder_.write("t.csv", content), {.required = {"a"}});
      action(reader);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(CsvReaderTest, ReadsQuotesCrLfAndByteOrderMark) {
  CsvReader reader(folder_.write("t.csv",
                                 "\xEF\xBB\xBF"
                                 "a,b\r\n1,\"x, \"\"y\"\"\"\r\n\r\n2,z\n"),
                   {});
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.number("a"), 1);
  EXPECT_EQ(reader.cell("b"), "x, \"y\"");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.line(), 4u);
  EXPECT_FALSE(reader.next());
}

TEST_F(CsvReaderTest, NamesTheNearestColumn) {
  EXPECT_THAT(error_of("aa,b\n1,2\n", [](CsvReader&) {}),
              HasSubstr("t.csv:1: a: expected a column of this name, found no such column; "
                        "nearest is \"aa\""));
}

TEST_F(CsvReaderTest, TruncatedLineIsAnError) {
  EXPECT_THAT(error_of("a,b\n1,2\n3",
                       [](CsvReader& r) {
                         while (r.next()) {
                         }
                       }),
              HasSubstr("t.csv:3: expected 2 cells, found 1"));
}

TEST_F(CsvReaderTest, OpenQuoteAtTheEndIsAnError) {
  EXPECT_THAT(error_of("a,b\n1,\"2\n", [](CsvReader& r) { r.next(); }),
              HasSubstr("a closing quote"));
}

TEST_F(CsvReaderTest, NotANumberAndInfinityAreErrors) {
  for (const char* value : {"nan", "inf", "1e999", "12W", "", "-"}) {
    EXPECT_THAT(error_of(std::string("a,b\n") + value + ",1\n",
                         [](CsvReader& r) {
                           r.next();
                           (void)r.number("a");
                         }),
                HasSubstr("t.csv:2: a: expected a finite number"))
        << value;
  }
}

TEST_F(CsvReaderTest, NegativeWhereACountIsExpected) {
  EXPECT_THAT(error_of("a,b\n-3,1\n",
                       [](CsvReader& r) {
                         r.next();
                         (void)r.integer("a", 1);
                       }),
              HasSubstr("expected a whole number of at least 1, found \"-3\""));
}

TEST_F(CsvReaderTest, EmptyFileIsAnError) {
  EXPECT_THAT(error_of("", [](CsvReader&) {}), HasSubstr("an empty file"));
}

TEST_F(CsvReaderTest, AVeryLongLineIsRefusedInBoundedMemory) {
  EXPECT_THAT(error_of("a\n" + std::string(2 << 20, 'x'), [](CsvReader& r) { r.next(); }),
              HasSubstr("a line of at most 1048576 bytes"));
}

TEST(CsvCell, QuotesWhatWouldEndACellAndDoublesItsQuotes) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("is \"x\""), "\"is \"\"x\"\"\"");
}

}  // namespace
}  // namespace rackwright
