#include "workloads/request_readers.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/csv_reader.hpp"
#include "common/json_document.hpp"

namespace rackwright::workloads {

namespace {

constexpr std::size_t kMaxProblems = 20;
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 24;
constexpr long long kMaxTokens = 100'000'000;  // per request; keeps sums of lengths in 32 bits

/// Problems of the rows of one file; throws the first 20 together.
class RowProblems {
 public:
  explicit RowProblems(std::string file) : file_(std::move(file)) {}

  void add(const InputError& error) {
    for (const auto& problem : error.problems()) problems_.push_back(problem);
    if (problems_.size() >= kMaxProblems) throw InputError(std::move(problems_));
  }
  void finish(const RequestTrace& trace) {
    if (!problems_.empty()) throw InputError(std::move(problems_));
    if (trace.requests.empty()) {
      throw InputError(InputProblem{file_, 0, "", "at least one request", "none"});
    }
  }
  void check_size(const RequestTrace& trace, std::size_t line) const {
    if (trace.requests.size() < kMaxRequests) return;
    throw InputError(InputProblem{file_, line, "", fmt::format("at most {} requests", kMaxRequests),
                                  "more; cut the file or sample its rows"});
  }

 private:
  std::string file_;
  std::vector<InputProblem> problems_;
};

std::uint32_t tokens_of(const CsvReader& csv, std::string_view column, long long min) {
  const long long value = csv.integer(column, min);
  if (value > kMaxTokens) throw csv.error(column, fmt::format("at most {} tokens", kMaxTokens));
  return static_cast<std::uint32_t>(value);
}

std::uint32_t at_least_one(std::uint32_t output_tokens) {
  return std::max(1U, output_tokens);
}

/// Reads a CSV file row by row; `read` returns nothing for a row that is left out.
template <class ReadRow>
RequestTrace read_csv(const std::filesystem::path& path, std::vector<std::string> columns,
                      ReadRow read) {
  CsvReader csv(path, {.required = std::move(columns)});
  RequestTrace trace;
  RowProblems problems(path.string());
  while (true) {
    try {
      if (!csv.next()) break;
      problems.check_size(trace, csv.line());
      if (auto request = read(csv)) trace.requests.push_back(std::move(*request));
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  problems.finish(trace);
  return trace;
}

/// Whole number of the digits of `text`; nothing when there is another character or no digit.
std::optional<std::int64_t> digits(std::string_view text) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// Days since 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date
/// algorithms", days_from_civil).
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/// Reads a JSON-lines file one line at a time.
class JsonLines {
 public:
  explicit JsonLines(const std::filesystem::path& path)
      : file_(path.string()), stream_(open_input(path)) {}

  /// The next line that is not blank; false at the end. Throws InputError for bad JSON.
  bool next() {
    std::string text;
    do {
      if (!read_line(text)) return false;
    } while (text.find_first_not_of(" \t\r") == std::string::npos);
    value_ = nlohmann::json::parse(text, nullptr, false);
    if (value_.is_discarded()) {
      throw InputError(
          InputProblem{file_, line_, "", "one JSON object", "bad JSON (a truncated line?)"});
    }
    if (!value_.is_object()) throw error("", "one JSON object", value_);
    return true;
  }

  double number(const char* key, double min, double max) const {
    const nlohmann::json& value = field(key, "a number");
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (!(number >= min && number <= max)) {
      throw error(key, fmt::format("a number from {} to {}", min, max), value);
    }
    return number;
  }
  std::uint32_t tokens(const char* key, double min) const {
    const nlohmann::json& value = field(key, "a number of tokens");
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (!(number >= min && number <= static_cast<double>(kMaxTokens)) ||
        number != std::floor(number)) {
      throw error(key, fmt::format("a whole number of tokens, at least {}", min), value);
    }
    return static_cast<std::uint32_t>(number);
  }
  std::vector<std::uint32_t> ids(const char* key) const {
    const nlohmann::json& value = field(key, "a list of block ids");
    if (!value.is_array()) throw error(key, "a list of block ids", value);
    std::vector<std::uint32_t> result;
    result.reserve(value.size());
    for (const auto& id : value) {
      if (!id.is_number_unsigned() || id.get<std::uint64_t>() > 0xfffffffeULL) {
        throw error(key, "block ids from 0 to 4294967294", id);
      }
      result.push_back(id.get<std::uint32_t>());
    }
    return result;
  }
  bool has(const char* key) const { return value_.contains(key); }
  std::size_t line() const { return line_; }

 private:
  const nlohmann::json& field(const char* key, const char* expected) const {
    const auto found = value_.find(key);
    if (found == value_.end()) {
      throw InputError(InputProblem{file_, line_, key, expected, "nothing"});
    }
    return *found;
  }
  InputError error(std::string field, std::string expected, const nlohmann::json& found) const {
    std::string text = found.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (text.size() > 40) text = text.substr(0, 37) + "...";
    return InputError(
        InputProblem{file_, line_, std::move(field), std::move(expected), std::move(text)});
  }
  bool read_line(std::string& text) {
    text.clear();
    ++line_;
    int c = stream_.get();
    if (c == std::char_traits<char>::eof()) return false;
    for (; c != std::char_traits<char>::eof() && c != '\n'; c = stream_.get()) {
      text += static_cast<char>(c);
      if (text.size() > kMaxLineBytes) {
        throw InputError(InputProblem{file_, line_, "",
                                      fmt::format("a line of at most {} bytes", kMaxLineBytes),
                                      "a longer one (not a JSON-lines file?)"});
      }
    }
    return true;
  }

  std::string file_;
  std::ifstream stream_;
  std::size_t line_ = 0;
  nlohmann::json value_;
};

template <class ReadLine>
RequestTrace read_json_lines(const std::filesystem::path& path, ReadLine read) {
  JsonLines lines(path);
  RequestTrace trace;
  RowProblems problems(path.string());
  while (true) {
    const std::size_t before = lines.line();
    try {
      if (!lines.next()) break;
      problems.check_size(trace, lines.line());
      trace.requests.push_back(read(lines));
    } catch (const InputError& error) {
      problems.add(error);
      if (lines.line() == before) break;
    }
  }
  problems.finish(trace);
  return trace;
}

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(5, 2)),
             day = digits(text.substr(8, 2)), hour = digits(text.substr(11, 2)),
             minute = digits(text.substr(14, 2)), second = digits(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second || *month < 1 || *month > 12 ||
      *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  text.remove_prefix(19);
  std::int64_t ticks = 0;
  if (text.starts_with('.')) {
    std::size_t count = 1;
    while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    std::string fraction(text.substr(1, std::min<std::size_t>(count - 1, 7)));
    if (fraction.empty()) return std::nullopt;
    fraction.resize(7, '0');
    ticks = *digits(fraction);
    text.remove_prefix(count);
  }
  if (!text.empty() && text != "Z" && text != "+00:00") return std::nullopt;
  const std::int64_t seconds =
      days_from_civil(*year, *month, *day) * 86400 + *hour * 3600 + *minute * 60 + *second;
  return seconds * 10'000'000 + ticks;
}

RequestTrace read_azure_requests(const std::filesystem::path& path) {
  std::optional<std::int64_t> origin;  // differences are exact, seconds since 1970 are not
  return read_csv(path, {"TIMESTAMP", "ContextTokens", "GeneratedTokens"},
                  [&](const CsvReader& csv) -> std::optional<Request> {
                    const auto time = parse_timestamp(csv.cell("TIMESTAMP"));
                    if (!time) {
                      throw csv.error("TIMESTAMP", "a time like 2023-11-16 18:17:03.9799600");
                    }
                    if (!origin) origin = time;
                    Request request;
                    request.arrival_s = static_cast<double>(*time - *origin) * 1e-7;
                    request.prompt_tokens = tokens_of(csv, "ContextTokens", 1);
                    request.output_tokens = at_least_one(tokens_of(csv, "GeneratedTokens", 0));
                    return request;
                  });
}

RequestTrace read_burstgpt_requests(const std::filesystem::path& path) {
  return read_csv(path, {"Timestamp", "Request tokens", "Response tokens"},
                  [](const CsvReader& csv) -> std::optional<Request> {
                    Request request;
                    request.arrival_s = csv.number("Timestamp", 0);
                    request.output_tokens = tokens_of(csv, "Response tokens", 0);
                    if (request.output_tokens == 0) return std::nullopt;
                    request.prompt_tokens = tokens_of(csv, "Request tokens", 1);
                    return request;
                  });
}

RequestTrace read_mooncake_requests(const std::filesystem::path& path) {
  constexpr int kBlock = 512;  // tokens of one hash (Mooncake, FAST'25 trace README)
  RequestTrace trace = read_json_lines(path, [](const JsonLines& line) {
    Request request;
    request.arrival_s = line.number("timestamp", 0, 1e15) * 1e-3;
    request.prompt_tokens = line.tokens("input_length", 1);
    request.output_tokens = at_least_one(line.tokens("output_length", 0));
    if (line.has("hash_ids")) request.prefix_blocks = line.ids("hash_ids");
    return request;
  });
  trace.prefix_block = kBlock;
  return trace;
}

RequestTrace read_vllm_bench_requests(const std::filesystem::path& path) {
  // Unix seconds have 22 bits of fraction left in a double: differences are good to 0.3 us.
  return read_json_lines(path, [](const JsonLines& line) {
    Request request;
    request.arrival_s = line.number("arrival_time", 0, 1e12);
    request.prompt_tokens = line.tokens("input_toks", 1);
    request.output_tokens = at_least_one(line.tokens("output_toks", 0));
    return request;
  });
}

}  // namespace rackwright::workloads
