#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_calls.hpp"
#include "kernels/own/device.hpp"

namespace rackwright::kernels::cuda {

/// Throws CudaError with the call, its code and the remedy; resets the last error.
inline void require(cudaError_t error, const std::string& call) {
  if (error == cudaSuccess) return;
  (void)cudaGetLastError();
  throw CudaError(error, is_sticky(error), describe(call, cudaGetErrorName(error), error));
}

inline int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  require(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

inline std::size_t product_of(std::initializer_list<int> sizes) {
  std::size_t all = 1;
  for (const int size : sizes) all *= static_cast<std::size_t>(size);
  return all;
}

template <class T>
own::View<T> view(void* memory, std::size_t count) {
  return {static_cast<T*>(memory), static_cast<std::int64_t>(count)};
}

inline constexpr std::size_t kAlignment = 256;

}  // namespace rackwright::kernels::cuda
