#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "tests/kernels/cudnn/plan_cases.hpp"

/* Prints the table of docs/cudnn_plans.md. */
int main() {
  namespace cuda = rackwright::kernels::cuda;
  const cuda::OpenedCudnn cudnn = cuda::testing::cudnn_without_a_gpu();
  if (!cudnn.usable) {
    std::fprintf(stderr, "no plan checks: %s\n", cudnn.reason.c_str());
    return 3;
  }
  std::string head = "| " + cudnn.reason + " |", rule = "|---|";
  for (const auto& chip : cuda::testing::chips()) head += " " + chip.name + " |", rule += "---|";
  std::printf("%s\n%s\n", head.c_str(), rule.c_str());
  for (const auto& one : cuda::testing::plan_cases()) {
    std::string line = "| " + one.name + " |";
    for (const auto& chip : cuda::testing::chips()) {
      const auto passed = cuda::testing::check(cudnn.api, one, chip);
      line += passed.proposed == 0 ? " none |"
                                   : fmt::format(" {} of {} |", passed.passed, passed.proposed);
    }
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }
}
