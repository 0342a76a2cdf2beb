#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/program.hpp"

namespace rackwright::testing {

struct CliResult {
  int code = -1;
  std::string out;
  std::string err;
};

/// Runs one command line in this process.
inline CliResult run_cli(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  CliResult result;
  result.code = cli::run_program(arguments, out, err, false);
  result.out = out.str();
  result.err = err.str();
  return result;
}

/// A workload that replays in well under a second: 60 s of chat on a small model. One plan.
inline constexpr const char* kSmallWorkload = R"({
  "format_version": 1,
  "name": "small",
  "title": "Small chat",
  "model": "llama-3.1-8b",
  "plan": {"tp": 1, "weights": "bf16", "kv": "bf16", "max_batch": 32},
  "traffic": {"generator": "chat", "duration_s": 60},
  "slo": {"ttft_s": 2.0, "tpot_s": 0.05, "percentile": 0.9}
})";

}  // namespace rackwright::testing
