#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>
#include <simdjson.h>

#include "profiler/import/import.hpp"
#include "profiler/import/json_objects.hpp"
#include "profiler/import/text_lines.hpp"

namespace rackwright::profiler {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;

namespace {

constexpr double kKinetoMicro = 1e-6;

/// Kineto's category; older releases capitalise and shorten it ("Kernel", "Memcpy").
EventKind kind_of(std::string_view category, std::string_view name) {
  constexpr std::array<std::pair<std::string_view, EventKind>, 17> kKinds{
      {{"kernel", EventKind::kernel},
       {"Kernel", EventKind::kernel},
       {"concurrent_kernel", EventKind::kernel},
       {"gpu_memcpy", EventKind::copy},
       {"gpu_memset", EventKind::copy},
       {"Memcpy", EventKind::copy},
       {"Memset", EventKind::copy},
       {"cuda_runtime", EventKind::runtime},
       {"cuda_driver", EventKind::runtime},
       {"Runtime", EventKind::runtime},
       {"hip_runtime", EventKind::runtime},
       {"cpu_op", EventKind::op},
       {"Operator", EventKind::op},
       {"user_annotation", EventKind::annotation},
       {"gpu_user_annotation", EventKind::annotation},
       {"cuda_profiler_range", EventKind::annotation},
       {"python_function", EventKind::annotation}}};
  for (const auto& [word, kind] : kKinds) {
    if (word != category) continue;
    return kind == EventKind::kernel && is_collective_kernel(name) ? EventKind::collective : kind;
  }
  return EventKind::other;
}

double element_bytes(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, double>, 14> kTypes{{{"Float", 4},
                                                                        {"Half", 2},
                                                                        {"BFloat16", 2},
                                                                        {"Double", 8},
                                                                        {"Int", 4},
                                                                        {"Long", 8},
                                                                        {"Byte", 1},
                                                                        {"Char", 1},
                                                                        {"Short", 2},
                                                                        {"Bool", 1},
                                                                        {"Float8_e4m3fn", 1},
                                                                        {"Float8_e5m2", 1},
                                                                        {"ComplexFloat", 8},
                                                                        {"ComplexDouble", 16}}};
  for (const auto& [name, bytes] : kTypes) {
    if (name == type) return bytes;
  }
  return 0;
}

std::optional<double> number(const dom::element& value) {
  if (value.is_number()) return double(value);
  if (value.is_string()) return number_in(std::string_view(value));  // some writers quote numbers
  return {};
}

std::optional<double> number_of(const dom::object& object, std::string_view key) {
  dom::element value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS) return {};
  return number(value);
}

std::string_view text_of(const dom::object& object, std::string_view key) {
  std::string_view text;
  return object.at_key(key).get(text) == simdjson::SUCCESS ? text : std::string_view();
}

/// Process and thread names are numbers or texts.
std::string label_of(const dom::object& object, std::string_view key) {
  dom::element value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS) return "";
  return value.is_string() ? std::string(std::string_view(value)) : simdjson::minify(value);
}

class KinetoReader {
 public:
  explicit KinetoReader(Recording& recording) : recording_(recording), name_(recording.names) {}

  void add(const dom::object& event) {
    const std::string_view phase = text_of(event, "ph");
    const std::string_view category = text_of(event, "cat");
    Tally& tally = tally_of(phase, category);
    ++tally.read;
    if (phase == "X") tally.kept += add_event(event, category) ? 1 : 0;
    if (phase == "C") tally.kept += add_counter(event) ? 1 : 0;
  }

  void finish() {
    std::sort(tallies_.begin(), tallies_.end(), [](const Tally& a, const Tally& b) {
      return std::tie(a.phase, a.category) < std::tie(b.phase, b.category);
    });
    for (const Tally& tally : tallies_) {
      recording_.counts.push_back({fmt::format("{} {}", tally.phase, tally.category), tally.read,
                                   tally.kept,
                                   tally.read == tally.kept ? "" : reason(tally.phase)});
    }
  }

 private:
  struct Tally {
    std::string phase, category;
    std::uint64_t read = 0, kept = 0;
  };

  static std::string reason(std::string_view phase) {
    if (phase == "X" || phase == "C") return "no start, duration or value";
    if (phase == "s" || phase == "f" || phase == "t") return "flow arrows";
    if (phase == "M") return "names of processes and threads";
    if (phase == "i" || phase == "I") return "instants";
    return "not an interval";
  }

  /// A trace has a dozen kinds of event: looking through them is quicker than a map.
  Tally& tally_of(std::string_view phase, std::string_view category) {
    for (Tally& tally : tallies_) {
      if (tally.phase == phase && tally.category == category) return tally;
    }
    return tallies_.emplace_back(Tally{std::string(phase), std::string(category), 0, 0});
  }

  bool add_event(const dom::object& object, std::string_view category) {
    const auto start = number_of(object, "ts");
    const auto duration = number_of(object, "dur");
    if (!start || !duration || *duration < 0) return false;
    const std::string_view name = text_of(object, "name");
    Event event;
    event.kind = kind_of(category, name);
    event.start_s = since_first(*start);
    event.duration_s = *duration * kKinetoMicro;
    event.name = name_(name);
    dom::object arguments;
    const bool has = object.at_key("args").get(arguments) == simdjson::SUCCESS;
    event.track = track_of(object, has ? &arguments : nullptr, event.kind);
    if (has) event.bytes = bytes_of(arguments, event.kind);
    recording_.events.push_back(event);
    return true;
  }

  /// Unix time in microseconds fills a double: the first time is taken off before the scaling.
  double since_first(double microseconds) {
    if (!first_) first_ = microseconds;
    return (microseconds - *first_) * kKinetoMicro;
  }

  static double bytes_of(const dom::object& arguments, EventKind kind) {
    if (kind == EventKind::copy) return number_of(arguments, "bytes").value_or(-1);
    if (kind != EventKind::collective) return -1;
    const auto elements = number_of(arguments, "In msg nelems");
    const double size = element_bytes(text_of(arguments, "dtype"));
    return elements && size > 0 ? *elements * size : -1;
  }

  std::uint32_t track_of(const dom::object& object, const dom::object* arguments, EventKind kind) {
    const bool on_gpu =
        kind == EventKind::kernel || kind == EventKind::collective || kind == EventKind::copy;
    const dom::object& owner = on_gpu && arguments != nullptr ? *arguments : object;
    const bool gpu = &owner != &object;
    const auto outer = number_of(owner, gpu ? "device" : "pid");
    const auto inner = number_of(owner, gpu ? "stream" : "tid");
    if (!outer || !inner) return named_track(owner, gpu);
    const auto [at, added] = numbered_.try_emplace({gpu, *outer, *inner}, 0);
    if (added) at->second = named_track(owner, gpu);
    return at->second;
  }

  std::uint32_t named_track(const dom::object& owner, bool gpu) {
    Track track;
    if (gpu) {
      track.gpu = static_cast<int>(number_of(owner, "device").value_or(0));
      track.name = "stream " + label_of(owner, "stream");
    } else {
      track.name =
          fmt::format("process {} thread {}", label_of(owner, "pid"), label_of(owner, "tid"));
    }
    auto& tracks = recording_.tracks;
    const auto found = std::find(tracks.begin(), tracks.end(), track);
    if (found != tracks.end()) return static_cast<std::uint32_t>(found - tracks.begin());
    tracks.push_back(std::move(track));
    return static_cast<std::uint32_t>(tracks.size() - 1);
  }

  bool add_counter(const dom::object& object) {
    const auto time = number_of(object, "ts");
    dom::object values;
    if (!time || object.at_key("args").get(values) != simdjson::SUCCESS) return false;
    bool any = false;
    for (const auto& [key, value] : values) {
      const auto amount = number(value);
      if (!amount) continue;
      any = true;
      recording_.counters.push_back({-1, name_(fmt::format("{} {}", text_of(object, "name"), key)),
                                     name_(""), since_first(*time), 0, *amount});
    }
    return any;
  }

  Recording& recording_;
  NameTable name_;
  std::optional<double> first_;
  std::map<std::tuple<bool, double, double>, std::uint32_t> numbered_;
  std::vector<Tally> tallies_;
};

void read_devices(const std::string& rest, Recording& recording) {
  dom::parser parser;
  dom::object root;
  dom::array devices;
  if (parser.parse(rest).get(root) != simdjson::SUCCESS) return;
  if (root.at_key("deviceProperties").get(devices) != simdjson::SUCCESS) return;
  for (const dom::element device : devices) {
    dom::object properties;
    if (device.get(properties) == simdjson::SUCCESS) {
      recording.device_names.emplace_back(text_of(properties, "name"));
    }
  }
}

}  // namespace

Recording read_kineto(const fs::path& path, const ImportProgress& progress) {
  Recording recording;
  recording.format = "kineto";
  ByteSource source(path);
  ObjectSplitter splitter(source, "traceEvents");
  KinetoReader reader(recording);
  dom::parser parser;
  std::string piece;
  std::size_t read = 0;
  try {
    while (splitter.next(piece)) {
      dom::array events;
      const auto error = parser.parse(piece).get(events);
      if (error != simdjson::SUCCESS) throw std::runtime_error(simdjson::error_message(error));
      for (const dom::element element : events) {
        dom::object event;
        if (element.get(event) != simdjson::SUCCESS)
          throw std::runtime_error("an event is no object");
        reader.add(event);
        ++read;
      }
      if (progress) progress(source.bytes_done(), source.bytes_total());
    }
  } catch (const std::runtime_error& error) {
    if (dynamic_cast<const InputError*>(&error) != nullptr) throw;
    throw bad_input(path, 0, fmt::format("traceEvents, after event {}", read),
                    "a Chrome JSON trace as PyTorch's profiler writes it", error.what());
  }
  reader.finish();
  read_devices(splitter.rest(), recording);
  if (recording.events.empty()) {
    throw bad_input(path, 0, "traceEvents", "complete events (\"ph\": \"X\")", "none");
  }
  settle(recording);
  return recording;
}

}  // namespace rackwright::profiler
