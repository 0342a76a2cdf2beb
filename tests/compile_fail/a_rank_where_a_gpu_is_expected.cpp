#include "common/ids.hpp"

namespace rackwright {
#ifdef RACKWRIGHT_WRONG
void use(GpuId); inline void call() { use(RankId(3)); }
#else
void use(GpuId); inline void call() { use(GpuId(3)); }
#endif
}  // namespace rackwright
