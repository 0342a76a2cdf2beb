#include "profiler/trace_io/recording_io.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/csv_reader.hpp"

namespace rackwright::profiler {

namespace {

constexpr int kHostProcess = 0;
constexpr int kRequestProcess = 1000000;
constexpr int kProcessesOfNode = 1000;

/// Process numbers and names of one node; a recording alone has the host as 0.
struct Place {
  int node = 0;
  std::string host = "host";
  [[nodiscard]] int process_of(int gpu) const {
    if (node == 0) return gpu < 0 ? kHostProcess : gpu + 1;
    return kProcessesOfNode * node + (gpu < 0 ? kProcessesOfNode - 1 : gpu);
  }
};

using Add = std::function<void(const std::string&)>;

/// Microseconds with three decimals, the resolution of the sources.
std::string micro(double seconds) {
  return fmt::format("{:.3f}", seconds * 1e6);
}

/// As JSON text; bytes that are no UTF-8 are replaced.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class TraceEvents {
 public:
  explicit TraceEvents(std::ostream& out) : out_(out) {
    out_ << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  }
  void add(const std::string& event) {
    out_ << (first_ ? "\n" : ",\n") << event;
    first_ = false;
  }
  void close() { out_ << "\n]}\n"; }

 private:
  std::ostream& out_;
  bool first_ = true;
};

/// ", chassis 1821, tray 3, module 2": what of it the GPU told NVML.
std::string place_text(const Recording& recording, int gpu) {
  const auto found = std::find_if(recording.gpus.begin(), recording.gpus.end(),
                                  [gpu](const RecordedGpu& one) { return one.gpu == gpu; });
  if (found == recording.gpus.end()) return "";
  std::string text = found->chassis.empty() ? "" : fmt::format(", chassis {}", found->chassis);
  if (found->tray) text += fmt::format(", tray {}", *found->tray);
  if (found->module) text += fmt::format(", module {}", *found->module);
  return text;
}

std::string gpu_title(const Recording& recording, int gpu) {
  const auto index = static_cast<std::size_t>(gpu);
  const bool named =
      index < recording.device_names.size() && !recording.device_names[index].empty();
  return fmt::format("GPU {}{}{}", gpu, named ? " (" + recording.device_names[index] + ")" : "",
                     place_text(recording, gpu));
}

void add_names(const Recording& recording, const Place& place, const Add& add) {
  std::set<int> gpus;
  for (const Track& track : recording.tracks) gpus.insert(track.gpu);
  for (const CounterSample& sample : recording.counters) gpus.insert(sample.gpu);
  for (const int gpu : gpus) {
    const std::string title = gpu < 0          ? place.host
                              : place.node > 0 ? place.host + ", " + gpu_title(recording, gpu)
                                               : gpu_title(recording, gpu);
    add(fmt::format(R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}}}}})",
                    place.process_of(gpu), quoted(title)));
  }
  for (std::size_t i = 0; i < recording.tracks.size(); ++i) {
    add(fmt::format(R"({{"ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":{}}}}})",
                    place.process_of(recording.tracks[i].gpu), i + 1,
                    quoted(recording.tracks[i].name)));
  }
}

void add_events(const Recording& recording, const Place& place, const Add& add) {
  for (const Event& event : recording.events) {
    const std::string bytes = event.bytes < 0 ? "" : fmt::format(R"("bytes":{})", event.bytes);
    add(fmt::format(
        R"({{"ph":"X","name":{},"cat":"{}","pid":{},"tid":{},"ts":{},"dur":{},"args":{{{}}}}})",
        quoted(recording.names[event.name]), to_string(event.kind),
        place.process_of(recording.tracks[event.track].gpu), event.track + 1, micro(event.start_s),
        micro(event.duration_s), bytes));
  }
  for (const CounterSample& sample : recording.counters) {
    const std::string& unit = recording.names[sample.unit];
    add(fmt::format(R"({{"ph":"C","name":{},"pid":{},"ts":{},"args":{{{}:{}}}}})",
                    quoted(recording.names[sample.name]), place.process_of(sample.gpu),
                    micro(sample.start_s), quoted(unit.empty() ? "value" : unit), sample.value));
  }
}

void add_requests(const Recording& recording, TraceEvents& events) {
  for (std::size_t i = 0; i < recording.requests.size(); ++i) {
    const auto& request = recording.requests[i];
    const auto span = [&](const char* name, double from, double to) {
      for (const auto& [phase, at] : {std::pair{"b", from}, std::pair{"e", to}}) {
        events.add(fmt::format(
            R"({{"ph":"{}","cat":"request","name":"{}","id":{},"pid":{},"tid":1,"ts":{}}})", phase,
            name, i, kRequestProcess, micro(at)));
      }
    };
    span("queue and prefill", request.arrival_s, request.first_token_s);
    span("decode", request.first_token_s, request.finish_s);
  }
}

}  // namespace

void write_perfetto(const Recording& recording, std::ostream& out) {
  TraceEvents events(out);
  const auto add = [&](const std::string& event) { events.add(event); };
  const Place alone;
  add_names(recording, alone, add);
  add_events(recording, alone, add);
  add_requests(recording, events);
  events.close();
}

void append_perfetto(const Recording& recording, int node, const std::string& host,
                     const std::function<void(const std::string&)>& add) {
  const Place place{node, host};
  add_names(recording, place, add);
  add_events(recording, place, add);
}

void write_events_csv(const Recording& recording, std::ostream& out) {
  out << "start_s,duration_s,gpu,track,kind,name,bytes\n";
  for (const Event& event : recording.events) {
    const Track& track = recording.tracks[event.track];
    out << fmt::format("{:.9f},{:.9f},{},{},{},{},{}\n", event.start_s, event.duration_s,
                       track.gpu < 0 ? "" : std::to_string(track.gpu), csv_cell(track.name),
                       to_string(event.kind), csv_cell(recording.names[event.name]),
                       event.bytes < 0 ? "" : fmt::format("{}", event.bytes));
  }
}

void write_counters_csv(const Recording& recording, std::ostream& out) {
  out << "gpu,name,unit,start_s,duration_s,value\n";
  for (const CounterSample& sample : recording.counters) {
    out << fmt::format(
        "{},{},{},{:.6f},{:.6f},{}\n", sample.gpu < 0 ? "" : std::to_string(sample.gpu),
        csv_cell(recording.names[sample.name]), csv_cell(recording.names[sample.unit]),
        sample.start_s, sample.duration_s, sample.value);
  }
}

void write_collectives_csv(const Recording& recording, std::ostream& out) {
  out << "operation,type,ranks,bytes,in_place,seconds,algbw_bytes_per_s,busbw_bytes_per_s\n";
  for (const CollectiveSample& sample : recording.collectives) {
    out << fmt::format("{},{},{},{},{},{},{},{}\n", sample.operation, sample.type, sample.ranks,
                       sample.bytes, sample.in_place ? 1 : 0, sample.seconds, sample.algbw,
                       sample.busbw);
  }
}

}  // namespace rackwright::profiler
