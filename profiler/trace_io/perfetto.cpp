#include "profiler/trace_io/perfetto.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "profiler/trace_io/recording_io.hpp"

namespace rackwright::profiler {

namespace {

constexpr int kRequestsProcess = 1000000;
constexpr int kComputeThread = 1;
constexpr int kCollectiveThread = 2;

/// Whole nanoseconds, so that the end of a slice is the very number its successor starts with.
std::int64_t nanoseconds(double seconds) {
  return std::llround(seconds * 1e9);
}

/// Nanoseconds as microseconds with three decimals.
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}{}.{:03}", ns < 0 ? "-" : "", std::abs(ns) / 1000, std::abs(ns) % 1000);
}

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
    event(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what,
                      process, thread, nlohmann::json(name).dump()));
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

int thread_of(const Slice& slice) {
  return slice.op_class == workloads::OperatorClass::collective ? kCollectiveThread
                                                                : kComputeThread;
}

void write_slices(const Trace& trace, EventStream& events, int rank, const Window& window,
                  std::string_view remark) {
  const int process = rank + 1;
  events.name("process_name", process, 0,
              fmt::format("GPU rank {} ({}){}", rank, trace.device, remark));
  events.name("thread_name", process, kComputeThread, "compute");
  events.name("thread_name", process, kCollectiveThread, "collectives");
  for (std::size_t i = 0; i < trace.slices.size(); ++i) {
    const Slice& slice = trace.slices[i];
    const double end_s = slice_end_s(trace, i);
    if (!window.touches(slice.start_s, end_s)) continue;
    const std::int64_t start = nanoseconds(slice.start_s);
    events.event(fmt::format(
        R"({{"ph":"X","name":"{}","cat":"operator","pid":{},"tid":{},"ts":{},"dur":{},"args":{{"step":{},"watts":{:.1f}}}}})",
        to_string(slice.op_class), process, thread_of(slice), microseconds(start),
        microseconds(nanoseconds(end_s) - start), slice.step, slice.watts));
  }
}

/// A value at each change of power; it holds until the next one.
class PowerCounter {
 public:
  PowerCounter(EventStream& events, int rank, const Window& window)
      : events_(events), process_(rank + 1), window_(window) {}
  /// `watts` from `start_s` to `end_s`, in order of time.
  void hold(double start_s, double end_s, double watts) {
    if (!(end_s > start_s) || !window_.touches(start_s, end_s)) return;
    emit(std::max(start_s, window_.from), watts);
    end_s_ = std::min(end_s, window_.to);
  }
  void close() {
    if (end_s_ > 0) emit(end_s_, 0.0);
  }

 private:
  void emit(double time_s, double watts) {
    events_.event(fmt::format(
        R"({{"ph":"C","name":"power at module input","pid":{},"tid":0,"ts":{},"args":{{"W":{:.4f}}}}})",
        process_, microseconds(nanoseconds(time_s)), watts));
  }
  EventStream& events_;
  int process_;
  const Window& window_;
  double end_s_ = 0;
};

void write_power(const Trace& trace, EventStream& events, int rank, const Window& window) {
  if (trace.power_unknown) return;
  PowerCounter counter(events, rank, window);
  double at = 0;
  for (std::size_t i = 0; i < trace.slices.size(); ++i) {
    counter.hold(at, trace.slices[i].start_s, trace.idle_w);
    at = slice_end_s(trace, i);
    counter.hold(trace.slices[i].start_s, at, trace.slices[i].watts);
  }
  counter.hold(at, trace.end_s, trace.idle_w);
  counter.close();
}

/// The slice that runs just before `time_s`: the last of the step that ends there. Null when that
/// was not recorded.
const Slice* slice_before(const Trace& trace, double time_s) {
  const auto later =
      std::lower_bound(trace.slices.begin(), trace.slices.end(), time_s,
                       [](const Slice& slice, double time) { return slice.start_s < time; });
  return later == trace.slices.begin() ? nullptr : &*std::prev(later);
}

void write_flow(const Trace& trace, std::size_t id, EventStream& events, const Window& window) {
  const auto& request = trace.engine.requests[id];
  const Slice* first = slice_before(trace, request.first_token_s);
  const Slice* last = slice_before(trace, request.finish_s);
  if (first == nullptr || last == nullptr || first == last) return;
  if (first->start_s < window.from || last->start_s > window.to) return;
  const auto end = [&](const Slice& slice, const char* phase) {
    events.event(fmt::format(
        R"({{"ph":{},"cat":"request","name":"request","id":{},"pid":1,"tid":{},"ts":{}}})", phase,
        id, thread_of(slice), microseconds(nanoseconds(slice.start_s))));
  };
  end(*first, R"("s")");
  end(*last, R"("f","bp":"e")");
}

void write_span(std::size_t id, const char* name, double from_s, double to_s,
                const std::string& arguments, EventStream& events) {
  const auto end = [&](const char* phase, double at_s, const std::string& more) {
    events.event(fmt::format(
        R"({{"ph":"{}","cat":"request","name":"{}","id":{},"pid":{},"tid":1,"ts":{}{}}})", phase,
        name, id, kRequestsProcess, microseconds(nanoseconds(at_s)), more));
  };
  end("b", from_s, arguments);
  end("e", to_s, "");
}

void write_requests(const Trace& trace, EventStream& events, const Window& window) {
  events.name("process_name", kRequestsProcess, 0, "requests");
  for (std::size_t i = 0; i < trace.engine.requests.size(); ++i) {
    const auto& r = trace.engine.requests[i];
    if (!window.touches(r.arrival_s, r.finish_s)) continue;
    write_span(i, "queue and prefill", r.arrival_s, r.first_token_s,
               fmt::format(R"(,"args":{{"prompt_tokens":{},"cached_tokens":{},)"
                           R"("output_tokens":{},"preemptions":{}}})",
                           r.prompt_tokens, r.cached_tokens, r.output_tokens, r.preemptions),
               events);
    if (r.finish_s > r.first_token_s) {
      write_span(i, "decode", r.first_token_s, r.finish_s, "", events);
      write_flow(trace, i, events, window);
    }
  }
}

}  // namespace

void write_perfetto(const Trace& trace, std::ostream& out, const PerfettoOptions& options) {
  const Window window{options.from_s.value_or(0),
                      options.to_s.value_or(std::numeric_limits<double>::infinity())};
  EventStream events(out);
  const int ranks = std::clamp(options.ranks, 1, std::max(trace.plan.gpus(), 1));
  for (int rank = 0; rank < ranks; ++rank) {
    write_slices(trace, events, rank, window, options.recording ? ", traffic time" : "");
    write_power(trace, events, rank, window);
  }
  write_requests(trace, events, window);
  if (options.recording != nullptr) {
    append_perfetto(*options.recording, 1, "as it ran",
                    [&](const std::string& event) { events.event(event); });
  }
  events.close();
}

}  // namespace rackwright::profiler
