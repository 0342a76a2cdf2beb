#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rackwright::kernels::cuda {

/* What is used of cuDNN's backend interface (cudnn_graph.h of 9.19), without its header, which a
   toolkit may lack. tests/kernels/cudnn compares the numbers with the header where there is one. */
namespace cudnn {

inline constexpr int kTestedVersion = 91900;
inline constexpr int kNotSupported = 3000;  ///< to 3999: CUDNN_STATUS_NOT_SUPPORTED…

enum Type { kFloat = 0, kInt32 = 4, kBf16 = 9, kBoolean = 11, kFp8 = 12 };
enum Attribute {
  kPointwiseMode = 0,
  kPointwisePrecision = 1,
  kPointwiseAxis = 9,
  kHeurMode = 200,
  kHeurGraph = 201,
  kHeurResults = 202,
  kHeurDevice = 204,
  kConfigEngine = 300,
  kPlanHandle = 400,
  kPlanConfig = 401,
  kPlanWorkspace = 402,
  kPlanDevice = 407,
  kPointwiseDescriptor = 750,
  kPointwiseX = 751,
  kPointwiseB = 752,
  kPointwiseY = 753,
  kPointwiseT = 758,
  kGraphHandle = 800,
  kGraphOperations = 801,
  kTensorAlignment = 900,
  kTensorType = 901,
  kTensorDimensions = 902,
  kTensorStrides = 903,
  kTensorId = 906,
  kTensorVirtual = 907,
  kTensorByValue = 908,
  kPackIds = 1000,
  kPackPointers = 1001,
  kPackWorkspace = 1003,
  kEngineIndex = 1301,
  kMatmulType = 1500,
  kMatmulPadding = 1503,
  kMatmulA = 1520,
  kMatmulB = 1521,
  kMatmulC = 1522,
  kMatmulDescriptor = 1523,
  kMatmulM = 1525,
  kMatmulN = 1526,
  kMatmulK = 1527,
  kReductionOperator = 1600,
  kReductionType = 1601,
  kReductionX = 1610,
  kReductionY = 1611,
  kReductionDescriptor = 1612,
  kPagedContainer = 1950,
  kPagedY = 1951,
  kPagedLengths = 1952,
  kPagedTable = 1953,
  kDeviceJson = 2702,
  kSdpaQ = 2800,
  kSdpaK = 2801,
  kSdpaV = 2802,
  kSdpaO = 2803,
  kSdpaScale = 2805,
  kSdpaPagesK = 2807,
  kSdpaPagesV = 2808,
  kSdpaLengthQ = 2809,
  kSdpaLengthKv = 2810,
  kMoeMode = 2900,
  kMoePrecision = 2901,
  kMoeToken = 2902,
  kMoeWeight = 2903,
  kMoeFirstToken = 2904,
  kMoeOutput = 2905
};
enum AttributeType {
  kHandleType = 0,
  kDataType = 1,
  kBooleanType = 2,
  kInt64Type = 3,
  kDoubleType = 5,
  kPointerType = 6,
  kHeurModeType = 8,
  kPointwiseModeType = 14,
  kDescriptorType = 15,
  kReductionOperatorType = 18,
  kCharType = 24,
  kMoeModeType = 30
};
enum DescriptorKind {
  kPointwise = 0,
  kEngine = 2,
  kEngineConfig = 3,
  kEngineHeur = 4,
  kPlan = 5,
  kOperationPointwise = 13,
  kOperationGraph = 15,
  kVariantPack = 16,
  kTensor = 17,
  kMatmul = 18,
  kOperationMatmul = 19,
  kReduction = 21,
  kOperationReduction = 22,
  kOperationPagedLoad = 35,
  kDeviceProperties = 38,
  kOperationSdpa = 41,
  kOperationMoe = 42
};
enum Mode {
  kAdd = 0,
  kMul = 1,
  kMax = 3,
  kDiv = 6,
  kSub = 9,
  kExp = 13,
  kLog = 15,
  kCmpGt = 302,
  kCmpGe = 303,
  kCmpLt = 304,
  kAnd = 400,
  kGenIndex = 501,
  kSelect = 601
};
enum ReduceOperator { kReduceAdd = 0, kReduceMax = 3, kReduceAmax = 4 };
enum Heuristic { kHeurFallback = 2, kHeurA = 3 };
enum MoeMode { kMoeNone = 0 };

}  // namespace cudnn

using CudnnDescriptor = void*;

/// cuDNN's backend functions; the library opened at run time, or a stand-in of the tests.
struct CudnnApi {
  int (*create)(int kind, CudnnDescriptor* out) = nullptr;
  int (*destroy)(CudnnDescriptor) = nullptr;
  int (*set)(CudnnDescriptor, int attribute, int type, std::int64_t count,
             const void* values) = nullptr;
  int (*get)(CudnnDescriptor, int attribute, int type, std::int64_t wanted, std::int64_t* got,
             void* values) = nullptr;
  int (*finalize)(CudnnDescriptor) = nullptr;
  int (*execute)(void* handle, CudnnDescriptor plan, CudnnDescriptor pack) = nullptr;
  int (*create_handle)(void** out) = nullptr;
  int (*destroy_handle)(void*) = nullptr;
  int (*set_stream)(void* handle, void* stream) = nullptr;
  std::size_t (*version)() = nullptr;
  void (*last_error)(char* text, std::size_t size) = nullptr;
};

/// libcudnn.so.9 by the loader's path, or why not: "libcudnn.so.9: cannot open…", or a version
/// older than the one tested. Stays open for good.
struct OpenedCudnn {
  CudnnApi api;
  bool usable = false;
  std::string reason;  ///< "cuDNN 9.19.0" when usable
};
[[nodiscard]] OpenedCudnn open_cudnn(const char* library = "libcudnn.so.9");

}  // namespace rackwright::kernels::cuda
