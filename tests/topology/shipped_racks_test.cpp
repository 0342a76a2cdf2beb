#include <cmath>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "kernels/device_info.hpp"
#include "tests/topology/hand_built.hpp"
#include "topology/evaluation.hpp"

namespace rackwright::topology {
namespace {

using namespace testing;

/// Every rack of the project, evaluated without a workload and with one.
class ShippedRacks : public ::testing::TestWithParam<const char*> {
 protected:
  ShippedRacks()
      : data_({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)}),
        catalog_(Catalog::load(data_)),
        design_(read_rack_design(data_.find(GetParam(), "topology/racks"), catalog_)),
        device_(kernels::find_device(design_.device, data_)) {}

  RackEvaluation evaluated(const std::optional<Demand>& load = std::nullopt) const {
    return evaluate(design_, catalog_, device_, load, {});
  }

  DataLocator data_;
  Catalog catalog_;
  RackDesign design_;
  kernels::DeviceInfo device_;
};

TEST_P(ShippedRacks, LoadAndLimitOfEveryRowShareAUnitAndABoundary) {
  for (const Limit& limit : evaluated(demand(8, 600, 100)).limits) {
    EXPECT_FALSE(limit.name.empty()) << limit.id;
    EXPECT_FALSE(limit.cause.empty()) << limit.id;
    if (!limit.limit) continue;
    EXPECT_EQ(limit.load.unit, limit.limit->unit) << limit.id;
    EXPECT_EQ(limit.load.boundary, limit.limit->boundary) << limit.id;
    EXPECT_LE(limit.margin_low, limit.margin) << limit.id;
    EXPECT_GE(limit.margin_high, limit.margin) << limit.id;
  }
}

TEST_P(ShippedRacks, EveryRemedyClearsItsLimit) {
  for (const Limit& limit : evaluated(demand(8, 600, 100)).limits) {
    if (limit.state == LimitState::violated) {
      EXPECT_FALSE(limit.remedy.empty()) << limit.id << ": " << limit.cause;
    }
    if (!limit.remedied_margin) continue;
    EXPECT_GT(*limit.remedied_margin, 0) << limit.id << ": " << limit.remedy;
    EXPECT_FALSE(limit.remedy.empty()) << limit.id;
  }
}

TEST_P(ShippedRacks, IdsAreUnique) {
  const auto e = evaluated(demand(8, 600, 100));
  std::set<std::string> limits, requirements;
  for (const Limit& limit : e.limits) EXPECT_TRUE(limits.insert(limit.id).second) << limit.id;
  for (const Requirement& need : e.requirements) {
    EXPECT_TRUE(requirements.insert(need.id).second) << need.id;
    EXPECT_FALSE(need.solved.empty()) << need.id;
    EXPECT_FALSE(need.supplier.empty()) << need.id;
    EXPECT_FALSE(need.effect.empty()) << need.id;
  }
}

TEST_P(ShippedRacks, EveryFigureIsFiniteInsideItsInterval) {
  const auto evaluation = evaluated(demand(8, 600, 100));
  ASSERT_FALSE(evaluation.figures.all().empty());
  for (const Figure& figure : evaluation.figures.all()) {
    EXPECT_TRUE(std::isfinite(figure.estimate.value)) << figure.key;
    EXPECT_LE(figure.estimate.low, figure.estimate.value) << figure.key;
    EXPECT_GE(figure.estimate.high, figure.estimate.value) << figure.key;
    EXPECT_FALSE(figure.estimate.unit.empty()) << figure.key;
  }
}

TEST_P(ShippedRacks, HeatOutIsPowerIn) {
  const auto e = evaluated();
  const Figure* in = e.figures.find("power.rack_ac.design_envelope");
  if (!in) GTEST_SKIP() << "node power blank";
  double out = e.figures.at("air.heat.design_envelope").value;
  if (const Figure* liquid = e.figures.find("liquid.heat.design_envelope")) {
    out += liquid->estimate.value;
  }
  EXPECT_NEAR(out, in->estimate.value, 1e-9 * out);
}

INSTANTIATE_TEST_SUITE_P(All, ShippedRacks,
                         ::testing::Values("dgx-h100-air", "dgx-b200-air", "dgx-b300-rdhx",
                                           "gb200-nvl72", "gb300-nvl72", "mi355x-oam",
                                           "next-gen-template"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

class Nvl72 : public ::testing::Test {
 protected:
  RackEvaluation evaluated(const char* id) const {
    const DataLocator data({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
    const Catalog catalog = Catalog::load(data);
    const RackDesign design = read_rack_design(data.find(id, "topology/racks"), catalog);
    return evaluate(design, catalog, kernels::find_device(design.device, data), std::nullopt, {});
  }
};

TEST_F(Nvl72, HasEighteenSwitchesAndFourCartridgesOf5184Pairs) {
  for (const char* id : {"gb200-nvl72", "gb300-nvl72"}) {
    const auto e = evaluated(id);
    EXPECT_EQ(e.figures.at("network.scale_up_switches").value, 18) << id;
    EXPECT_EQ(e.figures.at("cabling.backplane_cartridges").value, 4) << id;
    EXPECT_EQ(e.figures.at("cabling.backplane_pairs").value, 5184) << id;
  }
}

TEST_F(Nvl72, Gb300IsNotFeedRedundantAndSaysWhatCapHolds) {
  const auto e = evaluated("gb300-nvl72");
  const Limit* limit = find_limit(e, "power.bus.busbar.feed.A");
  ASSERT_NE(limit, nullptr);
  EXPECT_EQ(limit->state, LimitState::violated);
  EXPECT_EQ(limit->load.boundary, "busbar DC");
  EXPECT_DOUBLE_EQ(limit->limit->value, 132000);
  EXPECT_GT(*limit->remedied_margin, 0);
}

}  // namespace
}  // namespace rackwright::topology
