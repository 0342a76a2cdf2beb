#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kernels/collectives/collectives.hpp"
#include "kernels/nccl/nccl_comm.hpp"

namespace rackwright::kernels {

/// `engine`: no NCCL, the own all-reduce of engines over peer memory.
enum class NcclBuffers { plain, symmetric, engine };

struct NcclOptions {
  NcclBuffers buffers = NcclBuffers::plain;
  bool graph = false;  ///< the timed calls are captured once and launched as one CUDA graph
  NcclLimits limits;
};

/// Collectives by NCCL on this rank's GPU. Symmetric buffers become plain ones, and the name says
/// why, where NCCL is older than 2.27. Uneven exchanges, chains and KV transfers are groups of
/// sends and receives. Engine buffers are for all-reduces of at most RACKWRIGHT_PEER_BYTES; in place, the
/// vector is copied into the peer memory first, as engines do outside of CUDA graphs. Throws
/// BackendUnavailable on every rank when one has no peer memory. Keeps references; `device_name` is
/// of the GPU that `open` took.
[[nodiscard]] std::unique_ptr<Collectives> nccl_collectives(const RackwrightNccl& calls,
                                                            launch::Communicator& ranks,
                                                            std::string device_name,
                                                            const NcclOptions& options);

/// `../lib/rackwright/rackwright_nccl.so` beside the executable.
[[nodiscard]] std::filesystem::path nccl_module_path();
/// Opens the module for the life of the process. Throws BackendUnavailable: none, does not open,
/// another version.
[[nodiscard]] const RackwrightNccl& open_nccl(const std::filesystem::path& module);

/// "2.28.9" of 22809.
[[nodiscard]] std::string nccl_version_text(int version);

}  // namespace rackwright::kernels
