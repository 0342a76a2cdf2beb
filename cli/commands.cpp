#include "cli/bench_command.hpp"
#include "cli/cabling_command.hpp"
#include "cli/calibrate_command.hpp"
#include "cli/catalog_command.hpp"
#include "cli/check_command.hpp"
#include "cli/command.hpp"
#include "cli/doctor_command.hpp"
#include "cli/evaluate_command.hpp"
#include "cli/export_command.hpp"
#include "cli/fabric_command.hpp"
#include "cli/import_command.hpp"
#include "cli/merge_command.hpp"
#include "cli/new_command.hpp"
#include "cli/predict_command.hpp"
#include "cli/profile_command.hpp"
#include "cli/review_command.hpp"
#include "cli/validate_command.hpp"

namespace rackwright::cli {

std::vector<std::unique_ptr<Command>> make_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<ReviewCommand>());
  commands.push_back(std::make_unique<ProfileCommand>());
  commands.push_back(std::make_unique<MergeCommand>());
  commands.push_back(std::make_unique<EvaluateCommand>());
  commands.push_back(std::make_unique<ExportCommand>());
  commands.push_back(std::make_unique<FabricCommand>());
  commands.push_back(std::make_unique<PredictCommand>());
  commands.push_back(std::make_unique<ValidateCommand>());
  commands.push_back(std::make_unique<CalibrateCommand>());
  commands.push_back(std::make_unique<CablingCommand>());
  commands.push_back(std::make_unique<BenchCommand>());
  commands.push_back(std::make_unique<ImportCommand>());
  commands.push_back(std::make_unique<CatalogCommand>());
  commands.push_back(std::make_unique<CheckCommand>());
  commands.push_back(std::make_unique<NewCommand>());
  commands.push_back(std::make_unique<DoctorCommand>());
  return commands;
}

}  // namespace rackwright::cli
