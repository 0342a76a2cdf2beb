#include "cli/doctor_command.hpp"

#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/machine_checks.hpp"
#include "kernels/cuda_loader.hpp"

namespace rackwright::cli {

void DoctorCommand::add_options(CLI::App& app) {
  app.add_flag("--require-gpu", require_gpu_, "Exit with 3 unless a GPU can be used");
  app.add_flag("--json", json_, "Print JSON");
}

int DoctorCommand::run(CommandContext& context) {
  const auto checks = check_machine(kernels::cuda_module_path());
  if (json_) {
    nlohmann::ordered_json json;
    json["version"] = context.version;
    json["checks"] = nlohmann::ordered_json::array();
    for (const auto& check : checks) {
      json["checks"].push_back({{"name", check.name},
                                {"found", check.found},
                                {"detail", check.detail},
                                {"without", check.without},
                                {"remedy", check.remedy}});
    }
    json["gpu_usable"] = has_gpu(checks);
    context.out << json.dump(2) << '\n';
  } else {
    context.out << fmt::format("rackwright {}\n\n", context.version);
    for (const auto& check : checks) {
      context.out << fmt::format("{:<7} {}: {}\n", check.found ? "found" : "missing", check.name,
                                 check.detail);
      if (check.found) continue;
      context.out << fmt::format("        without it: {}\n        to get it: {}\n", check.without,
                                 check.remedy);
    }
    context.out << "\nreview, evaluate, fabric and catalog need none of the missing parts: they "
                   "predict with calibrated models\n";
    for (const auto& root : context.data.roots()) {
      context.out << "data: " << root.string() << '\n';
    }
  }
  if (require_gpu_ && !has_gpu(checks)) {
    context.err << "rackwright: no usable GPU; see the list above\n";
    return kUnavailable;
  }
  return kFine;
}

}  // namespace rackwright::cli
