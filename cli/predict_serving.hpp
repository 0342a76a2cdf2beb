#pragma once

#include <filesystem>
#include <string>

#include "cli/command.hpp"

namespace rackwright::cli {

/// `predict serving FILE --device D [--slo "ttft=2s,tpot=50ms"]`: latency and throughput of each
/// row, and the highest load that holds the limits.
int predict_serving_rows(const std::filesystem::path& file, const std::string& device,
                         const std::string& slo, bool json, CommandContext& context);

}  // namespace rackwright::cli
