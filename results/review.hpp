#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/estimate.hpp"
#include "topology/catalog.hpp"
#include "topology/evaluation.hpp"
#include "topology/network/fabric.hpp"
#include "topology/rack_design.hpp"
#include "workloads/workload.hpp"

namespace rackwright::results {

enum class Verdict { feasible, feasible_after_change, not_feasible, undecided };
[[nodiscard]] std::string_view to_string(
    Verdict v);  ///< "Feasible", "Feasible after one change", …

/// How the metric of one candidate stands to that of another.
struct Comparison {
  /// Metric of the first over metric of the second, with the 90 % interval of the ratio.
  Estimate ratio;
  /// Chance that the first is better, by the log-normal error of the ratio: 0.5 at ratio 1.
  double probability_better = 0.5;
  /// Part of the relative half-widths that both have in common and that cancels.
  double common = 0;

  /// True when the interval of the ratio holds 1: the two cannot be told apart.
  [[nodiscard]] bool tied() const { return ratio.low <= 1 && 1 <= ratio.high; }
};

/// One candidate, sized to carry the common demand at SLO.
struct Candidate {
  topology::RackDesign design;
  topology::RackEvaluation evaluation;
  Verdict verdict = Verdict::undecided;
  int changes = 0;  ///< number of changes that make it feasible
  /// 1-based; 0 without rank. Candidates that cannot be told apart share a rank (1, 1, 3).
  int rank = 0;
  bool tied = false;                              ///< shares its rank: "treat as equal"
  std::optional<Estimate> tokens_per_s_per_rack;  ///< output tokens at SLO
  std::optional<Estimate> racks;                  ///< whole racks
  std::optional<Estimate> gpus;
  std::optional<Estimate> cdus;
  std::optional<Estimate> switches;       ///< scale-out leaf, spine, core
  std::optional<Estimate> provisioned_w;  ///< racks x design envelope, rack AC input
  std::optional<Estimate> cdu_w;          ///< of all CDUs, apart from the racks
  std::optional<Estimate> switch_w;       ///< of all scale-out switches, apart from the racks
  std::optional<Estimate> floor_m2;
  std::optional<Estimate> tokens_per_s_per_mw;  ///< per provisioned MW
  std::optional<Estimate> tokens_per_joule;     ///< load case (b), rack AC input
  std::optional<Estimate> metric;               ///< the ranking metric
  /// Against the candidate that leads; absent for itself and without rank.
  std::optional<Comparison> against_first;
  std::optional<topology::Limit> closest;  ///< smallest margin of a promised limit
};

/// A number the verdict rests on, with its id "P-014" shared by report and JSON.
struct ProvenanceEntry {
  std::string id;
  std::string rack;
  topology::Figure figure;
  /// How far the winner's lead moves when the number moves over its interval; for sorting.
  double leverage = 0;
};

/// "X lower than Y: Z leads".
struct Threshold {
  std::string change;
  std::string effect;
};

struct Review {
  std::string subject;  ///< workload title
  std::string workload;
  std::uint64_t seed = 0;
  workloads::Slo slo;
  std::string traffic_source;
  std::string rank_by;        ///< key: "tokens_per_s_per_mw"
  std::string rank_by_label;  ///< "tokens per second per provisioned MW"
  bool higher_is_better = true;
  Estimate demand;           ///< output tokens per second at SLO every candidate carries
  std::string demand_basis;  ///< "--demand", "the workload", "one rack of gb300-nvl72 at SLO"
  std::vector<Candidate> candidates;        ///< ranked first, then not feasible, then undecided
  std::vector<ProvenanceEntry> provenance;  ///< most leverage first
  std::vector<Threshold> thresholds;        ///< what would change the verdict
  std::string headline;  ///< "Take gb300-nvl72, and cap each rack at 130 kW when a feed is lost."
  std::string reason;
  std::string catalog_hash;
  std::string version;
};

struct ReviewOptions {
  std::string rank_by = "tokens_per_s_per_mw";
  std::optional<double> demand_tokens_per_s;
  /// By the id that designs name; a design whose fabric is missing has a blank switch count.
  std::map<std::string, topology::FabricDesign> fabrics;
  /// For switch and CDU power; null: blank. Must outlive the call.
  const topology::Catalog* catalog = nullptr;
  std::string version;
};
/// Metrics accepted by `rank_by`.
[[nodiscard]] std::vector<std::string> rank_metrics();
/// "output tokens per second per provisioned MW"; "" for an unknown metric.
[[nodiscard]] std::string_view label_of_metric(std::string_view metric);

/// Sizes, judges, ranks, and words the verdict. `evaluations` are in the order of the designs.
/// Throws InputError for an unknown metric, std::invalid_argument when both lists differ in length
/// or are empty.
[[nodiscard]] Review make_review(const workloads::Workload& workload, std::uint64_t seed,
                                 std::vector<topology::RackDesign> designs,
                                 std::vector<topology::RackEvaluation> evaluations,
                                 const ReviewOptions& options);

/// {value, unit, low, high, origin, extrapolated, boundary}; numbers that are not finite are null.
[[nodiscard]] nlohmann::ordered_json to_json(const Estimate& estimate);
/// `review.json`: stable keys, no time, host or path.
[[nodiscard]] nlohmann::ordered_json to_json(const Review& review);
[[nodiscard]] nlohmann::ordered_json to_json(const topology::RackEvaluation& evaluation);

}  // namespace rackwright::results
