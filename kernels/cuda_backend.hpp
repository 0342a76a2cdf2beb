#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/cuda_abi.h"
#include "kernels/step_collectives.hpp"

namespace rackwright::kernels {

/// The functions of the CUDA module; whoever fills it keeps the module open.
struct CudaModule {
  RackwrightCudaPrepare prepare = nullptr;
  RackwrightCudaRun run = nullptr;
  RackwrightCudaRelease release = nullptr;
  RackwrightCudaChoice choice = nullptr;
  RackwrightCudaLaunchProbe launch_probe = nullptr;
  RackwrightCudaTransferProbe transfer = nullptr;
  RackwrightCudaTrial trial = nullptr;
};

/// Opens the module for good. Throws BackendUnavailable with the reason.
[[nodiscard]] CudaModule open_cuda_module(const std::string& path);

/// What `kernels` empty kernels cost, launched one by one and as one graph. Throws
/// BackendUnavailable with the CUDA call, its code and the remedy.
[[nodiscard]] RackwrightCudaLaunch probe_launches(const CudaModule& module, int device,
                                                  int kernels);
/// A KV cache of `pages` pages from one GPU to another (or within one): one copy, a copy a page,
/// one batch of copies, with peer access said. Throws as above.
[[nodiscard]] RackwrightCudaTransfer probe_transfer(const CudaModule& module, int from, int to,
                                                    double page_bytes, int pages);

/// Replays steps on one GPU through the CUDA module. Energy stays 0: it is measured by samplers,
/// not here. A step's operators are timed one by one once, when it is prepared; `whole` then gives
/// the headline, and the gap to their sum is overlap where it is shorter and launch where it is
/// longer. Sequences of an attention operator are taken as equal; rows of the experts follow the
/// skew of the plan (`expert_rows`). Collectives between ranks are those of
/// `collectives`, captured and timed with the step; without, they are left out: they take no time
/// here, and the choices say so. Steps must not outlive it.
class CudaBackend final : public Backend {
 public:
  CudaBackend(CudaModule module, int device, std::string device_name,
              std::unique_ptr<StepCollectives> collectives = nullptr)
      : module_(module),
        device_(device),
        name_(std::move(device_name)),
        collectives_(std::move(collectives)) {}
  [[nodiscard]] std::string_view name() const override { return "cuda"; }
  [[nodiscard]] std::string_view device() const override { return name_; }
  [[nodiscard]] bool measures_power() const override { return false; }
  /// Throws BackendUnavailable with the CUDA call, its code and the remedy; RankFailure or
  /// Interrupted when the ranks have failed. In either case this rank has left the others.
  std::unique_ptr<PreparedStep> prepare(const workloads::OperatorGraph& step,
                                        const RankContext& rank) override;
  /// What runs each operator, by its name, in the last step prepared that has it: library,
  /// algorithm, page size and KV layout, scales, cold cache, what was not taken and why.
  [[nodiscard]] const std::map<std::string, std::string>& choices() const { return choices_; }

 private:
  CudaModule module_;
  int device_;
  std::string name_;
  std::unique_ptr<StepCollectives> collectives_;
  std::map<std::string, std::string> choices_;
};

/// A step prepared by CudaBackend.
class CudaPreparedStep : public PreparedStep {
 public:
  /// What runs each operator, in the order of the graph.
  [[nodiscard]] virtual const std::vector<std::string>& choices() const = 0;
  /// Seconds of the whole step launched kernel by kernel, to compare with its graph.
  [[nodiscard]] virtual double run_eager() = 0;
};

/// An operator as the module takes it; it holds what the operator points to.
struct CudaOperator : RackwrightCudaOperator {
  CudaOperator() : RackwrightCudaOperator{} {}
  CudaOperator(CudaOperator&&) = default;
  CudaOperator& operator=(CudaOperator&&) = default;
  std::vector<int> rows_of_experts;
};

/// Throws BackendUnavailable naming what the module lacks.
[[nodiscard]] CudaOperator to_cuda(const workloads::Operator& op);

}  // namespace rackwright::kernels
