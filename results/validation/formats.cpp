#include <algorithm>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "results/validation/cable_bom_format.hpp"
#include "results/validation/fabric_counts_format.hpp"
#include "results/validation/nccl_tests_format.hpp"
#include "results/validation/operator_formats.hpp"
#include "results/validation/point_formats.hpp"
#include "results/validation/serving_formats.hpp"
#include "results/validation/validation.hpp"

namespace rackwright::results {

const std::vector<ValidationFormat>& validation_formats() {
  static const std::vector<ValidationFormat> formats = [] {
    std::vector<ValidationFormat> all = operator_formats();
    for (ValidationFormat& format : serving_formats()) all.push_back(std::move(format));
    all.push_back(nccl_tests_format());
    all.push_back(fabric_counts_format());
    all.push_back(thermal_points_format());
    all.push_back(power_points_format());
    all.push_back(cable_bom_format());
    return all;
  }();
  return formats;
}

const ValidationFormat& find_validation_format(std::string_view name) {
  std::vector<std::string> known;
  std::string expected;
  for (const ValidationFormat& format : validation_formats()) {
    if (format.name == name) return format;
    known.emplace_back(format.name);
    expected += (expected.empty() ? "one of " : ", ") + known.back();
  }
  std::string found = fmt::format("\"{}\"", name);
  if (const auto near = nearest_word(name, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  throw InputError(InputProblem{"", 0, "FORMAT", expected, found});
}

std::vector<std::filesystem::path> expand_paths(std::span<const std::filesystem::path> paths,
                                                std::string_view suffix) {
  std::vector<std::filesystem::path> files;
  for (const auto& path : paths) {
    if (!std::filesystem::exists(path)) {
      throw InputError(InputProblem{path.string(), 0, "", "a file or folder", "no such file"});
    }
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const auto first = static_cast<std::ptrdiff_t>(files.size());
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.is_regular_file() && entry.path().string().ends_with(suffix)) {
        files.push_back(entry.path());
      }
    }
    if (static_cast<std::ptrdiff_t>(files.size()) == first) {
      throw InputError(InputProblem{path.string(), 0, "",
                                    fmt::format("a folder with *{} files", suffix), "none"});
    }
    std::sort(files.begin() + first, files.end());
  }
  return files;
}

}  // namespace rackwright::results
