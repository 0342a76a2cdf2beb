#include "profiler/cupti/activity_parser.hpp"

#include <cstring>
#include <vector>

#include <cupti.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rackwright::profiler::cupti {
namespace {

/// Keeps what it gets.
class Keeper final : public ActivitySink {
 public:
  void kernel(const KernelActivity& kernel) override {
    kernels.push_back(kernel);
    names.emplace_back(kernel.name);
  }
  void copy(const CopyActivity& copy) override { copies.push_back(copy); }
  void environment(const EnvironmentActivity& reading) override { readings.push_back(reading); }
  void correlation(std::uint32_t correlation, std::uint64_t id) override {
    operators.emplace_back(correlation, id);
  }
  void graph(const GraphActivity& graph) override { graphs.push_back(graph); }
  void link(std::string_view text) override { links.emplace_back(text); }
  std::vector<KernelActivity> kernels;
  std::vector<std::string> names, links;
  std::vector<CopyActivity> copies;
  std::vector<GraphActivity> graphs;
  std::vector<EnvironmentActivity> readings;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> operators;
};

/// Real records back to back, as CUPTI hands them over.
class Buffer {
 public:
  template <class Record>
  Buffer& add(const Record& record) {
    const std::size_t words = (sizeof record + 7) / 8;
    const std::size_t at = words_.size();
    words_.resize(at + words);
    std::memcpy(&words_[at], &record, sizeof record);
    return *this;
  }
  [[nodiscard]] std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(words_.data()); }
  [[nodiscard]] std::size_t size() const { return 8 * words_.size(); }

 private:
  std::vector<std::uint64_t> words_;
};

CUpti_ActivityKernel10 kernel(std::uint64_t start, std::uint64_t end,
                              std::uint32_t correlation = 1) {
  CUpti_ActivityKernel10 record{};
  record.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  record.start = start;
  record.end = end;
  record.deviceId = 3;
  record.streamId = 7;
  record.correlationId = correlation;
  record.graphId = 2;
  record.graphNodeId = 9;
  record.name = "gemm";
  return record;
}

CUpti_ActivityEnvironment environment(CUpti_ActivityEnvironmentKind kind) {
  CUpti_ActivityEnvironment record{};
  record.kind = CUPTI_ACTIVITY_KIND_ENVIRONMENT;
  record.timestamp = 50;
  record.environmentKind = kind;
  return record;
}

ActivityCounts parse(Keeper& keeper, Buffer& buffer, std::size_t size) {
  ActivityParser parser(keeper);
  parser.parse(buffer.data(), size);
  return parser.counts();
}
ActivityCounts parse(Keeper& keeper, Buffer& buffer) {
  return parse(keeper, buffer, buffer.size());
}

TEST(ActivityParser, HasTheLayoutOfTheLibrary) {
  EXPECT_TRUE(same_layout());
  EXPECT_EQ(sizeof(CUpti_ActivityKernel10), 216U);
  EXPECT_EQ(sizeof(CUpti_ActivityMemcpy6), 96U);
  EXPECT_EQ(sizeof(CUpti_ActivityEnvironment), 40U);
}

TEST(ActivityParser, ReadsKernelsCopiesAndWhoLaunchedThem) {
  CUpti_ActivityMemcpy6 copy{};
  copy.kind = CUPTI_ACTIVITY_KIND_MEMCPY;
  copy.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_DTOD;
  copy.bytes = 1 << 20;
  copy.start = 300;
  copy.end = 400;
  CUpti_ActivityExternalCorrelation launch{};
  launch.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
  launch.externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
  launch.externalId = 42;
  launch.correlationId = 1;
  Buffer buffer;
  buffer.add(launch).add(kernel(100, 250)).add(copy);
  Keeper keeper;
  const ActivityCounts counts = parse(keeper, buffer);
  ASSERT_EQ(keeper.kernels.size(), 1U);
  EXPECT_EQ(keeper.kernels[0].end_ns - keeper.kernels[0].start_ns, 150U);
  EXPECT_EQ(keeper.kernels[0].device, 3U);
  EXPECT_EQ(keeper.kernels[0].stream, 7U);
  EXPECT_EQ(keeper.kernels[0].graph_node, 9U);
  EXPECT_EQ(keeper.names[0], "gemm");
  ASSERT_EQ(keeper.copies.size(), 1U);
  EXPECT_EQ(keeper.copies[0].bytes, 1048576U);
  EXPECT_EQ(keeper.copies[0].kind, 8);
  EXPECT_EQ(keeper.operators[0], std::pair(1U, std::uint64_t{42}));
  EXPECT_FALSE(counts.incomplete());
}

TEST(ActivityParser, ConvertsTheEnvironmentToSi) {
  auto power = environment(CUPTI_ACTIVITY_ENVIRONMENT_POWER);
  power.data.power.power = 651250;  // mW
  auto speed = environment(CUPTI_ACTIVITY_ENVIRONMENT_SPEED);
  speed.data.speed.smClock = 1980;
  speed.data.speed.memoryClock = 2619;
  Buffer buffer;
  buffer.add(power).add(speed);
  Keeper keeper;
  parse(keeper, buffer);
  ASSERT_EQ(keeper.readings.size(), 3U);
  EXPECT_DOUBLE_EQ(keeper.readings[0].value, 651.25);
  EXPECT_DOUBLE_EQ(keeper.readings[1].value, 1.98e9);
  EXPECT_EQ(keeper.readings[2].what, Environment::memory_clock);
}

TEST(ActivityParser, UntimedKernelsAreCountedNotSummed) {
  Buffer buffer;
  buffer.add(kernel(0, 0)).add(kernel(100, 90)).add(kernel(100, 0)).add(kernel(100, 200));
  Keeper keeper;
  const ActivityCounts counts = parse(keeper, buffer);
  EXPECT_EQ(counts.kernels, 4U);
  EXPECT_EQ(counts.untimed, 3U);
  EXPECT_EQ(keeper.kernels.size(), 1U);
  EXPECT_TRUE(counts.incomplete());
}

TEST(ActivityParser, OutOfOrderIsNoFault) {
  Buffer buffer;
  buffer.add(kernel(100, 200)).add(kernel(50, 80));
  Keeper keeper;
  const ActivityCounts counts = parse(keeper, buffer);
  EXPECT_EQ(counts.out_of_order, 1U);
  EXPECT_FALSE(counts.incomplete());
}

TEST(ActivityParser, KindsThatWereNotAskedForAreSkipped) {
  CUpti_ActivityFunction function{};
  function.kind = CUPTI_ACTIVITY_KIND_FUNCTION;
  Buffer buffer;
  buffer.add(function).add(kernel(100, 200));
  Keeper keeper;
  const ActivityCounts counts = parse(keeper, buffer);
  EXPECT_EQ(counts.unknown, 1U);
  EXPECT_EQ(keeper.kernels.size(), 1U);
}

TEST(ActivityParser, WaitsOwnCostPeersAndLinksAreKeptApart) {
  CUpti_ActivitySynchronization2 wait{};
  wait.kind = CUPTI_ACTIVITY_KIND_SYNCHRONIZATION;
  wait.start = 100;
  wait.end = 350;
  CUpti_ActivityOverhead3 overhead{};
  overhead.kind = CUPTI_ACTIVITY_KIND_OVERHEAD;
  overhead.start = 400;
  overhead.end = 460;
  CUpti_ActivityMemcpyPtoP4 peer{};
  peer.kind = CUPTI_ACTIVITY_KIND_MEMCPY2;
  peer.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_PTOP;
  peer.bytes = 4096;
  peer.start = 500;
  peer.end = 600;
  CUpti_ActivityNvLink4 link{};
  link.kind = CUPTI_ACTIVITY_KIND_NVLINK;
  link.nvlinkVersion = 4;
  link.physicalNvLinkCount = 18;
  link.bandwidth = 450'000'000;  // kB/s
  link.nvswitchConnected = 1;
  link.typeDev0 = link.typeDev1 = CUPTI_DEV_TYPE_GPU;
  for (char i = 0; i < 16; ++i) link.idDev0.uuidDev.bytes[static_cast<int>(i)] = i;
  CUpti_ActivityPcie bus{};
  bus.kind = CUPTI_ACTIVITY_KIND_PCIE;
  bus.type = CUPTI_PCIE_DEVICE_TYPE_BRIDGE;
  bus.pcieGeneration = 5;
  bus.linkWidth = 16;
  bus.upstreamBus = 23;
  bus.attr.bridgeAttr.secondaryBus = 24;
  Buffer buffer;
  buffer.add(wait).add(overhead).add(peer).add(link).add(bus);
  Keeper keeper;
  const ActivityCounts counts = parse(keeper, buffer);
  EXPECT_EQ(counts.synchronisation_ns, 250U);
  EXPECT_EQ(counts.overhead_ns, 60U);
  EXPECT_EQ(counts.unknown, 0U);
  ASSERT_EQ(keeper.copies.size(), 1U);
  EXPECT_EQ(keeper.copies[0].kind, 10);
  EXPECT_THAT(keeper.links,
              ::testing::ElementsAre(
                  "NVLink 4, GPU-00010203-0405-0607-0809-0a0b0c0d0e0f to "
                  "GPU-00000000-0000-0000-0000-000000000000: 18 links, 450 GB/s, through a switch",
                  "PCIe generation 5, 16 lanes, bridge to bus 18 below bus 17 of domain 0"));
}

TEST(ActivityParser, ABufferCutInARecordKeepsWhatIsWhole) {
  Buffer buffer;
  buffer.add(kernel(100, 200)).add(kernel(300, 400));
  Keeper keeper;
  const ActivityCounts counts = parse(keeper, buffer, buffer.size() - 8);
  EXPECT_EQ(keeper.kernels.size(), 1U);
  EXPECT_EQ(counts.cut_buffers, 1U);
  EXPECT_TRUE(counts.incomplete());
}

TEST(ActivityParser, DroppedRecordsMakeTheTraceIncomplete) {
  Keeper keeper;
  ActivityParser parser(keeper);
  EXPECT_FALSE(parser.counts().incomplete());
  parser.add_dropped(3);
  EXPECT_TRUE(parser.counts().incomplete());
}

/// Counts only.
class Counter final : public ActivitySink {
 public:
  void kernel(const KernelActivity& kernel) override { busy_ns += kernel.end_ns - kernel.start_ns; }
  void copy(const CopyActivity&) override {}
  void environment(const EnvironmentActivity&) override {}
  void correlation(std::uint32_t, std::uint64_t) override {}
  std::uint64_t busy_ns = 0;
};

TEST(ActivityParser, TenMillionRecordsInTheMemoryOfOneBuffer) {
  Buffer buffer;
  for (std::uint64_t i = 0; i < 20000; ++i) buffer.add(kernel(1000 + 10 * i, 1004 + 10 * i));
  Counter counter;
  ActivityParser parser(counter);
  for (int i = 0; i < 500; ++i) parser.parse(buffer.data(), buffer.size());
  EXPECT_EQ(parser.counts().kernels, 10'000'000U);
  EXPECT_EQ(counter.busy_ns, 40'000'000U);
}

CUpti_ActivityGraphTrace2 launch(std::uint64_t start, std::uint64_t end, std::uint32_t graph) {
  CUpti_ActivityGraphTrace2 record{};
  record.kind = CUPTI_ACTIVITY_KIND_GRAPH_TRACE;
  record.start = start;
  record.end = end;
  record.deviceId = record.endDeviceId = 2;
  record.streamId = 13;
  record.graphId = graph;
  record.correlationId = 77;
  return record;
}

TEST(ActivityParser, GraphLaunchesAreReadAndThoseWithoutATimeAreCounted) {
  Buffer buffer;
  buffer.add(launch(5000, 9000, 4)).add(kernel(1000, 2000)).add(launch(0, 0, 4));
  buffer.add(launch(9500, 9400, 5));
  Keeper keeper;
  ActivityParser parser(keeper);
  parser.parse(buffer.data(), buffer.size());
  EXPECT_EQ(parser.counts().graphs, 3U);
  EXPECT_EQ(parser.counts().untimed, 2U);
  EXPECT_TRUE(parser.counts().incomplete());
  ASSERT_EQ(keeper.graphs.size(), 1U);
  EXPECT_EQ(keeper.graphs[0].start_ns, 5000U);
  EXPECT_EQ(keeper.graphs[0].end_ns, 9000U);
  EXPECT_EQ(keeper.graphs[0].device, 2U);
  EXPECT_EQ(keeper.graphs[0].stream, 13U);
  EXPECT_EQ(keeper.graphs[0].graph, 4U);
}

TEST(ActivityParser, ABufferCutWithinAGraphRecordIsCounted) {
  Buffer buffer;
  buffer.add(launch(1000, 2000, 1)).add(launch(3000, 4000, 1));
  Keeper keeper;
  ActivityParser parser(keeper);
  parser.parse(buffer.data(), buffer.size() - 8);
  EXPECT_EQ(keeper.graphs.size(), 1U);
  EXPECT_EQ(parser.counts().cut_buffers, 1U);
}

}  // namespace
}  // namespace rackwright::profiler::cupti
