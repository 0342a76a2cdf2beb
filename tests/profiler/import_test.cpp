#include "profiler/import/import.hpp"

#include <map>
#include <sstream>
#include <thread>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

#include "common/input_error.hpp"
#include "profiler/import/wire_format.hpp"
#include "profiler/run_file.hpp"
#include "profiler/sqlite.hpp"
#include "profiler/trace_io/recording_io.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::profiler {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

struct Sum {
  std::size_t count = 0;
  double seconds = 0;
};

std::map<EventKind, Sum> by_kind(const Recording& recording) {
  std::map<EventKind, Sum> sums;
  for (const Event& event : recording.events) {
    ++sums[event.kind].count;
    sums[event.kind].seconds += event.duration_s;
  }
  return sums;
}

fs::path written(const testing::TemporaryFolder& folder, const char* name,
                 const std::string& text) {
  return folder.write(name, text);
}

std::string message_of(Recording (*read)(const fs::path&, const ImportProgress&),
                       const fs::path& path) {
  try {
    read(path, {});
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// Counts and sums of the samples were taken from the JSON with another parser (Python's).

TEST(ImportKineto, KeepsEveryIntervalOfAnA100Trace) {
  RACKWRIGHT_NEED_SHARED("kineto-traces/nccl_a100.json.gz");
  const Recording run = read_kineto(testing::shared_data() / "kineto-traces/nccl_a100.json.gz");
  auto sums = by_kind(run);
  EXPECT_EQ(run.events.size(), 26933U);
  EXPECT_EQ(sums[EventKind::kernel].count + sums[EventKind::collective].count, 2700U);
  EXPECT_EQ(sums[EventKind::collective].count, 21U);
  EXPECT_NEAR(sums[EventKind::kernel].seconds + sums[EventKind::collective].seconds, 0.16253234,
              1e-8);
  EXPECT_EQ(sums[EventKind::copy].count, 1074U);
  EXPECT_EQ(sums[EventKind::runtime].count, 8740U);
  EXPECT_EQ(sums[EventKind::op].count, 14346U);
  EXPECT_EQ(run.events.front().start_s, 0);
  std::uint64_t read = 0;
  for (const RecordCount& count : run.counts) read += count.read;
  EXPECT_EQ(read, 40573U);
}

TEST(ImportKineto, ReadsTheOtherSamples) {
  RACKWRIGHT_NEED_SHARED("kineto-traces/alexnet_train.json.gz");
  const fs::path folder = testing::shared_data() / "kineto-traces";
  const struct {
    const char* file;
    std::size_t kernels, events;
  } expected[] = {{"alexnet_train", 79, 868},
                  {"cupti_counters", 0, 2324},
                  {"event_sync", 3, 57},
                  {"sampled_rank0", 1154, 4811},
                  {"triton_example", 1, 8}};
  for (const auto& sample : expected) {
    const Recording run = read_kineto(folder / (std::string(sample.file) + ".json.gz"));
    auto sums = by_kind(run);
    EXPECT_EQ(run.events.size(), sample.events) << sample.file;
    EXPECT_EQ(sums[EventKind::kernel].count + sums[EventKind::collective].count, sample.kernels)
        << sample.file;
  }
}

constexpr const char* kSmallTrace = R"({"schemaVersion": 1, "note": "a ] in \" text",
"deviceProperties": [{"id": 0, "name": "NVIDIA H100 80GB HBM3"}], "traceEvents": [
{"ph": "X", "cat": "kernel", "name": "gemm {x}", "pid": 0, "tid": 7, "ts": 1700000000000010.5, "dur": 2.25,
 "args": {"device": 3, "stream": 7}},
{"ph": "X", "cat": "kernel", "name": "ncclDevKernel_AllReduce_Sum_bf16_RING_LL", "ts": 1700000000000000, "dur": 4,
 "args": {"device": 3, "stream": 9, "In msg nelems": 1024, "dtype": "BFloat16"}},
{"ph": "s", "id": 1, "ts": 3, "cat": "ac2g"},
{"ph": "C", "name": "GPU memory", "ts": 1700000000000002, "args": {"Used": 12.5}}
], "traceName": "t.json"})";

TEST(ImportKineto, TellsGpuStreamAndBytes) {
  const testing::TemporaryFolder folder;
  const Recording run = read_kineto(written(folder, "t.json", kSmallTrace));
  ASSERT_EQ(run.events.size(), 2U);
  const Event& collective = run.events[0];
  EXPECT_EQ(collective.kind, EventKind::collective);
  EXPECT_EQ(collective.bytes, 2048);  // 1,024 elements of two bytes
  EXPECT_EQ(run.tracks[collective.track].gpu, 3);
  EXPECT_EQ(run.tracks[collective.track].name, "stream 9");
  EXPECT_EQ(run.names[run.events[1].name], "gemm {x}");
  EXPECT_NEAR(run.events[1].start_s, 10.5e-6, 1e-12);
  EXPECT_NEAR(run.events[1].duration_s, 2.25e-6, 1e-15);
  ASSERT_EQ(run.counters.size(), 1U);
  EXPECT_EQ(run.counters[0].value, 12.5);
  EXPECT_EQ(run.device_names, std::vector<std::string>{"NVIDIA H100 80GB HBM3"});
}

TEST(ImportKineto, PiecesOfAnySizeGiveTheSameEvents) {
  const testing::TemporaryFolder folder;
  std::string text = R"({"traceEvents": [)";
  constexpr int kEvents = 40000;
  for (int i = 0; i < kEvents; ++i) {
    if (i > 0) text += ",\n";
    text += R"({"ph":"X","cat":"cpu_op","name":"op \"[{\\)" + std::to_string(i % 9) +
            R"(","pid":1,"tid":1,"ts":)" + std::to_string(i) + R"(,"dur":0.5})";
  }
  text += "]}";
  ASSERT_GT(text.size(), std::size_t{3} << 20);  // several pieces and reads
  const Recording run = read_kineto(written(folder, "many.json", text));
  ASSERT_EQ(run.events.size(), std::size_t{kEvents});
  EXPECT_EQ(run.names[run.events[kEvents - 1].name], "op \"[{\\3");  // 39,999 modulo 9
  EXPECT_NEAR(run.events[kEvents - 1].start_s, (kEvents - 1) * 1e-6, 1e-12);
}

TEST(ImportKineto, BadFilesSayWhatIsWrong) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT(message_of(read_kineto, folder.path() / "none.json"), HasSubstr("no such file"));
  const std::string whole = kSmallTrace;
  EXPECT_THAT(message_of(read_kineto, written(folder, "cut.json", whole.substr(0, 400))),
              HasSubstr("ends inside an object"));
  EXPECT_THAT(message_of(read_kineto, written(folder, "other.json", R"({"a": 1})")),
              HasSubstr("no array \"traceEvents\""));
  EXPECT_THAT(message_of(read_kineto, written(folder, "empty.json", R"({"traceEvents": []})")),
              HasSubstr("complete events"));
  EXPECT_THAT(message_of(read_kineto, written(folder, "bad.json", R"([{"ph": "X" "ts": 1}])")),
              HasSubstr("after event 0"));
  const fs::path packed = folder.path() / "cut.json.gz";
  const gzFile file = gzopen(packed.c_str(), "wb");
  gzwrite(file, whole.data(), static_cast<unsigned>(whole.size()));
  gzclose(file);
  fs::resize_file(packed, fs::file_size(packed) - 40);
  EXPECT_THAT(message_of(read_kineto, packed), HasSubstr("expected"));
}

TEST(ImportChakra, ReadsTheNodesOfASmallTrace) {
  RACKWRIGHT_NEED_SHARED("chakra-et/small_chakra.0.json");
  const Recording small = read_chakra(testing::shared_data() / "chakra-et/small_chakra.0.json");
  EXPECT_EQ(small.events.size(), 7U);
  auto sums = by_kind(small);
  EXPECT_EQ(sums[EventKind::collective].count, 1U);
  EXPECT_NEAR(sums[EventKind::collective].seconds, 28e-6, 1e-12);
}

std::string varint(std::uint64_t value) {
  std::string text;
  while (value >= 128) {
    text += static_cast<char>(value % 128 + 128);
    value /= 128;
  }
  return text + static_cast<char>(value);
}
std::string field(unsigned number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}
std::string field(unsigned number, const std::string& bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}

TEST(ImportChakra, ReadsProtobufNodesAndTheirDependencies) {
  const testing::TemporaryFolder folder;
  const std::string on_gpu = field(10, field(1, "is_cpu_op") + field(27, 0));
  const std::string first = field(1, 5) + field(2, "matmul") + field(3, 4) + field(7, 300) + on_gpu;
  const std::string second = field(1, 6) + field(2, "all_reduce") + field(3, 7) +
                             field(5, varint(5)) + field(7, 50) + on_gpu +
                             field(10, field(1, "comm_size") + field(9, 9724160));
  std::string file;
  for (const std::string& message : {field(2, field(1, "schema")), first, second}) {
    file += varint(message.size()) + message;
  }
  const Recording run = read_chakra(written(folder, "t.et", file));
  ASSERT_EQ(run.events.size(), 2U);
  EXPECT_EQ(run.events[0].kind, EventKind::kernel);
  EXPECT_EQ(run.events[1].kind, EventKind::collective);
  EXPECT_EQ(run.events[1].bytes, 9724160);
  EXPECT_NEAR(run.events[1].start_s, 300e-6, 1e-12);  // behind what it depends on
  EXPECT_THAT(message_of(read_chakra, written(folder, "cut.et", file.substr(0, file.size() - 3))),
              HasSubstr("byte"));
}

TEST(WireReader, ReadsTheExamplesOfTheEncodingGuide) {
  // protobuf.dev/programming-guides/encoding: field 1 = 150; field 2 = "testing".
  WireReader reader(std::string_view("\x08\x96\x01\x12\x07testing", 12));
  auto one = reader.next();
  ASSERT_TRUE(one);
  EXPECT_EQ(one->number, 1U);
  EXPECT_EQ(one->value, 150U);
  auto two = reader.next();
  ASSERT_TRUE(two);
  EXPECT_EQ(two->bytes, "testing");
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.damaged());
}

TEST(ImportNcclTests, ReadsEveryLineOfRealLogs) {
  RACKWRIGHT_NEED_SHARED("superbench-nccl-logs/nccl_allreduce.log");
  const fs::path folder = testing::shared_data() / "superbench-nccl-logs";
  for (const auto& [file, operation] : {std::pair{"nccl_allreduce.log", "all_reduce"},
                                        {"nccl_allgather.log", "all_gather"},
                                        {"nccl_alltoall.log", "all_to_all"},
                                        {"nccl_broadcast.log", "broadcast"},
                                        {"nccl_reduce.log", "reduce"},
                                        {"nccl_reducescatter.log", "reduce_scatter"}}) {
    const Recording run = read_nccl_tests(folder / file);
    ASSERT_EQ(run.collectives.size(), 68U) << file;  // 34 lines, out of place and in place
    EXPECT_EQ(run.collectives[0].operation, operation);
    EXPECT_EQ(run.collectives[0].ranks, 8);
  }
  const Recording run = read_nccl_tests(folder / "nccl_allreduce.log");
  const CollectiveSample& last = run.collectives[66];  // 8 GiB: 63,896 us, 134.44 and 235.26 GB/s
  EXPECT_EQ(last.bytes, 8589934592.0);
  EXPECT_NEAR(last.seconds, 63.896e-3, 1e-9);
  EXPECT_NEAR(last.busbw, 235.26e9, 1);
  // busbw of all-reduce on 8 ranks is 2 x 7/8 of algbw (nccl-tests, PERFORMANCE.md).
  EXPECT_NEAR(last.busbw / last.algbw, 1.75, 1e-3);
  EXPECT_EQ(run.device_names.at(0), "A100-SXM4-40GB");
}

TEST(ImportNcclTests, ReadsJsonAndRefusesOtherText) {
  const testing::TemporaryFolder folder;
  const Recording run = read_nccl_tests(written(folder, "r.json", R"({"args": ["./all_gather_perf"],
 "devices": [{"rank": 0, "device_name": "H100"}, {"rank": 1, "device_name": "H100"}],
 "results": [{"size": 1024, "count": 256, "type": "float",
 "out_of_place": {"time": 10.0, "alg_bw": 0.1, "bus_bw": 0.05}}]})"));
  ASSERT_EQ(run.collectives.size(), 1U);
  EXPECT_EQ(run.collectives[0].operation, "all_gather");
  EXPECT_EQ(run.collectives[0].ranks, 2);
  EXPECT_NEAR(run.collectives[0].seconds, 10e-6, 1e-15);
  EXPECT_THAT(
      message_of(read_nccl_tests, written(folder, "allreduce.log", "   8 2 float sum 1 2 3\n")),
      HasSubstr("allreduce.log:1: "));
  EXPECT_THAT(message_of(read_nccl_tests, written(folder, "x.log", "hello\n")),
              HasSubstr("result lines of nccl-tests"));
}

TEST(ImportNvidiaSmi, TellsEightGpusApartByTheirOrder) {
  RACKWRIGHT_NEED_SHARED("gpu-power-timelines/h100_training_ckpt100_part.csv");
  const Recording run = read_nvidia_smi(testing::shared_data() /
                                        "gpu-power-timelines/h100_training_ckpt100_part.csv");
  std::map<int, std::size_t> samples;
  double watts = 0;
  for (const CounterSample& sample : run.counters) {
    if (run.names[sample.name] != "power") continue;
    ++samples[sample.gpu];
    watts += sample.value;
  }
  EXPECT_EQ(samples.size(), 8U);
  EXPECT_NEAR(watts, 2844330.32, 0.01);
  EXPECT_EQ(run.counters.size(), 30000U);  // three quantities of 10,000 lines
}

TEST(ImportNvidiaSmi, HasUnitsAndWindows) {
  const testing::TemporaryFolder folder;
  const Recording run = read_nvidia_smi(
      written(folder, "p.csv",
              "timestamp, index, name, power.draw [W], clocks.sm [MHz], memory.used [MiB]\n"
              "2025/07/27 00:00:00.000, 0, NVIDIA H100 80GB HBM3, 100.00 W, 1980 MHz, 2 MiB\n"
              "2025/07/27 00:00:00.100, 0, NVIDIA H100 80GB HBM3, [N/A], 1410 MHz, 3 MiB\n"));
  ASSERT_EQ(run.counters.size(), 5U);  // the second power is not available
  EXPECT_EQ(run.counters[0].value, 100);
  EXPECT_EQ(run.counters[1].value, 1980e6);
  EXPECT_EQ(run.counters[2].value, 2 * 1048576.0);
  EXPECT_NEAR(run.counters[3].duration_s, 0.1, 1e-6);
  EXPECT_EQ(run.device_names, std::vector<std::string>{"NVIDIA H100 80GB HBM3"});
  EXPECT_THAT(
      message_of(read_nvidia_smi, written(folder, "bad.csv", "timestamp,power.draw [W]\nx,1 W\n")),
      HasSubstr("bad.csv:2: timestamp"));
  EXPECT_THAT(message_of(read_nvidia_smi, written(folder, "zip.csv", "\x1f\x8b\x08,\x02\n")),
              HasSubstr("bytes that are no text"));
  EXPECT_THAT(message_of(read_nvidia_smi, written(folder, "no.csv", "a,b\n1,2\n")),
              HasSubstr("power.draw"));
}

TEST(ImportDcgm, ReadsDmonAndCsv) {
  const testing::TemporaryFolder folder;
  const Recording dmon = read_dcgm(written(folder, "d.txt",
                                           "#Entity   POWER TMPTR  GPUTL FOO\n"
                                           "ID        W     C\n"
                                           "GPU 1     60.5  31     N/A   3\n"
                                           "GPU 0     61.5  32     5     3\n"
                                           "GPU 1     62.5  33     6     3\n"));
  ASSERT_EQ(dmon.counters.size(), 8U);
  EXPECT_EQ(dmon.counters[0].gpu, 1);
  EXPECT_EQ(dmon.counters[0].value, 60.5);
  EXPECT_EQ(dmon.counts[1].kept, 3U);
  EXPECT_THAT(dmon.counts[1].skipped_because, HasSubstr("FOO"));
  const Recording csv = read_dcgm(written(folder, "d.csv",
                                          "timestamp,gpu,DCGM_FI_DEV_POWER_USAGE\n"
                                          "1700000000.0,2,301.5\n1700000001.0,2,302.5\n"));
  ASSERT_EQ(csv.counters.size(), 2U);
  EXPECT_EQ(csv.counters[1].gpu, 2);
  EXPECT_NEAR(csv.counters[1].duration_s, 1, 1e-6);
}

// A pipe has no size, and none is needed.
TEST(ImportPowerLogs, ArriveThroughAPipe) {
  const testing::TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread source(
      [&] { std::ofstream(pipe) << "timestamp,power.draw [W]\n2025/07/27 00:00:00.000,100 W\n"; });
  EXPECT_EQ(read_nvidia_smi(pipe).counters.size(), 1U);
  source.join();
}

TEST(RecordingIo, AGpuNamesItsPlaceOnTheAxis) {
  Recording recording;
  recording.device_names = {"GB200"};
  recording.names = {"power", "W"};
  recording.counters.push_back({.gpu = 0, .name = 0, .unit = 1, .value = 650});
  RecordedGpu gpu;
  gpu.chassis = "1821", gpu.tray = 3, gpu.module = 2;
  recording.gpus = {gpu};
  std::ostringstream out;
  write_perfetto(recording, out);
  EXPECT_THAT(out.str(), HasSubstr("GPU 0 (GB200), chassis 1821, tray 3, module 2"));
}

TEST(ImportPowerLogs, ALogOfTheOtherToolIsNamedAndRefused) {
  const testing::TemporaryFolder folder;
  const fs::path smi =
      written(folder, "smi.csv", "timestamp,power.draw [W]\n2025/07/27 00:00:00.000,100 W\n");
  const fs::path dcgm =
      written(folder, "dcgm.csv", "timestamp,gpu,DCGM_FI_DEV_POWER_USAGE\n1700000000.0,2,301.5\n");
  EXPECT_THAT(message_of(read_dcgm, smi), HasSubstr("import nvidia-smi"));
  EXPECT_THAT(message_of(read_dcgm, smi), HasSubstr("smi.csv:1"));
  EXPECT_THAT(message_of(read_nvidia_smi, dcgm), HasSubstr("import dcgm"));
}

TEST(ImportServingBench, ReadsRequestLinesAndLists) {
  const testing::TemporaryFolder folder;
  const Recording lists = read_serving_bench(written(folder, "b.json", R"({"duration": 10,
 "input_lens": [100, 50, 7], "output_lens": [3, 2, 0], "ttfts": [0.5, 0.25, 0],
 "itls": [[0.1, 0.2], [0.05], []], "start_times": [1000.0, 1001.0, 1002.0]})"));
  ASSERT_EQ(lists.requests.size(), 2U);  // the third failed
  EXPECT_NEAR(lists.requests[0].ttft(), 0.5, 1e-9);
  EXPECT_NEAR(lists.requests[0].tpot(), 0.15, 1e-9);
  EXPECT_NEAR(lists.requests[1].arrival_s, 1, 1e-9);
  EXPECT_THAT(message_of(read_serving_bench, written(folder, "l.jsonl", "{\"queued_ts\": 1}\n")),
              HasSubstr("l.jsonl:1: first_token_ts"));
}

TEST(ImportServingBench, ReadsTheRequestsOfARealRun) {
  RACKWRIGHT_NEED_SHARED("llmservingsim-vllm/RTX4090_Llama-3.1-8B_requests.jsonl");
  const Recording run = read_serving_bench(
      testing::shared_data() / "llmservingsim-vllm/RTX4090_Llama-3.1-8B_requests.jsonl");
  EXPECT_EQ(run.requests.size(), 300U);
  // bench-0: queued 27536.6607, first token 27537.3501, last token 27554.2310, 531 tokens.
  EXPECT_NEAR(run.requests[0].ttft(), 27537.350135653 - 27536.660701067, 1e-6);
  EXPECT_NEAR(run.requests[0].tpot(), (27554.231018618 - 27537.350135653) / 530, 1e-6);
}

TEST(ImportNsys, ReadsTheTablesOfAnExport) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "report.sqlite";
  {
    Database database(path, Database::Access::create);
    database.execute(R"(
CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INT, end INT, deviceId INT, streamId INT,
  correlationId INT, demangledName INT, shortName INT);
CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INT, end INT, deviceId INT, streamId INT,
  bytes INT, copyKind INT);
CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INT, end INT, globalTid INT, nameId INT);
CREATE TABLE NVTX_EVENTS (start INT, end INT, globalTid INT, text TEXT, textId INT);
CREATE TABLE TARGET_INFO_GPU (id INT, name TEXT);
INSERT INTO StringIds VALUES (1, 'gemm'), (2, 'ncclDevKernel_AllGather'), (3, 'cudaLaunchKernel'), (4, 'step');
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (2000, 5000, 1, 7, 1, 1, 1), (6000, 7000, 1, 9, 2, 2, 2);
INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (1000, 1500, 0, 7, 4096, 1);
INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (900, 950, 77, 3);
INSERT INTO NVTX_EVENTS VALUES (500, 8000, 77, NULL, 4);
INSERT INTO TARGET_INFO_GPU VALUES (0, 'NVIDIA H200');)");
  }
  const Recording run = read_nsys(path);
  ASSERT_EQ(run.events.size(), 5U);
  auto sums = by_kind(run);
  EXPECT_NEAR(sums[EventKind::kernel].seconds, 3e-6, 1e-15);
  EXPECT_NEAR(sums[EventKind::collective].seconds, 1e-6, 1e-15);
  EXPECT_EQ(run.names[run.events[0].name], "step");  // starts first, at 500 ns
  EXPECT_EQ(run.events[2].bytes, 4096);
  EXPECT_EQ(run.device_names.at(0), "NVIDIA H200");
  EXPECT_THAT(message_of(read_nsys, written(folder, "x.sqlite", "no database at all, just text")),
              HasSubstr("SQLite export"));
}

TEST(RunFile, KeepsARecording) {
  const testing::TemporaryFolder folder;
  const Recording recording = read_kineto(written(folder, "t.json", kSmallTrace));
  Trace trace;
  trace.backend = "recorded";
  const fs::path path = folder.path() / "t.rw";
  {
    RunFileWriter writer(path, {});
    writer.write(trace, recording);
    writer.finish();
  }
  const Recording back = read_run_file(path).recording;
  ASSERT_EQ(back.events.size(), recording.events.size());
  for (std::size_t i = 0; i < back.events.size(); ++i) {
    EXPECT_EQ(back.events[i].start_s, recording.events[i].start_s);
    EXPECT_EQ(back.events[i].bytes, recording.events[i].bytes);
    EXPECT_EQ(back.names[back.events[i].name], recording.names[recording.events[i].name]);
    EXPECT_EQ(back.tracks[back.events[i].track], recording.tracks[recording.events[i].track]);
  }
  EXPECT_EQ(back.counters.size(), 1U);
  EXPECT_EQ(back.format, "kineto");
  EXPECT_EQ(back.counts.size(), recording.counts.size());
}

TEST(RunFile, OfFormatOneIsStillRead) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "old.rw";
  {
    RunFileWriter writer(path, {});
    Trace trace;
    trace.device = "h100-sxm";
    writer.write(trace);
    writer.finish();
  }
  {
    Database database(path, Database::Access::read);
    for (const char* table : {"names", "tracks", "events", "collectives", "sources", "notes"}) {
      database.execute(std::string("DROP TABLE ") + table);
    }
    database.execute("PRAGMA user_version = 1");
  }
  const RunFile run = read_run_file(path);
  EXPECT_EQ(run.trace.device, "h100-sxm");
  EXPECT_TRUE(run.recording.empty());
}

TEST(RecordingIo, PerfettoHoldsEventsAndCountersOnOneAxis) {
  const testing::TemporaryFolder folder;
  const Recording recording = read_kineto(written(folder, "t.json", kSmallTrace));
  std::ostringstream out;
  write_perfetto(recording, out);
  const auto json = nlohmann::json::parse(out.str());
  int intervals = 0, counters = 0;
  for (const auto& event : json.at("traceEvents")) {
    intervals += event.at("ph") == "X" ? 1 : 0;
    counters += event.at("ph") == "C" ? 1 : 0;
  }
  EXPECT_EQ(intervals, 2);
  EXPECT_EQ(counters, 1);
  // What was written is a trace that the importer reads back to the same times.
  const Recording again = read_kineto(written(folder, "again.json", out.str()));
  ASSERT_EQ(again.events.size(), 2U);
  EXPECT_NEAR(again.events[1].start_s, recording.events[1].start_s, 1e-9);
}

}  // namespace
}  // namespace rackwright::profiler
