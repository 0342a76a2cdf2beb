#include "kernels/host/package_energy.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace rackwright::kernels {

namespace fs = std::filesystem;

namespace {

std::optional<std::uint64_t> count_in(const fs::path& path) {
  std::ifstream in(path);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return {};
}

/// "intel-rapl:0" is a package (AMD's too); "intel-rapl:0:1" a part of it; others are not the CPU.
bool is_package(const std::string& name) {
  return name.starts_with("intel-rapl:") && std::count(name.begin(), name.end(), ':') == 1;
}

}  // namespace

PackageEnergy::PackageEnergy(fs::path folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!is_package(entry.path().filename().string())) continue;
    const auto now = count_in(entry.path() / "energy_uj");
    const auto range = count_in(entry.path() / "max_energy_range_uj");
    if (now && range) zones_.push_back({entry.path() / "energy_uj", *now, *range});
  }
}

std::optional<double> PackageEnergy::joules() {
  if (zones_.empty()) return {};
  double sum = 0;
  for (Zone& zone : zones_) {
    const auto now = count_in(zone.counter);
    if (!now) return {};
    const std::uint64_t step =
        *now >= zone.last_uj ? *now - zone.last_uj : zone.range_uj - zone.last_uj + *now;
    zone.last_uj = *now;
    sum += static_cast<double>(step) * 1e-6;
  }
  return sum;
}

}  // namespace rackwright::kernels
