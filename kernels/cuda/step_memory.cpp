#include "kernels/cuda/step_memory.hpp"

#include <algorithm>
#include <utility>

#include "kernels/cuda/own_kernels.cuh"
#include "kernels/cuda/runtime_checks.hpp"

namespace rackwright::kernels::cuda {

StepMemory::StepMemory(CudaCalls& calls, int device, std::size_t largest) : calls_(calls) {
  const auto l2 = static_cast<std::size_t>(attribute(cudaDevAttrL2CacheSize, device));
  bytes_ = (std::max(2 * largest, largest + 2 * l2) + kAlignment - 1) / kAlignment * kAlignment;
  blocks_of_fill_ = 8 * attribute(cudaDevAttrMultiProcessorCount, device);
  (void)own(bytes_);
  fill(1);
}

void StepMemory::fill(unsigned seed) {
  require(launch(own::FillRandomArgs{view<own::Bf16>(blocks_.front(), bytes_ / 2), seed,
                                     blocks_of_fill_},
                 nullptr),
          "fill of the step's memory");
  require(cudaDeviceSynchronize(), "fill of the step's memory");
}

void StepMemory::begin_trial(unsigned seed) {
  fill(seed);
  used_ = 0;
  placed_.clear();
  keeps_ = true;
}

std::vector<Placed> StepMemory::end_trial() {
  keeps_ = false;
  return std::exchange(placed_, {});
}

StepMemory::~StepMemory() {
  for (void* block : blocks_) (void)calls_.release(block);
}

void* StepMemory::own(std::size_t bytes) {
  void* block = nullptr;
  check(calls_, calls_.allocate(&block, bytes),
        "cudaMalloc of " + std::to_string(bytes) + " bytes");
  blocks_.push_back(block);
  return block;
}

void* StepMemory::next(std::size_t bytes, int role) {
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (used_ + rounded > bytes_) used_ = 0;
  void* place = static_cast<char*>(blocks_.front()) + used_;
  used_ += rounded;
  if (keeps_ && role != 0) placed_.push_back({role, place, bytes});
  return place;
}

void* StepMemory::copy(const void* values, std::size_t bytes) {
  void* place = own(bytes);
  require(cudaMemcpy(place, values, bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
  return place;
}
const int* StepMemory::table(const std::vector<int>& values) {
  return static_cast<const int*>(copy(values.data(), values.size() * sizeof(int)));
}
float* StepMemory::table(const std::vector<float>& values) {
  return static_cast<float*>(copy(values.data(), values.size() * sizeof(float)));
}
void* StepMemory::table(const std::vector<unsigned char>& values) {
  return copy(values.data(), values.size());
}

}  // namespace rackwright::kernels::cuda
