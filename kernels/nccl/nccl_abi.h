#ifndef RACKWRIGHT_KERNELS_NCCL_NCCL_ABI_H
#define RACKWRIGHT_KERNELS_NCCL_NCCL_ABI_H

/* Calls of NCCL and of the CUDA runtime around it, as the module rackwright_nccl offers them and as
 * tests stand in for them. Plain C. One device a process, and one stream of the module's own. Every
 * function returns 0, RACKWRIGHT_NCCL_BUSY while something goes on, or an error with its text in
 * `message`. */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RACKWRIGHT_NCCL_ABI 3
#define RACKWRIGHT_NCCL_BUSY 7 /* ncclInProgress */
#define RACKWRIGHT_NCCL_ID 128
#define RACKWRIGHT_NCCL_TEXT 256

enum { RACKWRIGHT_NCCL_FLOAT32, RACKWRIGHT_NCCL_BF16 };
/* One call: counts in elements of a rank's part as NCCL has them; reductions are sums. */
typedef struct {
  const void* out;
  void* in;
  size_t count;
  int type;
  int peer;     /* root of a broadcast, other side of a send or receive */
  void* stream; /* 0: the module's own */
} RackwrightNcclCall;

/* The own all-reduce of engines (kernels/own/peer_all_reduce.hpp), which needs no NCCL. Each rank
 * shares a block by CUDA IPC: flags and counts, 0 at first, then values, then sums of a part. */
#define RACKWRIGHT_PEER_RANKS 8
#define RACKWRIGHT_PEER_HANDLE 64     /* bytes of a cudaIpcMemHandle_t */
#define RACKWRIGHT_PEER_VALUES 8192   /* where the values begin in a block */
#define RACKWRIGHT_PEER_BYTES 1048576 /* of values: engines go up to about 1 MiB */
#define RACKWRIGHT_PEER_SUMS (RACKWRIGHT_PEER_VALUES + RACKWRIGHT_PEER_BYTES)
#define RACKWRIGHT_PEER_BLOCK (RACKWRIGHT_PEER_SUMS + RACKWRIGHT_PEER_BYTES / 2)
typedef struct {
  void* blocks[RACKWRIGHT_PEER_RANKS]; /* of every rank, as this one has it */
  int ranks, rank;
  const void* out; /* copied into the own block first; 0: the values lie there */
  void* in;
  size_t count;
  int type;
  int two_shot; /* in two steps, each rank adding up its part; 0: in one */
  int* leave;   /* not 0: the kernel ends without its peers */
  void* stream; /* 0: the module's own */
} RackwrightPeerCall;

typedef struct RackwrightNccl {
  int abi;
  int (*version)(void);     /* of the library that runs: 22809 = 2.28.9 */
  int (*has_windows)(void); /* ncclCommWindowRegister is there (2.27) */
  /* Takes the device, makes the stream; `name` gets the device's. */
  int (*open)(int device, char* name, char* message);
  int (*unique_id)(char* id, char* message);
  /* Non-blocking: poll `state` until it is not busy. */
  int (*init)(void** comm, int ranks, const char* id, int rank, char* message);
  int (*split)(void* comm, int colour, int key, void** group, char* message);
  int (*state)(void* comm, char* message);
  int (*abort)(void* comm, char* message); /* frees it: no destroy after it */
  int (*finalize)(void* comm, char* message);
  int (*destroy)(void* comm, char* message);
  /* Memory that windows may cover; `to` and `from` of copies are device and host memory. */
  int (*allocate)(size_t bytes, void** memory, char* message);
  int (*release)(void* memory, char* message);
  int (*put)(void* to, const void* from, size_t bytes, char* message);
  int (*get)(void* to, const void* from, size_t bytes, char* message);
  int (*open_window)(void* comm, void* memory, size_t bytes, void** window, char* message);
  int (*close_window)(void* comm, void* window, char* message);
  int (*group)(int begin, char* message);
  int (*all_reduce)(void* comm, const RackwrightNcclCall* call, char* message);
  int (*all_gather)(void* comm, const RackwrightNcclCall* call, char* message);
  int (*reduce_scatter)(void* comm, const RackwrightNcclCall* call, char* message);
  int (*broadcast)(void* comm, const RackwrightNcclCall* call, char* message);
  int (*send)(void* comm, const RackwrightNcclCall* call, char* message);
  int (*receive)(void* comm, const RackwrightNcclCall* call, char* message);
  /* The module's stream: busy until all that was put on it is done. */
  int (*stream)(char* message);
  int (*begin_capture)(char* message);
  int (*end_capture)(void** graph, char* message);
  int (*launch)(void* graph, char* message);
  int (*discard)(void* graph, char* message);
  /* Events 0 and 1 on the stream, and the seconds between them once it is idle. */
  int (*mark)(int event, char* message);
  int (*elapsed)(double* seconds, char* message);
  /* A block of this rank with its handle, and the word that `leave` points to, which the device
   * reads. All stay for the life of the process: peers may still have the block. */
  int (*share)(void** block, char* handle, int** leave, char* message);
  int (*map)(const char* handle, void** block, char* message);
  int (*unmap)(void* block, char* message);
  int (*peer_all_reduce)(const RackwrightPeerCall* call, char* message);
} RackwrightNccl;

typedef const RackwrightNccl* (*RackwrightNcclTable)(void);
#define RACKWRIGHT_NCCL_SYMBOL "rackwright_nccl_table"

#ifdef __cplusplus
}
#endif

#endif
