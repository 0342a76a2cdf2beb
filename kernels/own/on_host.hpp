#pragma once

#include "kernels/own/host_executor.hpp"
#include "kernels/own/rms_norm.hpp"
#include "kernels/own/silu_mul.hpp"

namespace rackwright::kernels::own {

/// Runs the kernel that the device would run, thread by thread. Throws KernelFault; of RMSNorm also
/// where `hidden` is over 16384.
void run_on_host(HostExecutor& executor, const RmsNormArgs& args);
void run_on_host(HostExecutor& executor, const SiluMulArgs& args);

}  // namespace rackwright::kernels::own
