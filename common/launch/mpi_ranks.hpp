#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/launch/communicator.hpp"

namespace rackwright::launch {

/// `../lib/rackwright/rackwright_mpi.so` beside the executable.
[[nodiscard]] std::filesystem::path mpi_module_path();

/// The ranks that mpirun or srun started, through the module. Calls MPI_Init; MPI_Finalize is left
/// out when the communicator ends after a signal or by an exception, as other ranks may be gone.
/// Throws BackendUnavailable: no module, one that does not open, of another version, no MPI.
[[nodiscard]] std::unique_ptr<Communicator> mpi_ranks(const std::filesystem::path& module);

}  // namespace rackwright::launch
