#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/input_error.hpp"

namespace rackwright {

/// A JSON file with the line of every value.
class JsonDocument {
 public:
  /// Reads and parses. Throws InputError: no such file, a folder, unreadable, bad syntax (with line
  /// and column), duplicate key.
  static JsonDocument parse_file(const std::filesystem::path& path);
  /// `name` stands for the file in messages.
  static JsonDocument parse_text(std::string_view text, std::string name);

  [[nodiscard]] const nlohmann::ordered_json& root() const { return root_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Line of the value at JSON pointer `pointer` ("" is the root); of the nearest known ancestor
  /// when the pointer does not exist.
  [[nodiscard]] std::size_t line_of(const std::string& pointer) const;

 private:
  nlohmann::ordered_json root_;
  std::string name_;
  std::map<std::string, std::size_t> lines_;
};

/// Collects problems of a document so that all are reported at once.
class ProblemList {
 public:
  void add(InputProblem problem) { problems_.push_back(std::move(problem)); }
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] const std::vector<InputProblem>& all() const { return problems_; }
  /// Throws InputError when there is any problem.
  void throw_if_any() const;

 private:
  std::vector<InputProblem> problems_;
};

/// Inclusive bounds of a number. NaN and infinities cannot occur in JSON.
struct NumberRange {
  double min = -1e308;
  double max = 1e308;
};

/// Typed, checked access to one JSON object. Getters record a problem and return a neutral value
/// when the field is missing or of the wrong kind, so reading goes on; `finish` records unknown
/// keys with the nearest known one. Throw once at the end with `ProblemList::throw_if_any`.
///
///     ObjectReader r(document, problems);
///     const auto tdp = r.number("tdp_w", {.min = 0});
///     for (auto port : r.objects("ports")) { ... port.finish(); }
///     r.finish();
///     problems.throw_if_any();
class ObjectReader {
 public:
  using Range = NumberRange;

  /// The root of `document`. Both arguments must outlive the reader.
  ObjectReader(const JsonDocument& document, ProblemList& problems);
  ObjectReader(const JsonDocument& document, ProblemList& problems, std::string pointer);

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] bool is_null(std::string_view key) const;

  [[nodiscard]] double number(std::string_view key, Range range = {});
  [[nodiscard]] double number_or(std::string_view key, double fallback, Range range = {});
  /// Absent and null are blank; blank stays blank.
  [[nodiscard]] std::optional<double> optional_number(std::string_view key, Range range = {});
  [[nodiscard]] long long integer(std::string_view key, Range range = {});
  [[nodiscard]] long long integer_or(std::string_view key, long long fallback, Range range = {});
  [[nodiscard]] bool boolean_or(std::string_view key, bool fallback);
  [[nodiscard]] std::string text(std::string_view key);
  [[nodiscard]] std::string text_or(std::string_view key, std::string fallback);
  /// One of `allowed`; the message offers the nearest.
  [[nodiscard]] std::string choice(std::string_view key, const std::vector<std::string>& allowed);
  [[nodiscard]] std::string choice_or(std::string_view key, std::string fallback,
                                      const std::vector<std::string>& allowed);
  [[nodiscard]] std::vector<double> numbers(std::string_view key, Range range = {});
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  /// A nested object; a reader of an empty object when missing (a problem is recorded).
  [[nodiscard]] ObjectReader object(std::string_view key);
  /// Array of objects; empty when missing.
  [[nodiscard]] std::vector<ObjectReader> objects(std::string_view key);
  /// The raw value, null when missing; marks the key as known.
  [[nodiscard]] const nlohmann::ordered_json& raw(std::string_view key);
  /// Keys of this object in file order.
  [[nodiscard]] std::vector<std::string> keys() const;

  /// Reads `format_version` (integer): a newer major than `supported` is a problem.
  void check_format_version(int supported);
  /// Marks keys as known without reading them.
  void ignore(std::initializer_list<std::string_view> keys);
  /// Records every key that was never read, with the nearest known key.
  void finish();

  void problem(std::string_view key, std::string expected, std::string found);
  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  [[nodiscard]] const std::string& file() const { return document_->name(); }
  [[nodiscard]] std::size_t line() const { return document_->line_of(pointer_); }

 private:
  const nlohmann::ordered_json* find(std::string_view key);
  void missing(std::string_view key, std::string expected);

  const JsonDocument* document_;
  ProblemList* problems_;
  std::string pointer_;
  const nlohmann::ordered_json* value_;
  std::vector<std::string> known_;
};

/// How a JSON value looks in a message: `"10.2 kW"`, `a list`, `-3`.
[[nodiscard]] std::string describe(const nlohmann::ordered_json& value);

}  // namespace rackwright
