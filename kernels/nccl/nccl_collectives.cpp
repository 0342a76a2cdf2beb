#include "kernels/nccl/nccl_collectives.hpp"

#include <algorithm>

#include <dlfcn.h>
#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/nccl/nccl_transfer.hpp"
#include "kernels/nccl/peer_memory.hpp"
#include "workloads/operator.hpp"

namespace rackwright::kernels {

namespace {

class NcclCollectives final : public Collectives {
 public:
  NcclCollectives(const RackwrightNccl& calls, launch::Communicator& ranks, std::string device_name,
                  const NcclOptions& options)
      : calls_(calls),
        ranks_(ranks),
        device_(std::move(device_name)),
        options_(options),
        windows_(options.buffers == NcclBuffers::symmetric &&
                 -ranks.max_of(-calls.has_windows()) !=
                     0),  // every rank has them, or none uses them
        comm_(calls, ranks, options.limits) {
    if (options.buffers != NcclBuffers::engine) return;
    auto shared = SharedPeers::among(comm_, ranks);
    if (!shared.memory) {
      throw BackendUnavailable(
          fmt::format("no all-reduce over peer memory: {}; --buffers plain works", shared.why_not));
    }
    peers_ = std::move(shared.memory);
  }

  [[nodiscard]] std::string name() const override {
    if (peers_) {
      return fmt::format("own all-reduce over peer memory (CUDA IPC), as engines have{}",
                         options_.graph ? ", CUDA graph" : "");
    }
    const char* buffers = windows_ ? "symmetric windows"
                          : options_.buffers == NcclBuffers::symmetric
                              ? "plain buffers: symmetric windows need NCCL 2.27"
                              : "plain buffers";
    return fmt::format("NCCL {}, {}{}", nccl_version_text(calls_.version()), buffers,
                       options_.graph ? ", CUDA graph" : "");
  }
  [[nodiscard]] std::string device() const override { return device_; }
  [[nodiscard]] double wire_bytes(CollectiveOp op, double bytes, int ranks) const override {
    if (!peers_) return Collectives::wire_bytes(op, bytes, ranks);
    workloads::CollectiveShape shape{workloads::CollectiveKind::all_reduce, ranks, bytes};
    shape.implementation = workloads::AllReduceKind::engine;
    return workloads::work_of({"all_reduce", workloads::OperatorClass::collective,
                               workloads::Lane::communication, 1, shape})
        .wire_bytes;
  }

  void prepare(const CollectiveCall& call) override {
    const std::size_t whole = std::max(call.counts.out, call.counts.in);
    in_.reset();
    out_.reset();
    const std::size_t bytes = whole * sizeof(float);
    in_ = std::make_unique<NcclBuffer>(comm_, bytes, windows_);
    out_ = std::make_unique<NcclBuffer>(comm_, call.in_place || peers_ ? 0 : bytes, windows_);
    const std::size_t sent = sent_elements(call.op, call.counts, comm_.rank(), comm_.size());
    std::vector<float> values(whole, 0.0F);
    copy(in_->at<float>(), values);
    values.resize(sent);
    for (std::size_t i = 0; i < sent; ++i) values[i] = sent_value(comm_.rank(), i);
    copy(const_cast<float*>(out_of(call)), values);
  }

  double time(const CollectiveCall& call, int repeats) override {
    ranks_.barrier();
    if (options_.graph) return time_graph(call, repeats);
    mark(0);
    for (int i = 0; i < repeats; ++i) run(call);
    mark(1);
    comm_.wait(to_string(call.op));
    return elapsed() / std::max(1, repeats);
  }

  [[nodiscard]] std::vector<float> result(const CollectiveCall& call) override {
    std::vector<float> values(call.counts.in);
    comm_.enqueue("copy", [&](void*, char* text) {
      return calls_.get(values.data(), in_of(call), values.size() * sizeof(float), text);
    });
    return values;
  }

 private:
  void copy(float* to, const std::vector<float>& values) {
    comm_.enqueue("copy", [&](void*, char* text) {
      return calls_.put(to, values.data(), values.size() * sizeof(float), text);
    });
  }
  void mark(int event) {
    comm_.enqueue("event", [&](void*, char* text) { return calls_.mark(event, text); });
  }
  double elapsed() {
    double seconds = 0;
    comm_.enqueue("event", [&](void*, char* text) { return calls_.elapsed(&seconds, text); });
    return seconds;
  }

  /// Where the send side begins: in place, this rank's part of the one buffer.
  [[nodiscard]] const float* out_of(const CollectiveCall& call) const {
    if (!call.in_place) {
      return peers_ ? reinterpret_cast<const float*>(peers_->values()) : out_->at<float>();
    }
    const bool part = call.op == CollectiveOp::all_gather;
    return in_->at<float>(part ? in_place_offset(call, comm_.rank()) : 0);
  }
  [[nodiscard]] float* in_of(const CollectiveCall& call) const {
    const bool part = call.in_place && call.op == CollectiveOp::reduce_scatter;
    return in_->at<float>(part ? in_place_offset(call, comm_.rank()) : 0);
  }

  double time_graph(const CollectiveCall& call, int repeats) {
    void* graph = nullptr;
    comm_.enqueue("capture", [&](void*, char* text) { return calls_.begin_capture(text); });
    for (int i = 0; i < repeats; ++i) run(call);
    comm_.enqueue("capture", [&](void*, char* text) { return calls_.end_capture(&graph, text); });
    mark(0);
    comm_.enqueue("graph", [&](void*, char* text) { return calls_.launch(graph, text); });
    mark(1);
    comm_.wait(to_string(call.op));
    const double seconds = elapsed() / std::max(1, repeats);
    comm_.enqueue("graph", [&](void*, char* text) { return calls_.discard(graph, text); });
    return seconds;
  }

  void run(const CollectiveCall& call) {
    if (peers_) {
      peers_->all_reduce(call.in_place ? out_of(call) : nullptr, in_of(call), call.counts.count,
                         RACKWRIGHT_NCCL_FLOAT32, nullptr);
      return;
    }
    const RackwrightNcclCall one{
        out_of(call), in_of(call), call.counts.count, RACKWRIGHT_NCCL_FLOAT32, 0, nullptr};
    comm_.enqueue(to_string(call.op), [&](void* comm, char* text) {
      switch (call.op) {
        case CollectiveOp::all_reduce:
          return calls_.all_reduce(comm, &one, text);
        case CollectiveOp::all_gather:
          return calls_.all_gather(comm, &one, text);
        case CollectiveOp::reduce_scatter:
          return calls_.reduce_scatter(comm, &one, text);
        case CollectiveOp::broadcast:
          return calls_.broadcast(comm, &one, text);
        default:
          return exchange(calls_, comm, one, pieces(call), text);
      }
    });
  }

  [[nodiscard]] std::vector<NcclPiece> pieces(const CollectiveCall& call) const {
    const int rank = comm_.rank(), n = comm_.size(), half = n / 2;
    const std::size_t count = call.counts.count;
    if (call.op == CollectiveOp::send_recv) {
      return {{(rank + 1) % n, count, (rank + n - 1) % n, count}};
    }
    if (call.op == CollectiveOp::kv_transfer) {
      if (rank < half) return {{rank + half, count, 0, 0}};
      if (rank < 2 * half) return {{0, 0, rank - half, count}};
      return {};
    }
    std::vector<NcclPiece> all;
    for (int peer = 0; peer < n; ++peer) {
      all.push_back({peer, exchanged(call.op, call.counts.out, n, peer), peer,
                     exchanged(call.op, call.counts.out, n, rank)});
    }
    return all;
  }

  const RackwrightNccl& calls_;
  launch::Communicator& ranks_;
  std::string device_;
  NcclOptions options_;
  bool windows_;
  NcclComm comm_;
  std::unique_ptr<PeerMemory> peers_;  ///< engine buffers
  std::unique_ptr<NcclBuffer> out_, in_;
};

}  // namespace

std::unique_ptr<Collectives> nccl_collectives(const RackwrightNccl& calls,
                                              launch::Communicator& ranks, std::string device_name,
                                              const NcclOptions& options) {
  return std::make_unique<NcclCollectives>(calls, ranks, std::move(device_name), options);
}

std::filesystem::path nccl_module_path() {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return executable.parent_path().parent_path() / "lib" / "rackwright" / "rackwright_nccl.so";
}

const RackwrightNccl& open_nccl(const std::filesystem::path& module) {
  if (!std::filesystem::exists(module)) {
    throw BackendUnavailable(
        fmt::format("no NCCL module at {}: build with the CUDA toolkit and NCCL 2.21 or newer",
                    module.string()));
  }
  void* handle = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw BackendUnavailable(fmt::format("the NCCL module does not open: {}", ::dlerror()));
  }
  const auto table_of =
      reinterpret_cast<RackwrightNcclTable>(::dlsym(handle, RACKWRIGHT_NCCL_SYMBOL));
  const RackwrightNccl* table = table_of == nullptr ? nullptr : table_of();
  if (table == nullptr || table->abi != RACKWRIGHT_NCCL_ABI) {
    throw BackendUnavailable(
        fmt::format("{} is of another version: rebuild it with this program", module.string()));
  }
  constexpr int kLeast = 22100;
  if (table->version() < kLeast) {
    throw BackendUnavailable(fmt::format("NCCL {} is too old: 2.21 or newer is needed",
                                         nccl_version_text(table->version())));
  }
  return *table;
}

std::string nccl_version_text(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace rackwright::kernels
