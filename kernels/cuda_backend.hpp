#pragma once

#include <memory>
#include <string>

#include "kernels/backend.hpp"
#include "kernels/cuda/cuda_abi.h"

namespace rackwright::kernels {

/// The functions of the CUDA module; whoever fills it keeps the module open.
struct CudaModule {
  RackwrightCudaPrepare prepare = nullptr;
  RackwrightCudaRun run = nullptr;
  RackwrightCudaRelease release = nullptr;
};

/// Opens the module for good. Throws BackendUnavailable with the reason.
[[nodiscard]] CudaModule open_cuda_module(const std::string& path);

/// Replays steps on one GPU through the CUDA module. Energy stays 0: it is measured by samplers,
/// not here. A step's operators are timed one by one once, when it is prepared; `whole` then gives
/// the headline, and the gap to their sum is overlap where it is shorter and launch where it is
/// longer. Sequences of an attention operator are taken as equal. Operators the module has no
/// kernel for (collectives of several ranks, NVFP4, un-absorbed MLA prefill) are refused by name.
class CudaBackend final : public Backend {
 public:
  CudaBackend(CudaModule module, int device, std::string device_name)
      : module_(module), device_(device), name_(std::move(device_name)) {}
  [[nodiscard]] std::string_view name() const override { return "cuda"; }
  [[nodiscard]] std::string_view device() const override { return name_; }
  /// Throws BackendUnavailable with the CUDA call, its code and the remedy.
  std::unique_ptr<PreparedStep> prepare(const workloads::OperatorGraph& step,
                                        const RankContext& rank) override;

 private:
  CudaModule module_;
  int device_;
  std::string name_;
};

/// The operator as the module takes it. Throws BackendUnavailable naming what it lacks.
[[nodiscard]] RackwrightCudaOperator to_cuda(const workloads::Operator& op);

}  // namespace rackwright::kernels
