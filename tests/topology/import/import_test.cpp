#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"
#include "topology/catalog.hpp"
#include "topology/import/ib_discovery.hpp"
#include "topology/import/nccl_graph.hpp"
#include "topology/import/node_topology.hpp"
#include "topology/network/fabric_plan.hpp"

namespace rackwright::topology {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// PCI Express 5.0: 32 GT/s x 16 lanes x 128/130 / 8 = 63.0 GB/s; 2.5 GT/s x 1 with 8b/10b 0.25.
TEST(PcieRate, FollowsSpeedWidthAndCoding) {
  EXPECT_NEAR(*pcie_gb_per_s("32.0 GT/s PCIe", "16"), 63.0, 0.05);
  EXPECT_NEAR(*pcie_gb_per_s("2.5 GT/s", "1"), 0.25, 1e-9);
  EXPECT_FALSE(pcie_gb_per_s("", "16"));
}

TEST(NcclTopology, ReadsTheNodesOfCloudProviders) {
  RACKWRIGHT_NEED_SHARED("nccl-topologies/azure_ndv5-topo.xml");
  const auto folder = testing::shared_data() / "nccl-topologies";
  // Azure NDv5: 8 H100 with an NDR adapter beside each, two NUMA nodes.
  const NodeTopology ndv5 = read_nccl_topology(folder / "azure_ndv5-topo.xml");
  EXPECT_EQ(ndv5.gpus, 8);
  EXPECT_EQ(ndv5.nics, 8);
  EXPECT_EQ(ndv5.numa_nodes, 2);
  EXPECT_EQ(ndv5.nics_near_gpu, std::vector<int>(8, 1));
  EXPECT_NEAR(*ndv5.pcie_gb_per_s, 63.0, 0.05);
  // AWS p4d: 8 A100 and 4 EFA adapters, one beside each pair of GPUs.
  const NodeTopology p4d = read_nccl_topology(folder / "aws_p4d-24xl-topo.xml");
  EXPECT_EQ(p4d.gpus, 8);
  EXPECT_EQ(p4d.nics, 4);
  // Azure NCv4: 4 A100 PCIe, bridged in pairs by 12 NVLinks.
  EXPECT_EQ(read_nccl_topology(folder / "azure_ncv4-topo.xml").nvlinks_per_gpu, 12);
}

std::string refusal(const std::filesystem::path& path) {
  try {
    (void)read_nccl_graphs(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// Counted in the file: 2 rings of 12 GB/s, 4 balanced trees, 4 chains; no adapter.
TEST(NcclGraphs, ReadsTheChannelsOfACloudProvider) {
  RACKWRIGHT_NEED_SHARED("nccl-topologies/azure_ncv4-graph.xml");
  const auto folder = testing::shared_data() / "nccl-topologies";
  const auto graphs = read_nccl_graphs(folder / "azure_ncv4-graph.xml");
  ASSERT_EQ(graphs.size(), 3u);
  EXPECT_EQ(graphs[0].algorithm, "ring");
  EXPECT_EQ(graphs[0].channels,
            (std::vector<std::vector<std::string>>{{"0", "1", "2", "3"}, {"0", "3", "2", "1"}}));
  EXPECT_DOUBLE_EQ(graphs[0].bandwidth_gb_per_s(), 24);
  EXPECT_EQ(graphs[0].intra_path, "SYS");
  EXPECT_EQ(graphs[1].algorithm, "tree");
  EXPECT_EQ(graphs[1].channels.size(), 4u);
  EXPECT_EQ(graphs[2].algorithm, "collnet_chain");
  EXPECT_EQ(graphs[2].nics, 0);
  EXPECT_THAT(refusal(folder / "azure_ncv4-topo.xml"), HasSubstr("import nccl-topo"));
  EXPECT_THROW((void)read_nccl_topology(folder / "azure_ncv4-graph.xml"), InputError);
}

TEST(NcclGraphs, BecomeAPartOfTheCatalogue) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write(
      "g.xml",
      "<graphs version=\"1\"><graph id=\"0\" pattern=\"4\" nchannels=\"2\" speedintra=\"20.5\" "
      "speedinter=\"12\" typeintra=\"NVL\" typeinter=\"PIX\"><channel><net dev=\"0\"/><gpu "
      "dev=\"0\"/><gpu dev=\"1\"/><net dev=\"0\"/></channel><channel><net dev=\"1\"/><gpu "
      "dev=\"1\"/><gpu dev=\"0\"/><net dev=\"1\"/></channel></graph></graphs>");
  folder.write("topology/catalog/parts.json",
               graph_part(read_nccl_graphs(path), "node-x", "nccl-graph g.xml").dump());
  const Catalog catalog = Catalog::load(DataLocator({folder.path()}));
  const auto& node = catalog.require("node-x", "");
  EXPECT_EQ(*node.number("gpu_count"), 2);
  EXPECT_EQ(*node.number("ring_channel_count"), 2);
  EXPECT_EQ(*node.number("ring_gb_per_s"), 41);
  EXPECT_EQ(*node.number("ring_to_network_gb_per_s"), 24);
  EXPECT_EQ(*node.number("ring_nic_count"), 2);
}

TEST(NcclGraphs, SayWhereAFileIsWrong) {
  const testing::TemporaryFolder folder;
  const auto with = [&](const std::string& attributes, const std::string& channels) {
    return refusal(folder.write("g.xml", "<graphs version=\"1\">\n<graph id=\"0\" " + attributes +
                                             ">" + channels + "</graph>\n</graphs>\n"));
  };
  const std::string good = "speedintra=\"12\" speedinter=\"12\" nchannels=\"1\" ";
  const std::string ring = "<channel><gpu dev=\"0\"/><gpu dev=\"0\"/></channel>";
  EXPECT_THAT(with(good + "pattern=\"9\"", ring), HasSubstr("g.xml:2: pattern"));
  EXPECT_THAT(with(good + "pattern=\"4\"", ring), HasSubstr("each of 1 GPUs once"));
  EXPECT_THAT(with(good + "pattern=\"4\"", ""), HasSubstr("nchannels"));
  EXPECT_THAT(with("pattern=\"4\"", ring), HasSubstr("speedintra"));
}

TEST(NcclTopology, SaysWhereAFileBreaks) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("t.xml", "<system>\n <cpu>\n </pci>\n</system>\n");
  try {
    (void)read_nccl_topology(path);
    FAIL() << "no exception";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("t.xml:3"));
    EXPECT_THAT(error.what(), HasSubstr("<cpu>"));
  }
}

TEST(NcclTopology, BecomesAPartOfTheCatalogue) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write(
      "t.xml",
      "<!-- made up -->\n<system version=\"1\"><cpu numaid=\"0\"><pci class=\"0x060400\">"
      "<pci class=\"0x030200\" link_speed=\"16 GT/s\" link_width=\"16\"/>"
      "<pci class=\"0x020700\"/></pci></cpu></system>");
  const auto part = node_part(read_nccl_topology(path), "node-x", "nccl-topo t.xml");
  folder.write("topology/catalog/parts.json", part.dump());
  const Catalog catalog = Catalog::load(DataLocator({folder.path()}));
  EXPECT_EQ(*catalog.require("node-x", "").number("gpu_count"), 1);
  EXPECT_EQ(*catalog.require("node-x", "").number("nic_count"), 1);
}

TEST(NcclTopology, BytesThatAreNoTextAreNotPrinted) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(refusal(folder.write("t.et", "\x12\x03\x1f\x8b")),
              HasSubstr("t.et:1: expected \"<\", found bytes that are no text"));
}

// Such as a packed file: an escape sequence that never ends.
TEST(GpuMatrix, RefusesAnyBytes) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW((void)read_gpu_matrix(folder.write("t.gz", "\x1b\x1f\x8b\n\x1b[4\n")), InputError);
}

TEST(GpuMatrix, ReadsWhatNvidiaSmiPrints) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write(
      "topo.txt",
      "\t\x1b[4mGPU0\tGPU1\tNIC0\tNIC1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m\n"
      "GPU0\t X \tNV18\tPXB\tSYS\t0-47\t0\t\tN/A\n"
      "GPU1\tNV18\t X \tSYS\tPIX\t48-95\t1\t\tN/A\n"
      "NIC0\tPXB\tSYS\t X \tSYS\t\t\t\t\n"
      "NIC1\tSYS\tPIX\tSYS\t X \t\t\t\t\n\nLegend:\n  X    = Self\n");
  const NodeTopology node = read_gpu_matrix(path);
  EXPECT_EQ(node.gpus, 2);
  EXPECT_EQ(node.nics, 2);
  EXPECT_EQ(node.nvlinks_per_gpu, 18);
  EXPECT_EQ(node.nics_near_gpu, (std::vector<int>{1, 1}));
  EXPECT_THROW((void)read_gpu_matrix(folder.write("x.txt", "nothing")), InputError);
}

// Two leaves of two hosts each under one spine, every cable seen from both ends.
constexpr const char* kDump =
    "Switch  41 \"S-01\"   # \"spine\" base port 0 lid 1 lmc 0\n"
    "[1] \"S-02\"[21]   # \"leaf1\" lid 2 4xHDR\n"
    "[2] \"S-03\"[21]   # \"leaf2\" lid 3 4xHDR\n"
    "[41] \"H-ff\"[1](ff)  # \"Mellanox Technologies Aggregation Node\" lid 9 4xHDR\n"
    "Switch  41 \"S-02\"   # \"leaf1\" base port 0 lid 2 lmc 0\n"
    "[1] \"H-0a\"[1](0a)  # \"host1 mlx5_0\" lid 4 4xHDR\n"
    "[2] \"H-0b\"[1](0b)  # \"host2 mlx5_0\" lid 5 4xHDR\n"
    "[21] \"S-01\"[1]  # \"spine\" lid 1 4xHDR\n"
    "Switch  41 \"S-03\"   # \"leaf2\" base port 0 lid 3 lmc 0\n"
    "[1] \"H-0c\"[1](0c)  # \"host3 mlx5_0\" lid 6 4xHDR\n"
    "[21] \"S-01\"[2]  # \"spine\" lid 1 4xHDR\n"
    "Ca 1 \"H-0a\"  # \"host1 mlx5_0\"\n[1](0a) \"S-02\"[1]  # lid 4 lmc 0 \"leaf1\" lid 2 4xHDR\n"
    "Ca 1 \"H-0b\"  # \"host2 mlx5_0\"\n[1](0b) \"S-02\"[2]  # lid 5 lmc 0 \"leaf1\" lid 2 4xHDR\n";

TEST(IbDiscovery, FindsTiersRatesAndHalfSeenLinks) {
  const testing::TemporaryFolder folder;
  const IbDiscovery found = read_ib_discovery(folder.write("ib.txt", kDump));
  ASSERT_EQ(found.devices.size(), 5u);
  EXPECT_EQ(found.devices[0].tier, 2);
  EXPECT_EQ(found.devices[0].links.size(), 2u) << "the aggregation node is no cable";
  EXPECT_EQ(found.devices[1].tier, 1);
  EXPECT_DOUBLE_EQ(found.devices[1].links[0].gbit_per_s, 200);
  EXPECT_THAT(found.notes, Contains(HasSubstr("1 link ends")));
}

TEST(IbDiscovery, BecomesADesignThatCounts) {
  const testing::TemporaryFolder folder;
  const auto json =
      design_of(read_ib_discovery(folder.write("ib.txt", kDump)), "found", "ibnetdiscover");
  const FabricDesign design = read_fabric_design(folder.write("found.json", json.dump()));
  EXPECT_EQ(design.leaf_down_ports, 2);
  EXPECT_EQ(design.leaf_up_ports, 1);
  EXPECT_EQ(design.leaf_ports, 40);
  EXPECT_DOUBLE_EQ(design.link_gbit_per_s, 200);
  EXPECT_EQ(plan_fabric(design, 4).leaf, 2);
}

TEST(IbDiscovery, ReadsTheSharedDump) {
  RACKWRIGHT_NEED_SHARED("superbench-nccl-logs/ib_traffic_topo_aware_ibnetdiscover.txt");
  const IbDiscovery found = read_ib_discovery(
      testing::shared_data() / "superbench-nccl-logs/ib_traffic_topo_aware_ibnetdiscover.txt");
  int switches = 0, hosts = 0;
  for (const auto& device : found.devices) {
    (device.is_switch ? switches : hosts) += 1;
  }
  // One chassis spine with two line cards, five leaves, ten hosts with one HDR adapter each.
  EXPECT_EQ(switches, 8);
  EXPECT_GE(hosts, 10);
}

TEST(IbDiscovery, NamesTheLineItCannotRead) {
  const testing::TemporaryFolder folder;
  try {
    (void)read_ib_discovery(folder.write("ib.txt", "\nSwitch forty \"S-1\"\n"));
    FAIL() << "no exception";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ib.txt:2"));
  }
}

}  // namespace
}  // namespace rackwright::topology
