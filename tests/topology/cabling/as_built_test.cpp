#include "topology/cabling/as_built.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/topology/cabling/small_floor.hpp"
#include "topology/cabling/cable_exports.hpp"

namespace rackwright::topology {
namespace {

class AsBuiltOfTheNvl72Row : public ::testing::Test {
 protected:
  CablePlan plan = testing::shipped("gb200-superpod", 144, "middle-of-row", "gb200-nvl72");

  /// Everything as designed.
  AsBuilt as_designed() const {
    AsBuilt built;
    for (const FabricLink& link : plan.links) {
      const auto& a =
          plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(link.lower))];
      const auto& b =
          plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(link.upper))];
      built.links.push_back({{a.name, port_name(a, link.lower.port)},
                             {b.name, port_name(b, link.upper.port)},
                             "list"});
    }
    return built;
  }
  std::size_t find(FabricTier lower, int device, int rail_or_port) const {
    for (std::size_t k = 0; k < plan.links.size(); ++k) {
      const FabricLinkEnd& end = plan.links[k].lower;
      const int value = lower == FabricTier::node ? end.rail : end.port;
      if (end.tier == lower && end.device == device && value == rail_or_port) return k;
    }
    ADD_FAILURE() << "no such link";
    return 0;
  }
};

TEST_F(AsBuiltOfTheNvl72Row, HasNoFaultWhenBuiltAsDesigned) {
  const AsBuiltCheck check = check_as_built(plan, as_designed());
  EXPECT_EQ(check.right_links, 1152);
  EXPECT_TRUE(check.findings.empty());
}

TEST_F(AsBuiltOfTheNvl72Row, FindsFivePlantedFaultsAndInventsNone) {
  AsBuilt built = as_designed();
  auto& links = built.links;
  // 1: NIC 1 of node 10 is dark.
  const std::size_t dark = find(FabricTier::node, 10, 0);
  // 2: nodes 20 and 21 have exchanged their plugs on rail 2.
  std::swap(links[find(FabricTier::node, 20, 1)].b, links[find(FabricTier::node, 21, 1)].b);
  // 3: node 30 has exchanged rails 3 and 4.
  std::swap(links[find(FabricTier::node, 30, 2)].b, links[find(FabricTier::node, 30, 3)].b);
  // 4: node 40 is on an idle port of its own leaf (18 + 18 of 64 ports are in use).
  links[find(FabricTier::node, 40, 0)].b.port = "32/2";
  // 5: an idle port of one leaf is joined with an idle port of another.
  const std::string leaf_a = links[find(FabricTier::node, 0, 0)].b.device;
  const std::string leaf_b = links[find(FabricTier::node, 0, 1)].b.device;
  links.push_back({{leaf_a, "31/1"}, {leaf_b, "31/1"}, "list"});
  links.erase(links.begin() + static_cast<std::ptrdiff_t>(dark));

  const AsBuiltCheck check = check_as_built(plan, built);
  ASSERT_EQ(check.findings.size(), 5U) << findings_csv(check);
  const auto count = [&](CableFault fault) {
    return std::count_if(check.findings.begin(), check.findings.end(),
                         [&](const CableFinding& f) { return f.fault == fault; });
  };
  EXPECT_EQ(count(CableFault::missing), 1);
  EXPECT_EQ(count(CableFault::swapped), 1);
  EXPECT_EQ(count(CableFault::wrong_rail), 1);
  EXPECT_EQ(count(CableFault::wrong_port), 1);
  EXPECT_EQ(count(CableFault::unexpected), 1);
  EXPECT_EQ(check.right_links, 1152 - 1 - 2 - 2 - 1);
  // Node 10 is the eleventh tray of the first rack: 8 trays from U7, then from U24.
  const auto missing = std::find_if(check.findings.begin(), check.findings.end(),
                                    [](const auto& f) { return f.fault == CableFault::missing; });
  EXPECT_EQ(missing->rack, "R01");
  EXPECT_EQ(missing->unit, "U26");
  EXPECT_EQ(missing->port, "nic1");
}

TEST_F(AsBuiltOfTheNvl72Row, NamesACableOnAnotherRailAndTheOneItDisplaced) {
  AsBuilt built = as_designed();
  const std::size_t moved = find(FabricTier::node, 50, 0), lost = find(FabricTier::node, 50, 1);
  built.links[moved].b = built.links[lost].b;
  built.links.erase(built.links.begin() + static_cast<std::ptrdiff_t>(lost));
  const AsBuiltCheck check = check_as_built(plan, built);
  ASSERT_EQ(check.findings.size(), 2U) << findings_csv(check);
  EXPECT_EQ(check.findings[0].fault, CableFault::wrong_rail);
  EXPECT_EQ(check.findings[1].fault, CableFault::missing);
}

TEST_F(AsBuiltOfTheNvl72Row, ReadsItsOwnPullSheetAndNetboxList) {
  const rackwright::testing::TemporaryFolder folder;
  for (const auto& [name, text] : {std::pair{"pull.csv", pull_sheet_csv(plan)},
                                   std::pair{"netbox.csv", netbox_cables_csv(plan)}}) {
    write_file(folder.path() / name, text);
    const AsBuiltCheck check = check_as_built(plan, read_as_built(folder.path() / name));
    EXPECT_EQ(check.right_links, 1152) << name;
    EXPECT_TRUE(check.findings.empty()) << name << "\n" << findings_csv(check);
  }
}

TEST_F(AsBuiltOfTheNvl72Row, ReadsADiscoveryDumpWithNamesOfTheSite) {
  const FabricLink& link = plan.links[find(FabricTier::node, 0, 1)];
  const auto& node = plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(link.lower))];
  const auto& leaf = plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(link.upper))];
  const std::string port = std::to_string(link.upper.port + 1);
  const rackwright::testing::TemporaryFolder folder;
  write_file(
      folder.path() / "dump.txt",
      "vendid=0x2c9\nSwitch\t65 \"S-0001\"\t\t# \"MF0;sw-a:MQM9700/U1\" enhanced port 0 lid 1\n[" +
          port +
          "]\t\"H-0002\"[1](0002) \t\t# \"gpu-host-1 mlx5_1\" lid 3 4xNDR\n\n"
          "vendid=0x2c9\nCa\t1 \"H-0002\"\t\t# \"gpu-host-1 mlx5_1\"\n[1](0002) \t\"S-0001\"[" +
          port + "]\t\t# lid 3 lmc 0 \"MF0;sw-a:MQM9700/U1\" lid 1 4xNDR\n");
  write_file(folder.path() / "names.csv",
             "found,design\nsw-a," + leaf.name + "\ngpu-host-1," + node.name + "\n");
  const AsBuilt built = read_as_built(folder.path() / "dump.txt");
  ASSERT_EQ(built.links.size(), 1U);
  const AsBuiltCheck check =
      check_as_built(plan, built, read_device_names(folder.path() / "names.csv"));
  EXPECT_EQ(check.right_links, 1);
  EXPECT_EQ(check.findings.size(), 1151U);  // the rest of the row is dark
}

TEST_F(AsBuiltOfTheNvl72Row, SaysWhichNameItDoesNotKnow) {
  AsBuilt built = as_designed();
  built.links[0].a.device = "node-999";
  const AsBuiltCheck check = check_as_built(plan, built);
  ASSERT_EQ(check.findings.size(), 2U);
  EXPECT_TRUE(std::any_of(check.findings.begin(), check.findings.end(), [](const auto& f) {
    return f.fault == CableFault::unknown_name && f.device == "node-999";
  }));
}

TEST(AsBuilt, RefusesAFileOfNeitherKind) {
  const rackwright::testing::TemporaryFolder folder;
  write_file(folder.path() / "other.csv", "left,right\n1,2\n");
  EXPECT_THROW(static_cast<void>(read_as_built(folder.path() / "other.csv")), InputError);
}

}  // namespace
}  // namespace rackwright::topology
