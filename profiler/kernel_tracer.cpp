#include "profiler/kernel_tracer.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "profiler/clock_alignment.hpp"
#include "profiler/import/import.hpp"

namespace rackwright::profiler {

struct TracedActivity {
  std::uint64_t start_ns, end_ns, bytes;
  std::uint32_t device, stream, correlation;
  std::uint32_t what;
  std::uint32_t name;
};

namespace {

constexpr std::pair<const char*, const char*> kReadings[] = {{"cupti_power", "W"},
                                                             {"cupti_temperature", "degC"},
                                                             {"cupti_sm_clock", "Hz"},
                                                             {"cupti_memory_clock", "Hz"},
                                                             {"cupti_fan", "%"}};

}  // namespace

struct KernelTracer::Impl {
  CuptiModule module;
  void* session = nullptr;
  Recording seen;  ///< names only
  NameTable name{seen.names};
  std::vector<TracedActivity> activities;
  std::vector<RackwrightCuptiReading> readings;
  std::unordered_map<std::uint32_t, std::uint64_t> operator_of;  ///< by correlation
  std::set<std::string> links;
  std::vector<std::string> ranges;  ///< name of each operator that ran, by its number
  std::vector<StepSpan> spans;      ///< of each on the host, which waits for its end
  const workloads::OperatorGraph* graph = nullptr;

  static Impl& of(void* context) { return *static_cast<Impl*>(context); }
  RackwrightCuptiSink sink() {
    return {this,
            [](void* c, const RackwrightCuptiActivity* a) {
              of(c).activities.push_back({a->start_ns, a->end_ns, a->bytes, a->device, a->stream,
                                          a->correlation, a->what, of(c).name(a->name)});
            },
            [](void* c, const RackwrightCuptiReading* r) { of(c).readings.push_back(*r); },
            [](void* c, std::uint32_t correlation, std::uint64_t id) {
              of(c).operator_of[correlation] = id;
            },
            [](void* c, const char* text) { of(c).links.insert(text); }};
  }
  std::string start(bool graphs);
  RackwrightCuptiCounts stop();
  void add_activities(std::int64_t start_ns, const GpuNumber& gpu, Recording& recording);
  /// By external correlation, which is of the launching thread; else by time.
  [[nodiscard]] std::optional<std::uint64_t> operator_at(const TracedActivity& activity,
                                                         std::uint64_t& by_time) const;
  void add_ranges(std::int64_t start_ns, const GpuNumber& gpu, Recording& recording);
  void add_readings(std::int64_t start_ns, const GpuNumber& gpu, Recording& recording);
  /// How many launches belong to no step.
  std::uint64_t add_graphs(std::int64_t start_ns, const GpuNumber& gpu,
                           std::span<const StepSpan> steps, Recording& recording);
};

std::unique_ptr<KernelTracer> KernelTracer::open(const CuptiModule& module, std::string& reason) {
  auto impl = std::make_unique<Impl>();
  impl->module = module;
  char text[RACKWRIGHT_CUPTI_TEXT] = "";
  const RackwrightCuptiSink sink = impl->sink();
  impl->session = impl->module.open(&sink, text);
  reason = text;
  if (impl->session == nullptr) return nullptr;
  return std::unique_ptr<KernelTracer>(new KernelTracer(std::move(impl)));
}

KernelTracer::KernelTracer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

KernelTracer::~KernelTracer() {
  impl_->module.close(impl_->session);
}

std::string KernelTracer::Impl::start(bool graphs) {
  activities.clear();
  char text[RACKWRIGHT_CUPTI_TEXT] = "";
  return module.start(session, graphs ? 1 : 0, text) == 0 ? "" : std::string(text);
}

RackwrightCuptiCounts KernelTracer::Impl::stop() {
  RackwrightCuptiCounts counts{};
  module.stop(session, &counts);
  return counts;
}

std::string KernelTracer::start() {
  return impl_->start(false);
}

std::string KernelTracer::start_graphs() {
  return impl_->start(true);
}

void KernelTracer::step(const workloads::OperatorGraph& graph) {
  impl_->graph = &graph;
}

void KernelTracer::begin(OperatorId id) {
  std::string name(impl_->graph->operators[id.value()].name);
  impl_->module.begin(impl_->session, impl_->ranges.size(), name.c_str());
  impl_->ranges.push_back(std::move(name));
  impl_->spans.push_back({realtime_ns(), 0});
}

void KernelTracer::end(OperatorId) {
  impl_->spans.back().end_ns = realtime_ns();
  impl_->module.end(impl_->session);
}

namespace {

double seconds_from(std::int64_t start_ns, std::uint64_t time_ns) {
  return static_cast<double>(static_cast<std::int64_t>(time_ns) - start_ns) * 1e-9;
}

}  // namespace

void KernelTracer::Impl::add_activities(std::int64_t start_ns, const GpuNumber& gpu,
                                        Recording& recording) {
  NameTable into(recording.names);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> tracks;
  for (const TracedActivity& activity : activities) {
    const auto [track, added] = tracks.emplace(std::pair{activity.device, activity.stream},
                                               static_cast<std::uint32_t>(recording.tracks.size()));
    if (added) {
      recording.tracks.push_back({gpu(activity.device), fmt::format("stream {}", activity.stream)});
    }
    const std::string& text = seen.names[activity.name];
    const bool copy = activity.what == RACKWRIGHT_CUPTI_COPY;
    recording.events.push_back({seconds_from(start_ns, activity.start_ns),
                                static_cast<double>(activity.end_ns - activity.start_ns) * 1e-9,
                                track->second, into(text),
                                copy                         ? EventKind::copy
                                : is_collective_kernel(text) ? EventKind::collective
                                                             : EventKind::kernel,
                                copy ? static_cast<double>(activity.bytes) : -1});
  }
}

std::optional<std::uint64_t> KernelTracer::Impl::operator_at(const TracedActivity& activity,
                                                             std::uint64_t& by_time) const {
  if (const auto found = operator_of.find(activity.correlation); found != operator_of.end()) {
    return found->second < ranges.size() ? std::optional(found->second) : std::nullopt;
  }
  const auto middle =
      static_cast<std::int64_t>(activity.start_ns + (activity.end_ns - activity.start_ns) / 2);
  const auto after =
      std::upper_bound(spans.begin(), spans.end(), middle,
                       [](std::int64_t at, const StepSpan& span) { return at < span.begin_ns; });
  if (after == spans.begin() || middle > std::prev(after)->end_ns) return std::nullopt;
  ++by_time;
  return static_cast<std::uint64_t>(after - spans.begin() - 1);
}

/// From the first start to the last end of an operator's kernels on a GPU.
void KernelTracer::Impl::add_ranges(std::int64_t start_ns, const GpuNumber& gpu,
                                    Recording& recording) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::pair<std::uint64_t, std::uint64_t>> on_gpu;
  std::uint64_t by_time = 0;
  for (const TracedActivity& activity : activities) {
    const auto op = operator_at(activity, by_time);
    if (!op) continue;
    auto& [from, to] =
        on_gpu.try_emplace({activity.device, *op}, activity.start_ns, activity.end_ns)
            .first->second;
    from = std::min(from, activity.start_ns);
    to = std::max(to, activity.end_ns);
  }
  NameTable into(recording.names);
  std::map<std::uint32_t, std::uint32_t> tracks;
  for (const auto& [key, span] : on_gpu) {
    const auto [track, added] =
        tracks.emplace(key.first, static_cast<std::uint32_t>(recording.tracks.size()));
    if (added) recording.tracks.push_back({gpu(key.first), "operators"});
    recording.events.push_back({seconds_from(start_ns, span.first),
                                static_cast<double>(span.second - span.first) * 1e-9, track->second,
                                into(ranges[key.second]), EventKind::annotation, -1});
  }
  if (by_time > 0) {
    recording.notes.push_back(fmt::format(
        "{} kernels and copies came from another thread (as NCCL's do): put to operators by time",
        by_time));
  }
}

void KernelTracer::Impl::add_readings(std::int64_t start_ns, const GpuNumber& gpu,
                                      Recording& recording) {
  NameTable into(recording.names);
  for (const RackwrightCuptiReading& reading : readings) {
    const auto& [text, unit] = kReadings[std::min<std::uint32_t>(reading.what, 4)];
    recording.counters.push_back({gpu(reading.device), into(text), into(unit),
                                  seconds_from(start_ns, reading.time_ns), 0, reading.value});
  }
}

std::uint64_t KernelTracer::Impl::add_graphs(std::int64_t start_ns, const GpuNumber& gpu,
                                             std::span<const StepSpan> steps,
                                             Recording& recording) {
  NameTable into(recording.names);
  std::map<std::uint32_t, std::uint32_t> tracks;
  std::uint64_t of_no_step = 0;
  for (const TracedActivity& launch : activities) {
    if (launch.what != RACKWRIGHT_CUPTI_GRAPH) continue;
    const auto middle =
        static_cast<std::int64_t>(launch.start_ns + (launch.end_ns - launch.start_ns) / 2);
    const auto step = std::find_if(steps.begin(), steps.end(), [&](const StepSpan& span) {
      return middle >= span.begin_ns && middle <= span.end_ns;
    });
    if (step == steps.end()) ++of_no_step;
    const auto [track, added] =
        tracks.emplace(launch.device, static_cast<std::uint32_t>(recording.tracks.size()));
    if (added) recording.tracks.push_back({gpu(launch.device), "graphs"});
    const std::string& launched = seen.names[launch.name];
    recording.events.push_back(
        {seconds_from(start_ns, launch.start_ns),
         static_cast<double>(launch.end_ns - launch.start_ns) * 1e-9, track->second,
         into(step == steps.end() ? launched
                                  : fmt::format("step {}: {}", step - steps.begin() + 1, launched)),
         EventKind::annotation, -1});
  }
  return of_no_step;
}

namespace {

void sort_by_start(Recording& recording) {
  std::stable_sort(recording.events.begin(), recording.events.end(),
                   [](const Event& a, const Event& b) { return a.start_s < b.start_s; });
}

/// Records of one kind: those read, those kept, and why the trace is not whole.
void add_counts(const char* what, const char* trace, std::uint64_t read,
                const RackwrightCuptiCounts& counts, Recording& recording) {
  recording.counts.push_back({what, read + counts.dropped, read - counts.untimed,
                              counts.untimed + counts.dropped == 0
                                  ? ""
                                  : fmt::format("{} without a time, {} dropped by CUPTI",
                                                counts.untimed, counts.dropped)});
  if (counts.untimed + counts.dropped + counts.cut_buffers + counts.refused_buffers == 0) return;
  recording.mark_incomplete(fmt::format(
      "the {} trace lacks records: {} without a time, {} dropped, {} buffers cut, {} refused",
      trace, counts.untimed, counts.dropped, counts.cut_buffers, counts.refused_buffers));
}

}  // namespace

void KernelTracer::finish(std::int64_t start_ns, const GpuNumber& gpu, Recording& recording) {
  const RackwrightCuptiCounts counts = impl_->stop();
  impl_->add_activities(start_ns, gpu, recording);
  impl_->add_ranges(start_ns, gpu, recording);
  impl_->add_readings(start_ns, gpu, recording);
  sort_by_start(recording);
  add_counts("kernels and copies (CUPTI)", "kernel", counts.kernels + counts.copies, counts,
             recording);
  recording.notes.push_back(fmt::format("CUPTI's own cost {:.3f} ms, host waits {:.3f} ms",
                                        static_cast<double>(counts.overhead_ns) * 1e-6,
                                        static_cast<double>(counts.synchronisation_ns) * 1e-6));
  recording.notes.insert(recording.notes.end(), impl_->links.begin(), impl_->links.end());
}

void KernelTracer::finish_graphs(std::int64_t start_ns, const GpuNumber& gpu,
                                 std::span<const StepSpan> steps, Recording& recording) {
  const RackwrightCuptiCounts counts = impl_->stop();
  const std::uint64_t of_no_step = impl_->add_graphs(start_ns, gpu, steps, recording);
  sort_by_start(recording);
  add_counts("graph launches (CUPTI)", "graph", counts.graphs, counts, recording);
  if (of_no_step > 0) {
    recording.notes.push_back(fmt::format("{} graph launches lie in no step", of_no_step));
  }
}

}  // namespace rackwright::profiler
