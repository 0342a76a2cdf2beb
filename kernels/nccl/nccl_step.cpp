#include "kernels/nccl/nccl_step.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "kernels/collectives/collective_op.hpp"
#include "kernels/nccl/nccl_collectives.hpp"
#include "kernels/nccl/nccl_transfer.hpp"
#include "kernels/nccl/peer_memory.hpp"
#include "kernels/rank_groups.hpp"

namespace rackwright::kernels {

namespace {

using workloads::AllReduceKind;
using workloads::CollectiveKind;
using workloads::CollectiveShape;

constexpr std::size_t kBytes = 2;  // an element in bf16

/// Small whole numbers: exact in bf16, and no zeros, which draw less power.
void fill(NcclComm& comm, void* memory, std::size_t bytes) {
  std::vector<std::uint16_t> values(bytes / kBytes);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] =
        static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(sent_value(comm.rank(), i)) >> 16);
  }
  comm.enqueue("copy", [&](void*, char* text) {
    return comm.calls().put(memory, values.data(), values.size() * kBytes, text);
  });
}

/// The ranks of one group and the buffers that its collectives share.
struct Group {
  std::unique_ptr<launch::Communicator> ranks;
  std::unique_ptr<NcclComm> comm;
  std::optional<SharedPeers> peers;                     ///< once an engine's all-reduce has asked
  std::map<bool, std::shared_ptr<NcclBuffer>> out, in;  ///< by window or not

  /// At least `elements`, twice as much as before where that is too little. A step that was
  /// captured keeps the one that it knows.
  std::shared_ptr<NcclBuffer> buffer(std::map<bool, std::shared_ptr<NcclBuffer>>& side,
                                     std::size_t elements, bool window) {
    auto& held = side[window];
    const std::size_t bytes = elements * kBytes;
    if (held && held->bytes() >= bytes) return held;
    held = std::make_shared<NcclBuffer>(*comm, held ? std::max(bytes, 2 * held->bytes()) : bytes,
                                        window);
    fill(*comm, held->at(), held->bytes());
    return held;
  }

  /// A call of all ranks of the group.
  const SharedPeers& shared_peers() {
    if (!peers) {
      peers = SharedPeers::among(*comm, *ranks);
      if (peers->memory) fill(*comm, peers->memory->values(), RACKWRIGHT_PEER_BYTES);
    }
    return *peers;
  }
};

/// What one rank gives to a call, in elements.
struct CallSizes {
  std::size_t count = 0, out = 0, in = 0;
  std::vector<NcclPiece> pieces;
};

CallSizes sizes_of(const CollectiveShape& shape, int rank, int ranks) {
  const auto n = static_cast<std::size_t>(ranks);
  const auto total = std::max(n, static_cast<std::size_t>(std::llround(shape.bytes / kBytes)));
  const std::size_t part = total / n;
  CallSizes sizes{total, total, total, {}};
  switch (shape.kind) {
    case CollectiveKind::all_reduce:
      return sizes;
    case CollectiveKind::all_gather:
      return {part, part, part * n, {}};
    case CollectiveKind::reduce_scatter:
      return {part, part * n, part, {}};
    case CollectiveKind::send_recv:
      sizes.pieces = {{(rank + 1) % ranks, total, (rank + ranks - 1) % ranks, total}};
      return sizes;
    case CollectiveKind::all_to_all:
      break;
  }
  sizes.in = 0;
  for (int peer = 0; peer < ranks; ++peer) {
    sizes.pieces.push_back({peer, routed_elements(shape, total, rank, peer), peer,
                            routed_elements(shape, total, peer, rank)});
    sizes.in += sizes.pieces.back().taken;
  }
  // A combine of the heaviest rank sends more than the mean.
  sizes.out = 0;
  for (const NcclPiece& piece : sizes.pieces) sizes.out += piece.sent;
  return sizes;
}

/// Why an engine's all-reduce runs by NCCL; "": it does not.
std::string left_to_nccl(Group& group, const CollectiveShape& shape) {
  if (shape.bytes > RACKWRIGHT_PEER_BYTES) {
    return "engines use a kernel of their own up to about 1 MiB";
  }
  const SharedPeers& peers = group.shared_peers();
  return peers.memory ? "" : fmt::format("no kernel of engines: {}", peers.why_not);
}

std::string choice_of(const CollectiveShape& shape, const RackwrightNccl& calls, bool window,
                      int ranks, const std::string& left) {
  std::string text = fmt::format("NCCL {} {} of {} ranks, ", nccl_version_text(calls.version()),
                                 to_string(shape.kind), ranks);
  text += window ? "symmetric windows" : "plain buffers";
  if (shape.kind == CollectiveKind::all_reduce) {
    if (shape.implementation == AllReduceKind::nccl_symmetric && !window) {
      text += ": symmetric windows need NCCL 2.27";
    }
    if (!left.empty()) text += "; " + left;
  }
  if (shape.expert_exchange) {
    text += fmt::format(
        ", plain uneven exchange (heaviest rank {:.2f} of the mean): engines use "
        "DeepEP",
        shape.imbalance);
  }
  return text;
}

class NcclStepCollective final : public StepCollective {
 public:
  NcclStepCollective(Group& group, const CollectiveShape& shape, bool window,
                     const std::string& left)
      : group_(group),
        kind_(shape.kind),
        sizes_(sizes_of(shape, group.comm->rank(), group.comm->size())),
        out_(group.buffer(group.out, sizes_.out, window)),
        in_(group.buffer(group.in, sizes_.in, window)),
        choice_(choice_of(shape, group.comm->calls(), window, group.comm->size(), left)) {}

  void enqueue(void* stream) override {
    const RackwrightNcclCall call{out_->at(),           in_->at(), sizes_.count,
                                  RACKWRIGHT_NCCL_BF16, 0,         stream};
    group_.comm->enqueue(to_string(kind_), [&](void* comm, char* text) {
      const RackwrightNccl& calls = group_.comm->calls();
      switch (kind_) {
        case CollectiveKind::all_reduce:
          return calls.all_reduce(comm, &call, text);
        case CollectiveKind::all_gather:
          return calls.all_gather(comm, &call, text);
        case CollectiveKind::reduce_scatter:
          return calls.reduce_scatter(comm, &call, text);
        default:
          return exchange(calls, comm, call, sizes_.pieces, text);
      }
    });
  }
  [[nodiscard]] const std::string& choice() const override { return choice_; }

 private:
  Group& group_;
  CollectiveKind kind_;
  CallSizes sizes_;
  std::shared_ptr<NcclBuffer> out_, in_;
  std::string choice_;
};

/// An engine's all-reduce by the own kernel: the vector lies where the peers read it, as behind a
/// product that writes there.
class PeerStepCollective final : public StepCollective {
 public:
  PeerStepCollective(Group& group, const CollectiveShape& shape)
      : peers_(*group.shared_peers().memory),
        count_(sizes_of(shape, group.comm->rank(), group.comm->size()).count),
        in_(group.buffer(group.in, count_, false)),
        choice_(fmt::format("own {} all_reduce of {} ranks over peer memory (CUDA IPC)",
                            workloads::engine_sends_one_shot(group.comm->size(), shape.bytes)
                                ? "one-shot"
                                : "two-shot",
                            group.comm->size())) {}

  void enqueue(void* stream) override {
    peers_.all_reduce(nullptr, in_->at(), count_, RACKWRIGHT_NCCL_BF16, stream);
  }
  [[nodiscard]] const std::string& choice() const override { return choice_; }

 private:
  const PeerMemory& peers_;
  std::size_t count_;
  std::shared_ptr<NcclBuffer> in_;
  std::string choice_;
};

class NcclStepCollectives final : public StepCollectives {
 public:
  NcclStepCollectives(const RackwrightNccl& calls, launch::Communicator& replica,
                      const workloads::ServingPlan& plan, NcclLimits limits)
      : replica_(replica),
        plan_(plan),
        windows_(-replica.max_of(-calls.has_windows()) != 0),
        world_(calls, replica, limits) {}

  std::unique_ptr<StepCollective> make(const workloads::Operator& op) override {
    const auto& shape = std::get<CollectiveShape>(op.shape);
    const bool window = windows_ && shape.kind == CollectiveKind::all_reduce &&
                        shape.implementation == AllReduceKind::nccl_symmetric;
    Group& group = group_of(rank_group(op, plan_));
    const bool engine =
        shape.kind == CollectiveKind::all_reduce && shape.implementation == AllReduceKind::engine;
    const std::string left = engine ? left_to_nccl(group, shape) : "";
    if (engine && left.empty()) return std::make_unique<PeerStepCollective>(group, shape);
    return std::make_unique<NcclStepCollective>(group, shape, window, left);
  }

  void look(double waited_s) override {
    try {
      world_.look("step", waited_s);
      for (const auto& [members, group] : groups_) group.comm->look("step", waited_s);
    } catch (...) {
      abort();
      throw;
    }
  }

  void abort() noexcept override {
    for (const auto& [members, group] : groups_) group.comm->abort();
    world_.abort();
  }

 private:
  Group& group_of(const RankGroup& members) {
    const auto found = groups_.find(members);
    if (found != groups_.end()) return found->second;
    const int colour = members.colour(replica_.rank());
    Group made;
    made.ranks = replica_.split(colour);
    made.comm = world_.split(colour, *made.ranks);
    return groups_.emplace(members, std::move(made)).first->second;
  }

  launch::Communicator& replica_;
  workloads::ServingPlan plan_;
  bool windows_;
  NcclComm world_;
  std::map<RankGroup, Group> groups_;  ///< before the world, of which they are parts
};

}  // namespace

std::unique_ptr<StepCollectives> nccl_step_collectives(const RackwrightNccl& calls,
                                                       launch::Communicator& replica,
                                                       const workloads::ServingPlan& plan,
                                                       NcclLimits limits) {
  return std::make_unique<NcclStepCollectives>(calls, replica, plan, limits);
}

}  // namespace rackwright::kernels
