#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "results/validation/served_tables.hpp"

namespace rackwright::results {

namespace {

/// Means over the repeats of one point.
struct Repeats {
  ServedRow row;
  double prefill_s = 0;
  double token_s = 0;
  int count = 0;
};

ServedRow new_row(const CsvReader& csv, const std::filesystem::path& path, ServedCatalog& catalog) {
  ServedRow row;
  const std::string& hardware = csv.cell("hardware");
  row.line = csv.line();
  row.name = row_name(path, csv.line());
  row.model_id = csv.cell("model");
  row.device_id = catalog.device_id(hardware);
  const auto tp = static_cast<int>(csv.integer("tensor_parallel", 1));
  row.group = fmt::format("{} {} TP{}", row.model_id, hardware, tp);
  // The law of the host is shared between cards, its speed is each machine's own.
  row.engine = "vllm-2023";
  if (row.device_id.starts_with("a100")) row.engine = "vllm-2023 a100";
  if (row.device_id.starts_with("h100")) row.engine = "vllm-2023 h100";
  row.point.prompt_tokens = csv.number("prompt_size", 1);
  row.point.output_tokens = csv.number("token_size", 1);
  row.point.concurrency = csv.number("batch_size", 1);
  row.point.prompts_together = row.point.concurrency;
  row.point.plan.tp = tp;
  const auto* model = catalog.model(row.model_id);
  if (hardware.ends_with("-pcap")) {
    row.excluded = "derived from the uncapped rows (prefill x 1.300, decode x 1.000), not measured";
  } else if (model == nullptr) {
    row.excluded = "shape of the model is not known";
  } else if (row.device_id.empty()) {
    row.excluded = "device is not known";
  } else {
    row.point.model = *model;
  }
  return row;
}

}  // namespace

std::vector<ServedRow> read_splitwise(const std::filesystem::path& path, ServedCatalog& catalog) {
  CsvReader csv(path, {.required = {"model", "hardware", "prompt_size", "batch_size", "token_size",
                                    "prompt_time", "token_time", "tensor_parallel"}});
  std::map<std::tuple<std::string, std::string, double, double, double, double>, std::size_t> index;
  std::vector<Repeats> points;
  while (csv.next()) {
    const auto key = std::tuple(csv.cell("model"), csv.cell("hardware"),
                                csv.number("tensor_parallel", 1), csv.number("prompt_size", 1),
                                csv.number("batch_size", 1), csv.number("token_size", 1));
    const auto [at, added] = index.emplace(key, points.size());
    if (added) points.push_back({new_row(csv, path, catalog), 0, 0, 0});
    Repeats& point = points[at->second];
    point.prefill_s += csv.number("prompt_time", 0) / 1e3;
    point.token_s += csv.number("token_time", 0) / 1e3;
    ++point.count;
  }
  std::vector<ServedRow> rows;
  for (Repeats& point : points) {
    point.row.ttft_s = point.prefill_s / point.count;
    point.row.tpot_s = point.token_s / point.count;
    catalog.price(point.row);
    rows.push_back(std::move(point.row));
  }
  return rows;
}

}  // namespace rackwright::results
