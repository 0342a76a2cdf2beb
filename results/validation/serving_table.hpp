#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "workloads/workload.hpp"

namespace rackwright::results {

/// A value with its 90 % interval.
struct Ranged {
  double value = 0, low = 0, high = 0;
};

/// The highest steady load of a replica that keeps a mean TTFT and TPOT within the limits.
struct SloLoad {
  Ranged requests_per_s;  ///< low with all latencies at the upper end of their interval
  double output_tokens_per_s = 0;
  double concurrency = 0;  ///< 0: even a request alone misses the limits
  std::string limited_by;  ///< "TTFT", "TPOT", "KV cache", "not reached"
};

/// One row of `predict serving`.
struct ServingAnswer {
  std::string row;  ///< "points.csv:3"
  std::string model;
  std::string device;
  std::string plan;
  std::string note;  ///< why it is not predicted, or what was assumed
  bool predicted = false;
  bool extrapolated = false;
  double concurrency = 0;  ///< of the replica, given or found for the rate
  Ranged ttft_s, tpot_s;   ///< means
  Ranged output_tokens_per_s;
  double requests_per_s = 0;
  double queue_s = 0;  ///< part of the TTFT spent waiting for a slot or KV space
  std::optional<SloLoad> slo;
};

/// Reads a table with the columns `model` (a shipped id, a published name, or a path), `isl`, `osl`
/// and `concurrency` or `rate` (requests/s of the replica); with `slo` both may be absent.
/// Optional: `device` (else the argument), `tp`, `pp`, `dp`, `ep`, `engine` (vllm, sglang, trtllm),
/// `weights` (as in plans). Throws InputError with file, line and column. A row that cannot be
/// predicted has a note.
[[nodiscard]] std::vector<ServingAnswer> predict_serving(const std::filesystem::path& path,
                                                         const std::string& device,
                                                         const std::optional<workloads::Slo>& slo,
                                                         const DataLocator& data);

/// "ttft=2s,tpot=50ms": both limits, in s or ms.
[[nodiscard]] workloads::Slo parse_slo(const std::string& text);

}  // namespace rackwright::results
