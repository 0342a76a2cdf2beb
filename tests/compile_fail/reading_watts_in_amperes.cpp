#include "common/units.hpp"

namespace rackwright {
#ifdef RACKWRIGHT_WRONG
[[maybe_unused]] constexpr double x = (1.0_kW).in(ampere);
#else
[[maybe_unused]] constexpr double x = (1.0_kW).in(watt);
#endif
}  // namespace rackwright
