#pragma once

#include <functional>

#include "kernels/cuda/algorithm_choice.hpp"

namespace rackwright::kernels::cuda {

/// What `kernels` empty kernels take, all together, seconds: `host` until the launching thread is
/// free again, `device` from the first one's start to the last one's end.
struct LaunchTimes {
  double stream_host_s = 0, stream_device_s = 0;
  double graph_host_s = 0, graph_device_s = 0;
};

/// Launches them one by one into a stream, then as one graph; the median of five of each, after one
/// to warm up. `now` is the host's clock, seconds. Throws CudaError.
[[nodiscard]] LaunchTimes launch_overhead(CudaCalls& calls, const Launcher& kernel, int kernels,
                                          const std::function<double()>& now);

}  // namespace rackwright::kernels::cuda
