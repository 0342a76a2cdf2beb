#include "cli/predict_command.hpp"

#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/predict_serving.hpp"
#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "results/validation/operator_prediction.hpp"

namespace rackwright::cli {

namespace {

using results::OperatorPrediction;

std::string csv_of(const std::vector<OperatorPrediction>& rows) {
  std::string text = "row,operation,predicted,low,high,unit,extrapolated,note\n";
  for (const OperatorPrediction& row : rows) {
    text += fmt::format("{},{},", csv_cell(row.row), csv_cell(row.operation));
    text += row.predictable
                ? fmt::format("{:.6g},{:.6g},{:.6g},{},{},{}\n", row.predicted, row.low, row.high,
                              row.unit, row.extrapolated ? 1 : 0, csv_cell(row.note))
                : fmt::format(",,,{},,{}\n", row.unit, csv_cell(row.note));
  }
  return text;
}

std::string json_text(const std::vector<OperatorPrediction>& rows, const std::string& device) {
  nlohmann::ordered_json json = {{"format_version", 1}, {"device", device}};
  json["rows"] = nlohmann::ordered_json::array();
  for (const OperatorPrediction& row : rows) {
    nlohmann::ordered_json one = {{"row", row.row}, {"operation", row.operation}};
    one["predicted"] = nullptr;
    if (row.predictable) {
      one["predicted"] = row.predicted;
      one["low"] = row.low;
      one["high"] = row.high;
      one["extrapolated"] = row.extrapolated;
    }
    one["unit"] = row.unit;
    if (!row.note.empty()) one["note"] = row.note;
    json["rows"].push_back(std::move(one));
  }
  return json.dump(2) + "\n";
}

}  // namespace

void PredictCommand::add_options(CLI::App& app) {
  app.add_option("WHAT", what_, "ops, collectives, power or serving")
      ->required()
      ->check(CLI::IsMember({"ops", "collectives", "power", "serving"}));
  app.add_option("FILE", file_, "table in an aicfg or vidur format; measured columns may be absent")
      ->required();
  app.add_option("--device", device_, "device file or id; else the rows name theirs");
  app.add_option("--slo", slo_,
                 "serving: find the highest load of each row within mean limits, "
                 "\"ttft=2s,tpot=50ms\"");
  app.add_flag("--json", json_, "JSON instead of CSV");
}

int PredictCommand::run(CommandContext& context) {
  if (what_ == "serving") return predict_serving_rows(file_, device_, slo_, json_, context);
  if (!slo_.empty()) {
    throw InputError(InputProblem{"", 0, "--slo", "predict serving", "predict " + what_});
  }
  results::OperatorRequest request;
  request.path = file_;
  request.device = device_;
  request.power = what_ == "power";
  request.collectives = what_ == "collectives";
  const auto rows = results::predict_operators(request, context.data);
  context.out << (json_ ? json_text(rows, device_) : csv_of(rows));
  return kFine;
}

}  // namespace rackwright::cli
