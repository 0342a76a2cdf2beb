#pragma once

#include <memory>
#include <string>

#include "common/launch/communicator.hpp"

namespace rackwright::launch {

/// Who started this process.
enum class Starter { nobody, rackwright, mpi };

/// By the environment: RACKWRIGHT_RANK; OMPI_COMM_WORLD_RANK (Open MPI), PMI_RANK with PMI_SIZE
/// (MPICH, Intel), SLURM_PROCID in a step of several tasks (srun).
[[nodiscard]] Starter starter();

/// `gethostname`.
[[nodiscard]] std::string host_name();

/// Its rank, by the same; 0 when nobody did.
[[nodiscard]] int rank_here();

/// The ranks that this process belongs to; alone when nobody started it as one of several. Throws
/// BackendUnavailable when a launcher did and the MPI module cannot be used.
[[nodiscard]] std::unique_ptr<Communicator> join();

/// Most ranks on one machine: no node has more GPUs, and their rings take 2 GiB of address space.
inline constexpr int kMostLocalRanks = 64;

struct LocalResult {
  int code = 0;         ///< 0, or that of the rank that failed first; 128 + signal when killed
  std::string failure;  ///< "rank 2 was killed by signal 9"; "" when all went well
};
/// Runs this command line again `ranks` times on this machine, each with its rank in
/// RACKWRIGHT_RANK, and waits. SIGINT and SIGTERM are passed on once. When a rank dies or fails the
/// others get SIGTERM, and SIGKILL 10 s later.
[[nodiscard]] LocalResult run_local_ranks(int ranks);

}  // namespace rackwright::launch
