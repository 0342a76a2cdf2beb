#include "profiler/step_graphs.hpp"

namespace rackwright::profiler {

namespace {

struct LastStepReached {};

class KeptSteps final : public kernels::Backend {
 public:
  KeptSteps(kernels::Backend& backend, std::uint64_t first, std::uint64_t count)
      : backend_(backend), first_(first), end_(first + count) {}
  [[nodiscard]] std::string_view name() const override { return backend_.name(); }
  [[nodiscard]] std::string_view device() const override { return backend_.device(); }
  [[nodiscard]] bool measures_power() const override { return backend_.measures_power(); }
  std::unique_ptr<kernels::PreparedStep> prepare(const workloads::OperatorGraph& step,
                                                 const kernels::RankContext& rank) override {
    if (steps_ == end_) throw LastStepReached{};
    auto prepared = backend_.prepare(step, rank);
    if (steps_++ >= first_) {
      kept_.push_back({step, prepared->run(kernels::ReplayMode::whole, nullptr)});
    }
    return prepared;
  }
  [[nodiscard]] std::vector<TimedStep> take() { return std::move(kept_); }

 private:
  kernels::Backend& backend_;
  std::uint64_t first_, end_, steps_ = 0;
  std::vector<TimedStep> kept_;
};

}  // namespace

std::vector<TimedStep> step_graphs(const workloads::Workload& workload, const ReplicaSetup& setup,
                                   kernels::Backend& backend, const ReplayOptions& options,
                                   std::uint64_t first, std::uint64_t count) {
  KeptSteps keeper(backend, first, count);
  try {
    static_cast<void>(replay(workload, setup, keeper, options));
  } catch (const LastStepReached&) {
  }
  return keeper.take();
}

}  // namespace rackwright::profiler
