#include "cli/backend_choice.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/gpu_checks.hpp"
#include "common/input_error.hpp"
#include "kernels/cuda_loader.hpp"

namespace rackwright::cli {

namespace {

void check_known(const std::string& asked, std::vector<std::string> known) {
  known.emplace_back("auto");
  std::sort(known.begin(), known.end());
  if (std::find(known.begin(), known.end(), asked) != known.end()) return;
  std::string found = fmt::format("\"{}\"", asked);
  if (const auto near = nearest_word(asked, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(
      InputProblem{"", 0, "--backend", fmt::format("{}", fmt::join(known, ", ")), found});
}

}  // namespace

BackendChoice choose_backend(const std::string& asked, const std::vector<std::string>& known,
                             const std::string& otherwise) {
  check_known(asked, known);
  if (asked != "auto" && asked != "cuda") return {asked, asked + " backend, as asked for", {}, {}};
  const auto probe = kernels::probe_cuda(kernels::cuda_module_path());
  std::vector<std::string> bus_ids;
  for (const auto& device : probe.devices) bus_ids.emplace_back(device.pci_bus_id);
  const std::string mig = bus_ids.empty() ? "" : mig_refusal(bus_ids);
  if (!bus_ids.empty() && mig.empty()) {
    return {"cuda", fmt::format("cuda backend on GPU 0, {}", probe.devices.front().name),
            probe.devices.front(), bus_ids};
  }
  const std::string why = !mig.empty() ? mig : probe.reason.empty() ? "no GPU" : probe.reason;
  if (asked == "cuda") throw BackendUnavailable(fmt::format("backend cuda: {}", why));
  return {otherwise, fmt::format("{} backend, as no GPU can be used: {}", otherwise, why), {}, {}};
}

}  // namespace rackwright::cli
