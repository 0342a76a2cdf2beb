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
  const auto checks = check_machine({.cuda_module = kernels::cuda_module_path()});
  if (json_) {
    nlohmann::ordered_json json;
    json["version"] = context.version;
    json["checks"] = nlohmann::ordered_json::array();
    for (const auto& check : checks) {
      json["checks"].push_back({{"name", check.name},
                                {"found", check.found()},
                                {"state", to_string(check.state)},
                                {"detail", check.detail},
                                {"needed", check.needed},
                                {"without", check.without},
                                {"remedy", check.remedy}});
    }
    json["gpu_usable"] = has_gpu(checks);
    for (const Ability& ability : abilities(checks)) {
      json["abilities"].push_back({{"name", ability.name}, {"missing", ability.missing}});
    }
    context.out << json.dump(2) << '\n';
  } else {
    context.out << fmt::format("rackwright {}\n\n", context.version);
    for (const auto& check : checks) {
      context.out << fmt::format("{:<7} {}: {}\n", to_string(check.state), check.name,
                                 check.detail);
      if (check.state != MachineCheck::State::missing) continue;
      context.out << fmt::format(
          "        needed: {}\n        without it: {}\n        to get it: {}\n", check.needed,
          check.without, check.remedy);
    }
    context.out << "\nThis machine allows to measure:\n";
    for (const Ability& ability : abilities(checks)) {
      context.out << fmt::format("  {:<46}{}\n", ability.name,
                                 ability.missing.empty()
                                     ? "yes"
                                     : fmt::format("no: {}", fmt::join(ability.missing, ", ")));
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
