#pragma once

#include <cuda_runtime.h>

#include "kernels/own/stream_copy.hpp"

namespace rackwright::kernels::own {

/* Launches of the device kernels, as on_host.hpp runs them on the host; the error is that of the
   launch. */
cudaError_t launch(const StreamCopyArgs& args, cudaStream_t stream);

}  // namespace rackwright::kernels::own
