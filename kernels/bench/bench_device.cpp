#include "kernels/bench/bench_device.hpp"

#include <chrono>
#include <thread>

namespace rackwright::kernels {

double BenchDevice::now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void BenchDevice::wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

}  // namespace rackwright::kernels
