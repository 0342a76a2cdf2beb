#include "kernels/cuda/cuda_calls.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace rackwright::kernels::cuda {

namespace {

constexpr const char* kFaultOfKernel =
    "a kernel failed on the device: report the operator and its shape";

/// Codes of driver_types.h (CUDA 13.0). `lost`: the header says that the process must be started
/// anew. `absent`: there is no context that could be lost.
enum class After { goes_on, lost, absent };
struct Known {
  int code;
  After after;
  const char* remedy;
};
constexpr Known kKnown[] = {
    {2, After::goes_on,
     "the step does not fit the free memory: fewer sequences, or end what else holds it "
     "(nvidia-smi lists it)"},
    {3, After::absent,
     "the driver does not start: run nvidia-smi; in a container give it the devices (--gpus all) "
     "and NVIDIA_DRIVER_CAPABILITIES=compute,utility; after a fork start a new process"},
    {34, After::absent,
     "a stub libcuda.so.1 was loaded in place of the driver's: take the toolkit's lib64/stubs out "
     "of LD_LIBRARY_PATH"},
    {35, After::absent,
     "no driver, or one older than this build's CUDA: install driver 580 or newer for CUDA 13"},
    {46, After::absent,
     "the GPU is busy or closed to this process: end the one that holds it, or set its compute "
     "mode to default (nvidia-smi -c 0; nvidia-smi -q -d COMPUTE shows it)"},
    {98, After::goes_on,
     "this build has no such kernel for the device: rebuild with its CMAKE_CUDA_ARCHITECTURES"},
    {100, After::absent,
     "no GPU is visible: check CUDA_VISIBLE_DEVICES, the container, and that nvidia-smi lists one"},
    {101, After::goes_on, "no GPU of that number: nvidia-smi -L lists them"},
    {209, After::goes_on,
     "this build has no code for the device: rebuild with its CMAKE_CUDA_ARCHITECTURES"},
    {214, After::lost,
     "memory of the GPU failed (ECC): see nvidia-smi -q -d ECC and reset the GPU"},
    {222, After::goes_on,
     "the PTX of this build is newer than the driver: install a newer driver, or rebuild with the "
     "device's CMAKE_CUDA_ARCHITECTURES as -real"},
    {226, After::lost, "the GPU contained a hardware fault, often on NVLink: see its Xid in dmesg"},
    {700, After::lost, kFaultOfKernel},
    {702, After::lost,
     "a kernel ran into the display's time-out: take a GPU that drives no display"},
    {710, After::lost, kFaultOfKernel},
    {714, After::lost, kFaultOfKernel},
    {715, After::lost, kFaultOfKernel},
    {716, After::lost, kFaultOfKernel},
    {717, After::lost, kFaultOfKernel},
    {718, After::lost, kFaultOfKernel},
    {719, After::lost, kFaultOfKernel},
    {721, After::lost, kFaultOfKernel},
    {801, After::goes_on, "this device or driver does not have it"},
    {802, After::absent,
     "the system is not ready: start nvidia-fabricmanager on a machine with NVSwitch"},
    {803, After::absent,
     "the driver's library and its kernel module differ: reboot or reload the module after an "
     "update; in a container mount the host's libcuda"},
    {804, After::absent,
     "the compatibility package needs a data-centre GPU: take it out of LD_LIBRARY_PATH, or "
     "install driver 580 or newer"},
    {911, After::lost, "a device outside of CUDA reported an error: look for it in dmesg"},
};

const Known* known(int code) {
  const auto* found = std::find_if(std::begin(kKnown), std::end(kKnown),
                                   [&](const Known& one) { return one.code == code; });
  return found == std::end(kKnown) ? nullptr : found;
}

bool is(int code, After after) {
  const Known* entry = known(code);
  return entry != nullptr && entry->after == after;
}

}  // namespace

const char* remedy(int code) {
  const Known* entry = known(code);
  return entry == nullptr ? "see the CUDA error list" : entry->remedy;
}

bool is_sticky(int code) {
  return is(code, After::lost);
}

std::string describe(const std::string& call, const std::string& name, int code) {
  std::string text = call + ": " + name + " (" + std::to_string(code) + "): " + remedy(code);
  if (is_sticky(code)) text += kStartAnew;
  return text;
}

void check(CudaCalls& calls, int code, const std::string& call) {
  if (code == 0) return;
  std::string message = describe(call, calls.name_of(code), code);
  const int left = calls.remaining_error();
  const bool remains = left != 0 && !is(left, After::absent);
  if (remains && !is_sticky(code)) message += kStartAnew;
  throw CudaError(code, remains || is_sticky(code), message);
}

int CallGate::run(char* message, std::size_t size, const std::function<void()>& work) {
  const std::lock_guard lock(mutex_);
  const auto say = [&](const char* text) { std::snprintf(message, size, "%s", text); };
  if (lost_code_ != 0) {
    say(("refused after an earlier error: " + lost_).c_str());
    return lost_code_;
  }
  try {
    work();
    return 0;
  } catch (const CudaError& error) {
    say(error.what());
    if (error.lost()) lost_code_ = error.code(), lost_ = error.what();
    return error.code();
  } catch (const std::exception& error) {
    say(error.what());
    return kUnknownError;
  }
}

}  // namespace rackwright::kernels::cuda
