#pragma once

#include <array>
#include <string_view>

#include "profiler/recording.hpp"
#include "workloads/operator.hpp"

namespace rackwright::profiler {

/// The class that a GPU kernel's name tells: libraries and engines name what they do. A name that
/// tells nothing counts as elementwise.
[[nodiscard]] workloads::OperatorClass kernel_class(std::string_view name);

/// Seconds of the kernels and collectives of a recording by class, summed over GPUs and streams.
[[nodiscard]] std::array<double, workloads::kOperatorClassCount> kernel_seconds(
    const Recording& recording);

}  // namespace rackwright::profiler
