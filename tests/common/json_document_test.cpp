#include "common/json_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_folder.hpp"

namespace rackwright {
namespace {

using ::testing::HasSubstr;

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(JsonDocument, KnowsTheLineOfEveryPointer) {
  const auto document =
      JsonDocument::parse_text("{\n \"a\": 1,\n \"b\": [\n  2,\n  {\"c\": 3}\n ]\n}", "x.json");
  EXPECT_EQ(document.line_of("/a"), 2u);
  EXPECT_EQ(document.line_of("/b/0"), 4u);
  EXPECT_EQ(document.line_of("/b/1/c"), 5u);
  EXPECT_EQ(document.line_of("/b/1/absent"), 5u);
}

TEST(JsonDocument, SyntaxErrorHasLineAndColumn) {
  const auto text = message_of([] { (void)JsonDocument::parse_text("{\n \"a\": ,\n}", "x.json"); });
  EXPECT_THAT(text, HasSubstr("x.json:2: column 7: expected valid JSON"));
}

TEST(JsonDocument, TruncatedFileIsAnError) {
  EXPECT_THAT(message_of([] { (void)JsonDocument::parse_text("{\"a\": [1, 2", "x.json"); }),
              HasSubstr("x.json:1"));
  EXPECT_THAT(message_of([] { (void)JsonDocument::parse_text("", "x.json"); }),
              HasSubstr("found an empty file"));
}

TEST(JsonDocument, DuplicateKeyIsAnError) {
  EXPECT_EQ(message_of([] { (void)JsonDocument::parse_text("{\"a\": 1,\n \"a\": 2}", "x.json"); }),
            "x.json:2: /a: expected each key once, found a second one");
}

TEST(JsonDocument, MissingFileAndFolderAreToldApart) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { (void)JsonDocument::parse_file(folder.path() / "no.json"); }),
              HasSubstr("found no such file"));
  EXPECT_THAT(message_of([&] { (void)JsonDocument::parse_file(folder.path()); }),
              HasSubstr("found a folder"));
}

TEST(ObjectReader, ReportsAllProblemsAtOnce) {
  const auto document = JsonDocument::parse_text(
      "{\n\"tdp_w\": \"10.2 kW\",\n\"heigth_ru\": 1,\n\"count\": -4,\n\"share\": 1.5\n}", "t.json");
  ProblemList problems;
  ObjectReader reader(document, problems);
  (void)reader.number("tdp_w");
  (void)reader.number("height_ru");
  (void)reader.integer("count", {.min = 0});
  (void)reader.number("share", {.min = 0, .max = 1});
  reader.finish();
  EXPECT_EQ(message_of([&] { problems.throw_if_any(); }),
            "t.json:2: /tdp_w: expected a number, found \"10.2 kW\"\n"
            "t.json:1: /height_ru: expected a number, found no such key; \"heigth_ru\" is there\n"
            "t.json:4: /count: expected a number of at least 0, found -4\n"
            "t.json:5: /share: expected a number from 0 to 1, found 1.5\n"
            "t.json:3: /heigth_ru: expected a known key (nearest: \"height_ru\"), found "
            "\"heigth_ru\"");
}

TEST(ObjectReader, BlankStaysBlank) {
  const auto document = JsonDocument::parse_text("{\"a\": null, \"b\": 0}", "t.json");
  ProblemList problems;
  ObjectReader reader(document, problems);
  EXPECT_EQ(reader.optional_number("a"), std::nullopt);
  EXPECT_EQ(reader.optional_number("absent"), std::nullopt);
  EXPECT_EQ(reader.optional_number("b"), 0.0);
  EXPECT_TRUE(problems.empty());
}

TEST(ObjectReader, ChoiceOffersTheNearest) {
  const auto document = JsonDocument::parse_text("{\"cooling\": \"lquid\"}", "t.json");
  ProblemList problems;
  ObjectReader reader(document, problems);
  (void)reader.choice("cooling", {"air", "liquid"});
  EXPECT_EQ(message_of([&] { problems.throw_if_any(); }),
            "t.json:1: /cooling: expected one of air, liquid, found \"lquid\"; did you mean "
            "\"liquid\"?");
}

TEST(ObjectReader, NewerFormatIsRefusedAndOlderRead) {
  ProblemList problems;
  const auto newer = JsonDocument::parse_text("{\"format_version\": 3}", "t.json");
  ObjectReader(newer, problems).check_format_version(2);
  EXPECT_EQ(problems.all().size(), 1u);
  ProblemList none;
  const auto older = JsonDocument::parse_text("{\"format_version\": 1}", "t.json");
  ObjectReader(older, none).check_format_version(2);
  EXPECT_TRUE(none.empty());
}

TEST(ObjectReader, WalksListsOfObjects) {
  const auto document =
      JsonDocument::parse_text("{\"ports\": [{\"name\": \"a\"}, {\"name\": 3}]}", "t.json");
  ProblemList problems;
  ObjectReader reader(document, problems);
  std::vector<std::string> names;
  for (auto& port : reader.objects("ports")) names.push_back(port.text("name"));
  EXPECT_EQ(names.front(), "a");
  EXPECT_EQ(problems.all().at(0).field, "/ports/1/name");
}

}  // namespace
}  // namespace rackwright
