#ifndef RACKWRIGHT_COMMON_LAUNCH_MPI_ABI_H
#define RACKWRIGHT_COMMON_LAUNCH_MPI_ABI_H

/* What the module rackwright_mpi offers: the program links nothing of MPI. Plain C. Every function
 * returns 0, RACKWRIGHT_MPI_STOPPED when `stop` asked for it while it waited, or an MPI error code
 * with its text in `message`. */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RACKWRIGHT_MPI_ABI 1
#define RACKWRIGHT_MPI_STOPPED (-1)
#define RACKWRIGHT_MPI_TEXT 512

typedef struct RackwrightMpiMessage {
  int peer;
  void* bytes; /* not written when sent */
  size_t length;
} RackwrightMpiMessage;

typedef int (*RackwrightMpiStop)(void); /* other than 0: stop waiting */

typedef struct RackwrightMpi {
  int abi;
  /* MPI_Init and the world; `library` gets MPI's own version text. */
  int (*start)(void** world, char* library, char* message);
  void (*finish)(void);
  int (*rank)(void* comm);
  int (*size)(void* comm);
  int (*split)(void* comm, int colour, void** group, char* message);
  void (*release)(void* group);
  int (*transfer)(void* comm, const RackwrightMpiMessage* out, int out_count,
                  const RackwrightMpiMessage* in, int in_count, RackwrightMpiStop stop,
                  char* message);
  int (*barrier)(void* comm, RackwrightMpiStop stop, char* message);
  int (*broadcast)(void* comm, void* bytes, size_t length, int root, RackwrightMpiStop stop,
                   char* message);
  /* In place; sum, or the largest when `largest` is not 0. */
  int (*all_reduce)(void* comm, float* values, size_t count, int largest, RackwrightMpiStop stop,
                    char* message);
  int (*all_gather)(void* comm, const void* part, size_t length, void* all, RackwrightMpiStop stop,
                    char* message);
  int (*reduce_scatter)(void* comm, const float* all, float* part, size_t count,
                        RackwrightMpiStop stop, char* message);
} RackwrightMpi;

/* The one symbol that the module exports. */
typedef const RackwrightMpi* (*RackwrightMpiTable)(void);
#define RACKWRIGHT_MPI_SYMBOL "rackwright_mpi_table"

#ifdef __cplusplus
}
#endif

#endif
