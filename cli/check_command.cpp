#include "cli/check_command.hpp"

#include <ostream>

#include <fmt/format.h>

#include "cli/file_kinds.hpp"
#include "common/input_error.hpp"

namespace rackwright::cli {

void CheckCommand::add_options(CLI::App& app) {
  app.add_option(
         "FILE", files_,
         "Workload, rack, part catalogue, fabric, device, model or request description; the "
         "kind is seen from the content")
      ->required();
}

int CheckCommand::run(CommandContext& context) {
  std::vector<InputProblem> problems;
  for (const auto& file : files_) {
    try {
      const FileKind kind = detect_kind(file);
      check_file(kind, file, context.data, nullptr);
      context.out << fmt::format("{}: {}, holds\n", file, to_string(kind));
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  }
  if (!problems.empty()) throw InputError(problems);
  return kFine;
}

}  // namespace rackwright::cli
