#pragma once

#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "kernels/cuda/cudnn_graph.hpp"

namespace rackwright::kernels::cuda::testing {

/// A cuDNN that proposes `configs` for the first heuristic of a graph and none for the fallback. It
/// keeps what is set, counts descriptors, and shows each tensor of a graph that runs to `inspect`.
class FakeCudnn {
 public:
  int configs = 2;
  int bad = 0;           ///< number of the plan that does not load
  int refuse_kind = -1;  ///< descriptors of this kind do not finalise
  int open = 0, executed = 0, plans = 0;
  /// Memory of a tensor in a graph that runs, null where none was given.
  std::function<void(const void* memory, std::size_t bytes, bool by_value)> inspect;

  FakeCudnn() { current() = this; }
  ~FakeCudnn() { current() = nullptr; }
  FakeCudnn(const FakeCudnn&) = delete;
  FakeCudnn& operator=(const FakeCudnn&) = delete;

  [[nodiscard]] static OpenedCudnn opened() {
    return {{create, destroy, set, get, finalize, execute, create_handle, destroy_handle,
             set_stream, nullptr, last_error},
            true,
            "cuDNN 9.19.0"};
  }

 private:
  struct Descriptor {
    int kind = 0;
    std::map<int, std::vector<unsigned char>> values;
    std::map<int, std::vector<CudnnDescriptor>> links;
    const Descriptor* graph = nullptr;  ///< of an engine's configuration

    template <class T>
    [[nodiscard]] std::vector<T> all(int attribute) const {
      const auto found = values.find(attribute);
      if (found == values.end()) return {};
      std::vector<T> out(found->second.size() / sizeof(T));
      std::memcpy(out.data(), found->second.data(), out.size() * sizeof(T));
      return out;
    }
    template <class T>
    [[nodiscard]] T one(int attribute) const {
      T out{};
      std::memcpy(&out, values.at(attribute).data(), sizeof out);
      return out;
    }
  };

  static FakeCudnn*& current() {
    static FakeCudnn* one = nullptr;
    return one;
  }
  static Descriptor& of(CudnnDescriptor one) { return *static_cast<Descriptor*>(one); }

  static int create(int kind, CudnnDescriptor* out) {
    *out = new Descriptor{kind, {}, {}, nullptr};
    ++current()->open;
    return 0;
  }
  static int destroy(CudnnDescriptor one) {
    delete static_cast<Descriptor*>(one);
    --current()->open;
    return 0;
  }
  static std::size_t size_of(int type) {
    switch (type) {
      case cudnn::kBooleanType:
      case cudnn::kCharType:
        return 1;
      case cudnn::kInt64Type:
      case cudnn::kDoubleType:
      case cudnn::kPointerType:
      case cudnn::kHandleType:
        return 8;
      default:
        return 4;
    }
  }
  static int set(CudnnDescriptor one, int attribute, int type, std::int64_t count,
                 const void* values) {
    const auto many = static_cast<std::size_t>(count);
    if (type == cudnn::kDescriptorType) {
      const auto* first = static_cast<const CudnnDescriptor*>(values);
      of(one).links[attribute].assign(first, first + many);
    } else {
      const auto* first = static_cast<const unsigned char*>(values);
      of(one).values[attribute].assign(first, first + many * size_of(type));
    }
    return 0;
  }
  static int get(CudnnDescriptor one, int attribute, int, std::int64_t wanted, std::int64_t* got,
                 void* values) {
    if (attribute == cudnn::kHeurResults) {
      const bool first = of(one).one<int>(cudnn::kHeurMode) == cudnn::kHeurA;
      *got = first ? current()->configs : 0;
      auto* out = static_cast<CudnnDescriptor*>(values);
      for (std::int64_t i = 0; i < wanted; ++i) {
        of(out[i]).graph = &of(of(one).links.at(cudnn::kHeurGraph)[0]);
      }
      return 0;
    }
    *got = 1;
    const std::int64_t value = attribute == cudnn::kPlanWorkspace ? 4096 : 7;
    if (attribute != cudnn::kConfigEngine && wanted == 1) std::memcpy(values, &value, sizeof value);
    return 0;
  }
  static int finalize(CudnnDescriptor one) {
    const int kind = of(one).kind;
    if (kind == cudnn::kPlan) {
      return ++current()->plans == current()->bad ? cudnn::kNotSupported : 0;
    }
    return kind == current()->refuse_kind ? cudnn::kNotSupported : 0;
  }
  static int execute(void*, CudnnDescriptor plan, CudnnDescriptor pack) {
    ++current()->executed;
    if (!current()->inspect) return 0;
    const auto ids = of(pack).all<std::int64_t>(cudnn::kPackIds);
    const auto pointers = of(pack).all<const void*>(cudnn::kPackPointers);
    std::map<std::int64_t, const void*> places;
    for (std::size_t i = 0; i < ids.size(); ++i) places[ids[i]] = pointers[i];
    const Descriptor& graph = *of(of(plan).links.at(cudnn::kPlanConfig)[0]).graph;
    for (CudnnDescriptor operation : graph.links.at(cudnn::kGraphOperations)) {
      for (const auto& [attribute, linked] : of(operation).links) {
        if (of(linked[0]).kind == cudnn::kTensor) show(of(linked[0]), places);
      }
    }
    return 0;
  }
  static void show(const Descriptor& tensor, std::map<std::int64_t, const void*>& places) {
    if (tensor.one<bool>(cudnn::kTensorVirtual)) return;
    const auto dimensions = tensor.all<std::int64_t>(cudnn::kTensorDimensions);
    const auto strides = tensor.all<std::int64_t>(cudnn::kTensorStrides);
    std::int64_t elements = 1;
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
      elements += (dimensions[i] - 1) * strides[i];
    }
    const int type = tensor.one<int>(cudnn::kTensorType);
    const int size = type == cudnn::kFp8 ? 1 : type == cudnn::kBf16 ? 2 : 4;
    current()->inspect(places[tensor.one<std::int64_t>(cudnn::kTensorId)],
                       static_cast<std::size_t>(elements * size),
                       tensor.one<bool>(cudnn::kTensorByValue));
  }

  static int create_handle(void** out) {
    *out = reinterpret_cast<void*>(1);
    return 0;
  }
  static int destroy_handle(void*) { return 0; }
  static int set_stream(void*, void*) { return 0; }
  static void last_error(char* text, std::size_t size) {
    std::snprintf(text, size, "head dimension not supported");
  }
};

}  // namespace rackwright::kernels::cuda::testing
