#include "kernels/bench/bench_devices.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <thread>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/host/host_operator.hpp"

namespace rackwright::kernels {

namespace {

double process_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// `execute()` returns seconds.
template <class Execute>
Sample timed(const Execute& execute) {
  Sample sample;
  const double cpu = process_seconds();
  sample.seconds = execute();
  sample.cpu_seconds = process_seconds() - cpu;
  return sample;
}

class HostWork final : public BenchWork {
 public:
  explicit HostWork(std::vector<std::unique_ptr<HostOperator>> copies)
      : copies_(std::move(copies)) {}
  Sample run() override {
    HostOperator& next = *copies_[turn_++ % copies_.size()];
    return timed([&] {
      using Clock = std::chrono::steady_clock;
      const auto start = Clock::now();
      next.run();
      return std::chrono::duration<double>(Clock::now() - start).count();
    });
  }

 private:
  std::vector<std::unique_ptr<HostOperator>> copies_;
  std::size_t turn_ = 0;
};

class CudaWork final : public BenchWork {
 public:
  explicit CudaWork(std::vector<std::unique_ptr<PreparedStep>> copies)
      : copies_(std::move(copies)) {}
  Sample run() override {
    PreparedStep& next = *copies_[turn_++ % copies_.size()];
    return timed([&] { return next.run(ReplayMode::whole, nullptr).seconds; });
  }
  [[nodiscard]] std::string choice() const override {
    const auto* step = dynamic_cast<const CudaPreparedStep*>(copies_.front().get());
    return step != nullptr && !step->choices().empty() ? step->choices().front() : "";
  }

 private:
  std::vector<std::unique_ptr<PreparedStep>> copies_;
  std::size_t turn_ = 0;
};

/// Value of "KEY : VALUE" in a file of /proc; "" where there is none.
std::string value_in(const char* file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "";
}

std::optional<double> kilohertz_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  double value = 0;
  if (in >> value && value > 0) return 1e3 * value;
  return {};
}

}  // namespace

HostBenchDevice::HostBenchDevice(std::filesystem::path sysfs) : energy_(sysfs / "class/powercap") {
  const auto folder = sysfs / "devices/system/cpu/cpu0/cpufreq";
  clock_ = folder / "scaling_cur_freq";
  // Turbo comes and goes by design: the base clock is what must be held.
  rated_hz_ = kilohertz_in(folder / "base_frequency");
}

std::string HostBenchDevice::name() const {
  const std::string model = value_in("/proc/cpuinfo", "model name");
  return fmt::format("{}, {} cores", model.empty() ? "CPU" : model,
                     std::max(1U, std::thread::hardware_concurrency()));
}

workloads::OperatorWork HostBenchDevice::work(const workloads::Operator& op) const {
  return host_work(op);
}

std::unique_ptr<BenchWork> HostBenchDevice::prepare(const workloads::Operator& op, int copies,
                                                    unsigned seed) {
  std::vector<std::unique_ptr<HostOperator>> made;
  for (int copy = 0; copy < copies; ++copy) {
    auto one = make_host_operator(op, seed + 10 * static_cast<unsigned>(copy));
    if (!one) throw BackendUnavailable("no work for this machine's cores");
    made.push_back(std::move(one));
  }
  return std::make_unique<HostWork>(std::move(made));
}

double HostBenchDevice::cache_bytes() const {
  const long third = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  return static_cast<double>(std::max(0L, third > 0 ? third : ::sysconf(_SC_LEVEL2_CACHE_SIZE)));
}

double HostBenchDevice::memory_bytes() const {
  const std::string free = value_in("/proc/meminfo", "MemAvailable");
  return free.empty() ? 0 : 0.25 * 1024 * std::stod(free);
}

std::optional<double> HostBenchDevice::clock_hz() {
  return kilohertz_in(clock_);
}

CudaBenchDevice::CudaBenchDevice(const CudaModule& module, int index,
                                 const RackwrightCudaDevice& facts, GpuMeters meters)
    : backend_(module, index, facts.name), facts_(facts), meters_(std::move(meters)) {}

workloads::OperatorWork CudaBenchDevice::work(const workloads::Operator& op) const {
  return work_of(op);
}

workloads::DataType CudaBenchDevice::math_type(const workloads::Operator& op) const {
  using workloads::DataType;
  const DataType type = work_of(op).type;
  if (type == DataType::fp8 || type == DataType::fp8_block) return DataType::fp8;
  return type == DataType::nvfp4 ? DataType::nvfp4 : DataType::bf16;
}

std::unique_ptr<BenchWork> CudaBenchDevice::prepare(const workloads::Operator& op, int copies,
                                                    unsigned /*seed*/) {
  workloads::Operator once = op;
  once.repeat = 1;
  std::vector<std::unique_ptr<PreparedStep>> made;
  for (int copy = 0; copy < copies; ++copy) made.push_back(backend_.prepare({{once}}, {}));
  return std::make_unique<CudaWork>(std::move(made));
}

}  // namespace rackwright::kernels
