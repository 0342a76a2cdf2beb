// Sampled quantities of GPUs: CSV of nvidia-smi, text and CSV of DCGM.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>

#include <fmt/format.h>

#include "common/timestamp.hpp"
#include "profiler/import/import.hpp"
#include "profiler/import/text_lines.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;

namespace {

struct Quantity {
  std::string_view column;  ///< as the tool writes it, without the unit in brackets
  std::string_view name, unit;
  double factor;
};

constexpr double kMebi = 1048576;
constexpr double kMega = 1e6;

constexpr std::array<Quantity, 16> kSmiColumns{
    {{"power.draw", "power", "W", 1},
     {"power_w", "power", "W", 1},
     {"power.draw.average", "power average", "W", 1},
     {"power.draw.instant", "power", "W", 1},
     {"temperature.gpu", "temperature", "degC", 1},
     {"temperature.memory", "memory temperature", "degC", 1},
     {"utilization.gpu", "utilization", "%", 1},
     {"gpu_util_pct", "utilization", "%", 1},
     {"utilization.memory", "memory utilization", "%", 1},
     {"mem_util_pct", "memory utilization", "%", 1},
     {"memory.used", "memory used", "B", kMebi},
     {"clocks.sm", "SM clock", "Hz", kMega},
     {"clocks.gr", "graphics clock", "Hz", kMega},
     {"clocks.mem", "memory clock", "Hz", kMega},
     {"clocks.current.sm", "SM clock", "Hz", kMega},
     {"clocks.current.memory", "memory clock", "Hz", kMega}}};

constexpr std::array<Quantity, 6> kDcgmColumns{
    {{"DCGM_FI_DEV_POWER_USAGE", "power", "W", 1},
     {"DCGM_FI_DEV_GPU_TEMP", "temperature", "degC", 1},
     {"DCGM_FI_DEV_GPU_UTIL", "utilization", "%", 1},
     {"DCGM_FI_DEV_SM_CLOCK", "SM clock", "Hz", kMega},
     {"DCGM_FI_DEV_MEM_CLOCK", "memory clock", "Hz", kMega},
     {"DCGM_FI_DEV_FB_USED", "memory used", "B", kMebi}}};

/// A tool that logs as CSV.
struct LogTool {
  std::string_view format;
  std::span<const Quantity> quantities;
};
constexpr std::array<LogTool, 2> kLogTools{{{"nvidia-smi", kSmiColumns}, {"dcgm", kDcgmColumns}}};

/// Columns of `dcgmi dmon` by their short names (field ids 155, 150, 140, 203, 204, 100, 101, 252,
/// and the profiling fields, which are shares or bytes per second).
constexpr std::array<Quantity, 15> kDmonColumns{{{"POWER", "power", "W", 1},
                                                 {"TMPTR", "temperature", "degC", 1},
                                                 {"MMTMP", "memory temperature", "degC", 1},
                                                 {"GPUTL", "utilization", "%", 1},
                                                 {"MCUTL", "memory utilization", "%", 1},
                                                 {"SMCLK", "SM clock", "Hz", kMega},
                                                 {"MMCLK", "memory clock", "Hz", kMega},
                                                 {"FBUSD", "memory used", "B", kMebi},
                                                 {"TOTEC", "energy", "J", 1e-3},
                                                 {"SMACT", "SM active", "%", 100},
                                                 {"TENSO", "tensor active", "%", 100},
                                                 {"DRAMA", "DRAM active", "%", 100},
                                                 {"NVLTX", "NVLink sent", "B/s", 1},
                                                 {"NVLRX", "NVLink received", "B/s", 1},
                                                 {"PCITX", "PCIe sent", "B/s", 1}}};

std::string trimmed(std::string text) {
  while (!text.empty() && text.front() == ' ') text.erase(0, 1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.pop_back();
  return text;
}

/// "power.draw [W]" without the unit.
std::string bare(const std::string& column) {
  return trimmed(column.substr(0, column.find('[')));
}

const Quantity* find_quantity(const LogTool& tool, std::string_view column) {
  const auto found = std::find_if(tool.quantities.begin(), tool.quantities.end(),
                                  [&](const Quantity& q) { return q.column == column; });
  return found == tool.quantities.end() ? nullptr : &*found;
}

/// Seconds of a date and time, or of Unix time in s, ms or us.
std::optional<double> time_in(const std::string& text) {
  constexpr double kMostMilliseconds = 1e14, kMostSeconds = 1e11;
  const auto number = number_in(text);
  if (!number) return parse_timestamp(text);
  if (*number > kMostMilliseconds) return *number * 1e-6;
  return *number > kMostSeconds ? *number * 1e-3 : *number;
}

struct Sample {
  double time_s = 0;
  int gpu = 0;
  std::vector<std::optional<double>> values;
};

/// The number at the beginning of "120.55 W" or "543 MiB"; nothing for "[N/A]".
std::optional<double> leading_number(const std::string& text) {
  return number_in(text.substr(0, text.find(' ')));
}

/// A file without an index writes the GPUs of a tick one after another. A gap over half of the step
/// between ticks begins a new one; the step is the gap that 95 % of the gaps do not exceed.
void number_by_order(std::vector<Sample>& samples, Recording& recording) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    gaps.push_back(samples[i].time_s - samples[i - 1].time_s);
  }
  if (gaps.empty()) return;
  std::vector<double> sorted = gaps;
  std::sort(sorted.begin(), sorted.end());
  const double step = sorted[sorted.size() * 95 / 100];
  int gpu = 0;
  int most = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    gpu = gaps[i - 1] > step / 2 ? 0 : gpu + 1;
    samples[i].gpu = gpu;
    most = std::max(most, gpu);
  }
  recording.notes.push_back(fmt::format(
      "no GPU index in the file: {} GPU{} told apart by the order of lines within a tick", most + 1,
      most == 0 ? "" : "s"));
}

/// Windows end at the sample and begin at the GPU's sample before.
void add_counters(const std::vector<Sample>& samples, const std::vector<const Quantity*>& columns,
                  Recording& recording) {
  NameTable name(recording.names);
  std::map<int, double> last;
  for (const Sample& sample : samples) {
    const auto before = last.find(sample.gpu);
    const double window = before == last.end() ? 0 : std::max(0.0, sample.time_s - before->second);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!sample.values[i]) continue;
      recording.counters.push_back({sample.gpu, name(columns[i]->name), name(columns[i]->unit),
                                    sample.time_s - window, window,
                                    *sample.values[i] * columns[i]->factor});
    }
    last[sample.gpu] = sample.time_s;
  }
}

void note_power_window(Recording& recording) {
  recording.notes.push_back(
      "power is module input as the driver averages it (up to 1 s on A100 and before, 100 ms or "
      "25 ms duty cycle on some): edges are smoothed, and no claim is made below that window");
}

/// No control characters: what may be shown in a message.
bool is_text(const std::vector<std::string>& cells) {
  return std::all_of(cells.begin(), cells.end(), [](const std::string& cell) {
    return std::none_of(cell.begin(), cell.end(),
                        [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; });
  });
}

/// The header as it is, and whose it is where it is another tool's.
InputError wrong_header(const fs::path& path, const std::vector<std::string>& header,
                        const LogTool& wanted) {
  std::string found = is_text(header) ? fmt::format("\"{}\"", fmt::join(header, ","))
                                      : std::string("bytes that are no text");
  for (const LogTool& tool : kLogTools) {
    const bool knows = std::any_of(header.begin(), header.end(), [&](const std::string& column) {
      return find_quantity(tool, bare(column)) != nullptr;
    });
    if (knows && tool.format != wanted.format) {
      found += fmt::format(", a log for \"import {}\"", tool.format);
    }
  }
  return bad_input(path, 1, "",
                   fmt::format("columns timestamp and {} or another quantity of {}",
                               wanted.quantities.front().column, wanted.format),
                   std::move(found));
}

Recording read_csv_log(const fs::path& path, const ImportProgress& progress, const LogTool& tool) {
  Recording recording;
  recording.format = tool.format;
  CsvReader csv(path, {});
  std::vector<const Quantity*> columns;
  std::vector<std::size_t> cells;
  std::optional<std::size_t> time, index, model;
  RecordCount unknown{"columns", csv.header().size(), 0, ""};
  for (std::size_t i = 0; i < csv.header().size(); ++i) {
    const std::string column = bare(csv.header()[i]);
    ++unknown.kept;
    if (column == "timestamp" || column == "time" || column == "Time") {
      time = i;
    } else if (column == "index" || column == "gpu" || column == "GPU") {
      index = i;
    } else if (column == "name" || column == "modelName") {
      model = i;
    } else if (const Quantity* quantity = find_quantity(tool, column)) {
      columns.push_back(quantity);
      cells.push_back(i);
    } else {
      --unknown.kept;
      unknown.skipped_because += (unknown.skipped_because.empty() ? "not known: " : ", ") + column;
    }
  }
  if (!time || columns.empty()) throw wrong_header(path, csv.header(), tool);
  std::vector<Sample> samples;
  RecordCount rows{"samples", 0, 0, ""};
  const double total = bytes_of(path);
  while (csv.next()) {
    ++rows.read;
    Sample sample;
    const auto at = time_in(trimmed(csv.cell(*time)));
    if (!at) throw csv.error(csv.header()[*time], "a date and time or Unix time");
    sample.time_s = *at;
    if (index) sample.gpu = static_cast<int>(leading_number(trimmed(csv.cell(*index))).value_or(0));
    for (const std::size_t cell : cells) {
      sample.values.push_back(leading_number(trimmed(csv.cell(cell))));
    }
    if (model && static_cast<std::size_t>(sample.gpu) >= recording.device_names.size()) {
      recording.device_names.resize(static_cast<std::size_t>(sample.gpu) + 1);
      recording.device_names.back() = trimmed(csv.cell(*model));
    }
    samples.push_back(std::move(sample));
    ++rows.kept;
    if (progress && rows.read % 4096 == 0) progress(static_cast<double>(rows.read), total);
  }
  if (samples.empty()) throw bad_input(path, 0, "", "samples", "a header only");
  if (!index) number_by_order(samples, recording);
  add_counters(samples, columns, recording);
  recording.counts = {rows, unknown};
  note_power_window(recording);
  settle(recording);
  return recording;
}

/// "#Entity   POWER TMPTR" (older: "# Entity"), a line of units, then "GPU 0 301.2 45". Lines carry
/// no time: `-d` of dcgmi gives the step.
Recording read_dmon(const fs::path& path) {
  constexpr double kStep = 1;  // dcgmi dmon's default delay of 1,000 ms
  Recording recording;
  recording.format = "dcgm";
  std::ifstream in = open_input(path);
  std::vector<const Quantity*> columns;  // null: not known
  std::vector<Sample> samples;
  RecordCount rows{"samples", 0, 0, ""};
  RecordCount named{"columns", 0, 0, ""};
  std::map<int, int> ticks;
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    const auto words = words_of(text);
    if (words.empty()) continue;
    if (words[0].starts_with("#")) {
      if (!columns.empty()) continue;  // repeated every screen
      for (std::size_t i = words[0] == "#" ? 2 : 1; i < words.size(); ++i) {
        const auto found = std::find_if(kDmonColumns.begin(), kDmonColumns.end(),
                                        [&](const Quantity& q) { return q.column == words[i]; });
        ++named.read;
        columns.push_back(found == kDmonColumns.end() ? nullptr : &*found);
        if (found != kDmonColumns.end()) {
          ++named.kept;
        } else {
          named.skipped_because +=
              (named.skipped_because.empty() ? "not known: " : ", ") + std::string(words[i]);
        }
      }
      continue;
    }
    if (words[0] != "GPU") continue;  // units
    ++rows.read;
    if (words.size() != columns.size() + 2) {
      throw bad_input(path, line, "", fmt::format("GPU, its number and {} values", columns.size()),
                      fmt::format("{} columns", words.size()));
    }
    const auto gpu = number_in(words[1]);
    if (!gpu) throw bad_input(path, line, "Entity", "GPU and its number", std::string(words[1]));
    Sample sample;
    sample.gpu = static_cast<int>(*gpu);
    sample.time_s = kStep * ticks[sample.gpu]++;
    for (std::size_t i = 0; i < columns.size(); ++i)
      sample.values.push_back(number_in(words[i + 2]));
    samples.push_back(std::move(sample));
    ++rows.kept;
  }
  std::vector<const Quantity*> known;
  for (Sample& sample : samples) {
    std::vector<std::optional<double>> values;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] != nullptr) values.push_back(sample.values[i]);
    }
    sample.values = std::move(values);
  }
  std::copy_if(columns.begin(), columns.end(), std::back_inserter(known),
               [](const Quantity* q) { return q != nullptr; });
  if (samples.empty() || known.empty()) {
    throw bad_input(path, 0, "", "lines of dcgmi dmon with POWER or another known field", "none");
  }
  add_counters(samples, known, recording);
  recording.counts = {rows, named};
  recording.notes.push_back(
      "dcgmi dmon prints no time: steps of 1 s, its default delay, are taken");
  note_power_window(recording);
  settle(recording);
  return recording;
}

}  // namespace

Recording read_nvidia_smi(const fs::path& path, const ImportProgress& progress) {
  return read_csv_log(path, progress, kLogTools[0]);
}

Recording read_dcgm(const fs::path& path, const ImportProgress& progress) {
  std::ifstream in = open_input(path);
  char first = 0;
  if ((in >> first) && first == '#') return read_dmon(path);
  return read_csv_log(path, progress, kLogTools[1]);
}

}  // namespace rackwright::profiler
