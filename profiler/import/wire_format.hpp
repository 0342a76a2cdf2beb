#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rackwright::profiler {

/// Fields of a protocol buffer message (protobuf.dev, "Encoding"): varints, 64-bit, 32-bit and
/// length-delimited values. One schema of three messages is read with it, which does not pay for
/// the protobuf compiler and library in the set-up.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  struct Field {
    std::uint32_t number = 0;
    std::uint64_t value = 0;  ///< of a varint, 32-bit or 64-bit field
    std::string_view bytes;   ///< of a length-delimited one
  };

  /// The next field; nothing at the end or, with `damaged()` set, at a byte that fits no field.
  std::optional<Field> next();
  /// A number in base 128, lowest group first.
  std::optional<std::uint64_t> varint();
  /// The next `size` bytes.
  std::optional<std::string_view> take(std::uint64_t size);
  [[nodiscard]] bool done() const { return at_ == bytes_.size(); }
  [[nodiscard]] bool damaged() const { return damaged_; }
  [[nodiscard]] std::size_t offset() const { return at_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool damaged_ = false;
};

}  // namespace rackwright::profiler
