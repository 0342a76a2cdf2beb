#include "profiler/kernel_tracer.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>

#include "profiler/cupti/cupti_abi.h"
#include "profiler/import/import.hpp"

namespace rackwright::profiler {

struct CuptiModule {
  RackwrightCuptiAbi abi = nullptr;
  RackwrightCuptiOpen open = nullptr;
  RackwrightCuptiStart start = nullptr;
  RackwrightCuptiStop stop = nullptr;
  RackwrightCuptiBegin begin = nullptr;
  RackwrightCuptiEnd end = nullptr;
  RackwrightCuptiClose close = nullptr;
};

struct TracedActivity {
  std::uint64_t start_ns, end_ns, bytes;
  std::uint32_t device, stream, correlation;
  bool copy;
  std::uint32_t name;
};

namespace {

template <class Function>
bool find_symbol(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

/// "" or why the file is not our module.
std::string load(const std::filesystem::path& path, CuptiModule& module) {
  if (!std::filesystem::exists(path)) {
    return fmt::format(
        "no kernel trace: {} is not there (build with the CUDA toolkit's CUPTI installed)",
        path.string());
  }
  // Stays mapped: threads of CUPTI may outlive the session.
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return fmt::format("no kernel trace: {}", ::dlerror());
  if (!find_symbol(handle, "rackwright_cupti_abi", module.abi)) {
    return fmt::format("no kernel trace: {} is another library", path.string());
  }
  if (module.abi() != RACKWRIGHT_CUPTI_ABI) {
    return fmt::format("no kernel trace: {} has interface {}, this program {}: rebuild it",
                       path.string(), module.abi(), RACKWRIGHT_CUPTI_ABI);
  }
  const bool whole = find_symbol(handle, "rackwright_cupti_open", module.open) &&
                     find_symbol(handle, "rackwright_cupti_start", module.start) &&
                     find_symbol(handle, "rackwright_cupti_stop", module.stop) &&
                     find_symbol(handle, "rackwright_cupti_begin", module.begin) &&
                     find_symbol(handle, "rackwright_cupti_end", module.end) &&
                     find_symbol(handle, "rackwright_cupti_close", module.close);
  return whole ? "" : fmt::format("no kernel trace: {} lacks functions", path.string());
}

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
  const workloads::OperatorGraph* graph = nullptr;

  static Impl& of(void* context) { return *static_cast<Impl*>(context); }
  RackwrightCuptiSink sink() {
    return {this,
            [](void* c, const RackwrightCuptiActivity* a) {
              of(c).activities.push_back({a->start_ns, a->end_ns, a->bytes, a->device, a->stream,
                                          a->correlation, a->is_copy != 0, of(c).name(a->name)});
            },
            [](void* c, const RackwrightCuptiReading* r) { of(c).readings.push_back(*r); },
            [](void* c, std::uint32_t correlation, std::uint64_t id) {
              of(c).operator_of[correlation] = id;
            },
            [](void* c, const char* text) { of(c).links.insert(text); }};
  }
  void add_activities(std::int64_t start_ns, Recording& recording);
  void add_ranges(std::int64_t start_ns, Recording& recording);
  void add_readings(std::int64_t start_ns, Recording& recording);
};

std::filesystem::path KernelTracer::module_path() {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return executable.parent_path().parent_path() / "lib" / "rackwright" / "rackwright_cupti.so";
}

std::unique_ptr<KernelTracer> KernelTracer::open(const std::filesystem::path& module,
                                                 std::string& reason) {
  auto impl = std::make_unique<Impl>();
  reason = load(module, impl->module);
  if (!reason.empty()) return nullptr;
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

std::string KernelTracer::start() {
  char text[RACKWRIGHT_CUPTI_TEXT] = "";
  return impl_->module.start(impl_->session, text) == 0 ? "" : std::string(text);
}

void KernelTracer::step(const workloads::OperatorGraph& graph) {
  impl_->graph = &graph;
}

void KernelTracer::begin(OperatorId id) {
  std::string name(impl_->graph->operators[id.value()].name);
  impl_->module.begin(impl_->session, impl_->ranges.size(), name.c_str());
  impl_->ranges.push_back(std::move(name));
}

void KernelTracer::end(OperatorId) {
  impl_->module.end(impl_->session);
}

namespace {

double seconds_from(std::int64_t start_ns, std::uint64_t time_ns) {
  return static_cast<double>(static_cast<std::int64_t>(time_ns) - start_ns) * 1e-9;
}

}  // namespace

void KernelTracer::Impl::add_activities(std::int64_t start_ns, Recording& recording) {
  NameTable into(recording.names);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> tracks;
  for (const TracedActivity& activity : activities) {
    const auto [track, added] = tracks.emplace(std::pair{activity.device, activity.stream},
                                               static_cast<std::uint32_t>(recording.tracks.size()));
    if (added) {
      recording.tracks.push_back(
          {static_cast<int>(activity.device), fmt::format("stream {}", activity.stream)});
    }
    const std::string& text = seen.names[activity.name];
    recording.events.push_back({seconds_from(start_ns, activity.start_ns),
                                static_cast<double>(activity.end_ns - activity.start_ns) * 1e-9,
                                track->second, into(text),
                                activity.copy                ? EventKind::copy
                                : is_collective_kernel(text) ? EventKind::collective
                                                             : EventKind::kernel,
                                activity.copy ? static_cast<double>(activity.bytes) : -1});
  }
}

/// From the first start to the last end of an operator's kernels on a GPU.
void KernelTracer::Impl::add_ranges(std::int64_t start_ns, Recording& recording) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const TracedActivity& activity : activities) {
    const auto found = operator_of.find(activity.correlation);
    if (found == operator_of.end() || found->second >= ranges.size()) continue;
    auto& [from, to] =
        spans.try_emplace({activity.device, found->second}, activity.start_ns, activity.end_ns)
            .first->second;
    from = std::min(from, activity.start_ns);
    to = std::max(to, activity.end_ns);
  }
  NameTable into(recording.names);
  std::map<std::uint32_t, std::uint32_t> tracks;
  for (const auto& [key, span] : spans) {
    const auto [track, added] =
        tracks.emplace(key.first, static_cast<std::uint32_t>(recording.tracks.size()));
    if (added) recording.tracks.push_back({static_cast<int>(key.first), "operators"});
    recording.events.push_back({seconds_from(start_ns, span.first),
                                static_cast<double>(span.second - span.first) * 1e-9, track->second,
                                into(ranges[key.second]), EventKind::annotation, -1});
  }
}

void KernelTracer::Impl::add_readings(std::int64_t start_ns, Recording& recording) {
  NameTable into(recording.names);
  for (const RackwrightCuptiReading& reading : readings) {
    const auto& [text, unit] = kReadings[std::min<std::uint32_t>(reading.what, 4)];
    recording.counters.push_back({static_cast<int>(reading.device), into(text), into(unit),
                                  seconds_from(start_ns, reading.time_ns), 0, reading.value});
  }
}

void KernelTracer::finish(std::int64_t start_ns, Recording& recording) {
  RackwrightCuptiCounts counts{};
  impl_->module.stop(impl_->session, &counts);
  impl_->add_activities(start_ns, recording);
  impl_->add_ranges(start_ns, recording);
  impl_->add_readings(start_ns, recording);
  std::stable_sort(recording.events.begin(), recording.events.end(),
                   [](const Event& a, const Event& b) { return a.start_s < b.start_s; });
  const std::uint64_t read = counts.kernels + counts.copies;
  recording.counts.push_back(
      {"kernels and copies (CUPTI)", read + counts.dropped, read - counts.untimed,
       counts.untimed + counts.dropped == 0 ? ""
                                            : fmt::format("{} without a time, {} dropped by CUPTI",
                                                          counts.untimed, counts.dropped)});
  if (counts.untimed + counts.dropped + counts.cut_buffers + counts.refused_buffers > 0) {
    recording.incomplete = true;
    recording.incomplete_reason = fmt::format(
        "the kernel trace lacks records: {} without a time, {} dropped, {} buffers cut, {} refused",
        counts.untimed, counts.dropped, counts.cut_buffers, counts.refused_buffers);
    recording.notes.push_back(recording.incomplete_reason);
  }
  recording.notes.push_back(fmt::format("CUPTI's own cost {:.3f} ms, host waits {:.3f} ms",
                                        static_cast<double>(counts.overhead_ns) * 1e-6,
                                        static_cast<double>(counts.synchronisation_ns) * 1e-6));
  recording.notes.insert(recording.notes.end(), impl_->links.begin(), impl_->links.end());
}

}  // namespace rackwright::profiler
