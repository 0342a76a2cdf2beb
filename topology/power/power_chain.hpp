#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "topology/power/busbar_ladder.hpp"
#include "topology/power/converter.hpp"
#include "topology/power/rack_power.hpp"
#include "topology/power/redundancy_scheme.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::topology {

/// One whip of a shelf or one outlet circuit of a rack PDU: the wire of one breaker.
struct Circuit {
  std::string id;        ///< "A1 whip 2", "A circuit 1"
  std::size_t feed = 0;  ///< index of the chain's feeds
  double rated_a = 0;    ///< of the breaker or plug; 0: blank
  bool assumed = false;  ///< the rating is an estimate
};

/// PSUs that stand or fall together: one shelf, or the PSUs of one node on one feed.
struct ChainSource {
  std::string id;
  std::size_t bus = 0, feed = 0;
  double position = 0;               ///< rack units from the bottom
  double psu_w = 0;                  ///< DC output rating of one
  ConverterLoss loss;                ///< of one PSU
  std::vector<std::size_t> circuit;  ///< by PSU
  std::vector<int> phase;            ///< by PSU, 0..2; -1: three-phase PSU, all alike
  std::optional<double> no_load_v, full_load_v;
  std::optional<double> connector_a;  ///< output connector
};

struct ChainLoad {
  std::string slot;
  double position = 0;
};

struct ChainBus {
  std::string id, boundary;
  bool shelves = false;
  double volts = 0;
  std::optional<double> section_a;     ///< rating of a section
  std::optional<double> ohm_per_unit;  ///< per rack unit; blank: an ideal bar
  std::optional<double> min_v;         ///< input window of the trays
  std::vector<ChainLoad> loads;
  std::vector<std::size_t> sources;
  bool loss_known = false;
};

/// What stands between feeds and the utility: a PDU, a busway, the units of a UPS system.
struct ChainUpstream {
  std::string id, kind;
  std::vector<std::size_t> feeds;  ///< of the rack, straight on it
  std::vector<std::size_t> below;  ///< units of the chain's upstream on it
  double racks = 1;                ///< like this one, on what it carries
  int units = 1;
  std::optional<double> unit_va;     ///< rating of one; blank
  std::optional<double> efficiency;  ///< output over input; blank: no loss is counted
  std::optional<RedundancyScheme> scheme;
};

/// The electrical tree of one rack, from bus to feed and what is above it.
struct PowerChain {
  std::vector<Feed> feeds;
  std::vector<Circuit> circuits;
  std::vector<ChainSource> sources;
  std::vector<ChainBus> buses;
  std::vector<ChainUpstream> upstream;  ///< from the feeds upward
};

/// Feeds of the rack that go dark with unit `at` of the upstream, and everything below it.
[[nodiscard]] std::vector<std::size_t> feeds_of(const PowerChain& chain, std::size_t at);

/// Reads what design and catalogue say; what they do not stays blank. PSUs are single-phase, line
/// to neutral, spread over the phases of their circuit in order. Nodes are spread over the circuits
/// of a feed in order. A shelf hangs on `ac_whip_count` circuits of its own.
[[nodiscard]] PowerChain make_power_chain(const RackDesign& design, const Catalog& catalog);

/// What has failed. Indices into the chain.
struct PowerFailure {
  std::string unit = "none";  ///< "none", "PSU", "shelf", "whip", "feed", "A + B" for pairs
  std::string what;           ///< "PSU 3 of A1"
  std::vector<std::pair<std::size_t, std::size_t>> psus;  ///< source, PSU
  std::vector<std::size_t> sources, circuits, feeds;
  std::vector<std::size_t> upstream;  ///< one unit of each of these is out
};

struct SourceState {
  int alive = 0;
  double output_w = 0, output_a = 0;
  double rating_w = 0;  ///< of the PSUs that live
  double loss_w = 0, input_w = 0;
};
/// A conductor set: watts, phase currents, neutral.
struct PhaseState {
  double watts = 0;
  std::array<double, 3> amps{};
  [[nodiscard]] double largest_a() const;
  /// |Ia + Ib + Ic| of currents at 120 degrees.
  [[nodiscard]] double neutral_a() const;
  /// Largest phase over the mean of three, less one.
  [[nodiscard]] double imbalance() const;
};
struct BusState {
  double load_w = 0, bar_loss_w = 0;
  double amps = 0;  ///< delivered by all sources
  double section_a = 0;
  double worst_v = 0;
  std::string worst_slot;
  bool collapsed = false, unsupplied = false;
};
/// The output of a unit of the upstream (all its units) and what it takes from above.
struct UpstreamState {
  double watts = 0, va = 0, input_w = 0;
};
struct ChainState {
  std::vector<UpstreamState> upstream;
  std::vector<SourceState> sources;
  std::vector<PhaseState> circuits, feeds;
  std::vector<BusState> buses;
  double direct_w = 0;
  double load_w = 0, bar_loss_w = 0, psu_loss_w = 0, input_w = 0;
  [[nodiscard]] bool supplied() const;
};

/// DC watts of every load of every bus, and what hangs on AC without a bus.
struct ChainDemand {
  std::vector<std::vector<double>> bus_w;
  double direct_w = 0;
  std::vector<double> feed_w;  ///< on one feed of the rack; empty: nothing
  std::vector<double>
      row_w;  ///< beside the racks on a feed's upstream, all of them; empty: nothing
};
[[nodiscard]] ChainDemand chain_demand(const PowerChain& chain, const RackPowerModel& model,
                                       const RackPower& power);

/// The chain under a demand and a failure, from the loads upward. Loads draw constant power
/// whatever is lost: an overload is a number, not a clamp. On an ideal bar without droop sources
/// share by the rating that lives; with droop by V = V0 - R I; with a resistance as a ladder.
[[nodiscard]] ChainState solve(const PowerChain& chain, const ChainDemand& demand,
                               const PowerFailure& failure = {});

/// Watts per ampere of a balanced feed: sqrt(3) U pf, or U pf for one phase.
[[nodiscard]] double watts_per_ampere(const Feed& feed);

}  // namespace rackwright::topology
