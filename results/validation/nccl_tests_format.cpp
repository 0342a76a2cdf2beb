#include "results/validation/nccl_tests_format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "results/validation/measured_device.hpp"
#include "results/validation/operator_baseline.hpp"

namespace rackwright::results {
namespace {

using workloads::CollectiveKind;

constexpr double kMicro = 1e-6;
constexpr double kGiga = 1e9;

std::optional<CollectiveKind> kind_of(std::string name) {
  std::erase(name, '_');
  constexpr std::array<std::pair<std::string_view, CollectiveKind>, 5> kinds{
      {{"allreduce", CollectiveKind::all_reduce},
       {"allgather", CollectiveKind::all_gather},
       {"reducescatter", CollectiveKind::reduce_scatter},
       {"alltoall", CollectiveKind::all_to_all},
       {"sendrecv", CollectiveKind::send_recv}}};
  for (const auto& [word, kind] : kinds) {
    if (name.find(word) != std::string::npos) return kind;
  }
  return std::nullopt;
}

/// One measured collective of `nodes` nodes with `gpus` GPUs each.
struct Run {
  std::string where;
  CollectiveKind kind = CollectiveKind::all_reduce;
  int nodes = 1;
  int gpus = 8;
  double bytes = 0;
};

struct Answer {
  double seconds = 0;
  double error = 0;
  bool extrapolated = false;
};

double value_of(const kernels::CalibratedModel& model, const char* key, double fallback) {
  const auto found = model.parameters.find(key);
  return found == model.parameters.end() ? fallback : found->second;
}

double network_efficiency(const kernels::CalibratedModel& network, CollectiveKind kind) {
  const double ring = value_of(network, "efficiency", 1);
  if (kind == CollectiveKind::all_to_all) return value_of(network, "exchange_efficiency", ring);
  if (kind == CollectiveKind::send_recv) return value_of(network, "send_efficiency", ring);
  return ring;
}

/// Across nodes. A ring through all n ranks moves sent_per_byte(n) S over the rails of a node,
/// busbw = min(rails x rate, the ring inside a node), plus a latency per rank; with two nodes a
/// tree crosses once per byte and reaches up to 2 (n - 1) / n of that. All-to-all and send/recv use
/// each GPU's own adapter. (nccl-tests of 10 nodes with one and four H100: rate 48.9 GB/s.)
Answer across(const Run& run, const kernels::AnalyticalBackend& backend) {
  const auto* network = backend.profile().find("network", "ring");
  const kernels::DeviceInfo& device = backend.device_info();
  const double ranks = static_cast<double>(run.nodes) * run.gpus;
  const double rate =
      network_efficiency(*network, run.kind) * device.scale_out_bytes_per_s.value.value_or(0);
  Answer result;
  result.error = network->quality.held_out_p90;
  const double other = value_of(*network, "other_latency_s", 0);
  const double per_rank =
      run.kind == CollectiveKind::all_reduce ? value_of(*network, "reduce_latency_s", 0) : other;
  if (run.kind == CollectiveKind::send_recv) {
    result.seconds = other + run.bytes / rate;
    return result;
  }
  if (run.kind == CollectiveKind::all_to_all) {
    result.seconds = ranks * per_rank + run.bytes * (ranks - run.gpus) / ranks / rate;
    return result;
  }
  double rails = run.gpus * rate;
  if (run.kind == CollectiveKind::all_reduce && run.nodes == 2) rails *= 2 * (ranks - 1) / ranks;
  if (run.gpus > 1 && device.scale_up_bytes_per_s.value) {
    // A ring inside a node reaches four fifths of the link (H200: 365 of 450 GB/s).
    rails = std::min(rails, 0.81 * *device.scale_up_bytes_per_s.value);
  }
  const double volume = (run.kind == CollectiveKind::all_reduce ? 2 : 1) * (ranks - 1) / ranks;
  result.seconds = ranks * per_rank + run.bytes * volume / rails;
  return result;
}

Answer answer(const Run& run, const kernels::AnalyticalBackend& backend) {
  if (run.nodes > 1) return across(run, backend);
  const auto* rack = backend.profile().find("rack_all_reduce", "nvl72");
  if (run.gpus > 32 && run.kind == CollectiveKind::all_reduce && rack != nullptr) {
    // In-network reduction over a rack-wide domain: an affine law of the bus rate.
    const double volume = 2.0 * (run.gpus - 1) / run.gpus;
    return {value_of(*rack, "latency_s", 0) + run.bytes * volume / value_of(*rack, "bus_rate", 1),
            rack->quality.held_out_p90, run.gpus != 72};
  }
  workloads::CollectiveShape shape;
  shape.kind = run.kind;
  shape.ranks = run.gpus;
  shape.bytes = run.bytes;
  kernels::RankContext rank;
  rank.scale_up_domain = run.gpus;
  const auto timing = backend.predict({"collective", workloads::OperatorClass::collective,
                                       workloads::Lane::communication, 1, shape},
                                      rank);
  return {timing.seconds, timing.relative_error, timing.extrapolated};
}

ValidationRow row_of(const Run& run, const kernels::AnalyticalBackend& backend) {
  ValidationRow row;
  row.row = run.where;
  row.unit = "s";
  row.group = run.nodes > 1 ? fmt::format("{} {} nodes x {} GPUs", workloads::to_string(run.kind),
                                          run.nodes, run.gpus)
                            : fmt::format("{} {} GPUs", workloads::to_string(run.kind), run.gpus);
  constexpr double kLarge = 256.0 * 1024 * 1024;
  if (run.bytes < 0.99 * kLarge) row.group += ", under 256 MiB";
  const Answer found = answer(run, backend);
  row.predicted = found.seconds;
  row.low = found.seconds / (1 + found.error);
  row.high = found.seconds * (1 + found.error);
  row.extrapolated = found.extrapolated;
  workloads::CollectiveShape shape;
  shape.kind = run.kind;
  shape.ranks = run.nodes * run.gpus;
  shape.bytes = run.bytes;
  kernels::RankContext rank;
  rank.scale_up_domain = run.nodes > 1 ? run.gpus : shape.ranks;
  rank.scale_out_bytes_per_s = backend.device_info().scale_out_bytes_per_s.value.value_or(0);
  row.baseline = alpha_beta({"collective", workloads::OperatorClass::collective,
                             workloads::Lane::communication, 1, shape},
                            backend.device_info(), rank);
  return row;
}

/// nodes, gpus_per_node, test, size_bytes, oop_time_us, ip_time_us.
void read_table(CsvReader& csv, const std::string& name, const kernels::AnalyticalBackend& backend,
                std::vector<ValidationRow>& rows) {
  while (csv.next()) {
    const auto kind = kind_of(csv.cell("test"));
    if (!kind) throw csv.error("test", "a test of nccl-tests");
    Run run{"", *kind, static_cast<int>(csv.integer("nodes", 1)),
            static_cast<int>(csv.integer("gpus_per_node", 1)), csv.number("size_bytes", 0)};
    for (const auto* column : {"oop_time_us", "ip_time_us"}) {
      const auto time = csv.optional_number(column, 0);
      if (!time || run.bytes <= 0) continue;
      run.where = fmt::format("{}:{} {}", name, csv.line(), column);
      rows.push_back(row_of(run, backend));
      rows.back().measured = *time * kMicro;
    }
  }
}

/// Published points: system, gpus, collective, message_bytes, time_us or busbw_gb_per_s.
void read_points(CsvReader& csv, const std::string& name, MeasuredDevices& devices,
                 std::vector<ValidationRow>& rows) {
  constexpr double kPeakAt = 8.0 * 1024 * 1024 * 1024;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> systems{
      {{"GB200", "gb200"},
       {"GB300", "gb300"},
       {"B200", "b200"},
       {"H200", "h200-sxm"},
       {"H100", "h100-sxm"},
       {"A100", "a100-sxm"}}};
  while (csv.next()) {
    ValidationRow row;
    row.row = fmt::format("{}:{}", name, csv.line());
    const std::string& system = csv.cell("system");
    const auto known = std::find_if(systems.begin(), systems.end(), [&](const auto& entry) {
      return system.find(entry.first) != std::string::npos;
    });
    const auto kind = kind_of(csv.cell("collective"));
    if (known == systems.end() || !kind) {
      row.excluded = fmt::format("no device file for {}", system);
      rows.push_back(row);
      continue;
    }
    const auto& backend = devices.of(std::string(known->second), "", name, csv.line());
    Run run{row.row, *kind, 1, static_cast<int>(csv.integer("gpus", 2)),
            csv.optional_number("message_bytes", 1).value_or(kPeakAt)};
    row = row_of(run, backend);
    if (const auto time = csv.optional_number("time_us", 0)) {
      row.measured = *time * kMicro;
    } else {  // a peak bus bandwidth, taken at 8 GiB
      const double volume =
          (*kind == CollectiveKind::all_reduce ? 2.0 : 1.0) * (run.gpus - 1) / run.gpus * run.bytes;
      row.measured = csv.number("busbw_gb_per_s", 1e-3) * kGiga;
      row.unit = "B/s";
      row.predicted = volume / row.predicted;
      row.baseline = volume / row.baseline;
      row.low = std::exchange(row.high, volume / row.low);
      row.low = volume / row.low;
    }
    rows.push_back(row);
  }
}

/// Raw log of one node: the test is told by the file's name, GPUs and device by its head.
void read_log(const std::filesystem::path& path, const std::string& device_id,
              MeasuredDevices& devices, std::vector<ValidationRow>& rows) {
  const std::string name = path.filename().string();
  const auto kind = kind_of(name);
  if (!kind) return;  // broadcast and reduce: no model of these
  std::istringstream text(read_file(path));
  Run run{"", *kind, 1, 0, 0};
  std::string line, device = device_id;
  for (std::size_t number = 1; std::getline(text, line); ++number) {
    if (line.find("Rank ") != std::string::npos && line.find("device") != std::string::npos) {
      ++run.gpus;
      const auto bracket = line.find("] ");
      if (device.empty() && bracket != std::string::npos) device = line.substr(bracket + 2);
      continue;
    }
    std::istringstream words(line);
    std::vector<std::string> cells;
    for (std::string word; words >> word;) cells.push_back(word);
    if (cells.size() < 11 || cells[0].find_first_not_of("0123456789") != std::string::npos)
      continue;
    run.bytes = std::stod(cells[0]);
    if (run.bytes <= 0) continue;
    run.where = fmt::format("{}:{}", name, number);
    rows.push_back(row_of(run, devices.of(device, "", name, number)));
    rows.back().measured = std::stod(cells[cells.size() - 8]) * kMicro;
  }
}

std::vector<ValidationRow> run_all(const ValidationRequest& request, const DataLocator& data,
                                   const ProgressCallback& progress) {
  MeasuredDevices devices(request.device, data, {"", "", request.source});
  std::vector<ValidationRow> rows;
  double done = 0;
  for (const auto& path : request.paths) {
    const std::string name = path.filename().string();
    if (progress) progress(name, done++, static_cast<double>(request.paths.size()));
    if (path.extension() == ".log") {
      read_log(path, request.device, devices, rows);
      continue;
    }
    CsvReader csv(path, {});
    if (csv.column("gpus_per_node")) {
      // The shared tables are of H100 nodes and do not say so.
      read_table(csv, name, devices.of("h100-sxm", "", name, 1), rows);
    } else if (csv.column("busbw_gb_per_s")) {
      read_points(csv, name, devices, rows);
    } else {
      throw InputError(InputProblem{path.string(), 1, "header",
                                    "gpus_per_node or busbw_gb_per_s, or a .log of nccl-tests",
                                    "neither"});
    }
  }
  return rows;
}

}  // namespace

ValidationFormat nccl_tests_format() {
  ValidationFormat format;
  format.name = "nccl-tests";
  format.summary = "collectives in nodes, across nodes and over a rack: tables, logs, points";
  format.baseline = "10 us + bytes sent / data-sheet rate";
  format.file_suffix = ".csv";
  format.quantities = {"time"};
  format.run = run_all;
  return format;
}

}  // namespace rackwright::results
