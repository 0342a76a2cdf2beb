#include "cli/program.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <ostream>
#include <thread>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "common/input_error.hpp"
#include "common/launch/launch.hpp"

namespace rackwright::cli {

namespace {

std::vector<std::string> names_of(const std::vector<std::unique_ptr<Command>>& commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) names.emplace_back(command->name());
  return names;
}

std::string overview(const std::vector<std::unique_ptr<Command>>& commands) {
  std::string text =
      "rackwright turns an inference workload into evidence about racks.\n\n"
      "Usage: rackwright COMMAND [OPTIONS]\n\nCommands:\n";
  for (const auto& command : commands) {
    text += fmt::format("  {:<10} {}\n", command->name(), command->summary());
  }
  text +=
      "\nOptions:\n"
      "  -h, --help         this text; after a command: its options and an example\n"
      "  --version          the version\n"
      "  --data-dir DIR     parts, racks, devices and models of your own, looked up first\n"
      "\nExample:\n"
      "  rackwright review llama-3.1-70b-code --racks all --out review\n"
      "\nExit codes: 0 fine, 1 finding, 2 bad input, 3 backend unavailable, 4 incomplete or "
      "undecided\n";
  return text;
}

/// The command and its arguments; global options may stand before the command.
struct Split {
  std::string command;
  std::vector<std::string> rest;
};

Split split(const std::vector<std::string>& arguments) {
  Split result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool option = !argument.empty() && argument[0] == '-';
    if (result.command.empty() && !option) {
      result.command = argument;
      continue;
    }
    result.rest.push_back(argument);
    if (result.command.empty() && argument == "--data-dir" && i + 1 < arguments.size()) {
      result.rest.push_back(arguments[++i]);
    }
  }
  return result;
}

InputError unknown(std::string_view kind, const std::string& word, std::vector<std::string> known) {
  std::string found = fmt::format("\"{}\"", word);
  if (const auto near = nearest_word(word, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  return InputError(InputProblem{"", 0, "", fmt::format("{}; see --help", kind), found});
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string example_footer(const Command& command) {
  std::string text = "\nExample:";
  for (const auto& example : command.examples()) text += "\n  " + example;
  return text;
}

int run_command(Command& command, const std::vector<std::string>& arguments, CommandContext context,
                std::ostream& out) {
  CLI::App app(std::string(command.summary()), "rackwright " + std::string(command.name()));
  app.get_formatter()->column_width(34);
  app.allow_extras();
  std::string data_dir;
  command.add_options(app);
  app.add_option("--data-dir", data_dir, "Folder of your own data, looked up first")
      ->type_name("DIR");
  app.footer(example_footer(command));
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    out << app.help();
    return kFine;
  } catch (const CLI::RequiredError& error) {
    const std::string what = error.what();  // "--to is required"
    throw InputError(InputProblem{"", 0, fmt::format("{}", command.name()),
                                  what.substr(0, what.find(" is required")) + "; see --help",
                                  "nothing"});
  } catch (const CLI::ParseError& error) {
    throw InputError(InputProblem{"", 0, fmt::format("{}", command.name()),
                                  "arguments as in --help", error.what()});
  }
  if (const auto extra = app.remaining(); !extra.empty()) {
    throw unknown(fmt::format("a known option of {}", command.name()), extra.front(),
                  option_names(app));
  }
  const DataLocator data = DataLocator::from_environment(data_dir);
  CommandContext with_data{context.out,     context.err,         data, context.err_is_terminal,
                           context.version, context.command_line};
  return command.run(with_data);
}

int dispatch(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
             bool err_is_terminal) {
  const auto commands = make_commands();
  const Split parts = split(arguments);
  if (parts.command.empty() || parts.command == "help") {
    const auto& rest = parts.rest;
    if (std::find(rest.begin(), rest.end(), "--version") != rest.end()) {
      out << "rackwright " << RACKWRIGHT_VERSION << '\n';
      return kFine;
    }
    for (const auto& option : rest) {
      if (option != "-h" && option != "--help") {
        throw unknown("a command or --help, --version", option, {"--help", "--version"});
      }
    }
    const bool asked = parts.command == "help" || !rest.empty();
    (asked ? out : err) << overview(commands);
    return asked ? kFine : kBadInput;
  }
  for (const auto& command : commands) {
    if (command->name() != parts.command) continue;
    const DataLocator none{std::vector<std::filesystem::path>{}};
    std::string line = "rackwright";
    for (const auto& argument : arguments) line += " " + argument;
    return run_command(*command, parts.rest,
                       {out, err, none, err_is_terminal, RACKWRIGHT_VERSION, line}, out);
  }
  throw unknown("a command", parts.command, names_of(commands));
}

/// Of several ranks the first says what is wrong, and its end ends the others. One that is still
/// there afterwards stands alone with its problem (a file that its node lacks).
bool says_problems(int rank) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kPatience{5};
  const auto end = Clock::now() + kPatience;
  while (rank > 0 && Clock::now() < end) {
    if (interrupted()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

int bad_input(const InputError& error, std::ostream& err) {
  const int rank = launch::rank_here();
  if (!says_problems(rank)) return kBadInput;
  const std::string who = rank > 0 ? fmt::format("rackwright: rank {}: ", rank) : "rackwright: ";
  for (const auto& problem : error.problems()) err << who << problem.text() << '\n';
  return kBadInput;
}

}  // namespace

ProgressCallback progress_on(ProgressLine& line) {
  auto mutex = std::make_shared<std::mutex>();
  return [&line, mutex](std::string_view what, double done, double total) {
    throw_if_interrupted();
    const std::lock_guard<std::mutex> lock(*mutex);
    line.update(what, done, total);
  };
}

int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
                bool err_is_terminal) {
  try {
    const int code = dispatch(arguments, out, err, err_is_terminal);
    out.flush();
    return code;
  } catch (const InputError& error) {
    return bad_input(error, err);
  } catch (const BackendUnavailable& error) {
    err << "rackwright: " << error.what() << '\n';
    return kUnavailable;
  } catch (const Interrupted&) {
    err << "rackwright: interrupted; nothing was written\n";
    return kIncomplete;
  } catch (const std::exception& error) {
    err << "rackwright: internal error: " << error.what() << '\n';
    return kIncomplete;
  }
}

}  // namespace rackwright::cli
