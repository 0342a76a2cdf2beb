#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rackwright::profiler::cupti {

/// Times are CLOCK_REALTIME, ns, as CUPTI gives them.
struct KernelActivity {
  std::uint64_t start_ns = 0, end_ns = 0;
  std::uint32_t device = 0, stream = 0;
  std::uint32_t correlation = 0;  ///< of the launch; one for all kernels of a graph
  std::uint32_t graph = 0;        ///< 0: not from a graph
  std::uint64_t graph_node = 0;
  std::string_view name;  ///< valid during the call only
};
struct CopyActivity {
  std::uint64_t start_ns = 0, end_ns = 0, bytes = 0;
  std::uint32_t device = 0, stream = 0, correlation = 0;
  /// CUpti_ActivityMemcpyKind: 1 to the device, 2 from it, 8 within it, 10 to a peer; 0: memset.
  std::uint8_t kind = 0;
};
/// One launch of a graph, from the start of its first node to the end of its last.
struct GraphActivity {
  std::uint64_t start_ns = 0, end_ns = 0;
  std::uint32_t device = 0, stream = 0, correlation = 0;
  std::uint32_t graph = 0;
};
enum class Environment : std::uint8_t { power, temperature, sm_clock, memory_clock, fan };
struct EnvironmentActivity {
  std::uint64_t time_ns = 0;
  std::uint32_t device = 0;
  Environment what = Environment::power;
  double value = 0;  ///< W, degC, Hz, % of the highest fan speed
};

/// Takes activities one by one; nothing is kept, so memory does not grow with their number.
class ActivitySink {
 public:
  virtual ~ActivitySink() = default;
  virtual void kernel(const KernelActivity& kernel) = 0;
  virtual void copy(const CopyActivity& copy) = 0;
  virtual void graph(const GraphActivity&) {}
  virtual void environment(const EnvironmentActivity& reading) = 0;
  /// The launch `correlation` was made by operator `operator_id`.
  virtual void correlation(std::uint32_t correlation, std::uint64_t operator_id) = 0;
  /// A link of the node in words: "NVLink 4: 18 links, 450 GB/s each way, through a switch".
  virtual void link(std::string_view) {}
};

/// What went through a parser. A trace with dropped, untimed or cut records is incomplete.
struct ActivityCounts {
  std::uint64_t kernels = 0, copies = 0, graphs = 0, environment = 0, correlations = 0;
  std::uint64_t calls = 0, synchronisations = 0, overheads = 0, markers = 0, links = 0;
  std::uint64_t overhead_ns = 0;         ///< of CUPTI itself, as it reports
  std::uint64_t synchronisation_ns = 0;  ///< that the host waited
  std::uint64_t untimed = 0;             ///< no time could be taken, or its end is before its start
  std::uint64_t unknown = 0;             ///< kinds that are not asked for: skipped
  std::uint64_t cut_buffers =
      0;  ///< buffers that end in an incomplete record; not seen behind a kind not read here
  std::uint64_t dropped = 0;       ///< by CUPTI, as it reports
  std::uint64_t out_of_order = 0;  ///< kernels that start before one seen earlier; no fault
  [[nodiscard]] bool incomplete() const { return untimed + cut_buffers + dropped > 0; }
};

/// Reads completed activity buffers of CUPTI's activity API.
class ActivityParser {
 public:
  explicit ActivityParser(ActivitySink& sink) : sink_(sink) {}
  /// `size` valid bytes at `buffer`, which is aligned to 8 bytes.
  void parse(std::uint8_t* buffer, std::size_t size);
  void add_dropped(std::uint64_t records) { counts_.dropped += records; }
  /// For a new window.
  void reset() {
    counts_ = {};
    last_start_ns_ = 0;
  }
  [[nodiscard]] const ActivityCounts& counts() const { return counts_; }

 private:
  void take(const void* record);
  void take_context(const void* record);
  bool timed(std::uint64_t start_ns, std::uint64_t end_ns);

  ActivitySink& sink_;
  ActivityCounts counts_;
  std::uint64_t last_start_ns_ = 0;
};

/// Record layouts belong to a major version: whether the library at hand has the one of the header
/// this was built with. Records of another one must not be read.
[[nodiscard]] bool same_layout();

}  // namespace rackwright::profiler::cupti
