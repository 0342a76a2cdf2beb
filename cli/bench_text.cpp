#include "cli/bench_text.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "cli/text_table.hpp"

namespace rackwright::cli {

namespace {

using kernels::BenchResult;
using kernels::StopReason;

std::string time_cell(double seconds) {
  if (seconds >= 1) return fmt::format("{:.3f} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.3f} ms", seconds * 1e3);
  return fmt::format("{:.2f} us", seconds * 1e6);
}

std::string rate_cell(double per_second, double unit) {
  return per_second > 0 ? fmt::format("{:.4g}", per_second / unit) : "";
}

std::string interval_cell(const kernels::SampleSummary& summary) {
  return fmt::format("-{:.1f}/+{:.1f}", 100 * (1 - summary.low / summary.median),
                     100 * (summary.high / summary.median - 1));
}

/// Letters for the last column; `legend` says what they mean.
std::string note_cell(const BenchResult& one) {
  std::string notes;
  if (one.stopped == StopReason::wall) notes += 't';
  if (!one.settled) notes += 'w';
  if (one.discarded > 0) notes += 'd';
  return notes;
}

std::vector<std::string> cells_of(const BenchResult& one, const kernels::MeasuredBounds& bounds,
                                  bool power) {
  const auto& summary = one.summary;
  const auto bound = share_of_bound(one, bounds);
  std::vector<std::string> cells{
      one.name,
      std::to_string(summary.n),
      time_cell(summary.median),
      interval_cell(summary),
      percent_cell(summary.mad / summary.median),
      time_cell(summary.p95),
      rate_cell(one.bytes_per_s(), 1e9),
      rate_cell(one.flop_per_s(), 1e12),
      bound.share > 0 ? fmt::format("{:.0f} {}", 100 * bound.share, bound.bound) : ""};
  if (power) {
    cells.push_back(one.watts ? fmt::format("{:.0f}", *one.watts) : "");
    cells.push_back(one.joules ? fmt::format("{:.3g}", *one.joules) : "");
  }
  cells.push_back(note_cell(one));
  return cells;
}

std::string facts_text(const std::map<std::string, std::string>& facts) {
  std::string text = "\n";
  for (const auto& [key, value] : facts) {
    if (key.starts_with("rackwright_")) text += fmt::format("{}: {}\n", key.substr(11), value);
  }
  return text;
}

std::string bounds_text(const kernels::MeasuredBounds& bounds) {
  std::string text;
  if (bounds.bytes_per_s > 0) {
    text = fmt::format("bounds, measured here (fastest 5 % of the samples): copy {:.4g} GB/s",
                       bounds.bytes_per_s / 1e9);
  }
  for (const auto& [type, rate] : bounds.flop_per_s) {
    text += fmt::format("{}GEMM in {} {:.4g} TFLOP/s", text.empty() ? "" : ", ",
                        workloads::to_string(type), rate / 1e12);
  }
  return text.empty() ? "no bounds were measured\n" : text + "\n";
}

std::string legend(const std::vector<BenchResult>& results) {
  const auto any = [&](char letter) {
    return std::any_of(results.begin(), results.end(), [letter](const BenchResult& one) {
      return note_cell(one).find(letter) != std::string::npos;
    });
  };
  std::string text;
  if (any('t')) text += "t: time limit reached before the noise settled; see the interval\n";
  if (any('w')) text += "w: times had not settled at the end of the warm-up\n";
  if (any('d')) text += "d: samples discarded, as the clock was under its limit\n";
  return text;
}

/// Operators that have no samples, with the reason.
std::string absent(const std::vector<BenchResult>& results) {
  std::string text;
  for (const BenchResult& one : results) {
    if (!one.samples.empty()) continue;
    text += fmt::format("{}: {}\n", one.name,
                        one.skipped.empty()
                            ? fmt::format("all {} samples discarded: the clock was under its limit "
                                          "each time",
                                          one.discarded)
                            : "did not run: " + one.skipped);
  }
  return text;
}

/// Mean of the last minute; 0 where it cannot be read. Our own threads are at most one a core.
double load_per_core() {
  double load = 0;
  if (::getloadavg(&load, 1) != 1) return 0;
  return load / std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

std::map<std::string, std::string> bench_facts(kernels::BenchDevice& device,
                                               const kernels::BenchOptions& options) {
  std::map<std::string, std::string> facts;
  facts["rackwright_backend"] = device.backend();
  facts["rackwright_device"] = device.name();
  facts["rackwright_data"] =
      device.backend() == "host"
          ? fmt::format("uniform random in (-0.5, 0.5), float, seed {}", options.seed)
          : "uniform random, fixed seeds of the CUDA module";
  facts["rackwright_order"] = fmt::format("interleaved at random, seed {}", options.seed);
  if (!options.cold) {
    facts["rackwright_cache"] = "warm: one set of buffers";
  } else if (device.cache_bytes() > 0) {
    facts["rackwright_cache"] = fmt::format(
        "cold: buffers rotate through {:.0f} MB, twice the "
        "last-level cache, where memory holds them",
        2 * device.cache_bytes() / 1e6);
  } else {
    facts["rackwright_cache"] =
        "not known: the size of the cache cannot be read; one set of buffers";
  }
  if (const double load = load_per_core(); load > 0) {
    facts["rackwright_load"] = fmt::format(
        "{:.2f} runnable per core at the end{}", load,
        load > 1.2 ? ": other programs shared the cores; measure again on a quiet machine" : "");
  }
  facts["rackwright_clock"] =
      device.clock_hz() && device.rated_clock_hz()
          ? fmt::format("samples under {:.0f} % of {:.0f} MHz are discarded",
                        100 * options.limits.least_clock_share, *device.rated_clock_hz() / 1e6)
          : "cannot be read here: no sample could be discarded for a low clock";
  facts["rackwright_power"] =
      !device.joules() ? "absent: no energy counter can be read here"
      : options.power_window_s > 0
          ? fmt::format("mean over {:.0f} s of one operator in a loop", options.power_window_s)
          : "not measured (--power-window 0)";
  return facts;
}

std::string bench_text(const BenchReport& report) {
  using Align = TextTable::Align;
  std::vector<TextTable::Column> columns{{"operator"},
                                         {"n", Align::right},
                                         {"median", Align::right},
                                         {"95 % interval, %", Align::right},
                                         {"MAD %", Align::right},
                                         {"P95", Align::right},
                                         {"GB/s", Align::right},
                                         {"TFLOP/s", Align::right},
                                         {"% of bound", Align::right}};
  const bool power = std::any_of(report.results.begin(), report.results.end(),
                                 [](const BenchResult& one) { return one.watts.has_value(); });
  if (power) columns.insert(columns.end(), {{"W", Align::right}, {"J", Align::right}});
  columns.push_back({"note"});
  TextTable table(columns);
  for (const BenchResult& one : report.results) {
    if (!one.samples.empty()) table.add(cells_of(one, report.bounds, power));
  }
  return table.text() + legend(report.results) + absent(report.results) + facts_text(report.facts) +
         bounds_text(report.bounds);
}

}  // namespace rackwright::cli
