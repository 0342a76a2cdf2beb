#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/engine.hpp"

namespace rackwright::profiler {

/// What a recorded interval is.
enum class EventKind : std::uint8_t {
  kernel,      ///< on a GPU
  collective,  ///< a kernel or node that moves data between ranks
  copy,        ///< memcpy or memset on a GPU
  runtime,     ///< a CUDA or HIP call on the host
  op,          ///< a framework operator on the host
  annotation,  ///< a range that a person or a framework named
  other
};
inline constexpr int kEventKindCount = 7;
[[nodiscard]] std::string_view to_string(EventKind kind);

/// A row of events: a stream of a GPU or a thread of the host.
struct Track {
  int gpu = -1;      ///< -1: the host
  std::string name;  ///< "stream 7", "thread 1201"
  bool operator==(const Track&) const = default;
};

struct Event {
  double start_s = 0;  ///< from the first event of the recording
  double duration_s = 0;
  std::uint32_t track = 0;
  std::uint32_t name = 0;
  EventKind kind = EventKind::other;
  double bytes = -1;  ///< of one rank's buffer or of the copy; -1: the source does not say
};

/// A sampled quantity. The value holds over the window that ends at the sample, as the sensor
/// averages; `duration_s` 0 where the window is not known.
struct CounterSample {
  int gpu = -1;
  std::uint32_t name = 0;  ///< "power", "utilization", …
  std::uint32_t unit = 0;  ///< "W", "degC", "%", "B", "Hz", "B/s"
  double start_s = 0;
  double duration_s = 0;
  double value = 0;
};

/// One size of a collective benchmark. Rates by the definition of nccl-tests, decimal GB/s as B/s.
struct CollectiveSample {
  std::string operation;  ///< "all_reduce", …
  std::string type;       ///< element type
  int ranks = 0;
  double bytes = 0;
  bool in_place = false;
  double seconds = 0;
  double algbw = 0;  ///< B/s
  double busbw = 0;  ///< B/s: algbw scaled to a link's load; never the speed of a wire
};

/// A GPU of the node as NVML describes it, with what its power sensor covers; blank where it does
/// not say.
struct RecordedGpu {
  int gpu = 0;
  std::string name, uuid;
  std::string chassis;
  std::optional<int> slot;  ///< of the chassis, switch trays counted, from 1
  std::optional<int> tray;  ///< compute trays only, from 0
  std::optional<int> module;
  std::optional<double> power_limit_w;
  std::optional<double> instant_window_s, duty_cycle;
  double period_s = 0;  ///< between readings, as achieved
};

/// A part of a collected run, in which collectors disturbed the work or did not.
struct RecordedWindow {
  std::string name;  ///< "headline", "untraced repetition", "traced kernels", …
  double start_s = 0;
  double duration_s = 0;
  bool disturbed = false;  ///< traced or counted: neither times nor power are the work's own
  bool power = false;      ///< power is stated over this one
};

/// How many records of a kind the source held, and what became of them.
struct RecordCount {
  std::string what;
  std::uint64_t read = 0;
  std::uint64_t kept = 0;
  std::string skipped_because;  ///< empty when all were kept
};

/// What another tool recorded, in SI units on one time base that starts at 0.
struct Recording {
  std::string format;                     ///< "kineto", …
  std::vector<std::string> device_names;  ///< as the source writes them, by GPU index
  std::vector<std::string> names;         ///< of events, counters and units
  std::vector<Track> tracks;
  std::vector<Event> events;  ///< by start
  std::vector<CounterSample> counters;
  std::vector<CollectiveSample> collectives;
  std::vector<workloads::RequestOutcome> requests;
  std::vector<RecordedGpu> gpus;        ///< sampled by NVML
  std::vector<RecordedWindow> windows;  ///< of a collected run, by start
  std::vector<RecordCount> counts;
  std::vector<std::string> notes;  ///< what a reader must know: an assumption, a unit trap
  bool incomplete = false;
  std::string incomplete_reason;

  [[nodiscard]] bool empty() const {
    return events.empty() && counters.empty() && collectives.empty() && requests.empty();
  }
  /// Also as a note. A later reason is added to an earlier one.
  void mark_incomplete(const std::string& reason);
  /// Last end of anything in it, s.
  [[nodiscard]] double end_s() const;
};

/// The position of `text` in `names`, added when new. Keeps a hash beside the vector.
class NameTable {
 public:
  explicit NameTable(std::vector<std::string>& names);
  std::uint32_t operator()(std::string_view text);

 private:
  std::vector<std::string>& names_;
  std::vector<std::uint32_t> slots_;  ///< open addressing; index + 1, 0 is free
  void grow();
};

}  // namespace rackwright::profiler
