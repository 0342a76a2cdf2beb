#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/request_trace.hpp"

namespace rackwright::workloads {

/// Requests a trace may have; about 50 bytes each. A longer file is an InputError, not a machine
/// out of memory.
inline constexpr std::size_t kMaxRequests = 50'000'000;

/// Names that `read_requests` knows, sorted.
[[nodiscard]] std::vector<std::string> request_formats();

/// The readers behind `read_requests`. They read one line at a time, collect the problems of a file
/// (the first 20) and throw them together; rows may be in any order. A request with no output token
/// counts as one: a forward pass over a prompt always samples a token. A prompt of no token is an
/// error.
[[nodiscard]] RequestTrace read_azure_requests(const std::filesystem::path& path);
/// Rows with no response token are failed requests by BurstGPT's README and are left out.
[[nodiscard]] RequestTrace read_burstgpt_requests(const std::filesystem::path& path);
[[nodiscard]] RequestTrace read_mooncake_requests(const std::filesystem::path& path);
[[nodiscard]] RequestTrace read_vllm_bench_requests(const std::filesystem::path& path);
/// Samples one client of ServeGen: arrivals of each window from its rate, cv and distribution,
/// lengths from the histograms of the window they fall in.
[[nodiscard]] RequestTrace read_servegen_requests(const std::filesystem::path& path,
                                                  std::uint64_t seed);

/// Sorts stably and makes the first arrival time zero.
void sort_by_arrival(RequestTrace& trace);

/// Seconds since 1970 in units of 100 ns, of "2023-11-16 18:17:03.9799600", with "T" or a blank
/// between, with or without fraction, "Z" or "+00:00". Nothing when it is no such time.
[[nodiscard]] std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace rackwright::workloads
