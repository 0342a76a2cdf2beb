#include "common/temperature.hpp"

namespace rackwright {
#ifdef RACKWRIGHT_WRONG
[[maybe_unused]] constexpr auto sum = 25.0_degC + 10.0_degC;
#else
[[maybe_unused]] constexpr auto sum = 25.0_degC + 10.0_K;
#endif
}  // namespace rackwright
