#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/own/fill_random.hpp"

namespace rackwright::kernels::cuda {

/// 0 … count - 1 in no order, always the same.
inline std::vector<int> shuffled(int count) {
  std::vector<int> order(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::uint32_t state = 1;
  for (std::size_t i = order.size(); i > 1; --i) {
    state = own::mixed(state + 0x9e3779b9U);
    std::swap(order[i - 1], order[state % i]);
  }
  return order;
}

/// Pages of equal sequences, neighbours in a cache far apart.
inline std::vector<int> shuffled_pages(int sequences, int pages) {
  return shuffled(sequences * pages);
}

}  // namespace rackwright::kernels::cuda
