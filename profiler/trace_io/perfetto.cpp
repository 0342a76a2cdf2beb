#include "profiler/trace_io/perfetto.hpp"

#include <algorithm>
#include <limits>
#include <ostream>
#include <string>

#include <fmt/format.h>

namespace rackwright::profiler {

namespace {

constexpr double kMicroseconds = 1e6;
constexpr int kRequestsProcess = 1000000;
constexpr int kComputeThread = 1;
constexpr int kCollectiveThread = 2;

/// Writes events separated by commas.
class EventStream {
 public:
  explicit EventStream(std::ostream& out) : out_(out) {
    out_ << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  }
  void event(const std::string& text) {
    out_ << (first_ ? "\n" : ",\n") << text;
    first_ = false;
  }
  void name(const char* what, int process, int thread, const std::string& name) {
    event(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":"{}"}}}})", what,
                      process, thread, name));
  }
  void close() { out_ << "\n]}\n"; }

 private:
  std::ostream& out_;
  bool first_ = true;
};

struct Window {
  double from = 0;
  double to = std::numeric_limits<double>::infinity();
  [[nodiscard]] bool touches(double start, double end) const { return end >= from && start <= to; }
};

void write_gpu(const Trace& trace, EventStream& events, int rank, const Window& window) {
  const int process = rank + 1;
  events.name("process_name", process, 0, fmt::format("GPU rank {} ({})", rank, trace.device));
  events.name("thread_name", process, kComputeThread, "compute");
  events.name("thread_name", process, kCollectiveThread, "collectives");
  for (std::size_t i = 0; i < trace.slices.size(); ++i) {
    const Slice& slice = trace.slices[i];
    const double end = slice_end_s(trace, i);
    if (!window.touches(slice.start_s, end)) continue;
    const bool collective = slice.op_class == workloads::OperatorClass::collective;
    events.event(fmt::format(
        R"({{"ph":"X","name":"{}","cat":"operator","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},"args":{{"step":{},"watts":{:.1f}}}}})",
        to_string(slice.op_class), process, collective ? kCollectiveThread : kComputeThread,
        slice.start_s * kMicroseconds, (end - slice.start_s) * kMicroseconds, slice.step,
        slice.watts));
  }
}

/// One value at each edge of the piecewise-constant power.
void write_power(const Trace& trace, EventStream& events, int rank, const Window& window) {
  if (trace.slices.empty()) return;
  const PowerTimeline power = power_timeline(trace);
  for (std::size_t i = 0; i < power.w.size(); ++i) {
    if (!window.touches(power.t[i], power.t[i + 1])) continue;
    events.event(fmt::format(
        R"({{"ph":"C","name":"power at module input, W","pid":{},"ts":{:.3f},"args":{{"W":{:.3f}}}}})",
        rank + 1, power.t[i] * kMicroseconds, power.w[i]));
  }
}

void write_requests(const Trace& trace, EventStream& events, const Window& window) {
  events.name("process_name", kRequestsProcess, 0, "requests");
  const auto span = [&](std::size_t id, const char* name, double from, double to,
                        const std::string& arguments) {
    for (const auto& [phase, at] : {std::pair{'b', from}, std::pair{'e', to}}) {
      events.event(fmt::format(
          R"({{"ph":"{}","cat":"request","name":"{}","id":{},"pid":{},"tid":1,"ts":{:.3f}{}}})",
          phase, name, id, kRequestsProcess, at * kMicroseconds, phase == 'b' ? arguments : ""));
    }
  };
  for (std::size_t i = 0; i < trace.engine.requests.size(); ++i) {
    const auto& r = trace.engine.requests[i];
    if (!window.touches(r.arrival_s, r.finish_s)) continue;
    span(i, "queue and prefill", r.arrival_s, r.first_token_s,
         fmt::format(R"(,"args":{{"prompt_tokens":{},"cached_tokens":{},"output_tokens":{}}})",
                     r.prompt_tokens, r.cached_tokens, r.output_tokens));
    if (r.finish_s > r.first_token_s) span(i, "decode", r.first_token_s, r.finish_s, "");
  }
}

}  // namespace

void write_perfetto(const Trace& trace, std::ostream& out, const PerfettoOptions& options) {
  const Window window{options.from_s.value_or(0),
                      options.to_s.value_or(std::numeric_limits<double>::infinity())};
  EventStream events(out);
  const int ranks = std::clamp(options.ranks, 1, std::max(trace.plan.gpus(), 1));
  for (int rank = 0; rank < ranks; ++rank) {
    write_gpu(trace, events, rank, window);
    write_power(trace, events, rank, window);
  }
  write_requests(trace, events, window);
  events.close();
}

}  // namespace rackwright::profiler
