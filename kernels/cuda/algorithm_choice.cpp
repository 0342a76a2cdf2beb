#include "kernels/cuda/algorithm_choice.hpp"

#include <cstdio>
#include <optional>
#include <utility>

#include "kernels/cuda/stopwatch.hpp"

namespace rackwright::kernels::cuda {

namespace {

/// The median, ms, or nothing where the candidate fails. Throws where the context is lost.
std::optional<float> timed(CudaCalls& calls, Stopwatch& watch, const Candidate& candidate) {
  float milliseconds = 0;
  const int code = watch.median(candidate.run, milliseconds);
  if (code == 0) return milliseconds;
  const int left = calls.remaining_error();
  if (is_sticky(code) || left != 0) check(calls, left != 0 ? left : code, candidate.name);
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& notes) {
  std::string out;
  for (const std::string& note : notes) out += "; " + note;
  return out;
}

}  // namespace

Prepared choose_quickest(CudaCalls& calls, const std::string& what,
                         std::vector<Candidate> candidates, const std::vector<std::string>& notes) {
  Stopwatch watch(calls);
  Candidate* best = nullptr;
  float least = 0;
  int work = 0;
  for (Candidate& one : candidates) {
    const std::optional<float> time = timed(calls, watch, one);
    if (!time) continue;
    ++work;
    if (best == nullptr || *time < least) best = &one, least = *time;
  }
  if (best == nullptr) {
    throw CudaError(kUnsupported, false,
                    what + ": nothing that can run it on this device" + joined(notes));
  }
  char text[96];
  std::snprintf(text, sizeof text, "; quickest of %d that work of %zu, %.4g ms, cold cache", work,
                candidates.size(), static_cast<double>(least));
  return {std::move(best->run), best->name + text + joined(notes)};
}

const char* name_of(ScaleMode mode) {
  switch (mode) {
    case ScaleMode::none:
      return "no scales";
    case ScaleMode::tensor:
      return "a scale a tensor (SCALAR_32F)";
    case ScaleMode::outer_vector:
      return "a scale a token and a channel (OUTER_VEC_32F)";
    case ScaleMode::blocks:
      return "scales of 1x128 and 128x128 (VEC128_32F, BLK128x128_32F)";
    case ScaleMode::mx32:
      return "a scale of 32 (VEC32_UE8M0)";
    case ScaleMode::nv16:
      return "a scale of 16 (VEC16_UE4M3)";
  }
  return "";
}

Prepared choose_product(CudaCalls& calls, const std::string& what,
                        const std::vector<ScaleMode>& wanted,
                        const std::function<std::vector<Candidate>(ScaleMode)>& candidates) {
  std::vector<std::string> notes;
  for (const ScaleMode mode : wanted) {
    std::vector<Candidate> found = candidates(mode);
    if (!found.empty()) {
      try {
        return choose_quickest(calls, what, std::move(found), notes);
      } catch (const CudaError& error) {
        if (error.code() != kUnsupported) throw;
        notes.push_back(std::string(name_of(mode)) + ": no algorithm runs");
        continue;
      }
    }
    notes.push_back(std::string(name_of(mode)) + ": no algorithm");
  }
  throw CudaError(kUnsupported, false, what + ": cuBLASLt has none on this device" + joined(notes));
}

Launcher in_turn(std::vector<Launcher> launchers) {
  return [launchers = std::move(launchers)](void* stream) {
    for (const Launcher& one : launchers) {
      if (const int code = one(stream); code != 0) return code;
    }
    return 0;
  };
}

}  // namespace rackwright::kernels::cuda
