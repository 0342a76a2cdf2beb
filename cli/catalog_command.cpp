#include "cli/catalog_command.hpp"

#include <map>
#include <ostream>

#include <fmt/format.h>

#include "cli/file_kinds.hpp"
#include "cli/text_table.hpp"
#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "topology/catalog.hpp"

namespace rackwright::cli {

namespace {

std::string fact_text(const topology::Fact& fact) {
  if (fact.blank()) return fact.text.empty() ? "blank" : fact.text;
  std::string text = fmt::format("{:g}", *fact.value);
  if (fact.low && fact.high && *fact.low != *fact.high) {
    text += fmt::format(" ({:g} – {:g})", *fact.low, *fact.high);
  }
  return text;
}

std::string part_text(const topology::Part& part) {
  std::string text = fmt::format("{}: {}\nkind {}, vendor {}\n", part.id, part.name, part.kind,
                                 part.vendor.empty() ? "blank" : part.vendor);
  if (!part.notes.empty()) text += part.notes + "\n";
  TextTable table({{"fact", TextTable::Align::left},
                   {"value", TextTable::Align::right},
                   {"status", TextTable::Align::left},
                   {"confidence", TextTable::Align::left},
                   {"source", TextTable::Align::left}});
  for (const auto& [key, fact] : part.facts) {
    table.add({key, fact_text(fact), fact.status, fact.confidence, fact.source});
  }
  return text + "\n" + table.text();
}

void list_parts(std::ostream& out, const topology::Catalog& catalog) {
  TextTable table({{"part"}, {"kind"}, {"vendor"}, {"name"}});
  for (const auto& [id, part] : catalog.parts()) {
    table.add({id, part.kind, part.vendor, part.name});
  }
  out << table.text();
}

InputError unknown_id(const std::string& id, const std::vector<std::string>& known) {
  std::string found = fmt::format("\"{}\"", id);
  if (const auto near = nearest_word(id, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  return InputError(InputProblem{
      "", 0, "catalog show", "the id of a part, rack, device, model, workload or fabric", found});
}

int show(CommandContext& context, const std::string& id) {
  const auto catalog = topology::Catalog::load(context.data);
  std::vector<std::string> known;
  if (const topology::Part* part = catalog.find(id)) {
    context.out << part_text(*part);
    return kFine;
  }
  for (const auto& [part, unused] : catalog.parts()) known.push_back(part);
  for (const DataFolder& folder : data_folders()) {
    for (const auto& candidate : context.data.ids(folder.path)) {
      if (candidate == id) {
        context.out << read_file(context.data.find(id, folder.path));
        return kFine;
      }
      known.push_back(candidate);
    }
  }
  throw unknown_id(id, known);
}

int check_all(CommandContext& context) {
  const auto catalog = topology::Catalog::load(context.data);
  context.out << fmt::format("{} parts\n", catalog.parts().size());
  std::vector<InputProblem> problems;
  for (const DataFolder& folder : data_folders()) {
    const auto ids = context.data.ids(folder.path);
    for (const auto& id : ids) {
      try {
        check_file(folder.kind, context.data.find(id, folder.path), context.data, &catalog);
      } catch (const InputError& error) {
        problems.insert(problems.end(), error.problems().begin(), error.problems().end());
      }
    }
    context.out << fmt::format("{} {}\n", ids.size(), folder.name);
  }
  if (!problems.empty()) throw InputError(problems);
  context.out << "all hold\n";
  return kFine;
}

int list(CommandContext& context, const std::string& what) {
  if (what == "parts") {
    list_parts(context.out, topology::Catalog::load(context.data));
    return kFine;
  }
  std::vector<std::string> known{"parts"};
  for (const DataFolder& folder : data_folders()) {
    known.push_back(folder.name);
    if (!what.empty() && what != folder.name) continue;
    if (what.empty()) context.out << folder.name << ":\n";
    for (const auto& id : context.data.ids(folder.path)) {
      context.out << (what.empty() ? "  " : "") << id << '\n';
    }
    if (!what.empty()) return kFine;
  }
  if (what.empty()) {
    context.out << "parts: rackwright catalog list parts\n";
    return kFine;
  }
  std::string found = fmt::format("\"{}\"", what);
  if (const auto near = nearest_word(what, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(
      InputProblem{"", 0, "catalog list", fmt::format("one of {}", fmt::join(known, ", ")), found});
}

}  // namespace

void CatalogCommand::add_options(CLI::App& app) {
  app.add_option("ACTION", action_, "list, show or check")->required();
  app.add_option("WHAT", what_,
                 "list: parts, racks, devices, models, workloads, requests, fabrics (nothing: all "
                 "but parts); show: an id");
}

int CatalogCommand::run(CommandContext& context) {
  if (action_ == "list") return list(context, what_);
  if (action_ == "check") return check_all(context);
  if (action_ == "show") {
    if (what_.empty()) throw InputError(InputProblem{"", 0, "catalog show", "an id", "nothing"});
    return show(context, what_);
  }
  std::string found = fmt::format("\"{}\"", action_);
  if (const auto near = nearest_word(action_, {"list", "show", "check"}); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(InputProblem{"", 0, "catalog", "list, show or check", found});
}

}  // namespace rackwright::cli
