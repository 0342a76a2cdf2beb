// The module rackwright_nccl: the one file that calls NCCL; peer_module.cpp beside it does not.
#include <cstdio>
#include <cstring>

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <nccl.h>

#include "kernels/nccl/nccl_abi.h"
#include "kernels/nccl/peer_module.hpp"

namespace {

// One device, one stream a process; the program opens the module once.
cudaStream_t stream = nullptr;
cudaEvent_t events[2] = {nullptr, nullptr};

int failed(ncclResult_t code, void* comm, char* message) {
  if (code == ncclSuccess || code == ncclInProgress) return code;
  std::snprintf(message, RACKWRIGHT_NCCL_TEXT, "NCCL: %s: %s", ncclGetErrorString(code),
                ncclGetLastError(static_cast<ncclComm_t>(comm)));
  return code;
}

int failed(cudaError_t code, char* message) {
  return cuda_failed(code, message);
}

ncclComm_t of(void* comm) {
  return static_cast<ncclComm_t>(comm);
}

// Newer than 2.21: looked up in the library that runs, so that an older one opens too.
using RegisterWindow = ncclResult_t (*)(ncclComm_t, void*, size_t, void**, int);
using DeregisterWindow = ncclResult_t (*)(ncclComm_t, void*);
constexpr int kSymmetric = 0x01;  // NCCL_WIN_COLL_SYMMETRIC (nccl.h of 2.27)

template <class Function>
Function symbol(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
}
// NCCL is a dependency of this module, which may be opened locally: its handle by name.
template <class Function>
Function nccl_symbol(const char* name) {
  void* library = ::dlopen("libnccl.so.2", RTLD_NOW | RTLD_NOLOAD);
  return library == nullptr ? symbol<Function>(name)
                            : reinterpret_cast<Function>(::dlsym(library, name));
}

int version() {
  int value = 0;
  return ncclGetVersion(&value) == ncclSuccess ? value : 0;
}

int has_windows() {
  return nccl_symbol<RegisterWindow>("ncclCommWindowRegister") != nullptr ? 1 : 0;
}

int open_device(int device, char* name, char* message) {
  int count = 0;
  if (const int code = failed(cudaGetDeviceCount(&count), message)) return code;
  if (count == 0) return failed(cudaErrorNoDevice, message);
  if (const int code = failed(cudaSetDevice(device % count), message)) return code;
  cudaDeviceProp properties{};
  if (const int code = failed(cudaGetDeviceProperties(&properties, device % count), message)) {
    return code;
  }
  std::snprintf(name, RACKWRIGHT_NCCL_TEXT, "%s", properties.name);
  if (const int code = failed(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), message)) {
    return code;
  }
  for (cudaEvent_t& event : events) {
    if (const int code = failed(cudaEventCreate(&event), message)) return code;
  }
  return 0;
}

int unique_id(char* id, char* message) {
  static_assert(sizeof(ncclUniqueId) == RACKWRIGHT_NCCL_ID);
  ncclUniqueId made{};
  const ncclResult_t code = ncclGetUniqueId(&made);
  std::memcpy(id, &made, sizeof made);
  return failed(code, nullptr, message);
}

int init(void** comm, int ranks, const char* id, int rank, char* message) {
  ncclUniqueId shared{};
  std::memcpy(&shared, id, sizeof shared);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t made = nullptr;
  const ncclResult_t code = ncclCommInitRankConfig(&made, ranks, shared, rank, &config);
  *comm = made;
  return failed(code, nullptr, message);
}

int split(void* comm, int colour, int key, void** group, char* message) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t made = nullptr;
  const ncclResult_t code = ncclCommSplit(of(comm), colour, key, &made, &config);
  *group = made;
  return failed(code, comm, message);
}

int state(void* comm, char* message) {
  ncclResult_t now = ncclSuccess;
  const ncclResult_t code = ncclCommGetAsyncError(of(comm), &now);
  return failed(code == ncclSuccess ? now : code, comm, message);
}

int abort_comm(void* comm, char* message) {
  return failed(ncclCommAbort(of(comm)), nullptr, message);
}
int finalize(void* comm, char* message) {
  return failed(ncclCommFinalize(of(comm)), comm, message);
}
int destroy(void* comm, char* message) {
  return failed(ncclCommDestroy(of(comm)), nullptr, message);
}

int allocate(size_t bytes, void** memory, char* message) {
  return failed(ncclMemAlloc(memory, bytes), nullptr, message);
}
int release(void* memory, char* message) {
  return failed(ncclMemFree(memory), nullptr, message);
}
int put(void* to, const void* from, size_t bytes, char* message) {
  return failed(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), message);
}
int get(void* to, const void* from, size_t bytes, char* message) {
  return failed(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), message);
}

int open_window(void* comm, void* memory, size_t bytes, void** window, char* message) {
  const auto call = nccl_symbol<RegisterWindow>("ncclCommWindowRegister");
  return failed(call(of(comm), memory, bytes, window, kSymmetric), comm, message);
}
int close_window(void* comm, void* window, char* message) {
  const auto call = nccl_symbol<DeregisterWindow>("ncclCommWindowDeregister");
  return failed(call(of(comm), window), comm, message);
}

int group(int begin, char* message) {
  return failed(begin ? ncclGroupStart() : ncclGroupEnd(), nullptr, message);
}
ncclDataType_t type_of(const RackwrightNcclCall* call) {
  return call->type == RACKWRIGHT_NCCL_BF16 ? ncclBfloat16 : ncclFloat;
}
cudaStream_t stream_of(const RackwrightNcclCall* call) {
  return call->stream == nullptr ? stream : static_cast<cudaStream_t>(call->stream);
}
int all_reduce(void* comm, const RackwrightNcclCall* call, char* message) {
  return failed(ncclAllReduce(call->out, call->in, call->count, type_of(call), ncclSum, of(comm),
                              stream_of(call)),
                comm, message);
}
int all_gather(void* comm, const RackwrightNcclCall* call, char* message) {
  return failed(
      ncclAllGather(call->out, call->in, call->count, type_of(call), of(comm), stream_of(call)),
      comm, message);
}
int reduce_scatter(void* comm, const RackwrightNcclCall* call, char* message) {
  return failed(ncclReduceScatter(call->out, call->in, call->count, type_of(call), ncclSum,
                                  of(comm), stream_of(call)),
                comm, message);
}
int broadcast(void* comm, const RackwrightNcclCall* call, char* message) {
  return failed(ncclBroadcast(call->out, call->in, call->count, type_of(call), call->peer, of(comm),
                              stream_of(call)),
                comm, message);
}
int send(void* comm, const RackwrightNcclCall* call, char* message) {
  return failed(
      ncclSend(call->out, call->count, type_of(call), call->peer, of(comm), stream_of(call)), comm,
      message);
}
int receive(void* comm, const RackwrightNcclCall* call, char* message) {
  return failed(
      ncclRecv(call->in, call->count, type_of(call), call->peer, of(comm), stream_of(call)), comm,
      message);
}

int query_stream(char* message) {
  const cudaError_t code = cudaStreamQuery(stream);
  return code == cudaErrorNotReady ? RACKWRIGHT_NCCL_BUSY : failed(code, message);
}

int begin_capture(char* message) {
  return failed(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), message);
}
int end_capture(void** graph, char* message) {
  cudaGraph_t captured = nullptr;
  if (const int code = failed(cudaStreamEndCapture(stream, &captured), message)) return code;
  cudaGraphExec_t ready = nullptr;
  const cudaError_t code = cudaGraphInstantiate(&ready, captured, 0);
  cudaGraphDestroy(captured);
  *graph = ready;
  return code == cudaSuccess ? failed(cudaGraphUpload(ready, stream), message)
                             : failed(code, message);
}
int launch(void* graph, char* message) {
  return failed(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream), message);
}
int discard(void* graph, char* message) {
  return failed(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)), message);
}

int mark(int event, char* message) {
  return failed(cudaEventRecord(events[event], stream), message);
}
int elapsed(double* seconds, char* message) {
  float milliseconds = 0;
  const int code = failed(cudaEventElapsedTime(&milliseconds, events[0], events[1]), message);
  *seconds = 1e-3 * static_cast<double>(milliseconds);
  return code;
}

int peer_all_reduce(const RackwrightPeerCall* call, char* message) {
  return peer_launch(call, call->stream == nullptr ? stream : call->stream, message);
}

constexpr RackwrightNccl kTable{RACKWRIGHT_NCCL_ABI,
                                version,
                                has_windows,
                                open_device,
                                unique_id,
                                init,
                                split,
                                state,
                                abort_comm,
                                finalize,
                                destroy,
                                allocate,
                                release,
                                put,
                                get,
                                open_window,
                                close_window,
                                group,
                                all_reduce,
                                all_gather,
                                reduce_scatter,
                                broadcast,
                                send,
                                receive,
                                query_stream,
                                begin_capture,
                                end_capture,
                                launch,
                                discard,
                                mark,
                                elapsed,
                                peer_share,
                                peer_map,
                                peer_unmap,
                                peer_all_reduce};

}  // namespace

extern "C" __attribute__((visibility("default"))) const RackwrightNccl* rackwright_nccl_table() {
  return &kTable;
}
