#include "topology/catalog.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "common/random.hpp"
#include "topology/fact_reader.hpp"
#include "topology/part_kinds.hpp"

namespace rackwright::topology {

namespace {

namespace fs = std::filesystem;

constexpr int kCatalogFormatVersion = 1;
constexpr const char* kFolder = "topology/catalog";

bool is_part_id(const std::string& id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

void read_facts(ObjectReader& part_reader, const FactOrigin& origin, Part& part) {
  ObjectReader reader = part_reader.object("facts");
  for (const std::string& key : reader.keys()) {
    Fact fact = read_fact(reader, key, origin);
    const bool is_text = !fact.text.empty();
    if (!is_text && !has_unit(key)) {
      const std::string near = nearest_word(key.substr(key.rfind('_') + 1), known_units());
      reader.problem(key, "a key that ends in a unit, as \"_w\" or \"_mm\"",
                     near.empty() ? fmt::format("\"{}\"", key)
                                  : fmt::format("\"{}\" (nearest unit: \"_{}\")", key, near));
    }
    part.facts.emplace(key, std::move(fact));
  }
  reader.finish();
}

Part read_part(ObjectReader& reader) {
  Part part;
  part.file = reader.file();
  part.id = reader.text("id");
  if (!part.id.empty() && !is_part_id(part.id)) {
    reader.problem("id", "lower-case letters, digits, - and .", fmt::format("\"{}\"", part.id));
  }
  part.kind = reader.choice("kind", part_kinds());
  part.name = reader.text("name");
  part.vendor = reader.text_or("vendor", "");
  part.notes = reader.text_or("notes", "");
  const FactOrigin origin = read_origin(reader);
  part.source = origin.source;
  part.status = origin.status;
  part.confidence = origin.confidence;
  read_facts(reader, origin, part);
  reader.finish();
  return part;
}

/// Where each id of one root was read, for the message about the second one.
using Places = std::map<std::string, std::string>;

void read_file_of_parts(const fs::path& path, ProblemList& problems, Places& places,
                        std::map<std::string, Part>& parts) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ObjectReader reader(document, problems);
  reader.check_format_version(kCatalogFormatVersion);
  if (!reader.has("parts")) reader.problem("parts", "a list of parts", "no such key");
  for (ObjectReader& entry : reader.objects("parts")) {
    Part part = read_part(entry);
    if (part.id.empty()) continue;
    const auto [place, is_new] =
        places.emplace(part.id, fmt::format("{}:{}", entry.file(), entry.line()));
    if (!is_new) {
      entry.problem("id", fmt::format("an id not used before (first at {})", place->second),
                    fmt::format("\"{}\"", part.id));
      continue;
    }
    parts.insert_or_assign(part.id, std::move(part));
  }
  reader.finish();
}

std::vector<fs::path> json_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Reads one root over what later roots gave; problems of a file that does not parse are collected
/// like all others.
void read_root(const fs::path& folder, ProblemList& problems, std::map<std::string, Part>& parts) {
  Places places;
  for (const fs::path& path : json_files(folder)) {
    try {
      read_file_of_parts(path, problems, places, parts);
    } catch (const InputError& error) {
      for (const InputProblem& problem : error.problems()) problems.add(problem);
    }
  }
}

std::vector<Part> values_of(std::map<std::string, Part>&& parts) {
  std::vector<Part> result;
  for (auto& [id, part] : parts) result.push_back(std::move(part));
  return result;
}

std::string number_text(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : "null";
}

}  // namespace

const Fact& Part::fact(const std::string& key) const {
  static const Fact blank;
  const auto found = facts.find(key);
  return found == facts.end() ? blank : found->second;
}

std::optional<double> Part::number(const std::string& key) const {
  return fact(key).value;
}

Estimate Part::estimate(const std::string& key, std::string unit, std::string boundary) const {
  const Fact& found = fact(key);
  if (found.blank()) throw std::logic_error(fmt::format("{}: {} is blank", id, key));
  Estimate result;
  result.value = *found.value;
  result.unit = std::move(unit);
  result.origin = found.status == "estimated" ? Origin::assumed : Origin::catalogue;
  result.low = found.low.value_or(result.value);
  result.high = found.high.value_or(result.value);
  result.boundary = std::move(boundary);
  return result;
}

Catalog Catalog::load(const DataLocator& data) {
  ProblemList problems;
  std::map<std::string, Part> parts;
  bool found = false;
  const auto& roots = data.roots();
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
    const fs::path folder = *root / kFolder;
    if (!fs::is_directory(folder)) continue;
    found = true;
    read_root(folder, problems, parts);
  }
  if (!found) (void)data.file(kFolder);  // its message says where data is looked for
  problems.throw_if_any();
  return Catalog(values_of(std::move(parts)));
}

Catalog::Catalog(std::vector<Part> parts) {
  ProblemList problems;
  for (Part& part : parts) {
    const std::string id = part.id;
    const std::string file = part.file;
    if (!parts_.emplace(id, std::move(part)).second) {
      problems.add({file, 0, "id", "an id not used before", fmt::format("\"{}\"", id)});
    }
  }
  problems.throw_if_any();
}

const Part* Catalog::find(const std::string& id) const {
  const auto found = parts_.find(id);
  return found == parts_.end() ? nullptr : &found->second;
}

const Part& Catalog::require(const std::string& id, const std::string& where) const {
  if (const Part* part = find(id)) return *part;
  std::vector<std::string> ids;
  for (const auto& [known, part] : parts_) ids.push_back(known);
  std::string text = fmt::format("\"{}\"", id);
  if (const auto near = nearest_word(id, ids); !near.empty()) {
    text += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(InputProblem{where, 0, "", "a part of the catalogue", text});
}

std::string Catalog::hash() const {
  std::string text;
  for (const auto& [id, part] : parts_) {
    text += fmt::format("{}\x1f{}\x1f{}\n", id, part.kind, part.name);
    for (const auto& [key, fact] : part.facts) {
      text += fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\x1f{}\n", key,
                          number_text(fact.value), number_text(fact.low), number_text(fact.high),
                          fact.text, fact.source, fact.status, fact.confidence);
    }
  }
  return fmt::format("{:016x}", fnv1a(text));
}

}  // namespace rackwright::topology
