#include "profiler/import/wire_format.hpp"

namespace rackwright::profiler {

std::optional<std::uint64_t> WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  damaged_ = true;
  return {};
}

std::optional<std::string_view> WireReader::take(std::uint64_t size) {
  if (size > bytes_.size() - at_) {
    damaged_ = true;
    return {};
  }
  const std::string_view result = bytes_.substr(at_, size);
  at_ += size;
  return result;
}

std::optional<WireReader::Field> WireReader::next() {
  constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
  if (done() || damaged_) return {};
  const auto key = varint();
  if (!key) return {};
  Field field;
  field.number = static_cast<std::uint32_t>(*key >> 3);
  const unsigned type = *key & 7;
  if (type == kVarint) {
    const auto value = varint();
    if (!value) return {};
    field.value = *value;
  } else if (type == kFixed64 || type == kFixed32) {
    const auto raw = take(type == kFixed64 ? 8 : 4);
    if (!raw) return {};
    for (std::size_t i = raw->size(); i-- > 0;) {
      field.value = field.value << 8 | static_cast<unsigned char>((*raw)[i]);
    }
  } else if (type == kBytes) {
    const auto size = varint();
    const auto raw = size ? take(*size) : std::nullopt;
    if (!raw) return {};
    field.bytes = *raw;
  } else {
    damaged_ = true;
    return {};
  }
  return field;
}

}  // namespace rackwright::profiler
