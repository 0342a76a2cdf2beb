/* Kernels of kernels/own that select, gather and probe. */
#include "kernels/cuda/kernel.cuh"
#include "kernels/own/page_copy.hpp"
#include "kernels/own/probes.hpp"
#include "kernels/own/sampling.hpp"

using namespace rackwright::kernels::own;

RACKWRIGHT_KERNEL(rw_index_largest, (kSelectThreads), IndexerArgs, index_largest)
RACKWRIGHT_KERNEL(rw_sample, (kSelectThreads), SamplingArgs, sample)
RACKWRIGHT_KERNEL(rw_copy_pages, (kPageCopyThreads), PageCopyArgs, copy_pages)
RACKWRIGHT_KERNEL(rw_launch_probe, (kWarp), LaunchProbeArgs, launch_probe)
RACKWRIGHT_KERNEL(rw_burn, (kBurnThreads), BurnArgs, burn)
