#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn_operators.hpp"

namespace rackwright::kernels::cuda::testing {

/* Plan checks with no GPU: cuDNN is told a device's properties, and the toolkit's stub stands for
   the driver. A plan that cuDNN's support check takes then stops where the stub loads nothing. */

struct Chip {
  std::string name;
  std::string properties;
};
/// Sizes by NVIDIA's CUDA programming guide (table of technical specifications) and the
/// architecture papers of A100, H100 and B200. Keys as cuDNN 9.19 reads them.
std::vector<Chip> chips();
/// sm_75: no BF16 matrix units.
Chip turing();

struct PlanCase {
  std::string name;
  std::function<void(CudnnGraph&)> add;
};
std::vector<PlanCase> plan_cases();

/// Plans that the heuristics proposed, and those that only the missing driver stopped.
struct Passed {
  int proposed = 0;
  int passed = 0;
};
Passed check(const CudnnApi& api, const PlanCase& one, const Chip& chip);

/// cuDNN of the version tested with a stub for a driver, or why not.
OpenedCudnn cudnn_without_a_gpu();

}  // namespace rackwright::kernels::cuda::testing
