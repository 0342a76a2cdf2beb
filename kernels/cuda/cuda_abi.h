#pragma once

/* What the module `rackwright_cuda` exports. Plain C, so that program and module agree whatever
   compiler built them. A module of another ABI number is refused by name. */

#ifdef __cplusplus
extern "C" {
#endif

enum { RACKWRIGHT_CUDA_ABI = 1, RACKWRIGHT_CUDA_TEXT = 256 };

typedef struct {
  char name[RACKWRIGHT_CUDA_TEXT];
  int compute_capability;      /* 90 for 9.0 */
  int multiprocessors;
  double memory_bytes;
  double l2_bytes;
  double clock_hz;             /* highest, as the driver states it */
  double copy_bytes_per_s;     /* HBM stream kernel, read + write, median of repetitions */
} RackwrightCudaDevice;

/* Exported by the module. Return 0, or a CUDA error code with its text and remedy in `message`. */
typedef int (*RackwrightCudaAbi)(void);
typedef int (*RackwrightCudaDeviceCount)(int* count, char message[RACKWRIGHT_CUDA_TEXT]);
typedef int (*RackwrightCudaProbe)(int device, RackwrightCudaDevice* out,
                                   char message[RACKWRIGHT_CUDA_TEXT]);

#ifdef __cplusplus
}
#endif
