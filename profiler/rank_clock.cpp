#include "profiler/rank_clock.hpp"

#include <algorithm>
#include <cmath>

#include "common/launch/launch.hpp"

namespace rackwright::profiler {

namespace {

template <class T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span<T>(&value, 1));
}

double realtime() {
  return read_clock_pair().realtime_s;
}

}  // namespace

ClockOffset exchange_clocks(launch::Communicator& ranks, int exchanges) {
  if (ranks.rank() == 0) {
    for (int rank = 1; rank < ranks.size(); ++rank) {
      for (int i = 0; i < exchanges; ++i) {
        double sent = 0;
        ranks.receive(bytes_of(sent), rank);
        double now = realtime();
        ranks.send(bytes_of(now), rank);
      }
    }
    return {realtime(), 0, 0};
  }
  std::vector<PingPong> pings;
  for (int i = 0; i < exchanges; ++i) {
    PingPong ping;
    ping.sent_s = realtime();
    ranks.send(bytes_of(ping.sent_s), 0);
    ranks.receive(bytes_of(ping.answered_s), 0);
    ping.received_s = realtime();
    pings.push_back(ping);
  }
  return clock_offset(pings);
}

RankRecord::RankRecord(std::filesystem::path file, launch::Communicator& ranks)
    : file_(std::move(file)), ranks_(ranks) {
  meta_.rank = ranks.rank();
  meta_.ranks = ranks.size();
  meta_.host = launch::host_name();
  const ClockOffset start = exchange_clocks(ranks);
  meta_.clock = ClockAlignment{start, start};
  look();
  meta_.start_ns = std::llround(clocks_.front().realtime_s * 1e9);
  write_rank_meta(file_, meta_);
}

void RankRecord::look() {
  clocks_.push_back(read_clock_pair());
}

void RankRecord::finish() {
  meta_.clock->end = exchange_clocks(ranks_);
  look();
  meta_.disturbance = find_disturbance(clocks_).reason;
  write_rank_meta(file_, meta_);
}

int ranks_on_host(launch::Communicator& ranks) {
  const auto hosts = ranks.gather_texts(launch::host_name());
  return static_cast<int>(std::count(hosts.begin(), hosts.end(), launch::host_name()));
}

int place_on_host(launch::Communicator& ranks) {
  const auto hosts = ranks.gather_texts(launch::host_name());
  return static_cast<int>(
      std::count(hosts.begin(), hosts.begin() + ranks.rank(), launch::host_name()));
}

}  // namespace rackwright::profiler
