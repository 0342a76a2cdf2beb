#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/algorithm_choice.hpp"
#include "kernels/cuda/cudnn_operators.hpp"

namespace rackwright::kernels::cuda {

/// cuDNN and a handle on the device in use; without the library it says why.
class CudnnLibrary {
 public:
  explicit CudnnLibrary(OpenedCudnn opened);
  ~CudnnLibrary();
  CudnnLibrary(const CudnnLibrary&) = delete;
  CudnnLibrary& operator=(const CudnnLibrary&) = delete;

  [[nodiscard]] bool usable() const { return handle_ != nullptr; }
  /// Its version, or why it is not used.
  [[nodiscard]] const std::string& reason() const { return opened_.reason; }
  [[nodiscard]] const CudnnApi& api() const { return opened_.api; }
  [[nodiscard]] void* handle() const { return handle_; }

 private:
  OpenedCudnn opened_;
  void* handle_ = nullptr;
};

/// Memory for one run of a graph.
using CudnnBinder = std::function<std::vector<CudnnGraph::Place>()>;

/// A graph that cuDNN may run an operator by: `add` puts the operations into it.
struct CudnnVariant {
  std::string name;
  std::function<CudnnBinder(CudnnGraph&)> add;
};

/// The plans that this device takes, of every variant; why not goes to `notes` where there is none.
/// `workspace` gives device memory that stays. The library outlives the candidates.
[[nodiscard]] std::vector<Candidate> cudnn_candidates(
    const CudnnLibrary& library, const std::vector<CudnnVariant>& variants,
    const std::function<void*(std::size_t)>& workspace, std::vector<std::string>& notes);

}  // namespace rackwright::kernels::cuda
