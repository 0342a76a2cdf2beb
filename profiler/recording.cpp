#include "profiler/recording.hpp"

#include <algorithm>
#include <functional>

namespace rackwright::profiler {

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kernel:
      return "kernel";
    case EventKind::collective:
      return "collective";
    case EventKind::copy:
      return "copy";
    case EventKind::runtime:
      return "runtime";
    case EventKind::op:
      return "op";
    case EventKind::annotation:
      return "annotation";
    case EventKind::other:
      break;
  }
  return "other";
}

void Recording::mark_incomplete(const std::string& reason) {
  incomplete = true;
  incomplete_reason += (incomplete_reason.empty() ? "" : "; ") + reason;
  notes.push_back(reason);
}

double Recording::end_s() const {
  double end = 0;
  for (const Event& event : events) end = std::max(end, event.start_s + event.duration_s);
  for (const CounterSample& sample : counters) {
    end = std::max(end, sample.start_s + sample.duration_s);
  }
  for (const auto& request : requests) end = std::max(end, request.finish_s);
  return end;
}

NameTable::NameTable(std::vector<std::string>& names) : names_(names) {
  grow();
}

void NameTable::grow() {
  slots_.assign(std::max<std::size_t>(1024, names_.size() * 4), 0);
  for (std::uint32_t i = 0; i < names_.size(); ++i) {
    std::size_t slot = std::hash<std::string_view>{}(names_[i]) % slots_.size();
    while (slots_[slot] != 0) slot = (slot + 1) % slots_.size();
    slots_[slot] = i + 1;
  }
}

std::uint32_t NameTable::operator()(std::string_view text) {
  std::size_t slot = std::hash<std::string_view>{}(text) % slots_.size();
  while (slots_[slot] != 0) {
    if (names_[slots_[slot] - 1] == text) return slots_[slot] - 1;
    slot = (slot + 1) % slots_.size();
  }
  names_.emplace_back(text);
  slots_[slot] = static_cast<std::uint32_t>(names_.size());
  if (names_.size() * 2 > slots_.size()) grow();
  return static_cast<std::uint32_t>(names_.size() - 1);
}

}  // namespace rackwright::profiler
