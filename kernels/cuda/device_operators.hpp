#pragma once

#include <string>
#include <vector>

#include "kernels/cuda/cublas_gemm.hpp"
#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/cudnn_runner.hpp"
#include "kernels/cuda/gpu_step.hpp"
#include "kernels/cuda/step_memory.hpp"

namespace rackwright::kernels::cuda {

inline constexpr int kPageTokens = 64;

/// The operators of the ABI as launches of cuBLASLt, cuDNN and own kernels. Where several can run
/// an operator each is timed, and the quickest is taken and named.
class DeviceOperators final : public StepWork {
 public:
  /// Throws CudaError; for an operator that nothing here can run, naming it.
  DeviceOperators(CudaCalls& calls, int device, std::vector<RackwrightCudaOperator> operators,
                  OpenedCudnn cudnn = open_cudnn());
  [[nodiscard]] int count() const override { return static_cast<int>(operators_.size()); }
  [[nodiscard]] int lane(int i) const override {
    return operators_[static_cast<std::size_t>(i)].lane;
  }
  int enqueue(int i, void* stream) override;
  /// Runs operator i once on random data of `seed`, with scales of 1; what each launch read and
  /// wrote, the output last. Throws CudaError.
  [[nodiscard]] std::vector<Placed> trial(int i, unsigned seed);
  [[nodiscard]] bool among_ranks() const override { return first_collective() != nullptr; }
  int look(double waited_s) override {
    const auto* one = first_collective();
    return one->look(one->context, waited_s);
  }
  [[nodiscard]] const std::string& choice(int i) const {
    return prepared_[static_cast<std::size_t>(i)].choice;
  }

 private:
  Prepared prepare(const RackwrightCudaOperator& op);
  Prepared stream_bytes(const RackwrightCudaOperator& op);
  // device_elementwise.cpp
  Prepared elementwise(const RackwrightCudaOperator& op);
  Launcher gather(const RackwrightCudaOperator& op);
  Launcher norm(const RackwrightCudaOperator& op);
  Launcher rotary_append(const RackwrightCudaOperator& op);
  Launcher append_latents(const RackwrightCudaOperator& op, const int* slots);
  Launcher gated_activation(int rows, int width);
  Launcher route(const RackwrightCudaOperator& op);
  Launcher expert_sum(const RackwrightCudaOperator& op);
  Launcher top_k(const RackwrightCudaOperator& op);
  Launcher sample(const RackwrightCudaOperator& op);
  /// One look sees the ranks of all.
  [[nodiscard]] const RackwrightCudaCollective* first_collective() const;
  // device_gemm.cpp
  Prepared gemm(int type, int m, int n, int k);
  Prepared product(int type, int m, int n, int k);
  Prepared padded_product(int type, int m, int n, int k);
  Prepared mx_product(const std::vector<int>& rows, int n, int k);
  /// A product for each expert, of as many rows.
  Prepared grouped(int type, const std::vector<int>& rows, int n, int k);
  Candidate one_by_one(int type, const std::vector<int>& rows, int n, int k);
  Prepared experts(const RackwrightCudaOperator& op);
  /// Activations into the product's type; nothing for BF16 and MXFP4 weights.
  Launcher quantise(int type, int rows, int width);
  std::vector<Candidate> grouped_candidates(int type, const std::vector<int>& rows, int n, int k,
                                            std::vector<std::string>& notes);
  // device_attention.cpp
  Prepared prefill(const RackwrightCudaOperator& op);
  Prepared decode(const RackwrightCudaOperator& op);
  Prepared latent_decode(const RackwrightCudaOperator& op);
  std::vector<Candidate> attention_candidates(const CudnnAttention& shape,
                                              std::vector<std::string>& notes);
  CudnnBinder bind(const CudnnAttention& shape, const AttentionIds& ids);
  Candidate own_prefill(const RackwrightCudaOperator& op);
  Candidate own_decode(const RackwrightCudaOperator& op);
  Candidate own_latent_decode(const RackwrightCudaOperator& op);

  std::vector<RackwrightCudaOperator> operators_;
  CudaCalls& calls_;
  int multiprocessors_ = 1;
  StepMemory memory_;
  CublasLt library_;
  CudnnLibrary cudnn_;
  std::vector<Prepared> prepared_;  ///< after the libraries, which it uses to its end
};

}  // namespace rackwright::kernels::cuda
