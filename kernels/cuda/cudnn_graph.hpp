#pragma once

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn_api.hpp"

namespace rackwright::kernels::cuda {

/// A failed call of cuDNN's backend interface.
class CudnnError : public std::runtime_error {
 public:
  CudnnError(int status, const std::string& what) : std::runtime_error(what), status_(status) {}
  [[nodiscard]] int status() const { return status_; }

 private:
  int status_;
};

using Sizes = std::vector<std::int64_t>;

/// Strides of dimensions that lie in memory in the order given.
[[nodiscard]] Sizes packed(const Sizes& dimensions);

/// A tensor of a graph: memory, a number passed by value, or a value between two operations.
struct CudnnTensor {
  CudnnDescriptor descriptor = nullptr;
  std::int64_t id = 0;
  int type = cudnn::kFloat;
  Sizes dimensions, strides;
};

/// Where plans are made for: a handle of a real device, or the JSON of its properties.
struct CudnnDevice {
  void* handle = nullptr;
  std::string properties;
};

/// A plan that was asked for: `status` 0 where it can run.
struct CudnnPlan {
  CudnnDescriptor descriptor = nullptr;
  int status = 0;
  std::int64_t engine = -1;
  std::int64_t workspace = 0;
};

/// An operation graph and the plans for it; owns their descriptors. Throws CudnnError.
class CudnnGraph {
 public:
  explicit CudnnGraph(const CudnnApi& api) : api_(api) {}
  ~CudnnGraph();
  CudnnGraph(const CudnnGraph&) = delete;
  CudnnGraph& operator=(const CudnnGraph&) = delete;

  CudnnTensor memory(int type, const Sizes& dimensions, const Sizes& strides);
  CudnnTensor memory(int type, const Sizes& dimensions);
  CudnnTensor number(int type, int rank = 4);
  CudnnTensor between(int type, const Sizes& dimensions, const Sizes& strides);
  /// A value between operations, packed as its dimensions.
  CudnnTensor between(int type, const Sizes& dimensions);

  /// y = mode(x, b), where `chosen_by` (boolean) picks between x and b for kSelect. `precision` is
  /// the type of the arithmetic; `axis` only of kGenIndex.
  void pointwise(int mode, int precision, const CudnnTensor& x, const CudnnTensor* b,
                 const CudnnTensor* chosen_by, const CudnnTensor& y, std::int64_t axis = -1);
  void reduce(int mode, const CudnnTensor& x, const CudnnTensor& y);
  /// c = a x b. The lengths, where there are any, cut m, n and k sequence by sequence.
  struct Lengths {
    const CudnnTensor *m = nullptr, *n = nullptr, *k = nullptr;
  };
  void matmul(const CudnnTensor& a, const CudnnTensor& b, const CudnnTensor& c, Lengths lengths);
  void load_pages(const CudnnTensor& container, const CudnnTensor& lengths,
                  const CudnnTensor& table, const CudnnTensor& y);
  /// An operation that is one descriptor with tensors as attributes.
  struct Link {
    int attribute;
    const CudnnTensor* tensor;
  };
  void operation(int kind, std::initializer_list<Link> links, bool is_moe = false);

  /// Up to 8 plans of the heuristics' choices; of the fallback where none of those can run.
  std::vector<CudnnPlan> plans(const CudnnDevice& device);
  /// What the last call that failed said.
  [[nodiscard]] std::string why() const;

  struct Place {
    std::int64_t id;
    void* memory;  ///< host memory for a number passed by value
  };
  /// Runs a plan in the handle's stream; cuDNN's status.
  int run(const CudnnPlan& plan, void* handle, const std::vector<Place>& places,
          void* workspace) const;

 private:
  CudnnDescriptor make(int kind);
  void set(CudnnDescriptor of, int attribute, int type, const void* value, std::int64_t count = 1);
  void link(CudnnDescriptor of, int attribute, const CudnnTensor& tensor);
  void finish(CudnnDescriptor of, const std::string& what);
  CudnnTensor tensor(int type, const Sizes& dimensions, const Sizes& strides, bool is_virtual,
                     bool by_value);
  CudnnDescriptor device_of(const CudnnDevice& device);
  std::vector<CudnnDescriptor> configurations(CudnnDescriptor graph, int mode,
                                              CudnnDescriptor properties);
  CudnnPlan plan_of(CudnnDescriptor configuration, const CudnnDevice& device,
                    CudnnDescriptor properties);

  const CudnnApi& api_;
  std::vector<CudnnDescriptor> owned_;
  std::vector<CudnnDescriptor> operations_;
  std::int64_t last_id_ = 0;
};

}  // namespace rackwright::kernels::cuda
