#include "common/output_file.hpp"

#include <fstream>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright {

namespace fs = std::filesystem;

namespace {

InputError cannot_write(const fs::path& path, std::string found) {
  return InputError(
      InputProblem{path.string(), 0, "", "a place that can be written", std::move(found)});
}

}  // namespace

void write_file(const fs::path& path, std::string_view content) {
  if (fs::is_directory(path)) throw cannot_write(path, "a folder");
  const fs::path temporary = path.string() + fmt::format(".part{}", ::getpid());
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.flush();
    if (!out) {
      std::error_code ignored;
      fs::remove(temporary, ignored);
      throw cannot_write(path, "no permission, no such folder, or a full disk");
    }
  }
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw cannot_write(path, error.message());
  }
}

OutputFolder::OutputFolder(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  if (fs::exists(path_, error) && !fs::is_directory(path_, error)) {
    throw cannot_write(path_, "a file of this name");
  }
  created_ = fs::create_directories(path_, error);
  if (error) throw cannot_write(path_, error.message());
  stage_ = path_ / fmt::format(".part{}", ::getpid());
  fs::create_directory(stage_, error);
  if (error || ::access(stage_.c_str(), W_OK) != 0) {
    if (created_) fs::remove(path_, error);
    throw cannot_write(path_, "a folder without write permission");
  }
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  fs::remove_all(stage_, ignored);
  if (created_ && !committed_) fs::remove(path_, ignored);
}

void OutputFolder::add(std::string_view name, std::string_view content) {
  write_file(stage(name), content);
}

fs::path OutputFolder::stage(std::string_view name) {
  names_.emplace_back(name);
  const fs::path file = stage_ / name;
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  return file;
}

void OutputFolder::commit() {
  for (const auto& name : names_) {
    if (!fs::exists(stage_ / name)) continue;
    std::error_code error;
    fs::create_directories((path_ / name).parent_path(), error);
    fs::rename(stage_ / name, path_ / name, error);
    if (error) throw cannot_write(path_ / name, error.message());
  }
  committed_ = true;
}

}  // namespace rackwright
