#pragma once

#include <memory>

#include "common/launch/communicator.hpp"
#include "kernels/host/host_operator.hpp"

namespace rackwright::kernels {

/// A collective between the ranks of `group`, float32, all of them calling `run` together. An
/// exchange sends `imbalance` times the mean to every peer; a send goes to the next rank while one
/// of the rank before arrives. Keeps a reference.
[[nodiscard]] std::unique_ptr<HostOperator> make_host_collective(
    const workloads::CollectiveShape& shape, launch::Communicator& group);

}  // namespace rackwright::kernels
