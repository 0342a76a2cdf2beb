#include "cli/predict_serving.hpp"

#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/csv_reader.hpp"
#include "results/validation/serving_table.hpp"

namespace rackwright::cli {

namespace {

using results::Ranged;
using results::ServingAnswer;

std::string cells(const Ranged& range) {
  return fmt::format("{:.6g},{:.6g},{:.6g}", range.value, range.low, range.high);
}

std::string csv_of(const std::vector<ServingAnswer>& answers, bool slo) {
  std::string text =
      "row,model,device,plan,concurrency,ttft_s,ttft_low_s,ttft_high_s,tpot_s,tpot_low_s,"
      "tpot_high_s,output_tokens_per_s,output_tokens_per_s_low,output_tokens_per_s_high,"
      "requests_per_s,queue_s,extrapolated,note";
  if (slo) {
    text +=
        ",slo_requests_per_s,slo_requests_per_s_low,slo_requests_per_s_high,"
        "slo_output_tokens_per_s,slo_concurrency,slo_limited_by";
  }
  text += '\n';
  for (const ServingAnswer& answer : answers) {
    text += fmt::format("{},{},{},{},", csv_cell(answer.row), csv_cell(answer.model), answer.device,
                        csv_cell(answer.plan));
    text += answer.predicted ? fmt::format("{:g},{},{},{},{:.6g},{:.6g}", answer.concurrency,
                                           cells(answer.ttft_s), cells(answer.tpot_s),
                                           cells(answer.output_tokens_per_s), answer.requests_per_s,
                                           answer.queue_s)
                             : std::string(11, ',');
    text += fmt::format(",{},{}", answer.extrapolated ? 1 : 0, csv_cell(answer.note));
    if (slo && answer.slo) {
      text += fmt::format(",{},{:.6g},{:g},{}", cells(answer.slo->requests_per_s),
                          answer.slo->output_tokens_per_s, answer.slo->concurrency,
                          answer.slo->limited_by);
    } else if (slo) {
      text += std::string(6, ',');
    }
    text += '\n';
  }
  return text;
}

nlohmann::ordered_json json_of(const Ranged& range) {
  return {{"value", range.value}, {"low", range.low}, {"high", range.high}};
}

nlohmann::ordered_json json_of(const ServingAnswer& answer) {
  nlohmann::ordered_json json = {{"row", answer.row},
                                 {"model", answer.model},
                                 {"device", answer.device},
                                 {"plan", answer.plan}};
  if (answer.predicted) {
    json["concurrency"] = answer.concurrency;
    json["ttft_s"] = json_of(answer.ttft_s);
    json["tpot_s"] = json_of(answer.tpot_s);
    json["output_tokens_per_s"] = json_of(answer.output_tokens_per_s);
    json["requests_per_s"] = answer.requests_per_s;
    json["queue_s"] = answer.queue_s;
  }
  json["extrapolated"] = answer.extrapolated;
  if (!answer.note.empty()) json["note"] = answer.note;
  if (answer.slo) {
    json["slo"] = {{"requests_per_s", json_of(answer.slo->requests_per_s)},
                   {"output_tokens_per_s", answer.slo->output_tokens_per_s},
                   {"concurrency", answer.slo->concurrency},
                   {"limited_by", answer.slo->limited_by}};
  }
  return json;
}

}  // namespace

int predict_serving_rows(const std::filesystem::path& file, const std::string& device,
                         const std::string& slo, bool json, CommandContext& context) {
  std::optional<workloads::Slo> limits;
  if (!slo.empty()) limits = results::parse_slo(slo);
  const auto answers = results::predict_serving(file, device, limits, context.data);
  if (!json) {
    context.out << csv_of(answers, limits.has_value());
    return kFine;
  }
  nlohmann::ordered_json document = {{"format_version", 1}};
  document["rows"] = nlohmann::ordered_json::array();
  for (const ServingAnswer& answer : answers) document["rows"].push_back(json_of(answer));
  context.out << document.dump(2) << '\n';
  return kFine;
}

}  // namespace rackwright::cli
