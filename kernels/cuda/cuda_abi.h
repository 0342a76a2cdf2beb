#pragma once

/* What the module `rackwright_cuda` exports. Plain C, so that program and module agree whatever
   compiler built them. A module of another ABI number is refused by name. */

#ifdef __cplusplus
extern "C" {
#endif

enum { RACKWRIGHT_CUDA_ABI = 2, RACKWRIGHT_CUDA_TEXT = 512 };

typedef struct {
  char name[RACKWRIGHT_CUDA_TEXT];
  int compute_capability; /* 90 for 9.0 */
  int multiprocessors;
  double memory_bytes;
  double l2_bytes;
  double clock_hz;         /* highest, as the driver states it */
  double copy_bytes_per_s; /* HBM stream kernel, read + write, median of repetitions */
} RackwrightCudaDevice;

enum {
  RACKWRIGHT_CUDA_GEMM,
  RACKWRIGHT_CUDA_PREFILL,
  RACKWRIGHT_CUDA_DECODE,
  RACKWRIGHT_CUDA_LATENT_DECODE,
  RACKWRIGHT_CUDA_EXPERTS,
  RACKWRIGHT_CUDA_STREAM, /* memory-bound work, by its bytes */
  RACKWRIGHT_CUDA_NOTHING /* of the host: no work on the GPU */
};
enum { RACKWRIGHT_CUDA_BF16, RACKWRIGHT_CUDA_FP8, RACKWRIGHT_CUDA_MXFP4 };
enum { RACKWRIGHT_CUDA_WHOLE, RACKWRIGHT_CUDA_PER_OPERATOR };

/* One operator of a step; what its kind does not use is 0. */
typedef struct {
  int kind, lane, repeat, type;
  int m, n, k;                       /* GEMM */
  int sequences, query_tokens, keys; /* attention; tokens and keys of one sequence */
  int heads, kv_heads, head_dim, window, sinks;
  int rows, experts, hidden, intermediate, gated; /* experts; rows of one expert */
  double bytes;                                   /* stream */
} RackwrightCudaOperator;

typedef struct {
  double total_s;     /* on the device */
  double* operator_s; /* room for each; filled in mode PER_OPERATOR */
} RackwrightCudaTimes;

typedef struct RackwrightCudaStep RackwrightCudaStep;
/* begin 1: the operator begins; 0: it has ended on the device. */
typedef void (*RackwrightCudaObserver)(void* context, int op, int begin);

/* Exported by the module. Return 0, or a CUDA error code with its text and remedy in `message`. */
typedef int (*RackwrightCudaAbi)(void);
typedef int (*RackwrightCudaDeviceCount)(int* count, char message[RACKWRIGHT_CUDA_TEXT]);
typedef int (*RackwrightCudaProbe)(int device, RackwrightCudaDevice* out,
                                   char message[RACKWRIGHT_CUDA_TEXT]);

typedef int (*RackwrightCudaPrepare)(int device, const RackwrightCudaOperator* operators, int count,
                                     RackwrightCudaStep** out, char message[RACKWRIGHT_CUDA_TEXT]);
typedef int (*RackwrightCudaRun)(RackwrightCudaStep* step, int mode,
                                 RackwrightCudaObserver observer, void* context,
                                 RackwrightCudaTimes* out, char message[RACKWRIGHT_CUDA_TEXT]);
typedef void (*RackwrightCudaRelease)(RackwrightCudaStep* step);

#ifdef __cplusplus
}
#endif
