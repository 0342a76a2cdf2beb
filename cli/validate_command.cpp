#include "cli/validate_command.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/text_table.hpp"
#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "results/validation/score.hpp"
#include "results/validation/validation.hpp"

namespace rackwright::cli {

namespace {

using results::ValidationFormat;
using results::ValidationScore;

void list_formats(std::ostream& out) {
  TextTable table({{"format"}, {"quantities"}, {"device"}, {"what"}, {"baseline"}});
  for (const ValidationFormat& format : results::validation_formats()) {
    std::string quantities;
    for (const auto quantity : format.quantities) {
      quantities += (quantities.empty() ? "" : ", ") + std::string(quantity);
    }
    table.add({std::string(format.name), quantities,
               format.needs_device ? "--device needed" : "named by the rows",
               std::string(format.summary), std::string(format.baseline)});
  }
  out << table.text();
}

void add_score(TextTable& table, const ValidationScore& score) {
  table.add({score.group, std::to_string(score.rows), percent_cell(score.mape),
             percent_cell(score.p50), percent_cell(score.p90),
             fmt::format("{:+.1f}", 100 * score.bias),
             score.rank_correlation ? fmt::format("{:.3f}", *score.rank_correlation) : "-",
             score.baseline_mape ? percent_cell(*score.baseline_mape) : "-",
             percent_cell(score.extrapolated), percent_cell(score.covered),
             percent_cell(score.half_width), fmt::format("{:.3g}", score.mean_error),
             fmt::format("{:.3g}", score.p95_error), fmt::format("{:.3f}", score.ks_distance)});
}

std::string text_of(const results::ValidationSummary& summary, const ValidationFormat& format) {
  using Align = TextTable::Align;
  TextTable table({{"group"},
                   {"n", Align::right},
                   {"MAPE %", Align::right},
                   {"p50 %", Align::right},
                   {"p90 %", Align::right},
                   {"bias %", Align::right},
                   {"rank corr.", Align::right},
                   {"baseline %", Align::right},
                   {"extrapolated %", Align::right},
                   {"in 90 % interval %", Align::right},
                   {"half-width %", Align::right},
                   {"mean error", Align::right},
                   {"p95 error", Align::right},
                   {"KS", Align::right}});
  for (const ValidationScore& group : summary.groups) add_score(table, group);
  add_score(table, summary.all);
  std::string text = table.text();
  text +=
      fmt::format("\nbaseline: {}; mean and p95 error in the unit of the rows\n", format.baseline);
  for (const auto& [reason, count] : summary.excluded) {
    text += fmt::format("not scored: {} rows, {}\n", count, reason);
  }
  return text;
}

nlohmann::ordered_json json_of(const ValidationScore& score) {
  nlohmann::ordered_json json = {{"group", score.group}, {"rows", score.rows},
                                 {"mape", score.mape},   {"p50", score.p50},
                                 {"p90", score.p90},     {"bias", score.bias}};
  json["rank_correlation"] = nullptr;
  if (score.rank_correlation) json["rank_correlation"] = *score.rank_correlation;
  json["baseline_mape"] = nullptr;
  if (score.baseline_mape) json["baseline_mape"] = *score.baseline_mape;
  json["extrapolated_share"] = score.extrapolated;
  json["interval_coverage"] = score.covered;
  json["median_half_width"] = score.half_width;
  json["mean_error"] = score.mean_error;
  json["p95_error"] = score.p95_error;
  json["ks_distance"] = score.ks_distance;
  return json;
}

std::string json_text(const results::ValidationSummary& summary, const ValidationFormat& format,
                      const std::string& quantity) {
  nlohmann::ordered_json json = {{"format_version", 1},
                                 {"format", format.name},
                                 {"quantity", quantity},
                                 {"baseline", format.baseline},
                                 {"all", json_of(summary.all)}};
  json["groups"] = nlohmann::ordered_json::array();
  for (const ValidationScore& group : summary.groups) json["groups"].push_back(json_of(group));
  json["not_scored"] = nlohmann::ordered_json::object();
  for (const auto& [reason, count] : summary.excluded) json["not_scored"][reason] = count;
  return json.dump(2) + "\n";
}

std::string choose_quantity(const ValidationFormat& format, const std::string& asked) {
  if (asked.empty()) return std::string(format.quantities.front());
  std::string expected;
  for (const auto quantity : format.quantities) {
    if (quantity == asked) return asked;
    expected += (expected.empty() ? "" : " or ") + std::string(quantity);
  }
  throw InputError(InputProblem{"", 0, "--quantity", expected, fmt::format("\"{}\"", asked)});
}

}  // namespace

void ValidateCommand::add_options(CLI::App& app) {
  app.add_option("FORMAT", format_, "format of the tables; --list names them");
  app.add_option("FILE", paths_, "tables, or folders of them");
  app.add_option("--device", device_, "device the tables were measured on, where they do not say");
  app.add_option(
      "--source", source_,
      "kernel formats: predict from this device's calibration only, to check a transfer");
  app.add_option("--quantity", quantity_, "time, power or energy, where a table holds several");
  app.add_option("--rows", rows_,
                 "write row,measured,predicted,unit,extrapolated,low,high of every row");
  app.add_flag("--list", list_, "list the formats");
  app.add_flag("--json", json_, "scores as JSON");
}

int ValidateCommand::run(CommandContext& context) {
  if (list_) {
    list_formats(context.out);
    return kFine;
  }
  if (format_.empty() || paths_.empty()) {
    throw InputError(InputProblem{"", 0, "validate", "FORMAT FILE|DIR…, or --list", "neither"});
  }
  const ValidationFormat& format = results::find_validation_format(format_);
  if (format.needs_device && device_.empty()) {
    throw InputError(
        InputProblem{"", 0, "--device", "the device these tables were measured on", "none"});
  }
  results::ValidationRequest request;
  request.paths = results::expand_paths(paths_, format.file_suffix);
  request.device = device_;
  request.source = source_;
  request.quantity = choose_quantity(format, quantity_);
  ProgressLine line(context.err, context.err_is_terminal);
  const auto rows = format.run(request, context.data, progress_on(line));
  line.finish();
  const auto summary = results::score(rows);
  if (!rows_.empty()) write_file(rows_, results::rows_csv(rows));
  context.out << (json_ ? json_text(summary, format, request.quantity) : text_of(summary, format));
  return kFine;
}

}  // namespace rackwright::cli
