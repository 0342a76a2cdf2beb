#include "cli/collective_report.hpp"

#include <fmt/format.h>

#include "cli/text_table.hpp"

namespace rackwright::cli {

namespace {

using kernels::CollectiveOp;
using kernels::CollectiveRow;
using kernels::CollectiveTime;

/// nccl-tests' row: blank in place is "N/A" four times.
std::string body(const std::optional<CollectiveTime>& time) {
  if (!time) return fmt::format("  {:>7}  {:>6}  {:>6}  {:>6}", "N/A", "N/A", "N/A", "N/A");
  return fmt::format("  {:>7.2f}  {:>6.2f}  {:>6.2f}  {:>6}", time->seconds * 1e6,
                     time->algorithm_bytes_per_s / 1e9, time->bus_bytes_per_s / 1e9,
                     time->wrong ? std::to_string(*time->wrong) : "N/A");
}

std::string row_text(const CollectiveRow& row) {
  const bool rooted = row.op == CollectiveOp::broadcast;
  return fmt::format("{:>12}  {:>12}  {:>8}  {:>6}  {:>6}{}{}\n", row.counts.bytes,
                     row.counts.count, "float", kernels::reduces(row.op) ? "sum" : "none",
                     rooted ? 0 : -1, body(row.out_of_place), body(row.in_place));
}

std::string head_text() {
  return fmt::format(
      "#{:>11}  {:>12}  {:>8}  {:>6}  {:>6}  {:^33}{:^33}\n"
      "#{:>11}  {:>12}  {:>8}  {:>6}  {:>6}  {:>7}  {:>6}  {:>6}  {:>6}  {:>7}  {:>6}  {:>6}  "
      "{:>6}\n"
      "#{:>11}  {:>12}  {:>8}  {:>6}  {:>6}  {:>7}  {:>6}  {:>6}  {:>6}  {:>7}  {:>6}  {:>6}  "
      "{:>6}\n",
      "", "", "", "", "", "out-of-place", "in-place", "size", "count", "type", "redop", "root",
      "time", "algbw", "busbw", "#wrong", "time", "algbw", "busbw", "#wrong", "(B)", "(elements)",
      "", "", "", "(us)", "(GB/s)", "(GB/s)", "", "(us)", "(GB/s)", "(GB/s)", "");
}

std::string micro(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.4g}", *seconds * 1e6) : "";
}

/// What links carry and what the models expect, one row a size.
std::string side_table(const std::vector<CollectiveRow>& rows,
                       const std::vector<topology::CollectiveForecast>& forecasts) {
  const CollectiveOp op = rows.front().op;
  const bool forecast = !forecasts.empty();
  constexpr auto kRight = TextTable::Align::right;
  std::vector<TextTable::Column> columns{{"size B", kRight}, {"bytes on the busiest link", kRight}};
  if (forecast) {
    columns.push_back({"expected us", kRight});
    columns.push_back({"+- %", kRight});
    columns.push_back({"no faster than us", kRight});
    if (op == CollectiveOp::all_reduce) {
      columns.push_back({"engine us", kRight});
      columns.push_back({"nccl-symmetric us", kRight});
      if (forecasts.front().nccl_s) columns.push_back({"NCCL us", kRight});
    }
    if (op == CollectiveOp::all_to_all || op == CollectiveOp::all_to_all_uneven) {
      columns.push_back({"engines use DeepEP: us", kRight});
    }
  }
  TextTable table(columns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells{std::to_string(rows[i].counts.bytes),
                                   fmt::format("{:.0f}", rows[i].wire_bytes)};
    if (forecast) {
      const topology::CollectiveForecast& model = forecasts[i];
      cells.push_back(micro(model.seconds));
      cells.push_back(model.seconds ? fmt::format("{:.0f}", 100 * model.relative_error) : "");
      cells.push_back(micro(model.bound_seconds));
      if (op == CollectiveOp::all_reduce) {
        cells.push_back(micro(model.engine_s));
        cells.push_back(micro(model.symmetric_s));
        if (forecasts.front().nccl_s) cells.push_back(micro(model.nccl_s));
      }
      if (columns.back().head.starts_with("engines")) cells.push_back(micro(model.exchange_s));
    }
    table.add(cells);
  }
  std::string text = table.text(), indented;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    indented += "# " + text.substr(begin, end - begin) + '\n';
    begin = end + 1;
  }
  return indented;
}

std::string sweep_text(const kernels::CollectiveSweep& sweep) {
  return fmt::format(
      "# minBytes {} maxBytes {} step: {:g}(factor) warmup iters: {} iters: {} "
      "validation: {}\n",
      sweep.from, sweep.to, sweep.factor, sweep.warm_up, sweep.repeats, sweep.check ? 1 : 0);
}

nlohmann::ordered_json time_json(const CollectiveTime& time) {
  nlohmann::ordered_json json;
  json["time"] = time.seconds * 1e6;
  json["alg_bw"] = time.algorithm_bytes_per_s / 1e9;
  json["bus_bw"] = time.bus_bytes_per_s / 1e9;
  json["nwrong"] = time.wrong ? nlohmann::ordered_json(static_cast<double>(*time.wrong))
                              : nlohmann::ordered_json(nullptr);
  return json;
}

}  // namespace

std::string collective_table(const std::vector<CollectiveRow>& rows,
                             const std::vector<RankPlace>& ranks, const std::string& engine,
                             const kernels::CollectiveSweep& sweep,
                             const std::vector<topology::CollectiveForecast>& forecasts) {
  if (rows.empty()) return "# no size has a whole element for every rank\n";
  std::string text =
      fmt::format("# Collective test starting: {}\n", kernels::nccl_tests_program(rows.front().op));
  text += sweep_text(sweep) + fmt::format("# {}\n# Using devices\n", engine);
  for (const RankPlace& place : ranks) {
    text += fmt::format("#  Rank {:>2} Group  0 Pid {:>6} on {:>10} device {:>2} [0x00] {}\n",
                        place.rank, place.pid, place.host, place.rank, place.device);
  }
  text += "#\n" + head_text();
  for (const CollectiveRow& row : rows) text += row_text(row);
  return text + "#\n" + side_table(rows, forecasts);
}

nlohmann::ordered_json collective_json(const std::vector<CollectiveRow>& rows,
                                       const std::vector<RankPlace>& ranks,
                                       const std::string& engine,
                                       const kernels::CollectiveSweep& sweep) {
  nlohmann::ordered_json json;
  json["version"] = 2;
  json["args"] = nlohmann::ordered_json::array();
  if (!rows.empty()) json["args"].push_back(kernels::nccl_tests_program(rows.front().op));
  json["engine"] = engine;
  json["config"] = {{"minBytes", sweep.from},      {"maxBytes", sweep.to},
                    {"stepFactor", sweep.factor},  {"warmup_iters", sweep.warm_up},
                    {"iterations", sweep.repeats}, {"datacheck", sweep.check ? 1 : 0}};
  json["devices"] = nlohmann::ordered_json::array();
  for (const RankPlace& place : ranks) {
    json["devices"].push_back({{"rank", place.rank},
                               {"group", 0},
                               {"pid", place.pid},
                               {"hostname", place.host},
                               {"device", place.rank},
                               {"device_hex", "0x00"},
                               {"device_info", place.device}});
  }
  json["results"] = nlohmann::ordered_json::array();
  for (const CollectiveRow& row : rows) {
    nlohmann::ordered_json entry;
    entry["size"] = row.counts.bytes;
    entry["count"] = row.counts.count;
    entry["type"] = "float";
    entry["redop"] = kernels::reduces(row.op) ? "sum" : "none";
    entry["root"] = row.op == CollectiveOp::broadcast ? "0" : "-1";
    entry["out_of_place"] = time_json(row.out_of_place);
    entry["in_place"] = row.in_place ? time_json(*row.in_place) : nlohmann::ordered_json(nullptr);
    entry["wire_bytes"] = row.wire_bytes;
    json["results"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace rackwright::cli
