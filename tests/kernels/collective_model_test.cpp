#include "kernels/analytical/collective_model.hpp"

#include <gtest/gtest.h>

namespace rackwright::kernels {
namespace {

using workloads::CollectiveKind;

TwoSegmentModel table(int ranks, double latency, double rate) {
  TwoSegmentModel model;
  model.ranks = ranks;
  model.latency_1_s = latency;
  model.rate_1 = rate / 10;
  model.latency_2_s = 10 * latency;
  model.rate_2 = rate;
  model.exponent = -40;
  return model;
}

TEST(TwoSegmentModel, TakesTheFasterProtocol) {
  // 10 us + 1 kB / 10 GB/s = 10.1 us against 100 us; 10 us + 100 ms against 100 us + 10 ms.
  const TwoSegmentModel model = table(8, 10e-6, 100e9);
  EXPECT_NEAR(model.seconds(1e3) * 1e6, 10.1, 1e-3);
  EXPECT_NEAR(model.seconds(1e9) * 1e3, 10.1, 1e-3);
}

TEST(TwoSegmentModel, MovesToAnotherDeviceByLinkRatioAndLatencyFactor) {
  CalibratedModel calibrated;
  calibrated.parameters = {{"latency_1_s", 10e-6},
                           {"rate_1", 1e10},
                           {"latency_2_s", 1e-4},
                           {"rate_2", 1e11},
                           {"exponent", -40}};
  calibrated.link_ratio = 2;
  calibrated.latency_factor = 1.6;
  calibrated.transfer_error = 0.4;
  const TwoSegmentModel model = TwoSegmentModel::from(calibrated);
  EXPECT_NEAR(model.seconds(1) * 1e6, 16.0, 1e-3);
  EXPECT_NEAR(model.seconds(1e12), 5.0, 1e-3);  // 1 TB at 2 x 100 GB/s
  EXPECT_TRUE(model.extrapolated);
  EXPECT_NEAR(model.relative_error, 0.4, 1e-12);
}

TEST(CollectiveModel, BeyondTheLastTableLatencyGrowsPerDoubling) {
  CollectiveModel model;
  model.add(table(8, 20e-6, 100e9));
  model.add(table(4, 14e-6, 100e9));
  // 6 us from 4 to 8 GPUs, so 6 us more from 8 to 16.
  const CollectiveEstimate far = model.inside(CollectiveKind::all_gather, 16, 1e-3);
  EXPECT_NEAR(far.seconds * 1e6, 26.0, 1e-2);
  EXPECT_TRUE(far.extrapolated);
  EXPECT_FALSE(model.inside(CollectiveKind::all_gather, 8, 1e6).extrapolated);
}

TEST(SentPerByte, FollowsTheAlgorithms) {
  EXPECT_DOUBLE_EQ(sent_per_byte(CollectiveKind::all_reduce, 8), 1.75);
  EXPECT_DOUBLE_EQ(sent_per_byte(CollectiveKind::all_gather, 8), 0.875);
  EXPECT_DOUBLE_EQ(sent_per_byte(CollectiveKind::send_recv, 2), 1.0);
  EXPECT_DOUBLE_EQ(sent_per_byte(CollectiveKind::all_reduce, 1), 0.0);
}

TEST(NetworkModel, RailsShareARingAndAnExchangeUsesOwnAdapters) {
  const NetworkModel network{1, 0, 0, 0, false};
  // Two nodes of 8, 8 GB: each rail carries 1 GB, sent 2 x 1/2 times at 50 GB/s: 20 ms.
  EXPECT_NEAR(network.across(CollectiveKind::all_reduce, 2, 8, 8e9, 50e9), 0.020, 1e-9);
  // Half of what a rank sends leaves the node: 4 GB at 50 GB/s.
  EXPECT_NEAR(network.across(CollectiveKind::all_to_all, 2, 8, 8e9, 50e9), 0.080, 1e-9);
}

TEST(RingBytesAcross, PassEveryRankNotEveryDomain) {
  // 10 nodes of 4: a ring of 40 ranks sends 39/40 of a quarter of S over each adapter.
  EXPECT_DOUBLE_EQ(ring_bytes_across(CollectiveKind::all_gather, 10, 4), 39.0 / 40 / 4);
  EXPECT_DOUBLE_EQ(ring_bytes_across(CollectiveKind::all_reduce, 10, 4), 2 * 39.0 / 40 / 4);
  // Two nodes are a tree of two equals in an all-reduce: S / 8 each way.
  EXPECT_DOUBLE_EQ(ring_bytes_across(CollectiveKind::all_reduce, 2, 8), 1.0 / 8);
}

}  // namespace
}  // namespace rackwright::kernels
