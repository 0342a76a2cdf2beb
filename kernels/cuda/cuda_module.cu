#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/module_gate.hpp"
#include "kernels/cuda/own_kernels.cuh"

namespace own = rackwright::kernels::own;
namespace cuda = rackwright::kernels::cuda;

namespace {

void require(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  (void)cudaGetLastError();
  throw cuda::CudaError(error, cuda::is_sticky(error),
                        cuda::describe(call, cudaGetErrorName(error), error));
}

#define RACKWRIGHT_CUDA_TRY(call) require((call), #call)

/// Device memory and events of one measurement; freed on every path.
struct CopyBuffers {
  void* from = nullptr;
  void* to = nullptr;
  cudaEvent_t start = nullptr;
  cudaEvent_t stop = nullptr;
  ~CopyBuffers() {
    (void)cudaFree(from);
    (void)cudaFree(to);
    if (start != nullptr) (void)cudaEventDestroy(start);
    if (stop != nullptr) (void)cudaEventDestroy(stop);
  }
};

double measure_copy(const RackwrightCudaDevice& device) {
  // Eight times the L2, so that it cannot serve the reads; at most an eighth of the memory.
  const auto bytes = static_cast<std::size_t>(
      std::min(device.memory_bytes / 8, std::max(device.l2_bytes * 8, 256e6)));
  const std::size_t words = bytes / sizeof(own::Word16);
  CopyBuffers buffers;
  RACKWRIGHT_CUDA_TRY(cudaMalloc(&buffers.from, words * sizeof(own::Word16)));
  RACKWRIGHT_CUDA_TRY(cudaMalloc(&buffers.to, words * sizeof(own::Word16)));
  RACKWRIGHT_CUDA_TRY(cudaMemset(buffers.from, 1, words * sizeof(own::Word16)));
  RACKWRIGHT_CUDA_TRY(cudaEventCreate(&buffers.start));
  RACKWRIGHT_CUDA_TRY(cudaEventCreate(&buffers.stop));
  const auto count = static_cast<std::int64_t>(words);
  const own::StreamCopyArgs args{{static_cast<const own::Word16*>(buffers.from), count},
                                 {static_cast<own::Word16*>(buffers.to), count},
                                 device.multiprocessors * 8};
  std::vector<float> milliseconds;
  for (int repetition = 0; repetition < 12; ++repetition) {
    RACKWRIGHT_CUDA_TRY(cudaEventRecord(buffers.start));
    RACKWRIGHT_CUDA_TRY(launch(args, nullptr));
    RACKWRIGHT_CUDA_TRY(cudaEventRecord(buffers.stop));
    RACKWRIGHT_CUDA_TRY(cudaEventSynchronize(buffers.stop));
    float elapsed = 0;
    RACKWRIGHT_CUDA_TRY(cudaEventElapsedTime(&elapsed, buffers.start, buffers.stop));
    if (repetition >= 2) milliseconds.push_back(elapsed);  // the first two warm up
  }
  std::nth_element(milliseconds.begin(), milliseconds.begin() + 5, milliseconds.end());
  return 2.0 * static_cast<double>(words * sizeof(own::Word16)) / (milliseconds[5] * 1e-3);
}

}  // namespace

extern "C" int rackwright_cuda_abi(void) {
  return RACKWRIGHT_CUDA_ABI;
}

extern "C" int rackwright_cuda_device_count(int* count, char message[RACKWRIGHT_CUDA_TEXT]) {
  *count = 0;
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT,
                                 [&] { RACKWRIGHT_CUDA_TRY(cudaGetDeviceCount(count)); });
}

extern "C" int rackwright_cuda_probe(int device, RackwrightCudaDevice* out,
                                     char message[RACKWRIGHT_CUDA_TEXT]) {
  return cuda::module_gate().run(message, RACKWRIGHT_CUDA_TEXT, [&] {
    RACKWRIGHT_CUDA_TRY(cudaSetDevice(device));
    cudaDeviceProp properties{};
    RACKWRIGHT_CUDA_TRY(cudaGetDeviceProperties(&properties, device));
    int clock_khz = 0;
    RACKWRIGHT_CUDA_TRY(cudaDeviceGetAttribute(&clock_khz, cudaDevAttrClockRate, device));
    std::snprintf(out->name, sizeof out->name, "%s", properties.name);
    RACKWRIGHT_CUDA_TRY(cudaDeviceGetPCIBusId(out->pci_bus_id, sizeof out->pci_bus_id, device));
    out->compute_capability = properties.major * 10 + properties.minor;
    out->multiprocessors = properties.multiProcessorCount;
    out->memory_bytes = static_cast<double>(properties.totalGlobalMem);
    out->l2_bytes = properties.l2CacheSize;
    out->clock_hz = clock_khz * 1e3;
    out->copy_bytes_per_s = measure_copy(*out);
  });
}
