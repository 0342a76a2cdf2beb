#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/data_locator.hpp"
#include "common/progress.hpp"

namespace rackwright::cli {

/// Exit codes: a promise to scripts.
enum ExitCode : int {
  kFine = 0,
  kFinding = 1,  ///< a rack violates a limit, no candidate is feasible
  kBadInput = 2,
  kUnavailable = 3,  ///< the backend asked for cannot be used here
  kIncomplete = 4    ///< ran but incomplete, interrupted, or undecided
};

/// What a command may touch. Results go to `out`, progress and messages to `err`.
struct CommandContext {
  std::ostream& out;
  std::ostream& err;
  const DataLocator& data;
  bool err_is_terminal = false;
  std::string version;
  std::string command_line;  ///< as typed, for the provenance of run files
};

/// One subcommand: a file pair and a line in `commands.cpp`. Bad input throws InputError.
class Command {
 public:
  virtual ~Command() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One sentence for the list of commands.
  [[nodiscard]] virtual std::string_view summary() const = 0;
  /// Command lines that work in an empty folder, in this order; the first ones of `profile` write
  /// what others read.
  [[nodiscard]] virtual std::vector<std::string> examples() const = 0;
  virtual void add_options(CLI::App& app) = 0;
  virtual int run(CommandContext& context) = 0;
};

/// Every command, in the order of `--help`.
[[nodiscard]] std::vector<std::unique_ptr<Command>> make_commands();

/// A progress callback that draws on `context.err` when that is a terminal and ends the work with
/// Interrupted after the first signal. May be called from several threads. `line` must outlive it.
[[nodiscard]] ProgressCallback progress_on(ProgressLine& line);

}  // namespace rackwright::cli
