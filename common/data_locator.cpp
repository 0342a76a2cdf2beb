#include "common/data_locator.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright {

namespace fs = std::filesystem;

DataLocator DataLocator::from_environment(const fs::path& data_dir) {
  std::vector<fs::path> roots;
  if (!data_dir.empty()) {
    if (!fs::is_directory(data_dir)) {
      throw InputError(InputProblem{data_dir.string(), 0, "--data-dir", "a folder",
                                    fs::exists(data_dir) ? "a file" : "no such folder"});
    }
    roots.push_back(data_dir);
  }
  if (const char* root = std::getenv("RACKWRIGHT_DATA"); root != nullptr && *root != '\0') {
    roots.emplace_back(root);
  }
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = executable.parent_path().parent_path() / "share" / "rackwright";
  if (!error && fs::is_directory(installed)) roots.push_back(installed);
  // An uninstalled build has only the built report assets beside it; the rest is in the source.
  if (!fs::is_directory(installed / "topology") && fs::is_directory(RACKWRIGHT_SOURCE_DIR)) {
    roots.emplace_back(RACKWRIGHT_SOURCE_DIR);
  }
  return DataLocator(std::move(roots));
}

fs::path DataLocator::find(std::string_view argument, std::string_view folder) const {
  if (argument.find('/') != std::string_view::npos || argument.ends_with(".json")) {
    const fs::path path(argument);
    if (!fs::exists(path)) {
      throw InputError(InputProblem{path.string(), 0, "", "a file", "no such file"});
    }
    return path;
  }
  for (const auto& root : roots_) {
    const fs::path path = root / folder / (std::string(argument) + ".json");
    if (fs::is_regular_file(path)) return path;
  }
  const auto known = ids(folder);
  std::string found = fmt::format("\"{}\"", argument);
  if (const auto near = nearest_word(argument, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(InputProblem{"", 0, std::string(folder),
                                known.empty()
                                    ? "shipped data (set --data-dir or RACKWRIGHT_DATA)"
                                    : fmt::format("a path or one of {}", fmt::join(known, ", ")),
                                found});
}

std::vector<std::string> DataLocator::ids(std::string_view folder) const {
  std::vector<std::string> result;
  for (const auto& root : roots_) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root / folder, error)) {
      if (entry.path().extension() == ".json") result.push_back(entry.path().stem().string());
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

fs::path DataLocator::file(std::string_view relative) const {
  for (const auto& root : roots_) {
    if (fs::exists(root / relative)) return root / relative;
  }
  throw InputError(InputProblem{"", 0, std::string(relative),
                                "shipped data (set --data-dir or RACKWRIGHT_DATA)",
                                "no such file in any data folder"});
}

}  // namespace rackwright
