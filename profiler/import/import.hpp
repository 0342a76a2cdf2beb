#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/recording.hpp"

namespace rackwright::profiler {

/// Bytes read so far, of how many.
using ImportProgress = std::function<void(double done, double total)>;

/// A format of another tool that becomes a run.
struct RunFormat {
  std::string_view name;
  std::string_view what;
  Recording (*read)(const std::filesystem::path& path, const ImportProgress& progress);
};
[[nodiscard]] const std::vector<RunFormat>& run_formats();

/// Text of nccl-tests (any version: `time algbw busbw error` twice, with or without the redop and
/// root columns) or its JSON (`-J FILE`). Times there are microseconds, rates GB/s. Throws
/// InputError: no result line, a line with another number of columns.
[[nodiscard]] Recording read_nccl_tests(const std::filesystem::path& path,
                                        const ImportProgress& progress = {});

/// `nvidia-smi --query-gpu=… --format=csv[,nounits]` with at least `timestamp` and one known
/// quantity. Without an `index` or `uuid` column the GPUs of a tick are told apart by their order:
/// lines whose time stamps are closer than half the usual step belong to one tick.
[[nodiscard]] Recording read_nvidia_smi(const std::filesystem::path& path,
                                        const ImportProgress& progress = {});

/// `dcgmi dmon` text or a CSV with DCGM field names (DCGM_FI_DEV_POWER_USAGE, …).
[[nodiscard]] Recording read_dcgm(const std::filesystem::path& path,
                                  const ImportProgress& progress = {});

/// Requests of a served model: JSON of vLLM's or SGLang's bench_serving with per-request lists
/// (`input_lens`, `output_lens`, `ttfts`, `itls`), or one JSON object per line with arrival,
/// first-token and last-token times.
[[nodiscard]] Recording read_serving_bench(const std::filesystem::path& path,
                                           const ImportProgress& progress = {});

/// PyTorch profiler trace (Kineto, Chrome JSON; also .gz). Times there are microseconds. Memory is
/// bounded by the events kept, not by the file: it is split at objects and parsed in pieces.
/// `traceEvents` of any length; complete events (`X`) are kept, counters (`C`) too, flows and
/// instants are counted.
[[nodiscard]] Recording read_kineto(const std::filesystem::path& path,
                                    const ImportProgress& progress = {});

/// MLCommons Chakra execution trace: JSON (`workload_graph`) or protobuf (.et). Nodes have no start
/// in most traces: then they are laid out one after another where their dependencies allow it, and
/// a note says so.
[[nodiscard]] Recording read_chakra(const std::filesystem::path& path,
                                    const ImportProgress& progress = {});

/// SQLite export of Nsight Systems (`nsys export --type sqlite`). Times there are nanoseconds.
[[nodiscard]] Recording read_nsys(const std::filesystem::path& path,
                                  const ImportProgress& progress = {});

/// Sorts the events, moves the first start of events and counters to 0. Called by every reader.
void settle(Recording& recording);

/// Whether a kernel's name is a collective's: NCCL, RCCL, or an engine's own all-reduce.
[[nodiscard]] bool is_collective_kernel(std::string_view name);

}  // namespace rackwright::profiler
