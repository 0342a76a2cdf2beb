#include "results/validation/serving_table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "results/validation/served_prediction.hpp"

namespace rackwright::results {

namespace {

constexpr double kMostRequests = 4096;

int count_or_one(const CsvReader& csv, std::string_view column) {
  return csv.column(column) && !csv.blank(column) ? static_cast<int>(csv.integer(column, 1)) : 1;
}

std::string text_or(const CsvReader& csv, std::string_view column, std::string fallback) {
  return csv.column(column) && !csv.blank(column) ? csv.cell(column) : std::move(fallback);
}

/// A row with its costs, from which any load is estimated without asking the backend again.
class Point {
 public:
  Point(ServedRow row, profiler::EngineModel engine)
      : row_(std::move(row)),
        engine_(engine),
        tpot_half_(row_.costs.extrapolated ? std::hypot(half(engine_), row_.costs.relative_error)
                                           : half(engine_)) {}

  [[nodiscard]] profiler::ServingEstimate at(double concurrency) const {
    profiler::ServingPoint point = row_.point;
    point.concurrency = concurrency;
    return profiler::estimate_serving(point, row_.costs, engine_);
  }
  /// The largest whole number of requests for which `holds`; 0 for none. `holds` must not come back
  /// once it is lost.
  template <class Holds>
  [[nodiscard]] double most(const Holds& holds) const {
    if (!holds(1)) return 0;
    double low = 1;
    double high = kMostRequests + 1;
    while (high - low > 1) {
      const double middle = std::floor((low + high) / 2);
      (holds(middle) ? low : high) = middle;
    }
    return low;
  }
  [[nodiscard]] double tpot_half() const { return tpot_half_; }
  [[nodiscard]] double ttft_half() const { return engine_.ttft_half_width; }
  [[nodiscard]] const ServedRow& row() const { return row_; }

 private:
  [[nodiscard]] double half(const profiler::EngineModel& engine) const {
    return row_.point.model.experts ? engine.tpot_half_width_experts : engine.tpot_half_width;
  }
  ServedRow row_;
  profiler::EngineModel engine_;
  double tpot_half_;
};

SloLoad load_within(const Point& point, const workloads::Slo& slo) {
  const auto most = [&](double ttft_factor, double tpot_factor) {
    return point.most([&](double concurrency) {
      const auto estimate = point.at(concurrency);
      return estimate.ttft_s * ttft_factor <= slo.ttft_s &&
             estimate.tpot_s * tpot_factor <= slo.tpot_s;
    });
  };
  SloLoad load;
  load.concurrency = most(1, 1);
  const auto rate = [&](double concurrency) {
    return concurrency > 0 ? point.at(concurrency).requests_per_s : 0.0;
  };
  load.requests_per_s = {rate(load.concurrency),
                         rate(most(1 + point.ttft_half(), 1 + point.tpot_half())),
                         rate(most(1 / (1 + point.ttft_half()), 1 / (1 + point.tpot_half())))};
  load.output_tokens_per_s = load.requests_per_s.value * point.row().point.output_tokens;
  if (load.concurrency >= kMostRequests) {
    load.limited_by = "not reached";
  } else {
    const auto over = point.at(load.concurrency + 1);
    load.limited_by = over.tpot_s > slo.tpot_s           ? "TPOT"
                      : over.queue_s > 0.5 * over.ttft_s ? "KV cache"
                                                         : "TTFT";
  }
  return load;
}

void fill(ServingAnswer& answer, const Point& point, std::optional<double> rate) {
  if (rate) {
    answer.concurrency = point.most(
        [&](double concurrency) { return point.at(concurrency).requests_per_s <= *rate; });
    if (answer.concurrency >= kMostRequests) {
      answer.note = "the replica cannot carry this rate";
      return;
    }
    answer.concurrency = std::max(1.0, answer.concurrency);
  }
  const auto estimate = point.at(answer.concurrency);
  const double tpot = point.tpot_half();
  const double ttft = point.ttft_half();
  answer.predicted = true;
  answer.ttft_s = {estimate.ttft_s, estimate.ttft_s / (1 + ttft), estimate.ttft_s * (1 + ttft)};
  answer.tpot_s = {estimate.tpot_s, estimate.tpot_s * std::max(0.0, 1 - tpot),
                   estimate.tpot_s * (1 + tpot)};
  answer.output_tokens_per_s = {estimate.output_tokens_per_s,
                                estimate.output_tokens_per_s / (1 + tpot),
                                estimate.output_tokens_per_s * (1 + tpot)};
  answer.requests_per_s = estimate.requests_per_s;
  answer.queue_s = estimate.queue_s;
}

ServedRow read_row(const CsvReader& csv, const std::string& device, ServedCatalog& catalog) {
  ServedRow row;
  row.model_id = csv.cell("model");
  row.device_id = catalog.device_id(text_or(csv, "device", device));
  row.engine = text_or(csv, "engine", "default");
  row.point.prompt_tokens = csv.number("isl", 1);
  row.point.output_tokens = csv.number("osl", 1);
  row.point.concurrency = kMostRequests;
  row.point.plan.tp = count_or_one(csv, "tp");
  row.point.plan.pp = count_or_one(csv, "pp");
  row.point.plan.dp = count_or_one(csv, "dp");
  row.point.plan.ep = count_or_one(csv, "ep");
  if (row.device_id.empty()) {
    throw csv.error(csv.column("device") ? "device" : "model",
                    "a row of a known device, or --device");
  }
  const auto* model = catalog.model(row.model_id);
  if (model == nullptr) {
    row.excluded = "shape of the model is not known; give its config.json";
    return row;
  }
  row.point.model = *model;
  row.point.plan.weights = model->published_expert_type.value_or(model->published_type);
  if (const std::string type = text_or(csv, "weights", ""); !type.empty()) {
    row.point.plan.weights = workloads::parse_data_type(type, "weights");
  }
  if (workloads::bytes_per_element(row.point.plan.weights) < 2) {
    row.point.plan.kv = workloads::DataType::fp8;
  }
  catalog.price(row);
  return row;
}

}  // namespace

std::vector<ServingAnswer> predict_serving(const std::filesystem::path& path,
                                           const std::string& device,
                                           const std::optional<workloads::Slo>& slo,
                                           const DataLocator& data) {
  ServedCatalog catalog(data);
  const auto engines = serving_profile("engines", data);
  CsvReader csv(path, {.required = {"model", "isl", "osl"}});
  std::vector<ServingAnswer> answers;
  while (csv.next()) {
    ServingAnswer answer;
    answer.row = row_name(path, csv.line());
    const auto concurrency = csv.optional_number("concurrency", 1);
    const auto rate = csv.optional_number("rate", 0);
    if (!concurrency && !rate && !slo) {
      throw csv.error("isl", "a concurrency or a rate beside it, or --slo");
    }
    ServedRow row = read_row(csv, device, catalog);
    answer.model = row.model_id;
    answer.device = row.device_id;
    answer.plan = row.point.plan.label();
    answer.note = row.excluded;
    if (row.priced && row.costs.cached_sequences < 1) {
      answer.note = "the model does not fit the memory under this plan";
    } else if (row.priced) {
      answer.extrapolated = row.costs.extrapolated;
      const Point point(std::move(row), engine_of(engines, text_or(csv, "engine", "default")));
      answer.concurrency = concurrency.value_or(1);
      if (concurrency || rate) fill(answer, point, concurrency ? std::nullopt : rate);
      if (slo) answer.slo = load_within(point, *slo);
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

workloads::Slo parse_slo(const std::string& text) {
  workloads::Slo slo;
  bool ttft = false;
  bool tpot = false;
  const auto bad = [&text] {
    return InputError({"", 0, "--slo", "limits as ttft=2s,tpot=50ms", '"' + text + '"'});
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, end - at);
    const std::size_t sign = part.find('=');
    if (sign == std::string::npos) throw bad();
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(part.substr(sign + 1), &used);
    } catch (const std::exception&) {
      throw bad();
    }
    const std::string unit = part.substr(sign + 1 + used);
    if ((unit != "s" && unit != "ms") || !(value > 0)) throw bad();
    if (unit == "ms") value /= 1e3;
    const std::string name = part.substr(0, sign);
    if (name == "ttft") {
      slo.ttft_s = value;
      ttft = true;
    } else if (name == "tpot") {
      slo.tpot_s = value;
      tpot = true;
    } else {
      throw bad();
    }
    at = end + 1;
  }
  if (!ttft || !tpot) throw bad();
  return slo;
}

}  // namespace rackwright::results
