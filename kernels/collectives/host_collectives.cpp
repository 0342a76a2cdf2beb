#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "kernels/collectives/collectives.hpp"

namespace rackwright::kernels {

namespace {

class HostCollectives final : public Collectives {
 public:
  explicit HostCollectives(launch::Communicator& ranks) : ranks_(ranks) {}

  [[nodiscard]] std::string name() const override {
    return fmt::format("host over {}", ranks_.transport());
  }
  [[nodiscard]] std::string device() const override {
    return fmt::format("{} CPU cores", std::thread::hardware_concurrency());
  }

  void prepare(const CollectiveCall& call) override {
    const std::size_t sent = sent_elements(call.op, call.counts, ranks_.rank(), ranks_.size());
    const std::size_t whole = std::max(call.counts.out, call.counts.in);
    in_.assign(call.in_place ? whole : call.counts.in, 0.0F);
    out_.assign(call.in_place ? 0 : sent, 0.0F);
    auto* to = call.in_place ? in_.data() + in_place_offset(call, ranks_.rank()) : out_.data();
    if (call.in_place && call.op == CollectiveOp::reduce_scatter) to = in_.data();
    for (std::size_t i = 0; i < sent; ++i) to[i] = sent_value(ranks_.rank(), i);
    split_exchange(call);
  }

  double time(const CollectiveCall& call, int repeats) override {
    ranks_.barrier();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) run(call);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
           std::max(1, repeats);
  }

  [[nodiscard]] std::vector<float> result(const CollectiveCall& call) override {
    if (!call.in_place || call.op != CollectiveOp::reduce_scatter) return in_;
    const auto begin =
        in_.begin() + static_cast<std::ptrdiff_t>(in_place_offset(call, ranks_.rank()));
    return {begin, begin + static_cast<std::ptrdiff_t>(call.counts.in)};
  }

 private:
  void split_exchange(const CollectiveCall& call) {
    sent_.clear();
    taken_.clear();
    for (int peer = 0; peer < ranks_.size(); ++peer) {
      const auto bytes = [&](int to) {
        return sizeof(float) * exchanged(call.op, call.counts.out, ranks_.size(), to);
      };
      sent_.push_back(bytes(peer));
      taken_.push_back(bytes(ranks_.rank()));
    }
  }

  void run(const CollectiveCall& call) {
    const std::span<const float> out(out_);
    const std::span<float> in(in_);
    const std::size_t count = call.counts.count;
    const int rank = ranks_.rank(), n = ranks_.size(), half = n / 2;
    switch (call.op) {
      case CollectiveOp::all_reduce:
        if (!call.in_place) std::copy(out.begin(), out.end(), in.begin());
        return ranks_.all_reduce(in, launch::Reduction::sum);
      case CollectiveOp::all_gather: {
        const auto own = in.subspan(count * static_cast<std::size_t>(rank), count);
        return ranks_.all_gather(std::as_bytes(call.in_place ? std::span<const float>(own) : out),
                                 std::as_writable_bytes(in));
      }
      case CollectiveOp::reduce_scatter:
        if (!call.in_place) return ranks_.reduce_scatter(out, in);
        return ranks_.reduce_scatter(in, in.subspan(in_place_offset(call, rank), count));
      case CollectiveOp::broadcast:
        if (!call.in_place && rank == 0) std::copy(out.begin(), out.end(), in.begin());
        return ranks_.broadcast(std::as_writable_bytes(in), 0);
      case CollectiveOp::all_to_all:
      case CollectiveOp::all_to_all_uneven:
        return ranks_.all_to_all(std::as_bytes(out), sent_, std::as_writable_bytes(in), taken_);
      case CollectiveOp::send_recv: {
        const launch::Outgoing next{(rank + 1) % n, std::as_bytes(out)};
        const launch::Incoming before{(rank + n - 1) % n, std::as_writable_bytes(in)};
        return ranks_.transfer({&next, 1}, {&before, 1});
      }
      case CollectiveOp::kv_transfer:
        if (rank < half) return ranks_.send(std::as_bytes(out), rank + half);
        if (rank < 2 * half) ranks_.receive(std::as_writable_bytes(in), rank - half);
        return;
    }
  }

  launch::Communicator& ranks_;
  std::vector<float> out_, in_;
  std::vector<std::size_t> sent_, taken_;
};

}  // namespace

std::unique_ptr<Collectives> host_collectives(launch::Communicator& ranks) {
  return std::make_unique<HostCollectives>(ranks);
}

std::size_t in_place_offset(const CollectiveCall& call, int rank) {
  const bool own_part =
      call.op == CollectiveOp::all_gather || call.op == CollectiveOp::reduce_scatter;
  return own_part ? call.counts.count * static_cast<std::size_t>(rank) : 0;
}

}  // namespace rackwright::kernels
