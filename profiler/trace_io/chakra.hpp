#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "profiler/recording.hpp"
#include "profiler/step_graphs.hpp"

namespace rackwright::profiler {

/// Ranks of each process group, by the name that COMM_COLL nodes carry in `pg_name`.
using ChakraGroups = std::map<std::string, std::vector<int>>;

/// Execution trace of one rank for simulators of the ASTRA-sim family: protobuf messages of
/// mlcommons/chakra, schema/protobuf/et_def.proto, each behind its length as a varint: one
/// GlobalMetadata, then Node after Node. COMP nodes carry `num_ops` (at least 1: a roofline divides
/// by it) and `tensor_size` (bytes moved to and from memory), COMM_COLL nodes `comm_type`,
/// `comm_size` (bytes that a rank puts in: of an all-gather its own part) and `pg_name`. Time of
/// the host is `is_cpu_op` = true without work, which simulators replay as it is; attribute types
/// are those that the feeder of chakra reads. Layers are written out one by one and a node waits
/// for the one before it. Durations are whole microseconds whose ends are rounded, so that the sum
/// stays exact; start times are those of the rank's own work. Ranks of a stage do equal work, that
/// of the heaviest; `groups` gets the blocks of neighbouring ranks that a collective joins.
///
/// Pipeline parallel: a stage is plan.gpus() / pp neighbours and runs its layers for one of pp
/// micro-batches after the other. Embedding is on the first stage, head and sampling on the last.
/// COMM_SEND and COMM_RECV nodes (`comm_src`, `comm_dst`, `comm_tag` the micro-batch) hand the
/// hidden states on, and the sampled tokens (4 bytes each) back to the first stage, which waits for
/// them in the next step; a stage computes its next micro-batch while it still sends.
void write_chakra(const std::vector<TimedStep>& steps, const workloads::ServingPlan& plan, int rank,
                  std::ostream& out, ChakraGroups& groups);

/// Kernels, copies and collectives of one GPU of an imported run. A node depends on the last node
/// of every stream of the GPU that had ended when it started. Kernels have no `num_ops`: a
/// simulator replays their durations and cannot put them on a roofline. A collective is typed by
/// its kernel's name (send and receive as an all-to-all) over all ranks; where the source does not
/// say its size `comm_size` is 0. Throws InputError when the GPU has none.
void write_chakra(const Recording& recording, int gpu, std::ostream& out);

}  // namespace rackwright::profiler
