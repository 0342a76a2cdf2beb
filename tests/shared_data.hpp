#pragma once

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace rackwright::testing {

/// The folder of measured data: $RACKWRIGHT_SHARED_DATA, else `../shared/data` beside the source
/// tree. May not exist.
inline std::filesystem::path shared_data() {
  if (const char* folder = std::getenv("RACKWRIGHT_SHARED_DATA")) return folder;
  return std::filesystem::path(RACKWRIGHT_SOURCE_DIR) / ".." / "shared" / "data";
}

}  // namespace rackwright::testing

/// Skips the test with a reason when `relative` is not in the shared data.
#define RACKWRIGHT_NEED_SHARED(relative)                                                      \
  if (!std::filesystem::exists(::rackwright::testing::shared_data() / (relative)))            \
  GTEST_SKIP() << "no measured data at " << ::rackwright::testing::shared_data() / (relative) \
               << "; set RACKWRIGHT_SHARED_DATA"
