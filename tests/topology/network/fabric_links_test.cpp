#include "topology/network/fabric_links.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "topology/network/fabric.hpp"

namespace rackwright::topology {
namespace {

const std::filesystem::path kSource(RACKWRIGHT_SOURCE_DIR);

FabricDesign shipped(const std::string& id) {
  return read_fabric_design(kSource / "topology/fabrics" / (id + ".json"));
}

struct Built {
  const char* design;
  int nodes;
};

class EveryLink : public ::testing::TestWithParam<Built> {
 protected:
  const FabricDesign design_ = shipped(GetParam().design);
  const FabricPlan plan_ = plan_fabric(design_, GetParam().nodes);
  const std::vector<FabricLink> links_ = list_links(design_, plan_);
};

TEST_P(EveryLink, UsesItsPortsAlone) {
  std::set<std::tuple<FabricTier, int, int>> taken;
  for (const FabricLink& link : links_) {
    for (const FabricLinkEnd& end : {link.lower, link.upper}) {
      EXPECT_TRUE(taken.insert({end.tier, end.device, end.port}).second)
          << device_name(design_, end) << " port " << end.port;
    }
  }
}

TEST_P(EveryLink, StaysWithinTheSwitch) {
  std::map<FabricTier, int> ports{{FabricTier::leaf, design_.leaf_ports},
                                  {FabricTier::spine, plan_.spine_ports},
                                  {FabricTier::core, design_.core_ports}};
  const std::map<FabricTier, int> devices{{FabricTier::leaf, plan_.leaf * design_.planes},
                                          {FabricTier::spine, plan_.spine * design_.planes},
                                          {FabricTier::core, plan_.core * design_.planes}};
  for (const FabricLink& link : links_) {
    for (const FabricLinkEnd& end : {link.lower, link.upper}) {
      if (!ports.contains(end.tier)) continue;
      EXPECT_LT(end.port, ports.at(end.tier)) << device_name(design_, end);
      EXPECT_LT(end.device, devices.at(end.tier));
      EXPECT_GE(end.port, 0);
    }
  }
}

TEST_P(EveryLink, IsCountedInItsClass) {
  std::map<std::pair<FabricTier, FabricTier>, long long> walked;
  for (const FabricLink& link : links_) ++walked[{link.lower.tier, link.upper.tier}];
  const auto classes = classify_links(design_, plan_);
  EXPECT_EQ(walked.size(), classes.size());
  for (const FabricLinkClass& one : classes) {
    EXPECT_EQ((walked[{one.lower, one.upper}]), one.count) << name_of(one.upper);
  }
}

// Any leaf reaches any spine of its pod, and any spine any core switch of its group, over equally
// many links: that is what makes equal-cost paths equal.
TEST_P(EveryLink, SpreadsTheUplinksEvenly) {
  std::map<std::pair<int, int>, int> leaf_spine, spine_core;
  for (const FabricLink& link : links_) {
    if (link.upper.tier == FabricTier::spine) ++leaf_spine[{link.lower.device, link.upper.device}];
    if (link.upper.tier == FabricTier::core) ++spine_core[{link.lower.device, link.upper.device}];
  }
  const int slack = design_.uneven_uplinks ? 1 : 0;
  for (const auto& [pair, count] : leaf_spine) {
    EXPECT_NEAR(count, leaf_spine.begin()->second, slack);
  }
  for (const auto& [pair, count] : spine_core) EXPECT_EQ(count, spine_core.begin()->second);
}

TEST_P(EveryLink, KeepsRailsApartAtTheLeaf) {
  if (design_.attachment != Attachment::rail) GTEST_SKIP() << "attached by rack";
  if (design_.shape != FabricShape::tree) GTEST_SKIP() << "a pair of switches";
  for (const FabricLink& link : links_) {
    if (link.lower.tier != FabricTier::node) continue;
    EXPECT_EQ(link.lower.rail, link.upper.rail);
    EXPECT_EQ(link.lower.unit, link.upper.unit);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shipped, EveryLink,
    ::testing::Values(Built{"dgx-h100-superpod", 31}, Built{"dgx-h100-superpod", 95},
                      Built{"dgx-h100-superpod-ideal", 512}, Built{"dgx-b300-superpod-eth", 64},
                      Built{"dgx-b300-superpod-ib", 288}, Built{"gb200-superpod", 144},
                      Built{"gb200-superpod", 432}, Built{"apstra-a100", 64},
                      Built{"apstra-h100", 128}, Built{"llama3-roce-24k", 1152},
                      Built{"dgx-basepod-h100", 5}, Built{"gb200-nvl72-by-rack", 72},
                      Built{"gb300-nvl72-eth", 144}, Built{"nvl8-h100", 1}, Built{"nvl72", 18},
                      Built{"nvl36x2", 18}, Built{"nvl576", 144}),
    [](const auto& built) {
      std::string name = built.param.design;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name + "_" + std::to_string(built.param.nodes);
    });

TEST(FabricLinks, NameDevicesByTheirPlace) {
  const FabricDesign design = shipped("dgx-h100-superpod");
  const auto links = list_links(design, plan_fabric(design, 63));
  // Node 33 is the first of unit 2; its NIC 3 goes to port 1 of that unit's third rail leaf.
  for (const FabricLink& link : links) {
    if (link.lower.device != 32 || link.lower.tier != FabricTier::node || link.lower.rail != 2) {
      continue;
    }
    EXPECT_EQ(device_name(design, link.lower), "node-033");
    EXPECT_EQ(device_name(design, link.upper), "leaf-su2-rail3-1");
    EXPECT_EQ(link.upper.port, 0);
    EXPECT_EQ(link.lower.cage, 1) << "NICs 3 and 4 share the second twin-port cage";
    EXPECT_EQ(link.lower.lane, 0);
    return;
  }
  FAIL() << "no such link";
}

TEST(FabricLinks, JoinTheManagerWhereTheDisplacedNodeWouldBe) {
  const FabricDesign design = shipped("dgx-h100-superpod");
  int manager_links = 0;
  for (const FabricLink& link : list_links(design, plan_fabric(design, 31))) {
    if (link.lower.tier != FabricTier::manager) continue;
    EXPECT_EQ(link.upper.port, 31);
    EXPECT_EQ(link.upper.rail, manager_links);
    ++manager_links;
  }
  EXPECT_EQ(manager_links, 4);
}

}  // namespace
}  // namespace rackwright::topology
