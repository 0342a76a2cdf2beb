#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rackwright::cli {

/// One thing this machine has or lacks.
struct MachineCheck {
  enum class State {
    found,
    missing,
    unknown  ///< cannot be asked here: `detail` says for want of what
  };
  std::string name;
  State state = State::missing;
  std::string detail;   ///< version, path, size, or why it is missing
  std::string needed;   ///< what would do; "" when nothing more can be said
  std::string without;  ///< what cannot be done without it
  std::string remedy;   ///< how to get it
  [[nodiscard]] bool found() const { return state == State::found; }
};
[[nodiscard]] std::string_view to_string(MachineCheck::State state);

/// Where the checks look; tests look elsewhere.
struct MachineView {
  std::filesystem::path cuda_module;
  std::filesystem::path proc = "/proc";
  std::filesystem::path dev = "/dev";
  std::string nvml = "libnvidia-ml.so.1";
};

/// CPU, memory, driver, libraries, GPUs, counters, launcher, clock: by /proc, by opening libraries,
/// by asking NVML, by looking on PATH. Changes nothing and needs no rights.
[[nodiscard]] std::vector<MachineCheck> check_machine(const MachineView& view);

/// A usable GPU is there, and none is split by MIG.
[[nodiscard]] bool has_gpu(const std::vector<MachineCheck>& checks);

/// Something that a run records, and whether it will here.
struct Ability {
  std::string name;
  std::vector<std::string> missing;  ///< names of checks that stand in the way; empty: it will
};
[[nodiscard]] std::vector<Ability> abilities(const std::vector<MachineCheck>& checks);

}  // namespace rackwright::cli
