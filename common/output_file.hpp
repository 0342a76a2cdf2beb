#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rackwright {

/// Writes `content` to a temporary file in the same folder and renames it over `path`, so that a
/// reader never sees half of it. Throws InputError when the folder cannot be written.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A folder of results that appears only as a whole. Files are staged beside the target; `commit`
/// moves them in; without `commit` the destructor removes the stage and, when this object made the
/// target folder, the target.
class OutputFolder {
 public:
  /// Creates `path` if needed. Throws InputError when it is a file or cannot be written.
  explicit OutputFolder(std::filesystem::path path);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  void add(std::string_view name, std::string_view content);
  /// A path inside the stage, for writers that need a file name (SQLite).
  [[nodiscard]] std::filesystem::path stage(std::string_view name);
  void commit();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::filesystem::path stage_;
  std::vector<std::string> names_;
  bool created_ = false;
  bool committed_ = false;
};

}  // namespace rackwright
