#include "kernels/cuda/cublas_gemm.hpp"
#include "kernels/cuda/cuda_abi.h"

namespace rackwright::kernels::cuda {

std::vector<ScaleMode> scale_modes(int type) {
  switch (type) {
    case RACKWRIGHT_CUDA_FP8:
      return {ScaleMode::outer_vector, ScaleMode::tensor};
    case RACKWRIGHT_CUDA_FP8_BLOCK:
      return {ScaleMode::blocks, ScaleMode::outer_vector, ScaleMode::tensor};
    case RACKWRIGHT_CUDA_NVFP4:
      return {ScaleMode::nv16};
    case RACKWRIGHT_CUDA_MXFP8:
      return {ScaleMode::mx32};
    default:
      return {ScaleMode::none};
  }
}

std::size_t element_bytes(int type, std::size_t count) {
  if (type == RACKWRIGHT_CUDA_BF16) return 2 * count;
  if (type == RACKWRIGHT_CUDA_FP32) return 4 * count;
  return type == RACKWRIGHT_CUDA_NVFP4 || type == RACKWRIGHT_CUDA_MXFP4 ? (count + 1) / 2 : count;
}

std::size_t output_bytes(int type, std::size_t count) {
  return (type == RACKWRIGHT_CUDA_INT8 || type == RACKWRIGHT_CUDA_FP32 ? 4 : 2) * count;
}

}  // namespace rackwright::kernels::cuda
