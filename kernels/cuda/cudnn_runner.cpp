#include "kernels/cuda/cudnn_runner.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace rackwright::kernels::cuda {

CudnnLibrary::CudnnLibrary(OpenedCudnn opened) : opened_(std::move(opened)) {
  if (!opened_.usable) return;
  if (const int status = opened_.api.create_handle(&handle_); status != 0) {
    handle_ = nullptr;
    opened_.reason += ": cudnnCreate fails with status " + std::to_string(status);
  }
}
CudnnLibrary::~CudnnLibrary() {
  if (handle_ != nullptr) (void)opened_.api.destroy_handle(handle_);
}

namespace {

struct Bound {
  explicit Bound(const CudnnApi& api) : graph(api) {}
  CudnnGraph graph;
  CudnnBinder places;
  void* workspace = nullptr;
};

Candidate candidate_of(const CudnnLibrary& library, const std::string& name,
                       const std::shared_ptr<Bound>& bound, const CudnnPlan& plan, int number) {
  return {library.reason() + ", " + name + ", engine " + std::to_string(plan.engine) + ", plan " +
              std::to_string(number),
          [&library, bound, plan](void* stream) {
            if (library.api().set_stream(library.handle(), stream) != 0) return kUnknownError;
            const int status =
                bound->graph.run(plan, library.handle(), bound->places(), bound->workspace);
            return status == 0 ? 0 : kUnknownError;
          }};
}

}  // namespace

std::vector<Candidate> cudnn_candidates(const CudnnLibrary& library,
                                        const std::vector<CudnnVariant>& variants,
                                        const std::function<void*(std::size_t)>& workspace,
                                        std::vector<std::string>& notes) {
  if (!library.usable()) {
    notes.push_back("no cuDNN: " + library.reason());
    return {};
  }
  std::vector<Candidate> out;
  std::string refusal = "its heuristics propose no plan that loads";
  for (const CudnnVariant& variant : variants) {
    try {
      const auto bound = std::make_shared<Bound>(library.api());
      bound->places = variant.add(bound->graph);
      std::int64_t bytes = 0;
      int number = 0;
      for (const CudnnPlan& plan : bound->graph.plans({library.handle(), {}})) {
        ++number;
        if (plan.status != 0) continue;
        bytes = std::max(bytes, plan.workspace);
        out.push_back(candidate_of(library, variant.name, bound, plan, number));
      }
      if (bytes > 0) bound->workspace = workspace(static_cast<std::size_t>(bytes));
    } catch (const CudnnError& error) {
      refusal = error.what();
    }
  }
  if (out.empty()) notes.push_back(library.reason() + ": " + refusal);
  return out;
}

}  // namespace rackwright::kernels::cuda
