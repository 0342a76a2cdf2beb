#pragma once

#include <memory>
#include <string>
#include <vector>

#include "profiler/nvml/nvml_abi.hpp"

namespace rackwright::profiler::nvml {

/// An initialised NVML, shut down at the end. The library itself stays mapped: drivers do not free
/// what they allocate at load.
class Library {
 public:
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// Functions by name; null where this version lacks one.
  [[nodiscard]] const Functions& call() const { return functions_; }
  [[nodiscard]] const std::string& driver_version() const { return driver_version_; }
  [[nodiscard]] const std::string& library_version() const { return library_version_; }
  /// Names that this version lacks.
  [[nodiscard]] const std::vector<std::string>& missing() const { return missing_; }
  [[nodiscard]] std::string error_text(int code) const;
  [[nodiscard]] unsigned device_count() const;

 private:
  friend struct Opened open_nvml(const std::string& file);
  Library() = default;
  Functions functions_{};
  std::vector<std::string> missing_;
  std::string driver_version_, library_version_;
};

/// A library, or why there is none and what to do.
struct Opened {
  std::shared_ptr<const Library> library;
  std::string reason;
  std::string remedy;
};

/// Opens and initialises NVML. Never throws: no driver is normal.
[[nodiscard]] Opened open_nvml(const std::string& file = "libnvidia-ml.so.1");

}  // namespace rackwright::profiler::nvml
