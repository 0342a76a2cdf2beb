#include "profiler/trace_io/chakra.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "profiler/import/import.hpp"
#include "profiler/import/wire_format.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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

// ASTRA-sim's ring sends `comm_size` n - 1 times for an all-gather and a share 1/n of it for a
// reduce-scatter; its roofline takes num_ops / min(peak, num_ops / tensor_size x bandwidth) and
// lets nodes of the CPU take their recorded time.
TEST(ChakraExport, SizesAndHostTimeAreWhatSimulatorsTakeThemFor) {
  using workloads::CollectiveKind;
  using workloads::OperatorClass;
  TimedStep step;
  const auto exchange = [](const char* name, CollectiveKind kind) {
    return workloads::Operator{name, OperatorClass::collective, workloads::Lane::compute, 1,
                               workloads::CollectiveShape{kind, 4, 4096}};
  };
  step.graph.operators = {
      exchange("gather", CollectiveKind::all_gather),
      exchange("scatter", CollectiveKind::reduce_scatter),
      exchange("exchange", CollectiveKind::all_to_all),
      {"copy", OperatorClass::elementwise, workloads::Lane::compute, 1,
       workloads::ElementwiseShape{64, 64, 0}},
      {"host", OperatorClass::host, workloads::Lane::compute, 1, workloads::HostShape{2}}};
  step.timing.operators = {{.seconds = 3e-6},
                           {.seconds = 3e-6},
                           {.seconds = 3e-6},
                           {.seconds = 2e-6},
                           {.seconds = 7e-6}};
  step.timing.launch_s = 4e-6;
  std::ostringstream out;
  ChakraGroups groups;
  write_chakra({step}, plan_of(4), 0, out, groups);
  std::string version;
  const auto nodes = nodes_of(out.str(), version);
  ASSERT_EQ(nodes.size(), 6U);
  EXPECT_EQ(nodes[0].attributes.number.at("comm_size").second, 1024U);
  EXPECT_EQ(nodes[1].attributes.number.at("comm_size").second, 4096U);
  EXPECT_EQ(nodes[2].attributes.number.at("comm_size").second, 4096U);
  EXPECT_EQ(nodes[3].attributes.number.at("num_ops").second, 1U);
  EXPECT_EQ(nodes[3].attributes.number.at("is_cpu_op").second, 0U);
  for (const std::size_t host : {4U, 5U}) {
    EXPECT_EQ(nodes[host].attributes.number.at("is_cpu_op").second, 1U);
    EXPECT_EQ(nodes[host].attributes.number.count("num_ops"), 0U);
  }
  EXPECT_EQ(nodes[4].duration, 7U);
}

// The only collectives of the sample of mlcommons/chakra are broadcasts: comm_type 5.
TEST(ChakraExport, CollectivesAreTypedByTheirKernels) {
  Recording recording;
  recording.names = {"ncclKernel_Broadcast_RING_LL_Sum_int8_t",
                     "ncclDevKernel_Reduce_Sum_f32_RING_LL",
                     "ncclDevKernel_AllReduce_Sum_bf16_RING_LL", "cross_device_reduce_1stage"};
  recording.tracks = {{0, "stream 7"}};
  for (std::uint32_t name = 0; name < 4; ++name) {
    recording.events.push_back({name * 1e-5, 4e-6, 0, name, EventKind::collective, 64});
  }
  std::ostringstream out;
  write_chakra(recording, 0, out);
  std::string version;
  std::vector<std::uint64_t> types;
  for (const ReadNode& node : nodes_of(out.str(), version)) {
    types.push_back(node.attributes.number.at("comm_type").second);
  }
  EXPECT_THAT(types, ElementsAre(5U, 1U, 0U, 0U));
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

/// Four layers and both ends, as a step of a two-stage pipeline lists them: what is done for each
/// of the two micro-batches stands with all its repeats.
TimedStep pipeline_step() {
  using workloads::OperatorClass;
  TimedStep step;
  step.graph.operators = {
      {"embedding", OperatorClass::elementwise, workloads::Lane::compute, 2,
       workloads::ElementwiseShape{64, 64, 0}},
      {"up_proj", OperatorClass::gemm, workloads::Lane::compute, 4,
       workloads::GemmShape{.m = 2, .n = 3, .k = 4}},
      {"stage_send", OperatorClass::collective, workloads::Lane::communication, 2,
       workloads::CollectiveShape{workloads::CollectiveKind::send_recv, 2, 256}},
      {"lm_head", OperatorClass::gemm, workloads::Lane::compute, 2,
       workloads::GemmShape{.m = 3, .n = 5, .k = 4}},
      {"host", OperatorClass::host, workloads::Lane::compute, 1, workloads::HostShape{2}}};
  step.timing.operators = {{.seconds = 2e-6},
                           {.seconds = 40e-6},
                           {.seconds = 6e-6},
                           {.seconds = 8e-6},
                           {.seconds = 5e-6}};
  return step;
}

std::vector<std::vector<ReadNode>> pipeline_ranks(int tp) {
  workloads::ServingPlan plan = plan_of(tp);
  plan.pp = 2;
  std::vector<std::vector<ReadNode>> ranks;
  ChakraGroups groups;
  for (int rank = 0; rank < plan.gpus(); ++rank) {
    std::ostringstream out;
    write_chakra({pipeline_step(), pipeline_step()}, plan, rank, out, groups);
    std::string version;
    ranks.push_back(nodes_of(out.str(), version));
  }
  return ranks;
}

std::vector<std::string> names_of(const std::vector<ReadNode>& nodes) {
  std::vector<std::string> names;
  for (const ReadNode& node : nodes) names.push_back(node.name);
  return names;
}

TEST(ChakraExport, AStageRunsItsLayersForOneMicroBatchAfterTheOther) {
  const auto ranks = pipeline_ranks(1);
  const std::vector<std::string> first{"embedding", "up_proj", "up_proj", "stage_send"};
  std::vector<std::string> expected;
  for (int step = 0; step < 2; ++step) {
    for (int batch = 0; batch < 2; ++batch) {
      if (step > 0) expected.emplace_back("sampled_tokens");
      expected.insert(expected.end(), first.begin(), first.end());
    }
    expected.emplace_back("host");
  }
  EXPECT_EQ(names_of(ranks[0]), expected);
  const auto last = names_of(ranks[1]);
  EXPECT_THAT(std::vector<std::string>(last.begin(), last.begin() + 5),
              ElementsAre("stage_receive", "up_proj", "up_proj", "lm_head", "sampled_tokens"));
  // The second micro-batch's embedding waits for the layers before it, not for what is sent.
  EXPECT_EQ(ranks[0][3].type, 5U);  // COMM_SEND_NODE
  EXPECT_THAT(ranks[0][3].after, ElementsAre(2U));
  EXPECT_THAT(ranks[0][4].after, ElementsAre(2U));
  // A layer waits for what it receives and for the micro-batch before it.
  EXPECT_EQ(ranks[1][5].type, 6U);  // COMM_RECV_NODE
  EXPECT_THAT(ranks[1][5].after, ElementsAre(0U));
  EXPECT_THAT(ranks[1][6].after, ElementsAre(3U, 5U));
}

// Whatever is sent is received once, under the same tag and size; and the stages together do the
// work that one GPU's list of repeats names times the stages.
TEST(ChakraExport, StagesPassOnWhatTheyReceiveAndShareTheWork) {
  const auto ranks = pipeline_ranks(2);
  ASSERT_EQ(ranks.size(), 4U);
  std::map<std::vector<std::uint64_t>, int> open;
  std::uint64_t flops = 0;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    for (const ReadNode& node : ranks[rank]) {
      const auto& value = node.attributes.number;
      if (node.name == "up_proj") flops += value.at("num_ops").second;
      if (node.type != 5 && node.type != 6) continue;
      const bool sends = node.type == 5;
      EXPECT_EQ(value.at(sends ? "comm_src" : "comm_dst").second, rank);
      EXPECT_EQ(value.at("comm_src").first, 7U);  // int32_val
      open[{value.at("comm_src").second, value.at("comm_dst").second, value.at("comm_tag").second,
            value.at("comm_size").second}] += sends ? 1 : -1;
    }
  }
  // 4 ranks x 2 steps x 4 repeats x 48 FLOP.
  EXPECT_EQ(flops, 4U * 2 * 4 * 48);
  int unread = 0;
  for (const auto& [what, count] : open) {
    EXPECT_TRUE((what[0] + 2) % 4 == what[1]) << what[0] << " to " << what[1];
    if (what[1] < what[0]) {
      EXPECT_EQ(what[3], 12U);  // three tokens
      unread += count;          // those of the last step
    } else {
      EXPECT_EQ(what[3], 256U);
      EXPECT_EQ(count, 0);
    }
  }
  EXPECT_EQ(unread, 2 * 2);  // two micro-batches, two ranks of a stage
}

/// `message` as protoc prints it, by the schema in tests.
std::string decoded(const std::string& message, const char* type) {
  const rackwright::testing::TemporaryFolder folder;
  const auto file = folder.write("message", message);
  const std::string command =
      fmt::format("protoc --proto_path='{0}' --decode=ChakraProtoMsg.{1} et_def.proto < '{2}' 2>&1",
                  RACKWRIGHT_SOURCE_DIR "/tests/profiler", type, file.string());
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  EXPECT_EQ(::pclose(pipe), 0) << text;
  return text;
}

TEST(ChakraExport, ProtocReadsIt) {
  if (std::system("protoc --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no protoc here";
  workloads::ServingPlan plan = plan_of(1);
  plan.pp = 2;
  std::ostringstream out;
  ChakraGroups groups;
  write_chakra({pipeline_step()}, plan, 0, out, groups);
  std::vector<std::string> messages;
  const std::string bytes = out.str();
  for (WireReader file(bytes); !file.done();) messages.emplace_back(*file.take(*file.varint()));
  ASSERT_EQ(messages.size(), 10U);
  EXPECT_THAT(decoded(messages[0], "GlobalMetadata"), HasSubstr("version: \"0.0.4\""));
  const std::string layer = decoded(messages[2], "Node"), send = decoded(messages[4], "Node");
  EXPECT_THAT(layer, AllOf(HasSubstr("name: \"up_proj\""), HasSubstr("type: COMP_NODE"),
                           HasSubstr("data_deps: 0"), HasSubstr("duration_micros: 10"),
                           HasSubstr("int64_val: 48"), HasSubstr("bool_val: false")));
  EXPECT_THAT(send, AllOf(HasSubstr("type: COMM_SEND_NODE"), HasSubstr("name: \"comm_dst\""),
                          HasSubstr("int32_val: 1"), HasSubstr("int64_val: 256")));
  // Fields that the schema does not have are printed as bare numbers.
  EXPECT_THAT(layer + send, Not(ContainsRegex("(^|\n) *[0-9]+:")));
}

}  // namespace
}  // namespace rackwright::profiler
