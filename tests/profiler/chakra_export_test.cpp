#include "profiler/trace_io/chakra.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "profiler/import/import.hpp"
#include "profiler/import/wire_format.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

using ::testing::ElementsAre;

workloads::ServingPlan plan_of(int tp) {
  workloads::ServingPlan plan;
  plan.tp = tp;
  return plan;
}

/// A GEMM of 2 x 3 x 4 twice (two layers) and an all-reduce of 1 KiB over two ranks.
TimedStep small_step() {
  TimedStep step;
  workloads::Operator gemm{"up_proj", workloads::OperatorClass::gemm};
  gemm.repeat = 2;
  gemm.shape = workloads::GemmShape{.m = 2, .n = 3, .k = 4};
  workloads::Operator reduce{"all_reduce", workloads::OperatorClass::collective};
  reduce.repeat = 2;
  reduce.shape = workloads::CollectiveShape{workloads::CollectiveKind::all_reduce, 2, 1024};
  step.graph.operators = {gemm, reduce};
  step.timing.operators = {{.seconds = 5.0e-6}, {.seconds = 3.2e-6}};  // of both layers
  return step;
}

struct Attributes {
  std::map<std::string, std::pair<std::uint32_t, std::uint64_t>> number;  ///< field and value
  std::map<std::string, std::string> text;
};

struct ReadNode {
  std::uint64_t id = 0, type = 0, start = 0, duration = 0;
  std::string name;
  std::vector<std::uint64_t> after;
  Attributes attributes;
};

/// Reads by the numbers of et_def.proto, apart from the importer.
std::vector<ReadNode> nodes_of(const std::string& bytes, std::string& version) {
  std::vector<ReadNode> nodes;
  WireReader file(bytes);
  bool metadata = true;
  while (!file.done()) {
    WireReader message(*file.take(*file.varint()));
    ReadNode node;
    while (const auto field = message.next()) {
      if (metadata) {
        if (field->number == 1) version = field->bytes;
        continue;
      }
      if (field->number == 1) node.id = field->value;
      if (field->number == 2) node.name = field->bytes;
      if (field->number == 3) node.type = field->value;
      if (field->number == 5) {
        for (WireReader packed(field->bytes); !packed.done();) {
          node.after.push_back(*packed.varint());
        }
      }
      if (field->number == 6) node.start = field->value;
      if (field->number == 7) node.duration = field->value;
      if (field->number == 10) {
        WireReader attribute(field->bytes);
        const std::string key(attribute.next()->bytes);
        const auto value = attribute.next();
        if (value->number == 29) {
          node.attributes.text[key] = value->bytes;
        } else {
          node.attributes.number[key] = {value->number, value->value};
        }
      }
    }
    EXPECT_FALSE(message.damaged());
    if (!metadata) nodes.push_back(std::move(node));
    metadata = false;
  }
  return nodes;
}

TEST(ChakraExport, LayersAreWrittenOutWithTheAttributesOfTheSchema) {
  std::ostringstream out;
  ChakraGroups groups;
  write_chakra({small_step()}, plan_of(4), 3, out, groups);
  std::string version;
  const auto nodes = nodes_of(out.str(), version);
  EXPECT_EQ(version, "0.0.4");
  ASSERT_EQ(nodes.size(), 4U);
  EXPECT_EQ(nodes[0].name, "up_proj");
  EXPECT_EQ(nodes[1].name, "all_reduce");
  EXPECT_EQ(nodes[2].name, "up_proj");
  EXPECT_EQ(nodes[0].type, 4U);  // COMP_NODE
  EXPECT_EQ(nodes[1].type, 7U);  // COMM_COLL_NODE
  EXPECT_TRUE(nodes[0].after.empty());
  EXPECT_THAT(nodes[3].after, ElementsAre(2U));
  const auto& compute = nodes[0].attributes.number;
  EXPECT_EQ(compute.at("num_ops"), std::pair(9U, std::uint64_t{48}));  // 2 x 2 x 3 x 4
  EXPECT_EQ(compute.at("tensor_size").first, 13U);
  EXPECT_EQ(compute.at("is_cpu_op"), std::pair(27U, std::uint64_t{0}));
  const auto& collective = nodes[1].attributes;
  EXPECT_EQ(collective.number.at("comm_type"), std::pair(9U, std::uint64_t{0}));  // ALL_REDUCE
  EXPECT_EQ(collective.number.at("comm_size"), std::pair(9U, std::uint64_t{1024}));
  // Rank 3 of four shares a group of two with rank 2.
  EXPECT_THAT(groups.at(collective.text.at("pg_name")), ElementsAre(2, 3));
  // 2.5, 1.6, 2.5, 1.6 us: ends at 2.5, 4.1, 6.6, 8.2, each rounded.
  EXPECT_EQ(nodes[0].duration, 3U);
  EXPECT_EQ(nodes[1].duration, 1U);
  EXPECT_EQ(nodes[2].duration, 3U);
  EXPECT_EQ(nodes[3].start + nodes[3].duration, 8U);
}

TEST(ChakraExport, BytesAreThoseOfTheSchema) {
  Recording recording;
  recording.names = {"k"};
  recording.tracks = {{0, "stream 7"}};
  recording.events = {{0, 300e-6, 0, 0, EventKind::kernel, -1}};
  std::ostringstream out;
  write_chakra(recording, 0, out);
  const std::string bytes = out.str();
  const auto node = bytes.substr(static_cast<unsigned char>(bytes[0]) + 1U);
  // By hand: length 28; 08 00 id, 12 01 'k' name, 18 04 COMP_NODE, 30 00 start, 38 ac 02 = 300 us,
  // 52 0e attr {0a 09 "is_cpu_op", d8 01 00 bool false}.
  const std::string by_hand(
      "\x1c\x08\x00\x12\x01k\x18\x04\x30\x00\x38\xac\x02\x52\x0e\x0a\x09is_cpu_op\xd8\x01\x00", 29);
  EXPECT_EQ(node, by_hand);
}

TEST(ChakraExport, OurImporterReadsItBack) {
  const rackwright::testing::TemporaryFolder folder;
  std::ostringstream out;
  ChakraGroups groups;
  write_chakra({small_step(), small_step()}, plan_of(2), 0, out, groups);
  const Recording back = read_chakra(folder.write("x.0.et", out.str()));
  ASSERT_EQ(back.events.size(), 8U);
  int collectives = 0;
  for (const Event& event : back.events) {
    if (event.kind != EventKind::collective) continue;
    ++collectives;
    EXPECT_EQ(event.bytes, 1024);
  }
  EXPECT_EQ(collectives, 4);
  EXPECT_NEAR(back.end_s(), 16.4e-6, 0.5e-6);
}

TEST(ChakraExport, AnImportedRunKeepsTheOrderOfItsStreams) {
  Recording recording;
  recording.names = {"gemm", "ncclDevKernel_AllGather"};
  recording.tracks = {{0, "stream 7"}, {0, "stream 20"}, {1, "stream 7"}};
  recording.events = {{0, 10e-6, 0, 0, EventKind::kernel, -1},
                      {2e-6, 4e-6, 1, 1, EventKind::collective, 4096},
                      {12e-6, 1e-6, 0, 0, EventKind::kernel, -1},
                      {13e-6, 1e-6, 2, 0, EventKind::kernel, -1}};
  std::ostringstream out;
  write_chakra(recording, 0, out);
  std::string version;
  const auto nodes = nodes_of(out.str(), version);
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_TRUE(nodes[1].after.empty());  // overlaps the first kernel
  EXPECT_THAT(nodes[2].after, ElementsAre(0U, 1U));
  EXPECT_EQ(nodes[1].attributes.number.at("comm_type").second, 2U);  // ALL_GATHER
  EXPECT_THROW(write_chakra(recording, 5, out), InputError);
}

TEST(ChakraExport, PipelineStagesAreRefused) {
  workloads::ServingPlan plan = plan_of(2);
  plan.pp = 2;
  std::ostringstream out;
  ChakraGroups groups;
  EXPECT_THROW(write_chakra({small_step()}, plan, 0, out, groups), InputError);
}

}  // namespace
}  // namespace rackwright::profiler
