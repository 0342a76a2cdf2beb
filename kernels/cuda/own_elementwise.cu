/* The kernels of kernels/own for the device: names stay as written, so that the reports of ptxas
   and the PTX can be read by them. */
#include "kernels/own/cuda_thread.hpp"
#include "kernels/own/rms_norm.hpp"
#include "kernels/own/silu_mul.hpp"

using namespace rackwright::kernels::own;

#define RACKWRIGHT_RMS_NORM(vectors)                                                          \
  extern "C" __global__ void __launch_bounds__(kRmsNormThreads)                               \
      rw_rms_norm_##vectors(const __grid_constant__ RmsNormArgs args) {                       \
    CudaThread t;                                                                             \
    rms_norm<vectors>(t, args);                                                               \
  }
RACKWRIGHT_RMS_NORM(1)
RACKWRIGHT_RMS_NORM(2)
RACKWRIGHT_RMS_NORM(4)
RACKWRIGHT_RMS_NORM(8)

extern "C" __global__ void __launch_bounds__(kSiluMulThreads)
    rw_silu_mul(const __grid_constant__ SiluMulArgs args) {
  CudaThread t;
  silu_mul(t, args);
}
