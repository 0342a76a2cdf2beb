#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rackwright {

/// Finds shipped and user data. Search order: `--data-dir`, `$RACKWRIGHT_DATA`,
/// `../share/rackwright` beside the executable, the source tree of an uninstalled build. The layout
/// below each root is that of the source tree: `workloads/models`, `topology/racks`, ….
class DataLocator {
 public:
  /// `data_dir` may be empty (no `--data-dir`). Reads the environment once.
  static DataLocator from_environment(const std::filesystem::path& data_dir = {});
  explicit DataLocator(std::vector<std::filesystem::path> roots) : roots_(std::move(roots)) {}

  /// An argument with `/` or ending in `.json` is a path and must exist; otherwise it is an id and
  /// `ROOT/folder/ID.json` is looked for in each root. Throws InputError; for an unknown id the
  /// message lists the nearest known ids.
  [[nodiscard]] std::filesystem::path find(std::string_view argument,
                                           std::string_view folder) const;
  /// Ids of all `*.json` in `folder` over all roots, sorted, without duplicates.
  [[nodiscard]] std::vector<std::string> ids(std::string_view folder) const;
  /// The first root that has `relative` (a file or folder). Throws InputError when none has.
  [[nodiscard]] std::filesystem::path file(std::string_view relative) const;
  [[nodiscard]] const std::vector<std::filesystem::path>& roots() const { return roots_; }

 private:
  std::vector<std::filesystem::path> roots_;
};

}  // namespace rackwright
