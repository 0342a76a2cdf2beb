#include "profiler/nvml/sampler.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

namespace rackwright::profiler::nvml {

namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

std::vector<GpuSample> NvmlRecord::of(unsigned gpu) const {
  std::vector<GpuSample> result;
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(result),
               [&](const GpuSample& sample) { return sample.gpu == gpu; });
  return result;
}

Sampler::Sampler(std::shared_ptr<const Library> library, double period_s) {
  if (!(period_s > 0)) throw std::invalid_argument("a sampling period above 0 s");
  record_.target_period_s = period_s;
  record_.driver_version = library->driver_version();
  record_.library_version = library->library_version();
  const unsigned count = library->device_count();
  for (unsigned gpu = 0; gpu < count; ++gpu) {
    readers_.push_back(std::make_unique<GpuReader>(library, gpu));
    record_.gpus.push_back(readers_.back()->identity());
    record_.nvlink_sources.push_back(readers_.back()->nvlink_source());
  }
  lost_.assign(count, false);
}

Sampler::~Sampler() {
  if (thread_.joinable()) stop();
}

void Sampler::start() {
  if (thread_.joinable()) throw std::logic_error("the sampler runs already");
  ending_ = false;
  thread_ = std::thread([this] { run(); });
}

NvmlRecord Sampler::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (rounds_ > 1) {
    record_.achieved_period_s = (last_s_ - first_s_) / static_cast<double>(rounds_ - 1);
  }
  if (record_.missed_rounds > 0) {
    record_.notes.push_back(fmt::format(
        "{} of {} rounds were missed: {}", record_.missed_rounds, record_.missed_rounds + rounds_,
        record_.slowest_round_s < record_.target_period_s
            ? std::string("this process was not scheduled in time")
            : fmt::format("the driver took up to {:.0f} ms to answer",
                          1e3 * record_.slowest_round_s)));
  }
  return std::move(record_);
}

void Sampler::sample_once() {
  const double begin = seconds(Clock::now());
  for (std::size_t gpu = 0; gpu < readers_.size(); ++gpu) {
    if (lost_[gpu]) continue;
    GpuSample sample;
    const int code = readers_[gpu]->read(sample);
    if (code == kSuccess) {
      record_.samples.push_back(sample);
      continue;
    }
    lost_[gpu] = true;
    record_.incomplete = true;
    record_.notes.push_back(fmt::format("GPU {} ({}) stopped answering: NVML code {}{}", gpu,
                                        readers_[gpu]->identity().uuid, code,
                                        code == kGpuIsLost ? ", the GPU is lost" : ""));
  }
  if (rounds_++ == 0) first_s_ = begin;
  last_s_ = begin;
  record_.slowest_round_s = std::max(record_.slowest_round_s, seconds(Clock::now()) - begin);
}

void Sampler::run() {
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(record_.target_period_s));
  auto due = Clock::now();
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    sample_once();
    lock.lock();
    due += period;
    while (due < Clock::now()) {
      due += period;
      ++record_.missed_rounds;
    }
    wake_.wait_until(lock, due, [this] { return ending_; });
  }
}

}  // namespace rackwright::profiler::nvml
