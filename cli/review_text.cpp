#include "cli/review_text.hpp"

#include <cmath>

#include <fmt/format.h>

#include "cli/text_table.hpp"
#include "results/report/number.hpp"

namespace rackwright::cli {

namespace {

std::string blank() {
  return "blank";
}

/// Value in a fixed unit of the column; the ± behind it when asked for.
std::string cell(const std::optional<Estimate>& estimate, double factor = 1,
                 bool half_width = false) {
  if (!estimate) return blank();
  const Estimate shown = scaled(*estimate, factor, "");
  std::string text = format_value(shown);
  if (const auto half = format_half_width(shown); half_width && !half.empty()) {
    text += " ± " + half;
  }
  if (estimate->extrapolated && half_width) text += " e";
  return text;
}

std::string count_cell(const std::optional<Estimate>& estimate) {
  return estimate ? fmt::format("{:.0f}", estimate->value) : blank();
}

std::string margin_text(double margin) {
  return fmt::format("{}{:.1f} %", margin < 0 ? "\u2212" : "+", std::abs(margin) * 100);
}

std::string rank_text(const results::Candidate& candidate) {
  if (candidate.rank == 0) return "\u2013";
  return fmt::format("{}{}", candidate.rank, candidate.tied ? "=" : "");
}

/// Metrics per MW are large: shown in thousands when all are.
double metric_factor(const results::Review& review) {
  if (review.rank_by == "provisioned_w") return 1e-3;
  return 1;
}

std::string metric_head(const results::Review& review) {
  if (review.rank_by == "tokens_per_s_per_mw") return "tokens/s per MW";
  if (review.rank_by == "tokens_per_s_per_rack") return "tokens/s per rack";
  if (review.rank_by == "tokens_per_joule") return "tokens/J, rack AC";
  if (review.rank_by == "provisioned_w") return "provisioned kW";
  if (review.rank_by == "floor_m2") return "floor m2";
  return review.rank_by;
}

void add_candidate(TextTable& table, const results::Review& review,
                   const results::Candidate& candidate) {
  table.add(
      {rank_text(candidate), candidate.design.id,
       verdict_text(candidate.verdict, candidate.changes), count_cell(candidate.racks),
       count_cell(candidate.gpus), candidate.design.liquid ? count_cell(candidate.cdus) : "\u2013",
       count_cell(candidate.switches), cell(candidate.provisioned_w, 1e-3),
       cell(candidate.floor_m2), cell(candidate.metric, metric_factor(review), true),
       cell(candidate.tokens_per_joule), candidate.closest ? candidate.closest->name : blank(),
       candidate.closest ? margin_text(candidate.closest->margin) : ""});
}

std::string estimate_text(const Estimate& estimate) {
  std::string text = format_value(estimate);
  if (const auto half = format_half_width(estimate); !half.empty()) text += " ± " + half;
  return text;
}

}  // namespace

std::string verdict_text(results::Verdict verdict, int changes) {
  if (verdict == results::Verdict::feasible_after_change && changes > 1) {
    return fmt::format("Feasible after {} changes", changes);
  }
  return std::string(results::to_string(verdict));
}

std::string review_text(const results::Review& review) {
  std::string text = review.headline + "\n" + review.reason + "\n\n";
  if (review.demand.value > 0) {
    text += fmt::format("{}, seed {}. Every candidate carries {} output tokens/s at SLO ({}).\n\n",
                        review.subject, review.seed, format_significant(review.demand.value, 3),
                        review.demand_basis);
  }
  TextTable table({{"rank", TextTable::Align::right},
                   {"rack"},
                   {"verdict"},
                   {"racks", TextTable::Align::right},
                   {"GPUs", TextTable::Align::right},
                   {"CDUs", TextTable::Align::right},
                   {"switches", TextTable::Align::right},
                   {"kW rack AC", TextTable::Align::right},
                   {"m2", TextTable::Align::right},
                   {metric_head(review), TextTable::Align::right},
                   {"tokens/J", TextTable::Align::right},
                   {"closest limit"},
                   {"margin", TextTable::Align::right}});
  bool extrapolated = false;
  bool tied = false;
  for (const auto& candidate : review.candidates) {
    add_candidate(table, review, candidate);
    extrapolated = extrapolated || (candidate.metric && candidate.metric->extrapolated);
    tied = tied || candidate.tied;
  }
  text += table.text();
  if (extrapolated) text += "e: extrapolated, the device has no calibration of its own\n";
  if (tied) text += "=: the 90 % interval of the ratio holds 1, treat as equal\n";
  for (const auto& threshold : review.thresholds) {
    text += fmt::format("would change it: {}: {}\n", threshold.change, threshold.effect);
  }
  return text;
}

namespace {

/// The same trays behind other ways of bringing the power in.
std::string architectures_text(const topology::RackEvaluation& evaluation) {
  TextTable table({{"power architecture"},
                   {"AC input kW", TextTable::Align::right},
                   {"into the rack A", TextTable::Align::right},
                   {"units freed", TextTable::Align::right},
                   {"sidecar kg/rack", TextTable::Align::right},
                   {"blank"}});
  for (const auto& a : evaluation.power.architectures) {
    std::string blanks;
    for (const auto& name : a.blanks) blanks += (blanks.empty() ? "" : ", ") + name;
    table.add({a.name, a.ac_low_w ? results::kilowatt_range(*a.ac_low_w, *a.ac_high_w) : blank(),
               fmt::format("{:.0f}", a.distribution_a), fmt::format("{:.0f}", a.rack_units_freed),
               a.sidecar_kg ? fmt::format("{:.0f}", *a.sidecar_kg) : "", blanks});
  }
  return table.text();
}

/// Worst margin of each level (line) after each failure unit (column).
std::string failures_text(const std::vector<topology::FailureRow>& worst) {
  const topology::FailureMatrix matrix = topology::failure_matrix(worst);
  std::vector<TextTable::Column> columns{{"worst node, design envelope"}};
  for (const std::string& unit : matrix.units) {
    columns.push_back({unit == "none" ? "in service" : unit, TextTable::Align::right});
  }
  TextTable table(columns);
  for (const auto& line : matrix.lines) {
    std::vector<std::string> cells{line.level};
    for (const topology::FailureRow* row : line.rows) {
      const auto margin = row ? row->margin() : std::nullopt;
      cells.push_back(!row ? "" : row->lost ? "lost" : margin ? margin_text(*margin) : blank());
    }
    table.add(std::move(cells));
  }
  return table.text();
}

}  // namespace

std::string evaluation_text(const topology::RackEvaluation& evaluation) {
  std::string text = fmt::format("{}, {}: {} replicas of {} GPUs ({}), {} idle\n\n",
                                 evaluation.rack, evaluation.device, evaluation.placement.replicas,
                                 evaluation.placement.gpus_per_replica, evaluation.placement.plan,
                                 evaluation.placement.idle_gpus);
  TextTable limits({{"limit"},
                    {"load", TextTable::Align::right},
                    {"limit", TextTable::Align::right},
                    {"unit"},
                    {"boundary"},
                    {"margin", TextTable::Align::right},
                    {"state"},
                    {"smallest change"}});
  for (const auto& limit : evaluation.limits) {
    const bool known = limit.limit && limit.state != topology::LimitState::blank;
    limits.add({limit.name + (limit.promised ? "" : " (not promised)"), estimate_text(limit.load),
                limit.limit ? estimate_text(*limit.limit) : blank(), limit.load.unit,
                limit.load.boundary, known ? margin_text(limit.margin) : "",
                std::string(to_string(limit.state)), limit.remedy});
  }
  text += limits.text() + "\n";
  if (!evaluation.failures.worst.empty()) {
    text += failures_text(evaluation.failures.worst) + "\n";
  }
  TextTable figures({{"figure"},
                     {"value", TextTable::Align::right},
                     {"unit"},
                     {"boundary"},
                     {"window"},
                     {"origin"}});
  for (const auto& figure : evaluation.figures.all()) {
    figures.add({figure.label, estimate_text(figure.estimate), figure.estimate.unit,
                 figure.estimate.boundary, figure.window,
                 std::string(to_string(figure.estimate.origin)) +
                     (figure.estimate.extrapolated ? ", extrapolated" : "")});
  }
  text += figures.text();
  if (!evaluation.power.architectures.empty()) text += "\n" + architectures_text(evaluation);
  if (!evaluation.requirements.empty()) text += "\nblank:\n";
  for (const auto& requirement : evaluation.requirements) {
    text += fmt::format("  {}: {} (from: {}; {})\n", requirement.input, requirement.solved,
                        requirement.supplier, requirement.effect);
  }
  for (const auto& note : evaluation.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace rackwright::cli
