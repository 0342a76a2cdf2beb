#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/data_locator.hpp"
#include "topology/catalog.hpp"

namespace rackwright::cli {

/// What one of our JSON files is.
enum class FileKind {
  part_catalog,
  rack,
  fabric,
  layout,
  practice,
  pod_items,
  device,
  workload,
  requests,
  model,
  unknown
};
[[nodiscard]] std::string_view to_string(FileKind kind);

/// A folder of shipped data with one kind of file.
struct DataFolder {
  FileKind kind = FileKind::unknown;
  std::string name;  ///< "racks"
  std::string path;  ///< "topology/racks"
};
/// All folders whose files have ids.
[[nodiscard]] const std::vector<DataFolder>& data_folders();

/// By the keys of the file's root. Throws InputError when it cannot be read.
[[nodiscard]] FileKind detect_kind(const std::filesystem::path& path);

/// Reads the file with the reader of its kind. `catalog` null: the shipped one is loaded when it is
/// needed. Throws InputError with all problems.
void check_file(FileKind kind, const std::filesystem::path& path, const DataLocator& data,
                const topology::Catalog* catalog);

/// True for a run file, by its first bytes; false for anything that cannot be read.
[[nodiscard]] bool is_run_file(const std::filesystem::path& path);

}  // namespace rackwright::cli
