#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels::cuda {

namespace {
constexpr int kNoDriver = 35;
constexpr int kNoDevice = 100;
}  // namespace

const char* remedy(int code) {
  switch (code) {
    case 2:
      return "the step does not fit the free memory: fewer sequences, or end what else holds it";
    case kNoDriver:
      return "no driver, or one older than this build's CUDA: install driver 580 or newer for CUDA "
             "13";
    case 98:
      return "this build has no such kernel for the device: rebuild with its "
             "CMAKE_CUDA_ARCHITECTURES";
    case kNoDevice:
      return "no GPU is visible: check CUDA_VISIBLE_DEVICES and the container";
    case 209:
      return "this build has no code for the device: rebuild with its CMAKE_CUDA_ARCHITECTURES";
    case 700:
    case 716:
    case 719:
      return "a kernel failed on the device: report the operator and its shape";
    case 802:
      return "the NVSwitch fabric is not ready: start nvidia-fabricmanager";
    default:
      return "see the CUDA error list";
  }
}

std::string describe(const std::string& call, const std::string& name, int code) {
  return call + ": " + name + " (" + std::to_string(code) + "): " + remedy(code);
}

void check(CudaCalls& calls, int code, const std::string& call) {
  if (code == 0) return;
  std::string message = describe(call, calls.name_of(code), code);
  const int left = calls.remaining_error();
  const bool lost = left != 0 && left != kNoDriver && left != kNoDevice;
  if (lost) message += "; the context is lost, start the program anew";
  throw CudaError(code, lost, message);
}

}  // namespace rackwright::kernels::cuda
