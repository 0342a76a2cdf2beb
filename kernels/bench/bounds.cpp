#include "kernels/bench/bounds.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace rackwright::kernels {

using namespace workloads;

namespace {

constexpr const char* kCopy = "bound/copy";
constexpr const char* kGemm = "bound/gemm";

/// Large enough for the peak, small enough for the device.
double gemm_side(const BenchDevice& device) {
  return device.backend() == "host" ? 2048 : 8192;
}

}  // namespace

std::vector<BenchCase> bound_cases(const std::vector<BenchCase>& cases, const BenchDevice& device) {
  const double side = std::max(double{1 << 26}, device.cache_bytes());
  std::vector<BenchCase> bounds{
      {fmt::format("{}/bytes:{:.0f}", kCopy, 2 * side),
       {"copy", OperatorClass::elementwise, Lane::compute, 1, ElementwiseShape{side, side, 0}}}};
  std::set<DataType> types;
  for (const BenchCase& one : cases) {
    if (device.work(one.op).flops > 0) types.insert(device.math_type(one.op));
  }
  for (const DataType type : types) {
    const double n = gemm_side(device);
    bounds.push_back({fmt::format("{}/{}/n:{:.0f}", kGemm, to_string(type), n),
                      {"gemm", OperatorClass::gemm, Lane::compute, 1, GemmShape{n, n, n, type}}});
  }
  return bounds;
}

MeasuredBounds bounds_of(const std::vector<BenchResult>& results) {
  MeasuredBounds bounds;
  for (const BenchResult& one : results) {
    if (!(one.summary.p5 > 0)) continue;
    if (one.name.starts_with(kCopy)) bounds.bytes_per_s = one.work.memory_bytes / one.summary.p5;
    if (one.name.starts_with(kGemm)) {
      bounds.flop_per_s[one.math] = one.work.flops / one.summary.p5;
    }
  }
  return bounds;
}

ShareOfBound share_of_bound(const BenchResult& result, const MeasuredBounds& bounds) {
  if (!(result.summary.median > 0)) return {};
  const auto peak = bounds.flop_per_s.find(result.math);
  const double memory = bounds.bytes_per_s > 0 ? result.work.memory_bytes / bounds.bytes_per_s : 0;
  const double tensor =
      peak != bounds.flop_per_s.end() && peak->second > 0 ? result.work.flops / peak->second : 0;
  const double bound = std::max(memory, tensor);
  if (!(bound > 0)) return {};
  return {bound / result.summary.median, tensor > memory ? "GEMM" : "copy"};
}

}  // namespace rackwright::kernels
