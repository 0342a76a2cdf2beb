#include "common/json_document.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "common/csv_reader.hpp"

namespace rackwright {

namespace {

using Json = nlohmann::ordered_json;

std::string escape_token(std::string_view token) {
  std::string result;
  for (const char c : token) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

/// Line of the next character, and of the last one taken. The parser looks one character past a
/// number, so a number at the end of a line is on the line of the character before.
struct LinePosition {
  std::size_t now = 1;
  std::size_t before = 1;
};

/// Iterator over text that counts lines as the parser pulls characters.
class LineCountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCountingIterator(const char* at, LinePosition* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  LineCountingIterator& operator++() {
    line_->before = line_->now;
    if (*at_ == '\n') ++line_->now;
    ++at_;
    return *this;
  }
  LineCountingIterator operator++(int) {
    auto copy = *this;
    ++*this;
    return copy;
  }
  bool operator==(const LineCountingIterator& o) const { return at_ == o.at_; }
  bool operator!=(const LineCountingIterator& o) const { return at_ != o.at_; }

 private:
  const char* at_;
  LinePosition* line_;
};

/// Records the line of every value and finds duplicate keys.
class LineRecorder {
 public:
  LineRecorder(const LinePosition& line, std::map<std::string, std::size_t>& lines)
      : line_(line), lines_(lines) {}

  bool null() { return value(line_.now); }
  bool boolean(bool) { return value(line_.now); }
  bool number_integer(Json::number_integer_t) { return value(line_.before); }
  bool number_unsigned(Json::number_unsigned_t) { return value(line_.before); }
  bool number_float(Json::number_float_t, const Json::string_t&) { return value(line_.before); }
  bool string(Json::string_t&) { return value(line_.now); }
  bool binary(Json::binary_t&) { return value(line_.now); }
  bool start_object(std::size_t) { return open(false); }
  bool start_array(std::size_t) { return open(true); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(Json::string_t& name) {
    Level& level = levels_.back();
    level.token = escape_token(name);
    if (!level.keys.insert(name).second && duplicate_.empty()) {
      duplicate_ = pointer();
      duplicate_line_ = line_.now;
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) {
    return false;
  }

  [[nodiscard]] const std::string& duplicate() const { return duplicate_; }
  [[nodiscard]] std::size_t duplicate_line() const { return duplicate_line_; }

 private:
  struct Level {
    bool is_array = false;
    std::size_t index = 0;
    std::string token;
    std::set<std::string> keys;
  };

  std::string pointer() const {
    std::string result;
    for (const auto& level : levels_) {
      result += '/' + (level.is_array ? std::to_string(level.index) : level.token);
    }
    return result;
  }
  bool value(std::size_t line) {
    lines_.emplace(pointer(), line);
    advance();
    return true;
  }
  bool open(bool is_array) {
    lines_.emplace(pointer(), line_.now);
    levels_.push_back({is_array, 0, "", {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    advance();
    return true;
  }
  void advance() {
    if (!levels_.empty() && levels_.back().is_array) ++levels_.back().index;
  }

  const LinePosition& line_;
  std::map<std::string, std::size_t>& lines_;
  std::vector<Level> levels_;
  std::string duplicate_;
  std::size_t duplicate_line_ = 0;
};

}  // namespace

JsonDocument JsonDocument::parse_file(const std::filesystem::path& path) {
  return parse_text(read_file(path), path.string());
}

JsonDocument JsonDocument::parse_text(std::string_view text, std::string name) {
  JsonDocument document;
  document.name_ = std::move(name);
  try {
    document.root_ = Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::size_t at = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const auto before = text.substr(0, at);
    const auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    const std::size_t column = at - (before.rfind('\n') + 1) + 1;
    std::string reason = error.what();
    if (const auto colon = reason.rfind("; "); colon != std::string::npos) {
      reason = reason.substr(colon + 2);
    } else if (const auto mark = reason.find(": "); mark != std::string::npos) {
      reason = reason.substr(mark + 2);
    }
    throw InputError(InputProblem{document.name_, line, fmt::format("column {}", column),
                                  "valid JSON", text.empty() ? "an empty file" : reason});
  }
  LinePosition line;
  LineRecorder recorder(line, document.lines_);
  Json::sax_parse(LineCountingIterator(text.data(), &line),
                  LineCountingIterator(text.data() + text.size(), &line), &recorder);
  if (!recorder.duplicate().empty()) {
    throw InputError(InputProblem{document.name_, recorder.duplicate_line(), recorder.duplicate(),
                                  "each key once", "a second one"});
  }
  return document;
}

std::size_t JsonDocument::line_of(const std::string& pointer) const {
  std::string at = pointer;
  while (true) {
    if (const auto it = lines_.find(at); it != lines_.end()) return it->second;
    const auto slash = at.rfind('/');
    if (slash == std::string::npos) return 1;
    at.resize(slash);
  }
}

void ProblemList::throw_if_any() const {
  if (!problems_.empty()) throw InputError(problems_);
}

std::string describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return fmt::format("a list of {}", value.size());
    default:
      break;
  }
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

ObjectReader::ObjectReader(const JsonDocument& document, ProblemList& problems)
    : ObjectReader(document, problems, "") {}

ObjectReader::ObjectReader(const JsonDocument& document, ProblemList& problems, std::string pointer)
    : document_(&document), problems_(&problems), pointer_(std::move(pointer)) {
  static const Json empty = Json::object();
  value_ = &empty;
  const Json::json_pointer at(pointer_);
  if (!document.root().contains(at)) return;
  const Json& value = document.root().at(at);
  if (value.is_object()) {
    value_ = &value;
  } else {
    problems.add({document.name(), line(), pointer_, "an object", describe(value)});
  }
}

const Json* ObjectReader::find(std::string_view key) {
  known_.emplace_back(key);
  const auto it = value_->find(std::string(key));
  return it == value_->end() ? nullptr : &*it;
}

bool ObjectReader::has(std::string_view key) const {
  const auto it = value_->find(std::string(key));
  return it != value_->end() && !it->is_null();
}

bool ObjectReader::is_null(std::string_view key) const {
  const auto it = value_->find(std::string(key));
  return it != value_->end() && it->is_null();
}

void ObjectReader::problem(std::string_view key, std::string expected, std::string found) {
  const std::string at = key.empty() ? pointer_ : pointer_ + '/' + escape_token(key);
  problems_->add({document_->name(), document_->line_of(at), at.empty() ? "/" : at,
                  std::move(expected), std::move(found)});
}

void ObjectReader::missing(std::string_view key, std::string expected) {
  std::vector<std::string> present;
  for (const auto& [name, value] : value_->items()) present.push_back(name);
  std::string found = "no such key";
  if (const auto near = nearest_word(key, present); !near.empty()) {
    found += fmt::format("; \"{}\" is there", near);
  }
  problem(key, std::move(expected), std::move(found));
}

namespace {

std::string number_expectation(const NumberRange& range, const char* noun) {
  if (range.min > -1e308 && range.max < 1e308) {
    return fmt::format("{} from {} to {}", noun, range.min, range.max);
  }
  if (range.min > -1e308) return fmt::format("{} of at least {}", noun, range.min);
  if (range.max < 1e308) return fmt::format("{} of at most {}", noun, range.max);
  return noun;
}

}  // namespace

std::optional<double> ObjectReader::optional_number(std::string_view key, Range range) {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  const bool good = value->is_number() && std::isfinite(value->get<double>()) &&
                    value->get<double>() >= range.min && value->get<double>() <= range.max;
  if (!good) {
    problem(key, number_expectation(range, "a number"), describe(*value));
    return std::nullopt;
  }
  return value->get<double>();
}

double ObjectReader::number(std::string_view key, Range range) {
  if (!value_->contains(std::string(key)) || is_null(key)) {
    known_.emplace_back(key);
    missing(key, number_expectation(range, "a number"));
    return std::max(range.min, std::min(0.0, range.max));
  }
  return optional_number(key, range).value_or(std::max(range.min, std::min(0.0, range.max)));
}

double ObjectReader::number_or(std::string_view key, double fallback, Range range) {
  return optional_number(key, range).value_or(fallback);
}

long long ObjectReader::integer(std::string_view key, Range range) {
  const double value = number(key, range);
  if (value != std::floor(value)) {
    problem(key, number_expectation(range, "a whole number"), describe(*find(key)));
  }
  return static_cast<long long>(value);
}

long long ObjectReader::integer_or(std::string_view key, long long fallback, Range range) {
  if (!has(key)) {
    known_.emplace_back(key);
    return fallback;
  }
  return integer(key, range);
}

bool ObjectReader::boolean_or(std::string_view key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) return fallback;
  if (!value->is_boolean()) {
    problem(key, "true or false", describe(*value));
    return fallback;
  }
  return value->get<bool>();
}

std::string ObjectReader::text(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) {
    missing(key, "a text");
    return "";
  }
  if (!value->is_string()) {
    problem(key, "a text", describe(*value));
    return "";
  }
  return value->get<std::string>();
}

std::string ObjectReader::text_or(std::string_view key, std::string fallback) {
  if (!has(key)) {
    known_.emplace_back(key);
    return fallback;
  }
  return text(key);
}

std::string ObjectReader::choice(std::string_view key, const std::vector<std::string>& allowed) {
  const std::size_t before = problems_->all().size();
  const std::string word = text(key);
  if (problems_->all().size() > before ||
      std::find(allowed.begin(), allowed.end(), word) != allowed.end()) {
    return word.empty() && !allowed.empty() ? allowed.front() : word;
  }
  std::string found = fmt::format("\"{}\"", word);
  if (const auto near = nearest_word(word, allowed); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  problem(key, fmt::format("one of {}", fmt::join(allowed, ", ")), found);
  return allowed.empty() ? word : allowed.front();
}

std::string ObjectReader::choice_or(std::string_view key, std::string fallback,
                                    const std::vector<std::string>& allowed) {
  if (!has(key)) {
    known_.emplace_back(key);
    return fallback;
  }
  return choice(key, allowed);
}

std::vector<double> ObjectReader::numbers(std::string_view key, Range range) {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) {
    missing(key, "a list of numbers");
    return {};
  }
  std::vector<double> result;
  bool good = value->is_array();
  for (std::size_t i = 0; good && i < value->size(); ++i) {
    const Json& item = (*value)[i];
    good = item.is_number() && item.get<double>() >= range.min && item.get<double>() <= range.max;
    if (good) result.push_back(item.get<double>());
  }
  if (!good) {
    problem(key, number_expectation(range, "a list of numbers, each"), describe(*value));
    return {};
  }
  return result;
}

std::vector<std::string> ObjectReader::texts(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) {
    missing(key, "a list of texts");
    return {};
  }
  std::vector<std::string> result;
  bool good = value->is_array();
  for (std::size_t i = 0; good && i < value->size(); ++i) {
    good = (*value)[i].is_string();
    if (good) result.push_back((*value)[i].get<std::string>());
  }
  if (!good) {
    problem(key, "a list of texts", describe(*value));
    return {};
  }
  return result;
}

ObjectReader ObjectReader::object(std::string_view key) {
  const Json* value = find(key);
  if (value == nullptr || value->is_null()) missing(key, "an object");
  return {*document_, *problems_, pointer_ + '/' + escape_token(key)};
}

std::vector<ObjectReader> ObjectReader::objects(std::string_view key) {
  const Json* value = find(key);
  std::vector<ObjectReader> result;
  if (value == nullptr || value->is_null()) return result;
  if (!value->is_array()) {
    problem(key, "a list of objects", describe(*value));
    return result;
  }
  const std::string at = pointer_ + '/' + escape_token(key);
  for (std::size_t i = 0; i < value->size(); ++i) {
    result.emplace_back(*document_, *problems_, fmt::format("{}/{}", at, i));
  }
  return result;
}

const Json& ObjectReader::raw(std::string_view key) {
  static const Json null;
  const Json* value = find(key);
  return value == nullptr ? null : *value;
}

std::vector<std::string> ObjectReader::keys() const {
  std::vector<std::string> result;
  for (const auto& [name, value] : value_->items()) result.push_back(name);
  return result;
}

void ObjectReader::check_format_version(int supported) {
  const long long version = integer("format_version", {.min = 1});
  if (version > supported) {
    problem("format_version",
            fmt::format("at most {} (this program is older than the file)", supported),
            std::to_string(version));
  }
}

void ObjectReader::ignore(std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) known_.emplace_back(key);
}

void ObjectReader::finish() {
  for (const auto& [name, value] : value_->items()) {
    if (name == "$schema" || std::find(known_.begin(), known_.end(), name) != known_.end()) {
      continue;
    }
    const auto near = nearest_word(name, known_);
    problem(name, near.empty() ? "a known key" : fmt::format("a known key (nearest: \"{}\")", near),
            fmt::format("\"{}\"", name));
  }
}

}  // namespace rackwright
