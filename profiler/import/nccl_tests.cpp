#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "profiler/import/import.hpp"
#include "profiler/import/text_lines.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;

namespace {

constexpr double kNcclMicro = 1e-6;
constexpr double kGiga = 1e9;  // decimal, as nccl-tests prints

/// "all_reduce_perf", "allreduce.log", … as the operation's name; "" when `text` names none.
std::string operation_in(std::string text) {
  std::erase_if(text, [](char c) { return c == '_' || c == '-'; });
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kNames{
      {{"kvtransfer", "kv_transfer"},
       {"allreduce", "all_reduce"},
       {"allgather", "all_gather"},
       {"reducescatter", "reduce_scatter"},
       {"alltoall", "all_to_all"},
       {"broadcast", "broadcast"},
       {"sendrecv", "send_recv"},
       {"hypercube", "hypercube"},
       {"gather", "gather"},
       {"scatter", "scatter"},
       {"reduce", "reduce"}}};
  for (const auto& [word, name] : kNames) {
    if (text.find(word) != std::string::npos) return std::string(name);
  }
  return {};
}

struct Log {
  Recording recording;
  std::string operation;
  int ranks = 0;
  RecordCount rows{"result lines", 0, 0, ""};
};

void add_rank(const std::vector<std::string_view>& words, Log& log) {
  ++log.ranks;
  // "# Rank 0 … device 0 [0x00] NAME": the name is what follows the last bracket.
  const auto bracket = std::find_if(words.rbegin(), words.rend(),
                                    [](std::string_view w) { return w.ends_with("]"); });
  log.recording.device_names.push_back(
      fmt::format("{}", fmt::join(bracket.base(), words.end(), " ")));
}

/// `[time algbw busbw errors]` at `first`; "N/A" where that placement was not run.
void add_sample(const fs::path& path, std::size_t line, const std::vector<std::string_view>& words,
                std::size_t first, bool in_place, Log& log) {
  if (words[first] == "N/A") return;
  const auto value = [&](std::size_t at, const char* field) {
    const auto number = number_in(words[at]);
    if (!number || *number < 0) {
      throw bad_input(path, line, field, "a number >= 0", fmt::format("\"{}\"", words[at]));
    }
    return *number;
  };
  CollectiveSample sample;
  sample.operation = log.operation;
  sample.type = std::string(words[2]);
  sample.bytes = value(0, "size");
  sample.in_place = in_place;
  sample.seconds = value(first, "time") * kNcclMicro;
  sample.algbw = value(first + 1, "algbw") * kGiga;
  sample.busbw = value(first + 2, "busbw") * kGiga;
  log.recording.collectives.push_back(std::move(sample));
}

/// size count type [redop] [root], then twice time algbw busbw errors.
void add_row(const fs::path& path, std::size_t line, const std::vector<std::string_view>& words,
             Log& log) {
  constexpr std::size_t kResults = 8;
  constexpr std::size_t kLeast = 3 + kResults;
  ++log.rows.read;
  if (words.size() < kLeast || words.size() > kLeast + 2) {
    throw bad_input(path, line, "",
                    "size count type [redop] [root] and twice time algbw busbw errors",
                    fmt::format("{} columns", words.size()));
  }
  add_sample(path, line, words, words.size() - kResults, false, log);
  add_sample(path, line, words, words.size() - kResults / 2, true, log);
  ++log.rows.kept;
}

Log read_text(const fs::path& path, const ImportProgress& progress) {
  Log log;
  std::ifstream in = open_input(path);
  const double total = bytes_of(path);
  double done = 0;
  std::string text;
  std::size_t line = 0;
  while (std::getline(in, text)) {
    ++line;
    done += static_cast<double>(text.size() + 1);
    const auto words = words_of(text);
    if (words.empty()) continue;
    if (text.starts_with('#')) {
      if (words.size() > 2 && words[1] == "Rank") add_rank(words, log);
      if (text.find("test starting") != std::string::npos ||
          text.find("_perf") != std::string::npos) {
        if (auto named = operation_in(text); !named.empty()) log.operation = named;
      }
      continue;
    }
    if (number_in(words.front()) && (text.front() == ' ' || text.front() == '\t')) {
      add_row(path, line, words, log);
    }
    if (progress) progress(done, total);
  }
  return log;
}

double number_at(const fs::path& path, const nlohmann::ordered_json& object,
                 std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (object.contains(key) && object.at(key).is_number()) return object.at(key).get<double>();
  }
  throw bad_input(path, 0, *keys.begin(), "a number", "nothing");
}

Log read_json(const fs::path& path) {
  Log log;
  const auto document = JsonDocument::parse_file(path);
  const auto& root = document.root();
  if (!root.contains("results") || !root.at("results").is_array()) {
    throw bad_input(path, 0, "/results", "the results of nccl-tests -J", "nothing");
  }
  for (const char* key : {"test", "operation", "name"}) {
    if (root.contains(key) && root.at(key).is_string()) {
      log.operation = operation_in(root.at(key).get<std::string>());
    }
  }
  if (root.contains("args") && log.operation.empty())
    log.operation = operation_in(root.at("args").dump());
  if (root.contains("devices") && root.at("devices").is_array()) {
    for (const auto& device : root.at("devices")) {
      ++log.ranks;
      for (const char* key : {"device_info", "device_name", "name", "dev_name"}) {
        if (device.is_object() && device.contains(key)) {
          log.recording.device_names.push_back(device.at(key).get<std::string>());
          break;
        }
      }
    }
  }
  for (const auto& row : root.at("results")) {
    ++log.rows.read;
    for (const bool in_place : {false, true}) {
      const char* key = in_place ? "in_place" : "out_of_place";
      if (!row.contains(key) || !row.at(key).is_object()) continue;
      const auto& timing = row.at(key);
      CollectiveSample sample;
      sample.operation = log.operation;
      sample.type = row.value("type", "");
      sample.bytes = number_at(path, row, {"size"});
      sample.in_place = in_place;
      sample.seconds = number_at(path, timing, {"time", "time_us"}) * kNcclMicro;
      sample.algbw = number_at(path, timing, {"alg_bw", "algbw"}) * kGiga;
      sample.busbw = number_at(path, timing, {"bus_bw", "busbw"}) * kGiga;
      log.recording.collectives.push_back(std::move(sample));
    }
    ++log.rows.kept;
  }
  return log;
}

bool looks_like_json(const fs::path& path) {
  std::ifstream in = open_input(path);
  char first = 0;
  return (in >> first) && first == '{';
}

}  // namespace

Recording read_nccl_tests(const fs::path& path, const ImportProgress& progress) {
  Log log = looks_like_json(path) ? read_json(path) : read_text(path, progress);
  Recording& recording = log.recording;
  if (recording.collectives.empty()) {
    throw bad_input(path, 0, "", "result lines of nccl-tests: size count type … time algbw busbw",
                    "none");
  }
  if (log.operation.empty()) {
    log.operation = operation_in(path.filename().string());
    if (log.operation.empty()) {
      throw bad_input(path, 0, "operation", "its name in the log or in the file's name",
                      "neither: older nccl-tests do not print it");
    }
    recording.notes.push_back("the operation is the one in the file's name: the log has none");
  }
  for (CollectiveSample& sample : recording.collectives) {
    sample.operation = log.operation;
    sample.ranks = log.ranks;
  }
  recording.format = "nccl-tests";
  recording.counts.push_back(log.rows);
  recording.notes.push_back(
      "busbw is algbw scaled to the load of a link by nccl-tests' factor; it is not the speed of a "
      "wire");
  return std::move(recording);
}

}  // namespace rackwright::profiler
