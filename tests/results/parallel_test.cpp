#include "results/parallel.hpp"

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace rackwright::results {
namespace {

TEST(ForEachIndex, CallsEachIndexOnce) {
  std::vector<std::atomic<int>> calls(100);
  for_each_index(calls.size(), 4, [&](std::size_t i) { ++calls[i]; });
  for (const auto& count : calls) EXPECT_EQ(count, 1);
}

TEST(ForEachIndex, WorksWithNothingToDoAndWithoutExtraThreads) {
  int calls = 0;
  for_each_index(0, 4, [&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 0);
  for_each_index(3, 0, [&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 3);
}

TEST(ForEachIndex, ThrowsWhatTheWorkThrew) {
  try {
    for_each_index(50, 3, [](std::size_t i) {
      if (i == 7) throw std::runtime_error("seven");
    });
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "seven");
  }
}

}  // namespace
}  // namespace rackwright::results
