#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_document.hpp"
#include "common/random.hpp"

namespace rackwright::workloads {

struct Request {
  double arrival_s = 0;  ///< since the first request
  std::uint32_t prompt_tokens = 0;
  std::uint32_t output_tokens = 1;  ///< at least 1
  std::uint32_t image_tokens = 0;   ///< part of prompt_tokens
  /// Ids of prompt blocks of `RequestTrace::prefix_block` tokens, for the prefix cache; may be
  /// empty.
  std::vector<std::uint32_t> prefix_blocks;
};

/// Requests sorted by arrival.
struct RequestTrace {
  std::string name;
  std::string source;  ///< file or generator, for provenance
  int prefix_block = 0;
  std::vector<Request> requests;

  [[nodiscard]] double duration_s() const;  ///< last arrival
  [[nodiscard]] double rate() const;        ///< requests per second; 0 for fewer than two
  [[nodiscard]] double mean_prompt() const;
  [[nodiscard]] double mean_output() const;
  [[nodiscard]] std::uint32_t longest() const;  ///< prompt + output
};

/// Reads `FORMAT:FILE`. Formats: azure (CSV TIMESTAMP,ContextTokens,GeneratedTokens), mooncake
/// (JSONL), burstgpt (CSV), servegen (a `…-trace.csv` with its `…-dataset.json` beside it; sampled
/// with `seed`), vllm-bench (JSONL). Unsorted files are sorted. Throws InputError with line.
[[nodiscard]] RequestTrace read_requests(std::string_view format_and_file, std::uint64_t seed);

/// A generator: a small quantile description (`workloads/requests/*.json`): arrivals as a gamma
/// renewal process (rate, coefficient of variation), prompt and output lengths by quantiles with a
/// rank correlation, sessions (turns, tool waits, growing prefix), image tokens.
[[nodiscard]] RequestTrace generate_requests(const JsonDocument& description, double duration_s,
                                             std::uint64_t seed);

/// `factor` copies of the trace, each shifted cyclically by a random time within its duration
/// (copy 0 is not shifted), the fractional part by keeping that share of requests of one more copy.
/// Keeps burstiness within a copy; prefix block ids of copies stay distinct. factor > 0.
///
/// `replicas` > 1: what one of so many replicas gets. Each copy is dealt in turn, from a random
/// start; requests with prefix blocks stick to one replica by the first block that is not the
/// common system prompt, as cache-aware routers do. Costs only what is kept.
[[nodiscard]] RequestTrace superpose(const RequestTrace& trace, double factor, std::uint64_t seed,
                                     int replicas = 1);

}  // namespace rackwright::workloads
