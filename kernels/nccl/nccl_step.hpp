#pragma once

#include <memory>

#include "kernels/nccl/nccl_comm.hpp"
#include "kernels/step_collectives.hpp"
#include "workloads/serving_plan.hpp"

namespace rackwright::kernels {

/// Collectives inside steps by NCCL, in bf16, on the stream that the step gives: a communicator a
/// group of the plan, by split, and buffers that grow with the largest call (they stay warm in L2,
/// as behind the product that writes them). `nccl-symmetric` all-reduces use windows where every
/// rank's NCCL has them. `engine` all-reduces run by the own kernels, one-shot or two-shot, up to
/// 1 MiB on up to 8 ranks of one node; else by NCCL, and the choice says why. Expert exchanges are
/// plain uneven sends and receives; engines use DeepEP. A call of all ranks of the replica; keeps
/// references.
[[nodiscard]] std::unique_ptr<StepCollectives> nccl_step_collectives(
    const RackwrightNccl& calls, launch::Communicator& replica, const workloads::ServingPlan& plan,
    NcclLimits limits = {});

}  // namespace rackwright::kernels
