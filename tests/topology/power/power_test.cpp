#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "topology/power/busbar.hpp"
#include "topology/power/converter.hpp"
#include "topology/power/load_timeline.hpp"
#include "topology/power/redundancy.hpp"

namespace rackwright::topology {
namespace {

PowerBus shelves(int count, const std::string& feeds) {
  PowerBus bus;
  bus.id = "rack";
  bus.boundary = "busbar DC";
  bus.volts = 50;
  for (int i = 0; i < count; ++i) {
    const auto feed = std::string(1, feeds[static_cast<std::size_t>(i) % feeds.size()]);
    bus.sources.push_back({"s" + std::to_string(i), "s" + std::to_string(i), feed, 6, 5500});
  }
  return bus;
}

double remaining(const PowerBus& bus, const std::vector<Feed>& feeds, const std::string& unit) {
  for (const auto& failure : bus_failures(bus, feeds)) {
    if (failure.unit == unit) return failure.remaining_w;
  }
  return -1;
}

Feed feed(const std::string& id) {
  Feed f;
  f.id = id;
  f.volts_line_to_line = 480;
  f.breaker_a = 250;
  return f;
}

// Three ORv3 HPR shelves of 6 x 5.5 kW: 93.5 kW after one PSU (the specification's own total for
// three sets), 66 kW after one shelf.
TEST(BusFailures, ThreeShelvesAfterOnePsuAndAfterOneShelf) {
  const PowerBus bus = shelves(3, "A");
  EXPECT_DOUBLE_EQ(bus_rating_w(bus), 99000);
  EXPECT_DOUBLE_EQ(remaining(bus, {feed("A")}, "PSU"), 93500);
  EXPECT_DOUBLE_EQ(remaining(bus, {feed("A")}, "shelf"), 66000);
}

// Eight shelves of 33 kW on two feeds leave 132 kW of DC: under the 142 kW of a GB300 NVL72.
TEST(BusFailures, EightShelvesOnTwoFeedsLeaveHalf) {
  const PowerBus bus = shelves(8, "AB");
  const double left = remaining(bus, {feed("A"), feed("B")}, "feed");
  EXPECT_DOUBLE_EQ(left, 132000);
  EXPECT_LT(left, 142000 * 0.975);  // even after the loss in the PSUs
}

TEST(BusFailures, AShelfLessNeverRaisesWhatStays) {
  for (const char* unit : {"none", "PSU", "shelf", "feed"}) {
    double last = 0;
    for (int count = 2; count <= 8; ++count) {
      const double left = remaining(shelves(count, "AB"), {feed("A"), feed("B")}, unit);
      EXPECT_GE(left, last) << unit << ' ' << count;
      last = left;
    }
  }
}

TEST(BusFailures, OnlyPromisedFailuresCount) {
  PowerBus bus = shelves(8, "AB");
  bus.promised = {"psu"};
  for (const auto& failure : bus_failures(bus, {feed("A"), feed("B")})) {
    if (failure.unit == "shelf" || failure.unit == "feed") {
      EXPECT_FALSE(is_promised(bus, failure)) << failure.what;
    } else if (failure.unit == "none" || failure.unit == "PSU") {
      EXPECT_TRUE(is_promised(bus, failure)) << failure.what;
    }
  }
}

TEST(FeedShare, FollowsTheRatingAndGoesOverOnLoss) {
  const PowerBus bus = shelves(8, "AB");
  EXPECT_DOUBLE_EQ(feed_share(bus, "A"), 0.5);
  EXPECT_DOUBLE_EQ(feed_share(bus, "B", "A"), 1.0);
}

TEST(FeedLimit, ThreePhaseWithDerating) {
  // sqrt(3) * 480 * 250 * 0.8 * 0.98 = 162.95 kW.
  EXPECT_NEAR(feed("A").limit_w(), 162950, 10);
}

// Two 3-phase 380 V 32 A circuits at 80 % and a power factor of 0.95 carry 32.0 kW: 3.4 kW over the
// 28.6 kW of two DGX B200 (NVIDIA best-practice deck).
TEST(FeedLimit, HeadroomOfADgxB200RackOfTwo) {
  Feed f;
  f.volts_line_to_line = 380;
  f.breaker_a = 32;
  f.circuits = 2;
  f.power_factor = 0.95;
  EXPECT_NEAR(f.limit_w() - 28600, 3400, 0.15 * 3400);
}

TEST(Busbar, FullLoadCurrentOfAnHprShelf) {
  // 33 kW at 49 V: 673 A, within the 700 A of its clip.
  EXPECT_NEAR(busbar_current(33.0_kW, 49.0_V).in(ampere), 673, 1);
}

TEST(Busbar, SourcesAtOneEndSendAllThroughOneSection) {
  const std::vector<BusbarTap> taps{{1, 0.5, true},    {2, 0.5, true},    {10, 0.25, false},
                                    {20, 0.25, false}, {30, 0.25, false}, {40, 0.25, false}};
  EXPECT_NEAR(largest_section_share(taps), 1.0, 1e-12);
}

TEST(Busbar, SourcesAtBothEndsSendHalf) {
  const std::vector<BusbarTap> taps{{1, 0.5, true},    {41, 0.5, true},   {10, 0.25, false},
                                    {20, 0.25, false}, {30, 0.25, false}, {40, 0.25, false}};
  EXPECT_NEAR(largest_section_share(taps), 0.5, 1e-12);
}

TEST(Converter, HasThePublishedPeakAtHalfLoad) {
  const auto loss = converter_from_peak(0.975, 5.5_kW, 6);
  EXPECT_NEAR(loss.efficiency(16.5_kW), 0.975, 1e-9);
  EXPECT_LT(loss.efficiency(10.0_kW), 0.975);
  EXPECT_LT(loss.efficiency(33.0_kW), 0.975);
}

TEST(Converter, OutputInvertsInput) {
  const auto loss = converter_from_peak(0.96, 3.3_kW, 6);
  EXPECT_NEAR(loss.output(loss.input(12.0_kW)).si(), 12000, 1e-6);
  EXPECT_THROW((void)converter_from_peak(1.2, 3.3_kW, 6), std::invalid_argument);
}

TEST(CyclicEnergy, IntegratesOverEdgesAndWrapsAround) {
  // 100 W for 1 s, 300 W for 3 s: 1,000 J a turn.
  const CyclicEnergy energy({{0, 1, 4}, {100, 300}});
  EXPECT_DOUBLE_EQ(energy.mean_w(), 250);
  EXPECT_NEAR(energy.energy(0.5, 1.0), 50 + 150, 1e-9);
  EXPECT_NEAR(energy.energy(3.5, 1.0), 150 + 50, 1e-9);
  EXPECT_NEAR(energy.energy(1.25, 40), 10 * 1000, 1e-9);
}

TEST(SuperposedMeans, KeepTheEnergyWhateverThePhases) {
  const CyclicEnergy energy({{0, 1.3, 4}, {100, 300}});
  const auto means = superposed_means(energy, {0, 0.7, 3.1}, 1.0);
  double joules = 0;
  for (const double mean : means) joules += mean;
  EXPECT_NEAR(joules, 3 * energy.mean_w() * 4, 1e-9);
}

}  // namespace
}  // namespace rackwright::topology
