#include "common/input_error.hpp"

#include <gtest/gtest.h>

namespace rackwright {
namespace {

TEST(InputProblem, SaysFileLineFieldExpectedFound) {
  const InputProblem problem{"catalog/trays.json", 7, "/trays/1/tdp_w", "a number of watts",
                             "\"10.2 kW\""};
  EXPECT_EQ(problem.text(),
            "catalog/trays.json:7: /trays/1/tdp_w: expected a number of watts, found \"10.2 kW\"");
}

TEST(InputProblem, SendsNoControlCharactersToATerminal) {
  EXPECT_EQ((InputProblem{"a", 1, "", "a number", "\"\x1b[2J\x7f\""}).text(),
            "a:1: expected a number, found \"\\x1b[2J\\x7f\"");
}

TEST(InputError, HasOneLinePerProblem) {
  const InputError error({InputProblem{"a.json", 1, "/x", "a number", "\"y\""},
                          InputProblem{"a.json", 2, "/z", "a text", "3"}});
  EXPECT_EQ(std::string(error.what()),
            "a.json:1: /x: expected a number, found \"y\"\na.json:2: /z: expected a text, found 3");
}

TEST(NearestWord, FindsASlip) {
  EXPECT_EQ(nearest_word("dgx-h100-ari", {"dgx-h100-air", "gb200-nvl72"}), "dgx-h100-air");
  EXPECT_EQ(nearest_word("tdp", {"tdp_w", "weight_kg"}), "tdp_w");
}

TEST(NearestWord, PrefersWhatWasBegun) {
  EXPECT_EQ(nearest_word("h100", {"b200", "h100-sxm", "h200-sxm"}), "h100-sxm");
}

TEST(NearestWord, OffersNothingFarAway) {
  EXPECT_EQ(nearest_word("banana", {"dgx-h100-air", "gb200-nvl72"}), "");
}

}  // namespace
}  // namespace rackwright
