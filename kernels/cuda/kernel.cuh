#pragma once

#include <cuda_runtime.h>

#include "kernels/own/cuda_thread.hpp"

/// A device kernel of a body of kernels/own. Names stay as written, so that the reports of ptxas
/// and the PTX can be read by them. `...` is the body, with its template arguments; `bounds`, in
/// brackets, the threads of a block and how many blocks a multiprocessor should hold.
#define RACKWRIGHT_KERNEL(name, bounds, Args, ...)                                              \
  extern "C" __global__ void RACKWRIGHT_BOUNDS bounds name(const __grid_constant__ Args args) { \
    rackwright::kernels::own::CudaThread t;                                                     \
    __VA_ARGS__(t, args);                                                                       \
  }
#define RACKWRIGHT_BOUNDS(...) __launch_bounds__(__VA_ARGS__)

/// The host's side of it: launches kernel `name` with `args` as `described`.
#define RACKWRIGHT_LAUNCH(name, args, described, stream)                                      \
  rackwright::kernels::own::launch_kernel(reinterpret_cast<const void*>(&name), described,    \
                                          const_cast<void*>(static_cast<const void*>(&args)), \
                                          stream)

namespace rackwright::kernels::own {

inline cudaError_t launch_kernel(const void* kernel, const Launch& launch, void* args,
                                 cudaStream_t stream) {
  if (launch.shared_bytes > 48 * 1024) {
    const cudaError_t error = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, launch.shared_bytes);
    if (error != cudaSuccess) return error;
  }
  return cudaLaunchKernel(
      kernel,
      dim3(static_cast<unsigned>(launch.grid_x), static_cast<unsigned>(launch.grid_y),
           static_cast<unsigned>(launch.grid_z)),
      dim3(static_cast<unsigned>(launch.block)), &args,
      static_cast<std::size_t>(launch.shared_bytes), stream);
}

}  // namespace rackwright::kernels::own
