#include "common/units.hpp"

namespace rackwright {
#ifdef RACKWRIGHT_WRONG
[[maybe_unused]] constexpr Power power = 600.0;
#else
[[maybe_unused]] constexpr Power power = 600.0 * watt;
#endif
}  // namespace rackwright
