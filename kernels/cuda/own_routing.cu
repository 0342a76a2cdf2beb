/* Kernels of kernels/own that route tokens to experts. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/own/permute.hpp"
#include "kernels/own/router.hpp"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_route, (kRouterWarps * kWarp), RouterArgs, route)
RACKWRIGHT_KERNEL(rw_permute_count, (kPermuteThreads), PermuteArgs, permute_count)
RACKWRIGHT_KERNEL(rw_permute_offsets, (kPermuteThreads), PermuteArgs, permute_offsets)
RACKWRIGHT_KERNEL(rw_permute_place, (kPermuteThreads), PermuteArgs, permute_place)
RACKWRIGHT_KERNEL(rw_permute_rows, (128), PermuteArgs, permute_rows)
RACKWRIGHT_KERNEL(rw_unpermute_rows, (128), UnpermuteArgs, unpermute_rows)
