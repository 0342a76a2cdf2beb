#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace rackwright::profiler {

/// The bytes of a file, unpacked when it is gzip. Throws InputError: no such file, damaged gzip.
class ByteSource {
 public:
  explicit ByteSource(const std::filesystem::path& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  /// Appends up to `size` bytes to `buffer`; false at the end.
  bool read(std::string& buffer, std::size_t size);
  /// Of the file as it lies on the disk.
  [[nodiscard]] double bytes_done() const;
  [[nodiscard]] double bytes_total() const { return total_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  double total_ = 0;
};

/// Cuts the JSON objects out of an array that may be larger than memory, and keeps what stands
/// around the array. Looks only at strings and brackets: the pieces are parsed by a JSON library.
class ObjectSplitter {
 public:
  /// The array is the value of `key` in the root object, or the root itself.
  ObjectSplitter(ByteSource& source, std::string key);

  /// The next objects, as a JSON array of about `bytes` bytes with its text in `piece`; false when
  /// the array has ended. Throws std::runtime_error for a text that ends inside an object.
  bool next(std::string& piece, std::size_t bytes = 1 << 20);
  /// The root object with an empty array in place of the long one; complete after the last piece.
  [[nodiscard]] std::string rest() const;

 private:
  bool fill();
  void find_array();

  ByteSource& source_;
  std::string key_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::string before_, after_;
  bool started_ = false, ended_ = false;
};

}  // namespace rackwright::profiler
