#include "cli/bench_command.hpp"

#include <fmt/format.h>

#include "cli/bench_collectives.hpp"
#include "cli/bench_kernels.hpp"
#include "cli/bench_transient.hpp"
#include "common/input_error.hpp"

namespace rackwright::cli {

namespace {

std::vector<std::unique_ptr<Command>> make_benches() {
  std::vector<std::unique_ptr<Command>> kinds;
  kinds.push_back(std::make_unique<BenchKernels>());
  kinds.push_back(std::make_unique<BenchTransient>());
  kinds.push_back(std::make_unique<BenchCollectives>());
  return kinds;
}

std::string example_text(const Command& kind) {
  std::string text = "\nExample:";
  for (const auto& example : kind.examples()) text += "\n  " + example;
  return text;
}

}  // namespace

BenchCommand::BenchCommand() : kinds_(make_benches()) {}

std::vector<std::string> BenchCommand::examples() const {
  std::vector<std::string> all;
  for (const auto& kind : kinds_) {
    for (const auto& example : kind->examples()) all.push_back(example);
  }
  return all;
}

void BenchCommand::add_options(CLI::App& app) {
  for (const auto& kind : kinds_) {
    CLI::App* sub =
        app.add_subcommand(std::string(kind->name()), std::string(kind->summary()))->fallthrough();
    kind->add_options(*sub);
    sub->footer(example_text(*kind));
    parsed_.push_back(sub);
  }
}

int BenchCommand::run(CommandContext& context) {
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (parsed_[i]->parsed()) return kinds_[i]->run(context);
  }
  std::string known;
  for (const auto& kind : kinds_)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", kind->name());
  throw InputError(InputProblem{"", 0, "bench", known, "nothing"});
}

}  // namespace rackwright::cli
