#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace rackwright::kernels {

/// Energy of the CPU packages by the kernel's powercap interface (RAPL), summed over packages.
/// https://docs.kernel.org/power/powercap/powercap.html: `energy_uj` counts up to
/// `max_energy_range_uj` and wraps.
class PackageEnergy {
 public:
  explicit PackageEnergy(std::filesystem::path folder = "/sys/class/powercap");
  /// Whether there is a package whose counter this user may read (root only by default).
  [[nodiscard]] bool available() const { return !zones_.empty(); }
  /// Joules since the last call, or since construction; nothing when a counter cannot be read.
  std::optional<double> joules();

 private:
  struct Zone {
    std::filesystem::path counter;
    std::uint64_t last_uj = 0, range_uj = 0;
  };
  std::vector<Zone> zones_;
};

}  // namespace rackwright::kernels
