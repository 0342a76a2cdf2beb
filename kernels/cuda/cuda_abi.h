#pragma once

/* What the module `rackwright_cuda` exports. Plain C, so that program and module agree whatever
   compiler built them. A module of another ABI number is refused by name. */

#ifdef __cplusplus
extern "C" {
#endif

enum { RACKWRIGHT_CUDA_ABI = 4, RACKWRIGHT_CUDA_TEXT = 512 };

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
enum {
  RACKWRIGHT_CUDA_BF16,
  RACKWRIGHT_CUDA_FP8,       /* a scale a token and a channel, or a tensor */
  RACKWRIGHT_CUDA_FP8_BLOCK, /* scales of 1x128 and 128x128 */
  RACKWRIGHT_CUDA_MXFP8,
  RACKWRIGHT_CUDA_MXFP4, /* weights only: products in BF16 */
  RACKWRIGHT_CUDA_NVFP4
};
/* WHOLE is one graph launch; EAGER the same work launched kernel by kernel. */
enum { RACKWRIGHT_CUDA_WHOLE, RACKWRIGHT_CUDA_PER_OPERATOR, RACKWRIGHT_CUDA_EAGER };

/* One operator of a step; what its kind does not use is 0. */
typedef struct {
  int kind, lane, repeat, type;
  int m, n, k;                       /* GEMM */
  int sequences, query_tokens, keys; /* attention; tokens and keys of one sequence */
  int heads, kv_heads, head_dim, value_dim, window, sinks;
  int kv_type;                                    /* of the cache: BF16 or FP8 */
  int full;                                       /* prefill in which every query sees all keys */
  int rows, experts, hidden, intermediate, gated; /* experts; rows of one expert */
  double bytes;                                   /* stream */
} RackwrightCudaOperator;

typedef struct {
  double total_s;      /* on the device */
  double* operator_s;  /* room for each; filled in mode PER_OPERATOR */
  int launch_included; /* work waited for its launch: in EAGER, or after a hold of 100 ms */
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
/* What was chosen for operator `op`: library, algorithm, pages, layout, scales, cache. */
typedef int (*RackwrightCudaChoice)(RackwrightCudaStep* step, int op,
                                    char text[RACKWRIGHT_CUDA_TEXT],
                                    char message[RACKWRIGHT_CUDA_TEXT]);

/* Empty kernels, all together, seconds: until the host is free again, and on the device. */
typedef struct {
  double stream_host_s, stream_device_s, graph_host_s, graph_device_s;
} RackwrightCudaLaunch;
typedef int (*RackwrightCudaLaunchProbe)(int device, int kernels, RackwrightCudaLaunch* out,
                                         char message[RACKWRIGHT_CUDA_TEXT]);

/* Pages of a KV cache from one GPU to another, seconds; batch_s 0: not to be had, `path` says why.
 */
typedef struct {
  int peer_access;
  double whole_s, pages_s, batch_s;
  char path[RACKWRIGHT_CUDA_TEXT];
} RackwrightCudaTransfer;
typedef int (*RackwrightCudaTransferProbe)(int from, int to, double page_bytes, int pages,
                                           RackwrightCudaTransfer* out,
                                           char message[RACKWRIGHT_CUDA_TEXT]);

#ifdef __cplusplus
}
#endif
