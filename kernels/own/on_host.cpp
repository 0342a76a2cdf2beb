#include "kernels/own/on_host.hpp"

#include <fmt/format.h>

namespace rackwright::kernels::own {

void run_on_host(HostExecutor& executor, const RmsNormArgs& args) {
  const Launch launch = launch_of(args);
  const int vectors = ceil_div(args.hidden, 8 * kRmsNormThreads);
  if (vectors > 8 || args.hidden % 8 != 0) {
    throw KernelFault(
        fmt::format("RMSNorm of {} columns: a multiple of 8, at most 16384", args.hidden));
  }
  if (vectors <= 1) {
    executor.run(launch, [&](HostThread& t) { rms_norm<1>(t, args); });
  } else if (vectors <= 2) {
    executor.run(launch, [&](HostThread& t) { rms_norm<2>(t, args); });
  } else if (vectors <= 4) {
    executor.run(launch, [&](HostThread& t) { rms_norm<4>(t, args); });
  } else {
    executor.run(launch, [&](HostThread& t) { rms_norm<8>(t, args); });
  }
}

void run_on_host(HostExecutor& executor, const SiluMulArgs& args) {
  executor.run(launch_of(args), [&](HostThread& t) { silu_mul(t, args); });
}

}  // namespace rackwright::kernels::own
