#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace rackwright {

/// An index that cannot be mistaken for another kind of index. `Tag` is an incomplete type that
/// only gives the name: `using RankId = Id<struct RankTag>;`.
template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  explicit constexpr Id(std::uint32_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  std::uint32_t value_ = 0;
};

/// A member of a communicator.
using RankId = Id<struct RankTag>;
/// A device in a tray.
using GpuId = Id<struct GpuTag>;
/// A position in a rack.
using SlotId = Id<struct SlotTag>;
/// An operator of a graph.
using OperatorId = Id<struct OperatorTag>;

}  // namespace rackwright

template <class Tag>
struct std::hash<rackwright::Id<Tag>> {
  std::size_t operator()(rackwright::Id<Tag> id) const noexcept {
    return std::hash<std::uint32_t>{}(id.value());
  }
};
