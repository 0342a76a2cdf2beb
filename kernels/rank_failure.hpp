#pragma once

#include <stdexcept>

namespace rackwright::kernels {

/// One rank's work with the others failed, on whichever side: what was recorded stands, and every
/// rank ends. Says rank and operation.
class RankFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rackwright::kernels
