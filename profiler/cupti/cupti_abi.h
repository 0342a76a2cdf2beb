/* What the program and the module rackwright_cupti agree on. Plain C: the module is built with the
 * toolkit's header and opened at run time, the program needs neither. */
#ifndef RACKWRIGHT_PROFILER_CUPTI_CUPTI_ABI_H
#define RACKWRIGHT_PROFILER_CUPTI_CUPTI_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised with every change below. */
#define RACKWRIGHT_CUPTI_ABI 1
#define RACKWRIGHT_CUPTI_TEXT 512

/* Times are CLOCK_REALTIME, ns. `name` is valid during the call only. */
typedef struct {
  uint64_t start_ns, end_ns, bytes; /* bytes: of a copy or memset, else 0 */
  uint32_t device, stream, correlation;
  uint32_t is_copy;
  const char* name;
} RackwrightCuptiActivity;

/* what: 0 power W, 1 temperature degC, 2 SM clock Hz, 3 memory clock Hz, 4 fan % */
typedef struct {
  uint64_t time_ns;
  uint32_t device, what;
  double value;
} RackwrightCuptiReading;

/* Called from a thread of the module, one at a time. */
typedef struct {
  void* context;
  void (*activity)(void* context, const RackwrightCuptiActivity* activity);
  void (*reading)(void* context, const RackwrightCuptiReading* reading);
  void (*correlation)(void* context, uint32_t correlation, uint64_t operator_id);
  void (*link)(void* context, const char* text);
} RackwrightCuptiSink;

typedef struct {
  uint64_t kernels, copies, untimed, unknown, cut_buffers, dropped, refused_buffers;
  uint64_t overhead_ns, synchronisation_ns;
} RackwrightCuptiCounts;

/* RACKWRIGHT_CUPTI_ABI of the module. */
typedef int (*RackwrightCuptiAbi)(void);
/* Takes hold of CUPTI; before any CUDA context. Null with the reason in `text`. */
typedef void* (*RackwrightCuptiOpen)(const RackwrightCuptiSink* sink, char* text);
/* Starts and ends the one traced window. Non-zero with the reason in `text`. */
typedef int (*RackwrightCuptiStart)(void* session, char* text);
typedef void (*RackwrightCuptiStop)(void* session, RackwrightCuptiCounts* counts);
/* Everything launched by this thread in between belongs to `operator_id`; also an NVTX range. */
typedef void (*RackwrightCuptiBegin)(void* session, uint64_t operator_id, const char* name);
typedef void (*RackwrightCuptiEnd)(void* session);
typedef void (*RackwrightCuptiClose)(void* session);

#ifdef __cplusplus
}
#endif

#endif
