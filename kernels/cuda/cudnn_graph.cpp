#include "kernels/cuda/cudnn_graph.hpp"

#include <algorithm>

namespace rackwright::kernels::cuda {

namespace {
constexpr std::size_t kMostPlans = 8;
}  // namespace

Sizes packed(const Sizes& dimensions) {
  Sizes strides(dimensions.size(), 1);
  for (std::size_t i = dimensions.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * dimensions[i];
  }
  return strides;
}

CudnnGraph::~CudnnGraph() {
  for (auto one = owned_.rbegin(); one != owned_.rend(); ++one) (void)api_.destroy(*one);
}

std::string CudnnGraph::why() const {
  char text[512] = "";
  api_.last_error(text, sizeof text);
  return text;
}

CudnnDescriptor CudnnGraph::make(int kind) {
  CudnnDescriptor out = nullptr;
  if (const int status = api_.create(kind, &out); status != 0) {
    throw CudnnError(status, "cuDNN has no descriptor of kind " + std::to_string(kind));
  }
  owned_.push_back(out);
  return out;
}

void CudnnGraph::set(CudnnDescriptor of, int attribute, int type, const void* value,
                     std::int64_t count) {
  if (const int status = api_.set(of, attribute, type, count, value); status != 0) {
    throw CudnnError(status, "cuDNN attribute " + std::to_string(attribute) + ": status " +
                                 std::to_string(status) + ", " + why());
  }
}

void CudnnGraph::link(CudnnDescriptor of, int attribute, const CudnnTensor& tensor) {
  set(of, attribute, cudnn::kDescriptorType, &tensor.descriptor);
}

void CudnnGraph::finish(CudnnDescriptor of, const std::string& what) {
  if (const int status = api_.finalize(of); status != 0) {
    throw CudnnError(status, "cuDNN " + what + ": status " + std::to_string(status) + ", " + why());
  }
}

CudnnTensor CudnnGraph::tensor(int type, const Sizes& dimensions, const Sizes& strides,
                               bool is_virtual, bool by_value) {
  CudnnTensor out{make(cudnn::kTensor), ++last_id_, type, dimensions, strides};
  const std::int64_t alignment = 16;
  const auto rank = static_cast<std::int64_t>(dimensions.size());
  set(out.descriptor, cudnn::kTensorType, cudnn::kDataType, &type);
  set(out.descriptor, cudnn::kTensorDimensions, cudnn::kInt64Type, dimensions.data(), rank);
  set(out.descriptor, cudnn::kTensorStrides, cudnn::kInt64Type, strides.data(), rank);
  set(out.descriptor, cudnn::kTensorId, cudnn::kInt64Type, &out.id);
  set(out.descriptor, cudnn::kTensorAlignment, cudnn::kInt64Type, &alignment);
  set(out.descriptor, cudnn::kTensorVirtual, cudnn::kBooleanType, &is_virtual);
  set(out.descriptor, cudnn::kTensorByValue, cudnn::kBooleanType, &by_value);
  finish(out.descriptor, "tensor");
  return out;
}

CudnnTensor CudnnGraph::memory(int type, const Sizes& dimensions, const Sizes& strides) {
  return tensor(type, dimensions, strides, false, false);
}
CudnnTensor CudnnGraph::memory(int type, const Sizes& dimensions) {
  return memory(type, dimensions, packed(dimensions));
}
CudnnTensor CudnnGraph::number(int type, int rank) {
  const Sizes one(static_cast<std::size_t>(rank), 1);
  return tensor(type, one, one, false, true);
}
CudnnTensor CudnnGraph::between(int type, const Sizes& dimensions, const Sizes& strides) {
  return tensor(type, dimensions, strides, true, false);
}
CudnnTensor CudnnGraph::between(int type, const Sizes& dimensions) {
  return between(type, dimensions, packed(dimensions));
}

void CudnnGraph::pointwise(int mode, int precision, const CudnnTensor& x, const CudnnTensor* b,
                           const CudnnTensor* chosen_by, const CudnnTensor& y, std::int64_t axis) {
  CudnnDescriptor what = make(cudnn::kPointwise);
  set(what, cudnn::kPointwiseMode, cudnn::kPointwiseModeType, &mode);
  set(what, cudnn::kPointwisePrecision, cudnn::kDataType, &precision);
  if (axis >= 0) set(what, cudnn::kPointwiseAxis, cudnn::kInt64Type, &axis);
  finish(what, "pointwise mode " + std::to_string(mode));
  CudnnDescriptor operation = make(cudnn::kOperationPointwise);
  set(operation, cudnn::kPointwiseDescriptor, cudnn::kDescriptorType, &what);
  link(operation, cudnn::kPointwiseX, x);
  if (b != nullptr) link(operation, cudnn::kPointwiseB, *b);
  if (chosen_by != nullptr) link(operation, cudnn::kPointwiseT, *chosen_by);
  link(operation, cudnn::kPointwiseY, y);
  finish(operation, "pointwise operation of mode " + std::to_string(mode));
  operations_.push_back(operation);
}

void CudnnGraph::reduce(int mode, const CudnnTensor& x, const CudnnTensor& y) {
  const int precision = cudnn::kFloat;
  CudnnDescriptor what = make(cudnn::kReduction);
  set(what, cudnn::kReductionOperator, cudnn::kReductionOperatorType, &mode);
  set(what, cudnn::kReductionType, cudnn::kDataType, &precision);
  finish(what, "reduction");
  CudnnDescriptor operation = make(cudnn::kOperationReduction);
  set(operation, cudnn::kReductionDescriptor, cudnn::kDescriptorType, &what);
  link(operation, cudnn::kReductionX, x);
  link(operation, cudnn::kReductionY, y);
  finish(operation, "reduction operation");
  operations_.push_back(operation);
}

void CudnnGraph::matmul(const CudnnTensor& a, const CudnnTensor& b, const CudnnTensor& c,
                        Lengths lengths) {
  const int precision = cudnn::kFloat;
  CudnnDescriptor what = make(cudnn::kMatmul);
  set(what, cudnn::kMatmulType, cudnn::kDataType, &precision);
  if (lengths.n != nullptr) {
    const double padding = 0;
    set(what, cudnn::kMatmulPadding, cudnn::kDoubleType, &padding);
  }
  finish(what, "matrix product");
  CudnnDescriptor operation = make(cudnn::kOperationMatmul);
  set(operation, cudnn::kMatmulDescriptor, cudnn::kDescriptorType, &what);
  link(operation, cudnn::kMatmulA, a);
  link(operation, cudnn::kMatmulB, b);
  link(operation, cudnn::kMatmulC, c);
  if (lengths.m != nullptr) link(operation, cudnn::kMatmulM, *lengths.m);
  if (lengths.n != nullptr) link(operation, cudnn::kMatmulN, *lengths.n);
  if (lengths.k != nullptr) link(operation, cudnn::kMatmulK, *lengths.k);
  finish(operation, "matrix product operation");
  operations_.push_back(operation);
}

void CudnnGraph::load_pages(const CudnnTensor& container, const CudnnTensor& lengths,
                            const CudnnTensor& table, const CudnnTensor& y) {
  operation(cudnn::kOperationPagedLoad, {{cudnn::kPagedContainer, &container},
                                         {cudnn::kPagedLengths, &lengths},
                                         {cudnn::kPagedTable, &table},
                                         {cudnn::kPagedY, &y}});
}

void CudnnGraph::operation(int kind, std::initializer_list<Link> links, bool is_moe) {
  CudnnDescriptor operation = make(kind);
  if (is_moe) {
    const int mode = cudnn::kMoeNone, precision = cudnn::kFloat;
    set(operation, cudnn::kMoeMode, cudnn::kMoeModeType, &mode);
    set(operation, cudnn::kMoePrecision, cudnn::kDataType, &precision);
  }
  for (const Link& one : links) {
    if (one.tensor != nullptr) link(operation, one.attribute, *one.tensor);
  }
  finish(operation, "operation of kind " + std::to_string(kind));
  operations_.push_back(operation);
}

CudnnDescriptor CudnnGraph::device_of(const CudnnDevice& device) {
  if (device.handle != nullptr) return nullptr;
  CudnnDescriptor out = make(cudnn::kDeviceProperties);
  set(out, cudnn::kDeviceJson, cudnn::kCharType, device.properties.c_str(),
      static_cast<std::int64_t>(device.properties.size() + 1));
  finish(out, "device properties");
  return out;
}

std::vector<CudnnDescriptor> CudnnGraph::configurations(CudnnDescriptor graph, int mode,
                                                        CudnnDescriptor properties) {
  CudnnDescriptor heuristics = make(cudnn::kEngineHeur);
  set(heuristics, cudnn::kHeurGraph, cudnn::kDescriptorType, &graph);
  set(heuristics, cudnn::kHeurMode, cudnn::kHeurModeType, &mode);
  if (properties != nullptr) {
    set(heuristics, cudnn::kHeurDevice, cudnn::kDescriptorType, &properties);
  }
  if (api_.finalize(heuristics) != 0) return {};
  std::int64_t count = 0;
  (void)api_.get(heuristics, cudnn::kHeurResults, cudnn::kDescriptorType, 0, &count, nullptr);
  std::vector<CudnnDescriptor> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(make(cudnn::kEngineConfig));
  if (count > 0 && api_.get(heuristics, cudnn::kHeurResults, cudnn::kDescriptorType, count, &count,
                            out.data()) != 0) {
    return {};
  }
  out.resize(static_cast<std::size_t>(count));
  return out;
}

CudnnPlan CudnnGraph::plan_of(CudnnDescriptor configuration, const CudnnDevice& device,
                              CudnnDescriptor properties) {
  CudnnPlan plan{make(cudnn::kPlan)};
  if (device.handle != nullptr) {
    set(plan.descriptor, cudnn::kPlanHandle, cudnn::kHandleType, &device.handle);
  } else {
    set(plan.descriptor, cudnn::kPlanDevice, cudnn::kDescriptorType, &properties);
  }
  set(plan.descriptor, cudnn::kPlanConfig, cudnn::kDescriptorType, &configuration);
  CudnnDescriptor engine = make(cudnn::kEngine);
  std::int64_t got = 0;
  if (api_.get(configuration, cudnn::kConfigEngine, cudnn::kDescriptorType, 1, &got, &engine) ==
      0) {
    (void)api_.get(engine, cudnn::kEngineIndex, cudnn::kInt64Type, 1, &got, &plan.engine);
  }
  plan.status = api_.finalize(plan.descriptor);
  if (plan.status == 0) {
    (void)api_.get(plan.descriptor, cudnn::kPlanWorkspace, cudnn::kInt64Type, 1, &got,
                   &plan.workspace);
  }
  return plan;
}

std::vector<CudnnPlan> CudnnGraph::plans(const CudnnDevice& device) {
  CudnnDescriptor graph = make(cudnn::kOperationGraph);
  if (device.handle != nullptr) {
    set(graph, cudnn::kGraphHandle, cudnn::kHandleType, &device.handle);
  }
  set(graph, cudnn::kGraphOperations, cudnn::kDescriptorType, operations_.data(),
      static_cast<std::int64_t>(operations_.size()));
  finish(graph, "operation graph");
  CudnnDescriptor properties = device_of(device);
  std::vector<CudnnPlan> out;
  for (const int mode : {cudnn::kHeurA, cudnn::kHeurFallback}) {
    for (CudnnDescriptor one : configurations(graph, mode, properties)) {
      out.push_back(plan_of(one, device, properties));
      if (out.size() == kMostPlans) return out;
    }
    if (std::any_of(out.begin(), out.end(), [](const CudnnPlan& p) { return p.status == 0; })) {
      return out;
    }
  }
  return out;
}

int CudnnGraph::run(const CudnnPlan& plan, void* handle, const std::vector<Place>& places,
                    void* workspace) const {
  std::vector<std::int64_t> ids;
  std::vector<void*> memory;
  for (const Place& one : places) ids.push_back(one.id), memory.push_back(one.memory);
  const auto count = static_cast<std::int64_t>(places.size());
  CudnnDescriptor pack = nullptr;
  int status = api_.create(cudnn::kVariantPack, &pack);
  const auto next = [&](int attribute, int type, std::int64_t many, const void* values) {
    if (status == 0) status = api_.set(pack, attribute, type, many, values);
  };
  next(cudnn::kPackPointers, cudnn::kPointerType, count, memory.data());
  next(cudnn::kPackIds, cudnn::kInt64Type, count, ids.data());
  next(cudnn::kPackWorkspace, cudnn::kPointerType, 1, &workspace);
  if (status == 0) status = api_.finalize(pack);
  if (status == 0) status = api_.execute(handle, plan.descriptor, pack);
  if (pack != nullptr) (void)api_.destroy(pack);
  return status;
}

}  // namespace rackwright::kernels::cuda
