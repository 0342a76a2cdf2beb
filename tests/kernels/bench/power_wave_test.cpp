#include "kernels/bench/power_wave.hpp"

#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"

namespace rackwright::kernels {
namespace {

using ::testing::HasSubstr;

PowerWave wave(double hertz, double duty, double seconds, double start = 100) {
  return {hertz, duty, seconds, start};
}

template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(PowerWave, BurstsFillTheirDutyOfEachPeriod) {
  const auto bursts = bursts_of(wave(2, 0.25, 2));
  ASSERT_EQ(bursts.size(), 4U);
  EXPECT_DOUBLE_EQ(bursts[0].begin_s, 100);
  EXPECT_DOUBLE_EQ(bursts[0].end_s, 100.125);  // a quarter of 0.5 s
  EXPECT_DOUBLE_EQ(bursts[3].begin_s, 101.5);
  EXPECT_DOUBLE_EQ(bursts[3].end_s, 101.625);
}

TEST(PowerWave, AWholeNumberOfPeriodsIsNotRoundedAway) {
  EXPECT_EQ(bursts_of(wave(0.1, 0.5, 30)).size(), 3U);
  EXPECT_EQ(bursts_of(wave(49, 0.5, 3)).size(), 147U);
  EXPECT_EQ(bursts_of(wave(2, 0.5, 1.3)).size(), 2U);  // the third would not be whole
}

TEST(PowerWave, NodesAgreeOnTheNextWholeSecond) {
  EXPECT_DOUBLE_EQ(next_start(1000.2, 2), 1003);
  EXPECT_DOUBLE_EQ(next_start(1000.9, 2), 1003);
  EXPECT_DOUBLE_EQ(next_start(1000, 2), 1002);
}

TEST(PowerWave, FrequencyAndDutyHaveLimits) {
  EXPECT_NO_THROW(check_wave(wave(0.1, 0.1, 10)));
  EXPECT_NO_THROW(check_wave(wave(50, 0.9, 10)));
  EXPECT_THAT(refusal([] { check_wave(wave(0.05, 0.5, 100)); }), HasSubstr("--frequency"));
  EXPECT_THAT(refusal([] { check_wave(wave(51, 0.5, 10)); }), HasSubstr("0.1 Hz to 50 Hz"));
  EXPECT_THAT(refusal([] { check_wave(wave(1, 0.95, 10)); }), HasSubstr("--duty"));
  EXPECT_THAT(refusal([] { check_wave(wave(0.1, 0.5, 9)); }), HasSubstr("one period"));
}

TEST(PowerWave, MoreThanTheCeilingIsRefused) {
  EXPECT_NO_THROW(check_ceiling(700 * watt, 8, 5600 * watt));
  const std::string text = refusal([] { check_ceiling(700 * watt, 8, 5000 * watt); });
  EXPECT_THAT(text, HasSubstr("--power-ceiling"));
  EXPECT_THAT(text, HasSubstr("8 x 700 W: refused"));
  EXPECT_THAT(text, HasSubstr("5.6"));
}

TEST(PowerWave, AnUnknownPeakIsRefused) {
  EXPECT_THAT(refusal([] { check_ceiling(0 * watt, 1, 1000 * watt); }), HasSubstr("--peak-power"));
}

/// Time passes by waiting, by running, and a little at each look.
class FakeClock final : public WaveClock {
 public:
  double now() override { return now_; }
  void wait_until(double at_s) override {
    if (at_s > now_) now_ = at_s + wakes_late_;
  }
  void pass(double s) { now_ += s; }
  double now_ = 99, wakes_late_ = 0;
};

struct FakeLoad final : BenchWork {
  FakeLoad(FakeClock& to, double each) : clock(to), seconds(each) {}
  Sample run() override {
    clock.pass(seconds);
    return {seconds, seconds};
  }
  FakeClock& clock;
  double seconds;
};

TEST(PowerWave, RunsItsLoadInBurstsOnly) {
  FakeClock clock;
  FakeLoad load(clock, 0.0625);
  const auto result = run_wave(bursts_of(wave(1, 0.5, 4)), load, clock, [] { return false; });
  EXPECT_EQ(result.bursts, 4U);
  EXPECT_EQ(result.executions, 4 * 8);
  EXPECT_DOUBLE_EQ(result.high_s, 2);
  EXPECT_DOUBLE_EQ(result.worst_late_s, 0);
  EXPECT_DOUBLE_EQ(result.worst_overrun_s, 0);
  EXPECT_DOUBLE_EQ(clock.now(), 103.5);  // the last burst's end
}

TEST(PowerWave, SaysHowLateItsEdgesAre) {
  FakeClock clock;
  clock.wakes_late_ = 0.01;
  FakeLoad load(clock, 0.2);
  const auto result = run_wave(bursts_of(wave(1, 0.5, 2)), load, clock, [] { return false; });
  EXPECT_GE(result.worst_late_s, 0.009);
  EXPECT_NEAR(result.worst_overrun_s, 0.11, 1e-9);  // 0.01 + 3 x 0.2 - 0.5
}

TEST(PowerWave, CountsBurstsWhoseTimeHadPassed) {
  FakeClock clock;
  clock.now_ = 101.75;
  FakeLoad load(clock, 0.125);
  const auto result = run_wave(bursts_of(wave(1, 0.5, 4)), load, clock, [] { return false; });
  EXPECT_EQ(result.missed, 2U);
  EXPECT_EQ(result.bursts, 2U);
}

TEST(PowerWave, StopsWhenTold) {
  FakeClock clock;
  FakeLoad load(clock, 0.0625);
  int asked = 0;
  const auto result =
      run_wave(bursts_of(wave(1, 0.5, 100)), load, clock, [&] { return ++asked > 40; });
  EXPECT_LT(result.bursts, 10U);
}

TEST(PowerWave, TheClockIsTheRealOne) {
  WaveClock clock;
  const double now = clock.now();
  EXPECT_NEAR(now, static_cast<double>(std::time(nullptr)), 2);
  clock.wait_until(now + 0.01);
  EXPECT_GE(clock.now(), now + 0.01);
}

}  // namespace
}  // namespace rackwright::kernels
