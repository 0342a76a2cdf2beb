#pragma once

#include <cstddef>
#include <functional>

namespace rackwright::results {

/// Calls `work(i)` once for each i below `count`, on up to `threads` threads. When calls throw, the
/// exception of the smallest index that threw is thrown again after all threads have ended; no new
/// index is started after the first exception.
void for_each_index(std::size_t count, unsigned threads,
                    const std::function<void(std::size_t)>& work);

}  // namespace rackwright::results
