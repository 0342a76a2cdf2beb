// rackwright_calibrate_profiles DATA_DIR OUT_DIR: fits the shipped device profiles from the tables
// of DATA_DIR and writes OUT_DIR/<device>.json. Same tables, same bytes.
#include <algorithm>
#include <exception>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "common/data_locator.hpp"
#include "common/output_file.hpp"
#include "kernels/calibration/calibrate.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rackwright;

constexpr double kSameDie = 0.1;

/// Every table of kernel times under `folder`, in order of name.
std::vector<fs::path> tables_under(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const char* part : {"aiconfigurator-ops", "vidur-kernels"}) {
    for (const auto& entry : fs::directory_iterator(folder / part)) {
      if (entry.path().extension() == ".csv") paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// H200 is the die of H100 with other memory: what does not hang on the memory is taken over.
void take_over(const kernels::DeviceProfile& source, kernels::DeviceProfile& target) {
  for (kernels::CalibratedModel model : source.models) {
    const bool engine = model.operation == "all_reduce" && model.variant == "engine";
    const bool scaled = model.operation == "elementwise" || model.operation.ends_with("_exchange");
    if ((!engine && !scaled) || target.find(model.operation, model.variant, model.ranks)) continue;
    model.provenance.origin = "derived";
    model.provenance.tables += " (of " + source.device + ", same die and links)";
    model.quality.held_out_p90 += kSameDie;
    target.models.push_back(std::move(model));
  }
}

/// The H200 tables hold the only watts: A100 and H100 get the coefficients as shares of TDP.
void take_power(const kernels::DeviceProfile& source, double added,
                kernels::DeviceProfile& target) {
  if (target.find("power", "") != nullptr) return;
  for (kernels::CalibratedModel model : source.models) {
    if (model.operation != "power") continue;
    model.provenance.origin = "derived";
    model.provenance.tables += " (of " + source.device + ", as shares of TDP)";
    model.quality.held_out_p90 += added;
    target.models.push_back(std::move(model));
  }
}

/// Vidur's collector of 2023 ran other libraries than today's engines: profiles of their own.
std::vector<kernels::DeviceProfile> vidur_profiles(const std::vector<fs::path>& tables,
                                                   const DataLocator& data) {
  std::vector<fs::path> vidur;
  for (const fs::path& path : tables) {
    if (path.parent_path().filename() == "vidur-kernels") vidur.push_back(path);
  }
  std::vector<kernels::DeviceProfile> profiles;
  for (const char* id : {"a100-sxm", "h100-sxm"}) {
    profiles.push_back(kernels::calibrate(kernels::find_device(id, data), vidur));
  }
  return profiles;
}

int run(const fs::path& data_dir, const fs::path& out) {
  const DataLocator data = DataLocator::from_environment();
  const std::vector<fs::path> tables = tables_under(data_dir);
  std::vector<fs::path> engines;
  for (const fs::path& path : tables) {
    if (!path.filename().string().starts_with("net_")) engines.push_back(path);
  }
  const auto say = [](std::string_view what) { fmt::print(stderr, "  {}\n", what); };
  std::vector<kernels::DeviceProfile> profiles;
  for (const char* id : {"a100-sxm", "h100-sxm", "h200-sxm", "gb200"}) {
    fmt::print(stderr, "{}\n", id);
    profiles.push_back(kernels::calibrate(kernels::find_device(id, data), engines, say));
  }
  take_over(profiles[1], profiles[2]);
  take_power(profiles[2], kSameDie, profiles[1]);
  take_power(profiles[2], 2 * kSameDie, profiles[0]);
  for (const kernels::DeviceProfile& profile : profiles) {
    write_file(out / (profile.device + ".json"), kernels::to_json(profile));
  }
  for (const kernels::DeviceProfile& profile : vidur_profiles(tables, data)) {
    write_file(out / (profile.device + ".vidur.json"), kernels::to_json(profile));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: rackwright_calibrate_profiles DATA_DIR OUT_DIR\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
