#include "common/units.hpp"

namespace rackwright {
#ifdef RACKWRIGHT_WRONG
[[maybe_unused]] constexpr auto sum = 1.0_kW + 2.0_V;
#else
[[maybe_unused]] constexpr auto sum = 1.0_kW + 2.0_W;
#endif
}  // namespace rackwright
