#include "kernels/host/host_collective.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/host/parallel.hpp"

namespace rackwright::kernels {

using namespace workloads;

namespace {

class HostCollective final : public HostOperator {
 public:
  HostCollective(const CollectiveShape& shape, launch::Communicator& group)
      : kind_(shape.kind),
        group_(group),
        ranks_(static_cast<std::size_t>(group.size())),
        part_(elements(shape)),
        out_(part_ * ranks_, 1.0F),
        in_(part_ * ranks_) {}

  void run() override {
    const auto out = std::span<const float>(out_);
    const auto in = std::span<float>(in_);
    switch (kind_) {
      case CollectiveKind::all_reduce:
        std::copy(out.begin(), out.end(), in.begin());
        return group_.all_reduce(in, launch::Reduction::sum);
      case CollectiveKind::all_gather:
        return group_.all_gather(std::as_bytes(out.first(part_)), std::as_writable_bytes(in));
      case CollectiveKind::reduce_scatter:
        return group_.reduce_scatter(out, in.first(part_));
      case CollectiveKind::all_to_all: {
        const std::vector<std::size_t> each(ranks_, part_ * sizeof(float));
        return group_.all_to_all(std::as_bytes(out), each, std::as_writable_bytes(in), each);
      }
      case CollectiveKind::send_recv: {
        const int n = group_.size();
        const launch::Outgoing next{(group_.rank() + 1) % n, std::as_bytes(out)};
        const launch::Incoming before{(group_.rank() + n - 1) % n, std::as_writable_bytes(in)};
        return group_.transfer({&next, 1}, {&before, 1});
      }
    }
  }
  [[nodiscard]] double checksum() const override { return sum_of(in_); }

 private:
  /// Of the piece of one rank.
  static std::size_t elements(const CollectiveShape& shape) {
    const double skew = shape.kind == CollectiveKind::all_to_all ? shape.imbalance : 1;
    return static_cast<std::size_t>(
        std::max(1.0, std::round(shape.bytes * skew / sizeof(float) / shape.ranks)));
  }

  CollectiveKind kind_;
  launch::Communicator& group_;
  std::size_t ranks_, part_;
  HostBuffer out_, in_;
};

}  // namespace

std::unique_ptr<HostOperator> make_host_collective(const CollectiveShape& shape,
                                                   launch::Communicator& group) {
  return std::make_unique<HostCollective>(shape, group);
}

}  // namespace rackwright::kernels
