#pragma once

#include <cuda_runtime_api.h>

#include "kernels/nccl/nccl_abi.h"

/* The functions of the module's table that share memory by CUDA IPC and launch the own kernel. */

/// 0, or an error that is no value of ncclResult_t, with its text.
int cuda_failed(cudaError_t code, char* message);

int peer_share(void** block, char* handle, int** leave, char* message);
int peer_map(const char* handle, void** block, char* message);
int peer_unmap(void* block, char* message);
int peer_launch(const RackwrightPeerCall* call, void* stream, char* message);
