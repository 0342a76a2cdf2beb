#pragma once

/* What the module `rackwright_cuda` exports. Plain C, so that program and module agree whatever
   compiler built them. A module of another ABI number is refused by name. */

#ifdef __cplusplus
extern "C" {
#endif

enum { RACKWRIGHT_CUDA_ABI = 6, RACKWRIGHT_CUDA_TEXT = 512 };

typedef struct {
  char name[RACKWRIGHT_CUDA_TEXT];
  char pci_bus_id[32];    /* "0000:17:00.0": what names it among NVML's */
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
  RACKWRIGHT_CUDA_STREAM,      /* memory-bound work, by its bytes */
  RACKWRIGHT_CUDA_NOTHING,     /* of the host: no work on the GPU */
  RACKWRIGHT_CUDA_ELEMENTWISE, /* memory-bound work by `kernel`, on `rows` of `width` */
  RACKWRIGHT_CUDA_COLLECTIVE   /* between ranks: the program's work */
};
enum {
  RACKWRIGHT_CUDA_GATHER,
  RACKWRIGHT_CUDA_NORM,
  RACKWRIGHT_CUDA_RESIDUAL_NORM,
  RACKWRIGHT_CUDA_ROTARY_APPEND,
  RACKWRIGHT_CUDA_GATED_ACTIVATION,
  RACKWRIGHT_CUDA_ROUTE,      /* top_k of a row */
  RACKWRIGHT_CUDA_EXPERT_SUM, /* top_k rows make one; `pairs` of them are here */
  RACKWRIGHT_CUDA_TOP_K,
  RACKWRIGHT_CUDA_SAMPLE
};
enum {
  RACKWRIGHT_CUDA_BF16,
  RACKWRIGHT_CUDA_FP8,       /* a scale a token and a channel, or a tensor */
  RACKWRIGHT_CUDA_FP8_BLOCK, /* scales of 1x128 and 128x128 */
  RACKWRIGHT_CUDA_MXFP8,
  RACKWRIGHT_CUDA_MXFP4, /* weights only: products in BF16 */
  RACKWRIGHT_CUDA_NVFP4,
  RACKWRIGHT_CUDA_INT8, /* sums in int32 */
  RACKWRIGHT_CUDA_FP32  /* no TF32 */
};
/* WHOLE is one graph launch; EAGER the same work launched kernel by kernel. */
enum { RACKWRIGHT_CUDA_WHOLE, RACKWRIGHT_CUDA_PER_OPERATOR, RACKWRIGHT_CUDA_EAGER };

/* A collective. `enqueue` puts one execution into a stream of the step, which may be capturing.
   `look` is called again and again while the host waits for a step that has a collective, with the
   seconds waited. Both return 0, or another number when the ranks have failed: the step is given
   up. Must outlive the step. */
typedef struct {
  int (*enqueue)(void* context, void* stream);
  int (*look)(void* context, double waited_s);
  void* context;
} RackwrightCudaCollective;

/* One operator of a step; what its kind does not use is 0. */
typedef struct {
  int kind, lane, repeat, type;
  int m, n, k;                       /* GEMM */
  int sequences, query_tokens, keys; /* attention; tokens and keys of one sequence */
  int heads, kv_heads, head_dim, value_dim, window, sinks;
  int kv_type;                                    /* of the cache: BF16 or FP8 */
  int full;                                       /* prefill in which every query sees all keys */
  int rows, experts, hidden, intermediate, gated; /* experts; rows of all */
  const int* expert_rows;                         /* of each expert; read by prepare only */
  double bytes;                                   /* stream, elementwise: read and written */
  int kernel, width, top_k, pairs, latent;        /* elementwise, with rows and heads */
  const RackwrightCudaCollective* collective;
} RackwrightCudaOperator;

/* What an operator reads and writes, as a trial hands it over. */
enum {
  RACKWRIGHT_CUDA_LEFT = 1, /* rows x k */
  RACKWRIGHT_CUDA_RIGHT,    /* n x k, or as cuDNN's experts [k, n] along k */
  RACKWRIGHT_CUDA_SCALE,    /* E8M0 of MXFP4 weights, n x k / 32 */
  RACKWRIGHT_CUDA_QUERY,    /* sequences x tokens x heads x head_dim */
  RACKWRIGHT_CUDA_KEY,      /* tokens x kv_heads x head_dim, or pages of 64 HND */
  RACKWRIGHT_CUDA_VALUE,    /* the same of value_dim */
  RACKWRIGHT_CUDA_OUTPUT    /* the last of a launch */
};

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

/* `bytes` of what operator `op` read or wrote by `role`, on the host for the time of the call. */
typedef void (*RackwrightCudaSink)(void* context, int role, const void* data,
                                   unsigned long long bytes);
/* Runs operator `op` once on random data of `seed`, scales of 1; hands over each launch's inputs,
   then its output. */
typedef int (*RackwrightCudaTrial)(RackwrightCudaStep* step, int op, unsigned seed,
                                   RackwrightCudaSink sink, void* context,
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
