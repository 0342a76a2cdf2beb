#include "kernels/nccl/peer_module.hpp"

#include <cstdio>
#include <cstring>

#include "kernels/cuda/own_kernels.cuh"
#include "kernels/nccl/peer_block.hpp"

namespace own = rackwright::kernels::own;

int cuda_failed(cudaError_t code, char* message) {
  if (code == cudaSuccess) return 0;
  std::snprintf(message, RACKWRIGHT_NCCL_TEXT, "%s (CUDA error %d)", cudaGetErrorString(code),
                static_cast<int>(code));
  (void)cudaGetLastError();  // a peer that cannot be mapped is no error of later launches
  return 1000 + static_cast<int>(code);
}

int peer_share(void** block, char* handle, int** leave, char* message) {
  constexpr std::size_t kBytes = RACKWRIGHT_PEER_BLOCK;
  if (const int code = cuda_failed(cudaMalloc(block, kBytes), message)) return code;
  if (const int code = cuda_failed(cudaMemset(*block, 0, kBytes), message)) return code;
  if (const int code = cuda_failed(cudaDeviceSynchronize(), message)) return code;
  cudaIpcMemHandle_t made{};
  static_assert(sizeof made == RACKWRIGHT_PEER_HANDLE);
  if (const int code = cuda_failed(cudaIpcGetMemHandle(&made, *block), message)) return code;
  std::memcpy(handle, &made, sizeof made);
  const auto flags = cudaHostAllocMapped | cudaHostAllocPortable;
  if (const int code = cuda_failed(
          cudaHostAlloc(reinterpret_cast<void**>(leave), sizeof(int), flags), message)) {
    return code;
  }
  **leave = 0;
  return 0;
}

int peer_map(const char* handle, void** block, char* message) {
  cudaIpcMemHandle_t of_peer{};
  std::memcpy(&of_peer, handle, sizeof of_peer);
  return cuda_failed(cudaIpcOpenMemHandle(block, of_peer, cudaIpcMemLazyEnablePeerAccess), message);
}

int peer_unmap(void* block, char* message) {
  return cuda_failed(cudaIpcCloseMemHandle(block), message);
}

namespace {

template <class T>
int launch_on(const RackwrightPeerCall& call, cudaStream_t stream, char* message) {
  const own::PeerReduceArgs<T> args = peer_args<T>(call);
  if (call.out != nullptr) {
    auto* values = static_cast<char*>(call.blocks[call.rank]) + RACKWRIGHT_PEER_VALUES;
    if (const int code = cuda_failed(cudaMemcpyAsync(values, call.out, call.count * sizeof(T),
                                                     cudaMemcpyDeviceToDevice, stream),
                                     message)) {
      return code;
    }
  }
  return cuda_failed(own::launch(args, stream), message);
}

}  // namespace

int peer_launch(const RackwrightPeerCall* call, void* stream, char* message) {
  auto* on = static_cast<cudaStream_t>(stream);
  return call->type == RACKWRIGHT_NCCL_BF16 ? launch_on<own::Bf16>(*call, on, message)
                                            : launch_on<float>(*call, on, message);
}
