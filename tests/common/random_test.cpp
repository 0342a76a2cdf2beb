#include "common/random.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace rackwright {
namespace {

constexpr int kDraws = 200000;

TEST(RandomSource, SameSeedSameNumbers) {
  RandomSource a(7);
  RandomSource b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(RandomSource, StreamsDiffer) {
  const RandomSource base(7);
  EXPECT_NE(base.stream("arrivals").next(), base.stream("lengths").next());
}

TEST(Fnv1a, MatchesPublishedVectors) {
  // draft-eastlake-fnv, test vectors for 64-bit FNV-1a.
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(fnv1a(""), 14695981039346656037ULL);
}

// Moments within five standard errors of the exact ones.
TEST(RandomSource, GammaHasMeanAndVarianceOfItsShapeAndScale) {
  for (const double shape : {0.3, 1.0, 4.5}) {
    RandomSource random(11);
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = random.gamma(shape, 2.0);
      sum += x;
      squares += x * x;
    }
    const double mean = sum / kDraws;
    const double variance = squares / kDraws - mean * mean;
    EXPECT_NEAR(mean, 2 * shape, 5 * 2 * std::sqrt(shape / kDraws));
    // Variance of the sample variance of a gamma: (mu4 - var^2)/n, mu4 = 3 var^2 + 6 shape theta^4.
    const double exact = 4 * shape;
    const double spread = std::sqrt((2 * exact * exact + 6 * shape * 16) / kDraws);
    EXPECT_NEAR(variance, exact, 5 * spread);
  }
}

TEST(RandomSource, NormalHasUnitVariance) {
  RandomSource random(5);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 5 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
}

TEST(RandomSource, BelowIsUniform) {
  RandomSource random(3);
  int counts[6] = {};
  for (int i = 0; i < 60000; ++i) ++counts[random.below(6)];
  double chi_squared = 0;
  for (const int count : counts) chi_squared += std::pow(count - 10000.0, 2) / 10000;
  EXPECT_LT(chi_squared, 20.5);  // 5 degrees of freedom, p = 0.001
}

}  // namespace
}  // namespace rackwright
