#include <cmath>

#include <gtest/gtest.h>

#include "tests/topology/hand_built.hpp"
#include "topology/power/failure_table.hpp"

// PDU, busway and UPS over the feeds of a rack.
namespace rackwright::topology {
namespace {

using namespace testing;

UpstreamUnit unit(std::string id, std::string kind, std::vector<std::string> carries) {
  UpstreamUnit u;
  u.id = std::move(id);
  u.kind = std::move(kind);
  u.carries = std::move(carries);
  return u;
}

/// Four nodes of 10.2 kW, two feeds of power factor 0.98, 20.4 kW each.
PowerChain chain_with(std::vector<UpstreamUnit> upstream) {
  RackDesign rack = air_rack();
  rack.upstream = std::move(upstream);
  return make_power_chain(rack, catalog());
}

std::vector<FailureRow> rows(const PowerChain& chain, const std::string& unit_name) {
  ChainDemand demand;
  for (std::size_t b = 0; b < chain.buses.size(); ++b) demand.bus_w.push_back({10200});
  std::vector<FailureRow> found;
  for (const FailureRow& row : failure_table(chain, demand)) {
    if (row.failure_unit == unit_name && row.boundary == "upstream") found.push_back(row);
  }
  return found;
}

// 20.4 kW a feed at 0.98: 20.82 kVA; ten racks on a busway of 400 kVA: 208.2 kVA.
TEST(Upstream, ABuswayCarriesItsRacks) {
  UpstreamUnit busway = unit("busway A", "busway", {"A"});
  busway.racks = 10;
  busway.rating_kva = fact(400);
  const auto table = rows(chain_with({busway}), "none");
  ASSERT_EQ(table.size(), 1U);
  EXPECT_NEAR(table[0].load, 208.163, 0.001);
  EXPECT_NEAR(*table[0].margin(), 1 - 208.163 / 400, 1e-5);
}

// Without feed A all 40.8 kW are on B.
TEST(Upstream, ALostBuswayTakesItsFeed) {
  const auto table = rows(
      chain_with({unit("busway A", "busway", {"A"}), unit("busway B", "busway", {"B"})}), "busway");
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table[0].node, "busway B");
  EXPECT_NEAR(table[0].load, 40.8 / 0.98, 1e-3);
  EXPECT_FALSE(table[0].limit.has_value());  // blank stays blank
}

// What a UPS of 97 % loses is on the unit above it.
TEST(Upstream, LossesAddUpTheChain) {
  UpstreamUnit ups = unit("UPS", "UPS", {"A", "B"}), busway = unit("main", "busway", {"UPS"});
  ups.efficiency = fact(0.97);
  const auto table = rows(chain_with({ups, busway}), "none");
  EXPECT_NEAR(table[1].load, table[0].load / 0.97, 1e-9);
}

/// Three units of 30 kVA carry 41.63 kVA.
std::vector<FailureRow> ups_rows(const char* redundancy, const char* failure) {
  UpstreamUnit ups = unit("UPS", "UPS", {"A", "B"});
  ups.units = 3;
  ups.rating_kva = fact(30);
  ups.redundancy = redundancy;
  return rows(chain_with({ups}), failure);
}

TEST(Upstream, ABlockStandsIdleAndKeepsTheFeeds) {
  const auto service = ups_rows("block 2+1", "none"), lost = ups_rows("block 2+1", "UPS");
  EXPECT_NEAR(*service[0].limit, 60, 1e-9);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_NEAR(*lost[0].limit, 60, 1e-9);
  EXPECT_NEAR(lost[0].load, service[0].load, 1e-9);
}

TEST(Upstream, DistributedUnitsShareInServiceAndLoseASide) {
  const auto service = ups_rows("3N/2", "none"), lost = ups_rows("3N/2", "UPS");
  EXPECT_NEAR(*service[0].limit, 90, 1e-9);
  ASSERT_EQ(lost.size(), 2U);  // a unit behind feed A, a unit behind feed B
  EXPECT_NEAR(*lost[0].limit, 60, 1e-9);
  EXPECT_NE(lost[0].failure.find("behind feed A"), std::string::npos);
}

TEST(Upstream, ParallelUnitsKeepTheFeeds) {
  EXPECT_NEAR(*ups_rows("N+1", "UPS")[0].limit, 60, 1e-9);
  EXPECT_NEAR(*ups_rows("N+1", "none")[0].limit, 90, 1e-9);
}

// "5+1" in the rack file: one PSU of each of eight shelves of six may go, 40 x 5.5 kW stay.
TEST(Redundancy, OfTheRackFileIsJudged) {
  RackDesign rack = liquid_rack();
  rack.buses[0].redundancy = "5+1";
  const auto e = evaluate(rack, catalog(), device(1200, 190), std::nullopt, {});
  const Limit* limit = find_limit(e, "power.scheme.busbar");
  ASSERT_NE(limit, nullptr);
  EXPECT_NEAR(limit->limit->value, 220e3, 1e-6);
}

}  // namespace
}  // namespace rackwright::topology
