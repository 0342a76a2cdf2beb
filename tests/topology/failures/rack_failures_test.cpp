#include "topology/failures/rack_failures.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"

namespace rackwright::topology {
namespace {

using namespace testing;

/// 27 trays on a loop that two CDUs of 120 l/min and two pumps serve; one rack.
RackDesign loop_rack(std::vector<std::vector<std::string>> supply) {
  RackDesign rack = liquid_rack();
  rack.liquid->cdus_installed = static_cast<int>(supply.size());
  rack.liquid->cdu_supply = std::move(supply);
  return rack;
}

RackEvaluation evaluated(const RackDesign& rack, const char* place = "in-row") {
  std::vector<Part> own = parts();
  for (Part& part : own) {
    if (part.id != "cdu") continue;
    part.facts["pump_count"] = fact(2);
    part.facts["place"].text = place;
  }
  EvaluateOptions options;
  options.tcs_flow_lpm = 100;
  return evaluate(rack, Catalog(own), device(1200, 190), std::nullopt, options);
}

std::vector<FailureRow> rows_of(const RackEvaluation& e, const std::string& unit,
                                const std::string& what) {
  const RackLoad& load = e.failures.loads.front().second;
  for (const RackFailure& failure : rack_failures(e.failures.model)) {
    if (failure.unit == unit && failure.what == what) {
      return rack_rows(e.failures.model, load, failure);
    }
  }
  ADD_FAILURE() << "no failure " << unit << ' ' << what;
  return {};
}

FailureRow row(const std::vector<FailureRow>& rows, const std::string& level,
               const std::string& node = "") {
  for (const FailureRow& r : rows) {
    if (r.level == level && (node.empty() || r.node == node)) return r;
  }
  ADD_FAILURE() << "no row " << level << ' ' << node;
  return {};
}

bool has(const std::vector<FailureRow>& rows, const std::string& level, const std::string& node) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const FailureRow& r) { return r.level == level && r.node == node; });
}

std::vector<FailureRow> in_service(const RackEvaluation& e) {
  return rack_rows(e.failures.model, e.failures.loads.front().second, {});
}

TEST(RackFailures, AFeedTakesTheCduItDrivesWithIt) {
  const auto e = evaluated(loop_rack({{"A"}, {"B"}}));
  EXPECT_EQ(row(in_service(e), "coolant flow").limit, 240);  // two CDUs of 120 l/min
  const auto lost = rows_of(e, "feed", "feed A");
  EXPECT_EQ(row(lost, "coolant flow").limit, 120);
  EXPECT_FALSE(has(lost, "CDU heat", "CDU 1"));
  // One CDU carries the heat of two.
  EXPECT_NEAR(row(lost, "CDU heat").load, 2 * row(in_service(e), "CDU heat").load, 1e-6);
}

TEST(RackFailures, BothCdusOnOneFeedStopTheFlow) {
  const auto e = evaluated(loop_rack({{"A"}, {"A"}}));
  const auto lost = rows_of(e, "feed", "feed A");
  EXPECT_TRUE(row(lost, "coolant flow").lost);
  EXPECT_TRUE(row(lost, "tray outlet", "c0").lost);
  EXPECT_FALSE(row(rows_of(e, "feed", "feed B"), "coolant flow").lost);
  const Limit* limit = find_limit(e, "liquid.coolant_flow.feed");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
}

TEST(RackFailures, ATransferSwitchKeepsThePumpsRunning) {
  const auto e = evaluated(loop_rack({{"A", "B"}, {"A", "B"}}));
  EXPECT_EQ(row(rows_of(e, "feed", "feed A"), "coolant flow").limit, 240);
}

// Shelf P0 with all its PSUs drives CDU 1; one PSU of it may go.
TEST(RackFailures, AShelfDrivesThePumpsThatHangOnIt) {
  const auto e = evaluated(loop_rack({{"P0"}, {"B"}}));
  EXPECT_EQ(row(rows_of(e, "shelf", "shelf P0"), "coolant flow").limit, 120);
  EXPECT_EQ(row(rows_of(e, "PSU", "PSU 1 of P0"), "coolant flow").limit, 240);
}

TEST(RackFailures, ACduInTheRackIsALoadOfItsFeed) {
  const auto row_cdu = evaluated(loop_rack({{"A"}, {"B"}}));
  const auto own_cdu = evaluated(loop_rack({{"A"}, {"B"}}), "in-rack");
  const auto amps = [](const RackEvaluation& e) {
    return row(in_service(e), "feed", "feed A").load;
  };
  const double input = row(in_service(own_cdu), "CDU input", "CDU 1").load;
  // I = P / (sqrt(3) 480 V 0.98).
  EXPECT_GT(input, 0);
  EXPECT_NEAR(amps(own_cdu) - amps(row_cdu), input / (std::sqrt(3.0) * 480 * 0.98), 1e-6);
}

// Half of 120 l/min is lost with one of two pumps.
TEST(RackFailures, APumpTakesItsPartOfTheFlow) {
  const auto e = evaluated(loop_rack({{"A"}, {"B"}}));
  EXPECT_EQ(row(rows_of(e, "pump", "a pump of CDU 1"), "coolant flow").limit, 180);
}

TEST(RackFailures, ALeakShutsATrayInEveryDomain) {
  const auto e = evaluated(loop_rack({{"A"}, {"B"}}));
  const auto whole = in_service(e), leak = rows_of(e, "leak", "leak in c0, valve shut");
  EXPECT_FALSE(has(leak, "tray outlet", "c0"));
  EXPECT_EQ(row(leak, "GPUs off").load, 4);
  // The tray's power is off eight shelves that share alike.
  const double tray = row(whole, "bus converter", "c0").load;
  EXPECT_NEAR(row(whole, "PSU", "P0").load - row(leak, "PSU", "P0").load, tray / 8, 1e-6);
  // Its flow goes to the others.
  EXPECT_LT(row(leak, "tray outlet", "c1").load, row(whole, "tray outlet", "c1").load);
}

TEST(RackFailures, AValveThatIsSlowLosesCoolant) {
  RackDesign rack = loop_rack({{"A"}, {"B"}});
  rack.liquid->working_pressure_bar = fact(5);
  rack.liquid->tray_drop_kpa = fact(50);
  const auto rate = row(rows_of(evaluated(rack), "leak", "leak in c0, valve shut"),
                        "coolant lost until the valve shuts");
  EXPECT_EQ(rate.unit, "l/min");
  rack.liquid->leak_valve_s = fact(3);
  const auto e = evaluated(rack);
  const auto lost = row(rows_of(e, "leak", "leak in c0, valve shut"), "coolant lost");
  EXPECT_EQ(lost.unit, "l");
  EXPECT_NEAR(lost.load, rate.load / 20, 1e-9);  // 3 s of a minute
  EXPECT_NEAR(e.figures.at("liquid.leak.lost").high, lost.load, 0.2 * lost.load);
  EXPECT_EQ(find_requirement(e, "leak_valve.liquid"), nullptr);
}

// The maker's range of the rack, ±10 %, is on watts, amperes and rises over their supply.
TEST(RackFailures, LoadsCarryTheIntervalOfTheRacksPower) {
  const auto e = evaluated(loop_rack({{"A"}, {"B"}}));
  RackLoad load = e.failures.loads.front().second;
  load.low = 0.9;
  load.high = 1.1;
  const auto rows = rack_rows(e.failures.model, load, {});
  const FailureRow feed = row(rows, "feed", "feed A");
  EXPECT_NEAR(*feed.low, 0.9 * feed.load, 1e-9);
  EXPECT_NEAR(*feed.high, 1.1 * feed.load, 1e-9);
  const FailureRow outlet = row(rows, "tray outlet", "c0");
  EXPECT_NEAR(*outlet.high - outlet.base, 1.1 * (outlet.load - outlet.base), 1e-9);
  EXPECT_FALSE(row(rows, "coolant flow").high.has_value());  // the flow that is asked for
}

TEST(RackFailures, ASwitchTrayTakesItsShareOfTheLinks) {
  RackDesign rack = loop_rack({{"A"}, {"B"}});
  rack.scale_up_switches = 18;
  const auto e = evaluated(rack);
  EXPECT_NEAR(row(rows_of(e, "switch", "switch tray s9"), "scale-up links lost").load, 1 / 9.0,
              1e-12);
}

// 8 fans of 16.8 W hold their flow with seven: 134.4 W ((8 / 7)^0.56 - 1) = 10.43 W more.
TEST(RackFailures, FansThatStayDrawMore) {
  std::vector<Part> own = parts();
  own.push_back(part("fan", "fan", {{"power_w", 16.8}, {"power_speed_exponent_factor", 1.56}}));
  for (Part& p : own) {
    if (p.id != "tray") continue;
    p.facts["fan_count"] = fact(8);
    p.facts["fan_part"].text = "fan";
  }
  const auto e =
      evaluate(loop_rack({{"A"}, {"B"}}), Catalog(own), device(1200, 190), std::nullopt, {});
  const double more = row(rows_of(e, "fan", "a fan of c0"), "bus converter", "c0").load -
                      row(in_service(e), "bus converter", "c0").load;
  EXPECT_NEAR(more, 10.43, 0.01);
}

TEST(RackFailures, HeatOutIsPowerIn) {
  const auto e = evaluated(loop_rack({{"A"}, {"B"}}));
  for (const auto& [load_case, load] : e.failures.loads) {
    const double liquid =
        std::accumulate(load.branch_heat_w.begin(), load.branch_heat_w.end(), 0.0);
    const double air = std::accumulate(load.air_heat_w.begin(), load.air_heat_w.end(), 0.0);
    double drawn = load.demand.direct_w;
    for (const auto& bus : load.demand.bus_w) drawn += std::accumulate(bus.begin(), bus.end(), 0.0);
    EXPECT_NEAR(liquid + air, drawn, 1e-9 * drawn) << to_string(load_case);
  }
}

TEST(RackFailures, FewerCdusNeverRaiseAMargin) {
  for (const char* level : {"coolant flow", "CDU heat", "coolant supply", "tray outlet"}) {
    double last = 2;
    for (int cdus = 3; cdus >= 1; --cdus) {
      const std::vector<std::vector<std::string>> supply(static_cast<std::size_t>(cdus),
                                                         {"A", "B"});
      const double margin =
          row(in_service(evaluated(loop_rack(supply))), level).margin().value_or(2);
      EXPECT_LE(margin, last + 1e-12) << level << ' ' << cdus;
      last = margin;
    }
  }
}

TEST(RackFailurePairs, CrossDomainsAndLeaveOutWhatIsContained) {
  const auto e = evaluated(loop_rack({{"A"}, {"B"}}));
  bool feed_and_cdu = false;
  for (const RackFailure& pair : rack_failure_pairs(e.failures.model)) {
    EXPECT_NE(pair.what, "a pump of CDU 1 and CDU 1");
    EXPECT_NE(pair.what, "branch of c0 blocked and leak in c0, valve shut");
    if (pair.what != "feed A and CDU 2") continue;
    feed_and_cdu = true;
    const auto rows = rack_rows(e.failures.model, e.failures.loads.front().second, pair);
    EXPECT_TRUE(row(rows, "coolant flow").lost);
  }
  EXPECT_TRUE(feed_and_cdu);
}

TEST(FailureMatrix, HasALineForEachLevelAndAColumnForEachUnit) {
  const FailureRow shelf{"power", "shelf", "shelf A1", "PSU", "A2",  "busbar DC",
                         "W",     30,      33,         false, false, 0};
  const FailureRow pump{"liquid", "pump", "a pump", "coolant flow", "rack", "TCS",
                        "l/min",  1,      {},       false,          true,   0};
  const auto worst = worst_rows({shelf, pump});  // the matrix points into it
  const FailureMatrix matrix = failure_matrix(worst);
  ASSERT_EQ(matrix.units, (std::vector<std::string>{"shelf", "pump"}));
  ASSERT_EQ(matrix.lines.size(), 2U);
  EXPECT_EQ(matrix.lines[0].rows[1], nullptr);
  EXPECT_EQ(matrix.lines[1].rows[1]->margin(), -1.0);
}

TEST(PlaceText, SaysNoWordTwice) {
  FailureRow r;
  r.level = "whip";
  r.node = "A1 whip 1";
  EXPECT_EQ(place_text(r), "A1 whip 1");
  r.level = "busbar section";
  r.node = "busbar";
  EXPECT_EQ(place_text(r), "busbar section");
  r.level = "PSU";
  r.node = "A1";
  EXPECT_EQ(place_text(r), "PSU A1");
}

TEST(FailureText, SaysWhatHappened) {
  FailureRow r;
  EXPECT_EQ(failure_text(r), "");
  r.failure_unit = "shelf";
  r.failure = "shelf A1";
  EXPECT_EQ(failure_text(r), "Loss of shelf A1");
  r.failure_unit = "leak";
  r.failure = "leak in c01, valve shut";
  EXPECT_EQ(failure_text(r), "Leak in c01, valve shut");
}

}  // namespace
}  // namespace rackwright::topology
