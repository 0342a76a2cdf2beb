#include "kernels/cuda/cublas_gemm.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <cublasLt.h>
#include <cuda_runtime.h>

#include "kernels/cuda/cuda_abi.h"
#include "kernels/cuda/runtime_checks.hpp"
#include "kernels/cuda/scale_layout.hpp"

namespace rackwright::kernels::cuda {
namespace {

constexpr std::size_t kWorkspaceBytes = 64 << 20;
constexpr int kProposals = 8;
constexpr unsigned char kOneUe4m3 = 0x38;
constexpr unsigned char kOneUe8m0 = 0x7f;

void require(cublasStatus_t status, const std::string& call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw CudaError(cudaErrorUnknown, false,
                  call + ": cuBLAS status " + std::to_string(static_cast<int>(status)));
}

std::string version_text() {
  const std::size_t version = cublasLtGetVersion();
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

const char* type_name(int type) {
  switch (type) {
    case RACKWRIGHT_CUDA_BF16:
      return "BF16";
    case RACKWRIGHT_CUDA_NVFP4:
      return "NVFP4";
    case RACKWRIGHT_CUDA_MXFP8:
      return "MXFP8";
    case RACKWRIGHT_CUDA_INT8:
      return "INT8, sums in INT32";
    case RACKWRIGHT_CUDA_FP32:
      return "FP32 without TF32";
    default:
      return "FP8";
  }
}

/// Whether the toolkit that this was compiled with names the mode (12.8: block scales of 16 and 32;
/// 12.9: vectors and blocks of fp32).
constexpr bool has_mode(ScaleMode mode) {
  switch (mode) {
    case ScaleMode::none:
    case ScaleMode::tensor:
      return true;
    case ScaleMode::mx32:
    case ScaleMode::nv16:
      return CUDART_VERSION >= 12080;
    default:
      return CUDART_VERSION >= 12090;
  }
}

bool accumulates_fast(ScaleMode mode) {
  return mode == ScaleMode::tensor || mode == ScaleMode::outer_vector;
}

cudaDataType data_type(int type) {
  switch (type) {
    case RACKWRIGHT_CUDA_BF16:
      return CUDA_R_16BF;
    case RACKWRIGHT_CUDA_INT8:
      return CUDA_R_8I;
    case RACKWRIGHT_CUDA_FP32:
      return CUDA_R_32F;
#if CUDART_VERSION >= 12080
    case RACKWRIGHT_CUDA_NVFP4:
      return CUDA_R_4F_E2M1;
#endif
    default:
      return CUDA_R_8F_E4M3;
  }
}

cudaDataType result_type(int type) {
  if (type == RACKWRIGHT_CUDA_INT8) return CUDA_R_32I;
  return type == RACKWRIGHT_CUDA_FP32 ? CUDA_R_32F : CUDA_R_16BF;
}

}  // namespace

struct CublasLt::Handle {
  cublasLtHandle_t library = nullptr;
  void* workspace = nullptr;
  ~Handle() {
    if (library != nullptr) (void)cublasLtDestroy(library);
  }
};

CublasLt::CublasLt(StepMemory& memory) : memory_(memory), handle_(std::make_shared<Handle>()) {
  require(cublasLtCreate(&handle_->library), "cublasLtCreate");
  handle_->workspace = memory.own(kWorkspaceBytes);
}
CublasLt::~CublasLt() = default;

struct CublasLt::Plan {
  std::shared_ptr<Handle> handle;
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
  std::function<ProductPlaces()> places;
  bool whole_numbers = false;  ///< factors are int32, not float

  ~Plan() {
    if (preference != nullptr) (void)cublasLtMatmulPreferenceDestroy(preference);
    if (d != nullptr) (void)cublasLtMatrixLayoutDestroy(d);
    if (b != nullptr) (void)cublasLtMatrixLayoutDestroy(b);
    if (a != nullptr) (void)cublasLtMatrixLayoutDestroy(a);
    if (operation != nullptr) (void)cublasLtMatmulDescDestroy(operation);
  }

  /// Column-major D^T[n,m] = B[n,k] x A^T[k,m]: both operands lie along k, as FP8 and FP4 ask.
  /// cuBLAS's A is our B, the weights.
  void describe(const ProductShape& shape, ScaleMode mode) {
    whole_numbers = shape.type == RACKWRIGHT_CUDA_INT8;
    require(cublasLtMatmulDescCreate(&operation,
                                     whole_numbers ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F,
                                     whole_numbers ? CUDA_R_32I : CUDA_R_32F),
            "cublasLtMatmulDescCreate");
    const cublasOperation_t transposed = CUBLAS_OP_T, plain = CUBLAS_OP_N;
    set(CUBLASLT_MATMUL_DESC_TRANSA, transposed);
    set(CUBLASLT_MATMUL_DESC_TRANSB, plain);
    if (accumulates_fast(mode)) set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, static_cast<int8_t>(1));
    const cudaDataType type = data_type(shape.type);
    const int m = shape.m, n = shape.n, k = shape.k;
    require(cublasLtMatrixLayoutCreate(&a, type, k, n, k), "cublasLtMatrixLayoutCreate");
    require(cublasLtMatrixLayoutCreate(&b, type, k, m, k), "cublasLtMatrixLayoutCreate");
    require(cublasLtMatrixLayoutCreate(&d, result_type(shape.type), n, m, n),
            "cublasLtMatrixLayoutCreate");
    require(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    require(
        cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &kWorkspaceBytes, sizeof kWorkspaceBytes),
        "cublasLtMatmulPreferenceSetAttribute");
  }

  void scale_by(const void* weights, const void* activations) {
    set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, weights);
    set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, activations);
  }
  /// fp32 scales that are all 1.
  void scale_by_floats(StepMemory& memory, std::size_t weights, std::size_t activations) {
    scale_by(memory.table(std::vector<float>(weights, 1)),
             memory.table(std::vector<float>(activations, 1)));
  }
  void scale_by_groups(StepMemory& memory, const ProductShape& shape, int group,
                       unsigned char one) {
    const auto scales = [&](int rows) {
      const int columns = scale_columns(shape.k, group);
      std::vector<unsigned char> all(scale_bytes(rows, shape.k, group), 0);
      for (int row = 0; row < rows; ++row) {
        for (int i = 0; i * group < shape.k; ++i) all[scale_place(row, i, columns)] = one;
      }
      return memory.table(all);
    };
    scale_by(scales(shape.n), scales(shape.m));
  }

  void add_scales(StepMemory& memory, const ProductShape& shape, ScaleMode mode) {
    const auto groups = [](int size) { return static_cast<std::size_t>((size + 127) / 128 + 3); };
    switch (mode) {
      case ScaleMode::none:
        return;
      case ScaleMode::tensor:
        return scale_by_floats(memory, 1, 1);
#if CUDART_VERSION >= 12090
      case ScaleMode::outer_vector:
        set_modes(CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F,
                  CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F);
        return scale_by_floats(memory, static_cast<std::size_t>(shape.n),
                               static_cast<std::size_t>(shape.m));
      case ScaleMode::blocks:
        set_modes(CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F,
                  CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F);
        return scale_by_floats(memory, groups(shape.n) * groups(shape.k),
                               (static_cast<std::size_t>(shape.m) + 3) * groups(shape.k));
#endif
#if CUDART_VERSION >= 12080
      case ScaleMode::mx32:
        set_modes(CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0,
                  CUBLASLT_MATMUL_MATRIX_SCALE_VEC32_UE8M0);
        return scale_by_groups(memory, shape, 32, kOneUe8m0);
      case ScaleMode::nv16:
        set_modes(CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3,
                  CUBLASLT_MATMUL_MATRIX_SCALE_VEC16_UE4M3);
        return scale_by_groups(memory, shape, 16, kOneUe4m3);
#endif
      default:
        return;
    }
  }

#if CUDART_VERSION >= 12080
  void set_modes(cublasLtMatmulMatrixScale_t weights, cublasLtMatmulMatrixScale_t activations) {
    set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, weights);
    set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, activations);
  }
#endif

  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    require(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value),
            "cublasLtMatmulDescSetAttribute");
  }

  int run(const cublasLtMatmulAlgo_t& algorithm, void* stream) const {
    const float one = 1, zero = 0;
    const std::int32_t whole_one = 1, whole_zero = 0;
    const void* factor = whole_numbers ? static_cast<const void*>(&whole_one) : &one;
    const void* none = whole_numbers ? static_cast<const void*>(&whole_zero) : &zero;
    const ProductPlaces at = places();
    const cublasStatus_t status = cublasLtMatmul(
        handle->library, operation, factor, at.b, a, at.a, b, none, at.d, d, at.d, d, &algorithm,
        handle->workspace, kWorkspaceBytes, static_cast<cudaStream_t>(stream));
    if (status == CUBLAS_STATUS_SUCCESS) return 0;
    const cudaError_t left = cudaGetLastError();
    return left != cudaSuccess ? left : cudaErrorUnknown;
  }
};

std::vector<Candidate> CublasLt::candidates(const ProductShape& shape, ScaleMode mode,
                                            std::function<ProductPlaces()> places) {
  if (!has_mode(mode)) return {};
  const auto plan = std::make_shared<Plan>();
  plan->handle = handle_;
  plan->places = std::move(places);
  plan->describe(shape, mode);
  plan->add_scales(memory_, shape, mode);
  std::array<cublasLtMatmulHeuristicResult_t, kProposals> results{};
  int proposed = 0;
  if (cublasLtMatmulAlgoGetHeuristic(handle_->library, plan->operation, plan->a, plan->b, plan->d,
                                     plan->d, plan->preference, kProposals, results.data(),
                                     &proposed) != CUBLAS_STATUS_SUCCESS) {
    return {};
  }
  std::vector<Candidate> out;
  for (int i = 0; i < proposed; ++i) {
    const cublasLtMatmulAlgo_t algorithm = results[static_cast<std::size_t>(i)].algo;
    int id = -1;
    std::size_t written = 0;
    (void)cublasLtMatmulAlgoConfigGetAttribute(&algorithm, CUBLASLT_ALGO_CONFIG_ID, &id, sizeof id,
                                               &written);
    out.push_back({"cuBLASLt " + version_text() + ", " + type_name(shape.type) + ", " +
                       name_of(mode) + (accumulates_fast(mode) ? ", fast accumulation" : "") +
                       ", algorithm " + std::to_string(id) + ", proposal " + std::to_string(i + 1),
                   [plan, algorithm](void* stream) { return plan->run(algorithm, stream); }});
  }
  return out;
}

}  // namespace rackwright::kernels::cuda
