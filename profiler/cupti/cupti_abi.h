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
#define RACKWRIGHT_CUPTI_ABI 2
#define RACKWRIGHT_CUPTI_TEXT 512

/* Times are CLOCK_REALTIME, ns. `name` is valid during the call only. */
typedef struct {
  uint64_t start_ns, end_ns, bytes; /* bytes: of a copy or memset, else 0 */
  uint32_t device, stream, correlation;
  uint32_t what; /* RACKWRIGHT_CUPTI_KERNEL, _COPY, _GRAPH */
  const char* name;
} RackwrightCuptiActivity;
enum { RACKWRIGHT_CUPTI_KERNEL, RACKWRIGHT_CUPTI_COPY, RACKWRIGHT_CUPTI_GRAPH };

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
  uint64_t kernels, copies, graphs, untimed, unknown, cut_buffers, dropped, refused_buffers;
  uint64_t overhead_ns, synchronisation_ns;
} RackwrightCuptiCounts;

/* RACKWRIGHT_CUPTI_ABI of the module. */
typedef int (*RackwrightCuptiAbi)(void);
/* Takes hold of CUPTI; before any CUDA context. Null with the reason in `text`. */
typedef void* (*RackwrightCuptiOpen)(const RackwrightCuptiSink* sink, char* text);
/* A window of kernels one by one, or (`graphs`) of whole graph launches. CUDA 13.0 mixes up the
 * correlation of graph launches in every window after the first. Non-zero with the reason in
 * `text`. */
typedef int (*RackwrightCuptiStart)(void* session, int graphs, char* text);
/* `counts` are of this window. */
typedef void (*RackwrightCuptiStop)(void* session, RackwrightCuptiCounts* counts);
/* Everything launched by this thread in between belongs to `operator_id`; also an NVTX range. */
typedef void (*RackwrightCuptiBegin)(void* session, uint64_t operator_id, const char* name);
typedef void (*RackwrightCuptiEnd)(void* session);
typedef void (*RackwrightCuptiClose)(void* session);

/* Counters of one GPU over time (PM sampling); no session is needed. */
typedef struct {
  uint64_t start_ns, end_ns; /* of the GPU's own clock */
  const double* values;      /* in the order of the plan; valid during the call only */
} RackwrightCuptiSample;
typedef struct {
  const char* const* metrics;
  size_t count;
  uint64_t interval; /* ns, or cycles of the system clock */
  uint32_t device, by_clock;
  void* context;
  void (*sample)(void* context, const RackwrightCuptiSample* sample); /* from one thread */
} RackwrightCuptiCounterPlan;

/* Name of the chip of GPU `device`, as metrics are named for. Non-zero with the reason in `text`. */
typedef int (*RackwrightCuptiChip)(uint32_t device, char* chip, char* text);
/* Takes hold of the counters. Null with the reason in `text`. */
typedef void* (*RackwrightCuptiCountersOpen)(const RackwrightCuptiCounterPlan* plan, char* text);
typedef int (*RackwrightCuptiCountersStart)(void* counters, char* text);
/* Ends; `overflow`: samples were lost. Non-zero with the reason in `text`. */
typedef int (*RackwrightCuptiCountersStop)(void* counters, int* overflow, char* text);
typedef void (*RackwrightCuptiCountersClose)(void* counters);

#ifdef __cplusplus
}
#endif

#endif
