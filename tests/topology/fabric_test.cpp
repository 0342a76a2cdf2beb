#include "topology/network/fabric.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::topology {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const std::filesystem::path kSource(RACKWRIGHT_SOURCE_DIR);

const Catalog& catalog() {
  static const Catalog parts = Catalog::load(DataLocator({kSource}));
  return parts;
}

FabricDesign shipped(const std::string& id) {
  return read_fabric_design(kSource / "topology/fabrics" / (id + ".json"));
}

FabricCounts count(const std::string& id, int nodes) {
  return count_fabric(shipped(id), nodes, catalog());
}

// NVIDIA DGX SuperPOD RA, DGX H100, RA-11333-001 V11, Table 4 (with UFM) and Table 3 (idealised);
// DGX B200, RA-11334-001, Table 3.1; DGX B300, RA-11337-001, Table 3.
struct PublishedRow {
  const char* design;
  int nodes, leaf, spine, node_leaf, leaf_spine;
};

class PublishedFabric : public ::testing::TestWithParam<PublishedRow> {};

TEST_P(PublishedFabric, IsCountedExactly) {
  const PublishedRow& row = GetParam();
  const FabricCounts counts = count(row.design, row.nodes);
  EXPECT_EQ(counts.leaf, row.leaf);
  EXPECT_EQ(counts.spine, row.spine);
  EXPECT_EQ(counts.core, 0);
  EXPECT_EQ(counts.node_leaf_cables, row.node_leaf);
  EXPECT_EQ(counts.leaf_spine_cables, row.leaf_spine);
  EXPECT_EQ(counts.spine_core_cables, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Tables, PublishedFabric,
    ::testing::Values(PublishedRow{"dgx-h100-superpod", 31, 8, 4, 252, 256},
                      PublishedRow{"dgx-h100-superpod", 63, 16, 8, 508, 512},
                      PublishedRow{"dgx-h100-superpod", 95, 24, 16, 764, 768},
                      PublishedRow{"dgx-h100-superpod", 127, 32, 16, 1020, 1024},
                      PublishedRow{"dgx-h100-superpod-ideal", 128, 32, 16, 1024, 1024},
                      PublishedRow{"dgx-h100-superpod-ideal", 256, 64, 32, 2048, 2048},
                      PublishedRow{"dgx-b200-superpod-ideal", 64, 16, 8, 512, 512},
                      PublishedRow{"dgx-b300-superpod-eth", 64, 16, 8, 512, 512},
                      PublishedRow{"gb200-superpod", 144, 32, 24, 576, 576}));

// The SuperPOD RA, Tables 7 and 8, 4 scalable units, 127 nodes: 2040 MPO cables (1016 node + 1024
// uplink), 2 cables and 4 transceivers for UFM, 1536 twin-port switch and 508 node transceivers, 48
// switches.
TEST(H100SuperPod, MatchesItsBillOfMaterial) {
  const FabricCounts counts = count("dgx-h100-superpod", 127);
  EXPECT_EQ(counts.link_cables, 2040);
  EXPECT_EQ(counts.management_cables, 2);
  EXPECT_EQ(counts.switch_transceivers, 1536);
  EXPECT_EQ(counts.node_transceivers, 508);
  EXPECT_EQ(counts.management_transceivers, 4);
  EXPECT_EQ(counts.leaf + counts.spine, 48);
  EXPECT_EQ(counts.gpus, 1016);
  // 48 x 747 W and 48 x 1720 W of the QM97x0 hardware manual
  EXPECT_DOUBLE_EQ(counts.switch_power_typical_w, 35856);
  EXPECT_DOUBLE_EQ(counts.switch_power_max_w, 82560);
}

TEST(H100SuperPod, ExplainsSixteenSpinesWhereTwelveCarryTheLinks) {
  const FabricCounts counts = count("dgx-h100-superpod", 95);
  EXPECT_THAT(counts.notes, Contains(HasSubstr("12 spines carry the 768 uplinks")));
  EXPECT_THAT(counts.notes, Contains(HasSubstr("16 is the next divisor of 32")));
  EXPECT_EQ(counts.spare_spine_ports, 16 * 64 - 768);  // 256
}

TEST(H100SuperPod, BuildsForTheNodeThatTheFabricManagerDisplaces) {
  EXPECT_EQ(count("dgx-h100-superpod", 32).scalable_units, 2) << "32 nodes and UFM need 33 places";
  EXPECT_EQ(count("dgx-h100-superpod-ideal", 32).scalable_units, 1);
}

// 128 nodes x 8 x 400 Gb/s = 409.6 Tb/s; half of it is 204.8 Tb/s = 25.6 TB/s.
TEST(H100SuperPod, HasFullBisection) {
  const FabricCounts counts = count("dgx-h100-superpod-ideal", 128);
  EXPECT_DOUBLE_EQ(counts.bisection_bytes_per_s, 25.6e12);
  EXPECT_DOUBLE_EQ(counts.oversubscription, 1);
}

// A folded Clos of radix k: k^3/4 endpoints take 5k^2/4 switches. k = 64: 65536 endpoints, 8192
// nodes of 8, k^2/2 = 2048 leaves, 2048 spines, k^2/4 = 1024 cores.
TEST(H100SuperPod, BecomesAFullFatTreeOfItsRadixInThreeTiers) {
  const FabricCounts counts = count("dgx-h100-superpod-ideal", 8192);
  EXPECT_EQ(counts.leaf, 2048);
  EXPECT_EQ(counts.spine, 2048);
  EXPECT_EQ(counts.core, 1024);
  EXPECT_EQ(counts.spine_core_cables, 65536);
  EXPECT_EQ(counts.spare_leaf_ports + counts.spare_spine_ports + counts.spare_core_ports, 0);
}

// A count beyond what 64-port cores reach would need a fourth tier.
TEST(H100SuperPod, RefusesMoreThanThreeTiersCarry) {
  EXPECT_THROW((void)count("dgx-h100-superpod-ideal", 8193), InputError);
  EXPECT_THROW((void)count("dgx-h100-superpod-ideal", 0), InputError);
}

// Juniper Apstra AI fabrics: 64 DGX H100: 32 leaves, 16 spines of 32 ports; 128: 64 leaves, 16
// spines of 64 ports. A100: 64: 16 and 8; 128: 32 and 16.
TEST(Apstra, TakesTheLargerSpineWhenASmallOneNeedsMoreThanALeafHasUplinks) {
  EXPECT_EQ(count("apstra-h100", 64).spine, 16);
  EXPECT_EQ(count("apstra-h100", 64).spine_ports, 32);
  EXPECT_EQ(count("apstra-h100", 128).leaf, 64);
  EXPECT_EQ(count("apstra-h100", 128).spine, 16);
  EXPECT_EQ(count("apstra-h100", 128).spine_ports, 64);
  EXPECT_EQ(count("apstra-a100", 64).leaf, 16);
  EXPECT_EQ(count("apstra-a100", 64).spine, 8);
  EXPECT_EQ(count("apstra-a100", 128).spine, 16);
}

TEST(Apstra, RefusesWhatTwoTiersCannotCarryAndSaysHowMuchTheyCan) {
  try {
    (void)count("apstra-h100", 257);
    FAIL() << "no exception";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("at most 256 nodes"));
  }
}

// Four units: per rail and unit 6 spines of 24 up; each of the 6 core groups takes 16 spines' 24
// uplinks: 384 / 64 = 6 switches, a divisor of 24. Sixteen units fill 24 a group; more has no
// ports.
TEST(Gb200SuperPod, JoinsItsUnitsByCoreGroups) {
  const FabricCounts counts = count("gb200-superpod", 4 * 144);
  EXPECT_EQ(counts.leaf, 128);
  EXPECT_EQ(counts.spine, 96);
  EXPECT_EQ(counts.core, 36);
  EXPECT_EQ(counts.spine_core_cables, 4 * 576);
  EXPECT_EQ(count("gb200-superpod", 16 * 144).core, 144);
  EXPECT_THROW((void)count("gb200-superpod", 16 * 144 + 1), InputError);
}
// Three units: 12 spines x 24 = 288 uplinks a group need 4.5 switches; 6 is the next divisor of 24.
TEST(Gb200SuperPod, TakesTheNextDivisorForTheCore) {
  EXPECT_EQ(count("gb200-superpod", 3 * 144).core, 36);
}

// arXiv:2407.21783, 3.3.1: 16 GPUs a rack with one top-of-rack switch, 192 racks a pod of 3,072
// GPUs, 8 pods of full bisection, 1:7 above.
TEST(Llama3Roce, HasARackSwitchForSixteenGpusAndEightPods) {
  const FabricCounts counts = count("llama3-roce-24k", 3072);
  EXPECT_EQ(counts.gpus, 24576);
  EXPECT_EQ(counts.leaf, 1536);
  EXPECT_EQ(counts.node_leaf_cables, 24576);
  EXPECT_EQ(counts.leaf_spine_cables, 24576);
  EXPECT_DOUBLE_EQ(counts.oversubscription, 1);
  EXPECT_NEAR(counts.core_oversubscription, 7, 0.05);
}

// DGX BasePOD RA RA-11127-001 V5, Table 4.2, 4 nodes: 2 QM9700, 16 twin-port modules in DGX, 16 in
// switches, 8 twin-port DAC between the switches; 4 nodes x 8 links are 32 fibre cables.
TEST(BasePod, MatchesItsBillOfMaterial) {
  const FabricCounts counts = count("dgx-basepod-h100", 4);
  EXPECT_EQ(counts.leaf, 2);
  EXPECT_EQ(counts.node_transceivers, 16);
  EXPECT_EQ(counts.switch_transceivers, 16);
  EXPECT_EQ(counts.joining_cables, 8);
  EXPECT_EQ(counts.link_cables, 32);
  EXPECT_EQ(counts.spare_leaf_ports, 2 * (64 - 16 - 16));
  EXPECT_EQ(count("dgx-basepod-h100", 8).spare_leaf_ports, 0);
  EXPECT_THROW((void)count("dgx-basepod-h100", 9), InputError);
}

// SemiAnalysis, GB200 Hardware Architecture: 288 x 400G ports of four racks on 32 ports down.
TEST(Gb200ByRack, TakesNineLeavesForFourRacks) {
  const FabricCounts counts = count("gb200-nvl72-by-rack", 72);
  EXPECT_EQ(counts.leaf, 9);
  EXPECT_EQ(counts.node_leaf_cables, 288);
}

// 72 GPUs x 18 links x 4 pairs = 5,184 pairs on 18 switches, 4 cartridges, nothing pulled.
TEST(NvlinkDomain, RunsSeventyTwoGpusInTheBackplane) {
  const FabricCounts counts = count("nvl72", 18);
  EXPECT_EQ(counts.leaf, 18);
  EXPECT_EQ(counts.backplane_pairs, 5184);
  EXPECT_EQ(counts.backplane_cartridges, 4);
  EXPECT_EQ(counts.link_cables, 0);
  EXPECT_EQ(counts.switch_transceivers + counts.node_transceivers, 0);
  EXPECT_EQ(counts.spare_leaf_ports, 0);
  // 72 x 900 GB/s one way, halved
  EXPECT_DOUBLE_EQ(counts.bisection_bytes_per_s, 36 * 900e9);
}

// 72 GPUs x 7.2 Tb/s / 1.6 Tb/s = 324 modules at the GPUs and 324 at the switches.
TEST(NvlinkDomain, NeedsSixHundredFortyEightModulesInOptics) {
  const FabricCounts counts = count("nvl72-optical", 18);
  EXPECT_EQ(counts.node_transceivers, 324);
  EXPECT_EQ(counts.switch_transceivers, 324);
  EXPECT_EQ(counts.link_cables, 648);
  ASSERT_TRUE(counts.optics_power_typical_w);
  EXPECT_DOUBLE_EQ(*counts.optics_power_typical_w, 648 * 30);
}

// Each of 18 switches of a rack sends 36 x 400G to its twin: 18 x 36 / 4 = 162 cables of 1.6T.
TEST(NvlinkDomain, JoinsTwoRacksOfThirtySixByCopper) {
  const FabricCounts counts = count("nvl36x2", 18);
  EXPECT_EQ(counts.gpus, 72);
  EXPECT_EQ(counts.leaf, 36);
  EXPECT_EQ(counts.joining_links, 648);
  EXPECT_EQ(counts.joining_cables, 162);
  EXPECT_EQ(counts.spare_leaf_ports, 0);
}

// 576 GPUs x 18 links on 36 ports down: 288 switches; 10,368 links up on 72 ports: 144 switches;
// 10,368 x 400G / 1.6T at either end: 5,184 modules.
TEST(NvlinkDomain, JoinsEightRacksInTwoTiers) {
  const FabricCounts counts = count("nvl576", 144);
  EXPECT_EQ(counts.gpus, 576);
  EXPECT_EQ(counts.leaf, 288);
  EXPECT_EQ(counts.spine, 144);
  EXPECT_EQ(counts.leaf_spine_cables, 10368);
  EXPECT_EQ(counts.switch_transceivers, 5184);
  EXPECT_EQ(counts.node_transceivers, 0);
}

TEST(NvlinkDomain, SpreadsEachGpuOfABoardOverItsSwitches) {
  EXPECT_EQ(count("nvl8-h100", 1).leaf, 4);
  EXPECT_EQ(count("nvl8-b200", 1).leaf, 2);
  // 8 x 450 GB/s one way, halved
  EXPECT_DOUBLE_EQ(count("nvl8-h100", 1).bisection_bytes_per_s, 4 * 450e9);
}

// One 800G NIC as 2 x 400G: two planes of 128-port switches. 64 nodes: each plane has 8 leaves of
// 64 links down, 512 uplinks on 4 spines.
TEST(Planes, DoubleTheSwitchesOfHalfTheRate) {
  const FabricCounts counts = count("dgx-b300-superpod-eth-2-planes", 64);
  EXPECT_EQ(counts.leaf, 16);
  EXPECT_EQ(counts.spine, 8);
  EXPECT_EQ(counts.node_leaf_cables, 1024);
  // 64 nodes x 8 x 800 Gb/s / 2
  EXPECT_DOUBLE_EQ(counts.bisection_bytes_per_s, 25.6e12);
}

class EveryNodeCount : public ::testing::TestWithParam<const char*> {};

// Conservation: every port that a cable takes exists, and more nodes never take fewer switches.
TEST_P(EveryNodeCount, UsesOnlyPortsThatExist) {
  const FabricDesign design = shipped(GetParam());
  int switches = 0;
  for (int nodes = 1; nodes <= 128; ++nodes) {
    const FabricCounts counts = count_fabric(design, nodes, catalog());
    EXPECT_GE(counts.spare_leaf_ports, 0) << nodes;
    EXPECT_GE(counts.spare_spine_ports, 0) << nodes;
    EXPECT_GE(counts.spare_core_ports, 0) << nodes;
    EXPECT_GE(counts.leaf + counts.spine + counts.core, switches) << nodes;
    switches = counts.leaf + counts.spine + counts.core;
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, EveryNodeCount,
                         ::testing::Values("dgx-h100-superpod", "dgx-h100-superpod-ideal",
                                           "dgx-b200-superpod-ideal", "dgx-b300-superpod-eth",
                                           "dgx-b300-superpod-ib", "gb200-superpod", "apstra-h100",
                                           "gb200-nvl72-by-rack", "gb300-nvl72-eth",
                                           "dgx-b300-superpod-eth-2-planes"));

TEST(FabricDesign, ReportsPortsThatDoNotAddUpAndAMissingSource) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("f.json", R"({"format_version": 1, "id": "f", "name": "F",
    "leaf_part": "qm9700", "spine_part": "qm9700", "endpoints_per_node": 8, "gpus_per_node": 8,
    "nodes_per_su": 32, "leaf_ports": 64, "leaf_down_ports": 40, "leaf_up_ports": 32,
    "spine_ports": 64, "link_gbit_per_s": 400, "leaf_prts": 1})");
  try {
    (void)read_fabric_design(path);
    FAIL() << "no exception";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("/leaf_up_ports: expected at most the 24 ports left of 64"));
    EXPECT_THAT(error.what(), HasSubstr("/source: expected a text"));
    EXPECT_THAT(error.what(), HasSubstr("nearest: \"leaf_ports\""));
  }
}

TEST(FabricDesign, NamesAnUnknownSwitchWhenItIsCounted) {
  FabricDesign design = shipped("dgx-h100-superpod");
  design.leaf_part = "qm9701";
  EXPECT_THROW((void)count_fabric(design, 31, catalog()), InputError);
}

/// The design of a row of the shared table, "" where no shipped rule stands for it.
std::string design_of(const std::string& row) {
  if (row == "DGX H100 SuperPOD") return "dgx-h100-superpod";
  if (row == "DGX H100 SuperPOD idealised") return "dgx-h100-superpod-ideal";
  if (row == "DGX B200 SuperPOD idealised") return "dgx-b200-superpod-ideal";
  if (row == "DGX B300 SuperPOD Spectrum-4") return "dgx-b300-superpod-eth";
  if (row == "DGX GB200 SuperPOD") return "gb200-superpod";
  if (row.ends_with("DGX-A100")) return "apstra-a100";
  if (row.ends_with("DGX-H100")) return "apstra-h100";
  return "";
}

TEST(SharedFabricCounts, AreMetByEveryRowExactly) {
  RACKWRIGHT_NEED_SHARED("validation/fabric_counts.csv");
  CsvReader csv(testing::shared_data() / "validation/fabric_counts.csv",
                {.required = {"design", "nodes"}, .header = {}});
  int rows = 0;
  while (csv.next()) {
    const std::string id = design_of(csv.cell("design"));
    ASSERT_NE(id, "") << csv.cell("design");
    const auto counts = count(id, static_cast<int>(csv.integer("nodes")));
    const std::pair<const char*, int> columns[] = {{"leaf", counts.leaf},
                                                   {"spine", counts.spine},
                                                   {"core", counts.core},
                                                   {"node_leaf_cables", counts.node_leaf_cables},
                                                   {"leaf_spine_cables", counts.leaf_spine_cables},
                                                   {"spine_core_cables", counts.spine_core_cables},
                                                   {"gpus", counts.gpus}};
    for (const auto& [column, counted] : columns) {
      if (const auto published = csv.optional_number(column)) {
        EXPECT_EQ(counted, *published) << csv.cell("case_id") << " " << column;
      }
    }
    ++rows;
  }
  EXPECT_EQ(rows, 13);
}

TEST(SharedCableBom, IsMetByTheFirstSixRowsExactly) {
  RACKWRIGHT_NEED_SHARED("validation/cable_bom.csv");
  const FabricCounts counts = count("dgx-h100-superpod", 127);
  const std::map<std::string, int> counted{{"bom-001", counts.link_cables},
                                           {"bom-002", counts.management_cables},
                                           {"bom-003", counts.switch_transceivers},
                                           {"bom-004", counts.node_transceivers},
                                           {"bom-005", counts.management_transceivers},
                                           {"bom-006", counts.leaf + counts.spine}};
  CsvReader csv(testing::shared_data() / "validation/cable_bom.csv",
                {.required = {"case_id", "count"}, .header = {}});
  int rows = 0;
  while (csv.next()) {
    const auto found = counted.find(csv.cell("case_id"));
    if (found == counted.end()) continue;
    EXPECT_EQ(found->second, csv.integer("count")) << found->first;
    ++rows;
  }
  EXPECT_EQ(rows, 6);
}

}  // namespace
}  // namespace rackwright::topology
