#include "profiler/cupti/counter_session.hpp"

#include <chrono>

namespace rackwright::profiler::cupti {

namespace {

/// At 100 us a sample the counter data of one decode are full after 0.4 s.
constexpr std::chrono::milliseconds kBetweenDecodes{50};

void hand_out(const std::vector<PmSample>& samples, const CounterSession::Take& take) {
  for (const PmSample& sample : samples) take(sample);
}

}  // namespace

std::unique_ptr<CounterSession> CounterSession::open(const PmCalls& calls,
                                                     const std::vector<std::string>& metrics,
                                                     const PmOptions& options, Take take,
                                                     std::string& reason) {
  auto sampler = PmSampler::open(calls, metrics, options, reason);
  if (sampler == nullptr) return nullptr;
  return std::unique_ptr<CounterSession>(new CounterSession(std::move(sampler), std::move(take)));
}

CounterSession::CounterSession(std::unique_ptr<PmSampler> sampler, Take take)
    : sampler_(std::move(sampler)), take_(std::move(take)) {}

CounterSession::~CounterSession() {
  if (thread_.joinable()) static_cast<void>(stop());
}

std::string CounterSession::start() {
  std::string reason = sampler_->start();
  if (reason.empty()) thread_ = std::thread([this] { decode_often(); });
  return reason;
}

void CounterSession::decode_often() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kBetweenDecodes, [this] { return ending_; })) {
    lock.unlock();
    std::vector<PmSample> samples;
    failure_ = sampler_->decode(samples);
    hand_out(samples, take_);
    lock.lock();
    if (!failure_.empty()) return;
  }
}

std::string CounterSession::stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
  std::vector<PmSample> samples;
  const std::string last = sampler_->stop(samples);
  hand_out(samples, take_);
  return failure_.empty() ? last : failure_;
}

}  // namespace rackwright::profiler::cupti
