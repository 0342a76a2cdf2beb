#pragma once

#include <string>
#include <vector>

#include "results/review.hpp"

/// Reviews of invented racks, as rich as real ones, to look at and to test the report with. Every
/// name starts with "demo"; no figure describes a product.
namespace rackwright::testing {

enum class Demo {
  seven,       ///< liquid, rear-door and air racks; one not feasible, one undecided
  one,         ///< a single candidate
  hundred,     ///< more than the table lists at once
  none_holds,  ///< every rack violates a promised limit without a remedy
  all_blank,   ///< no service, no power, no temperature of any rack
  long_names,  ///< names, labels and remedies at their longest, with markup in them
};

[[nodiscard]] results::Review demo_review(Demo demo);
[[nodiscard]] std::vector<std::pair<std::string, Demo>> demos();

}  // namespace rackwright::testing
