#include "kernels/cuda/peer_copy.hpp"

#include <numeric>
#include <utility>

#include "kernels/cuda/stopwatch.hpp"

namespace rackwright::kernels::cuda {

namespace {

constexpr int kAlreadyEnabled = 704;

/// Memory on both sides.
struct Buffers {
  Buffers(CudaCalls& calls, PeerCalls& of, int from_device, int to_device, std::size_t bytes)
      : peers(of), source(from_device), target(to_device) {
    check(calls, peers.allocate(source, bytes, &from), "cudaMalloc of the source");
    if (const int code = peers.allocate(target, bytes, &to); code != 0) {
      peers.release(source, from);
      check(calls, code, "cudaMalloc of the target");
    }
  }
  ~Buffers() {
    peers.release(source, from);
    peers.release(target, to);
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  PeerCalls& peers;
  int source, target;
  void* from = nullptr;
  void* to = nullptr;
};

struct OwnStream {
  explicit OwnStream(CudaCalls& of) : calls(of) {
    check(calls, calls.create_stream(&stream), "cudaStreamCreateWithFlags");
  }
  ~OwnStream() { (void)calls.destroy_stream(stream); }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;

  CudaCalls& calls;
  void* stream = nullptr;
};

bool enable_access(CudaCalls& calls, PeerCalls& peers, int from, int to) {
  if (from == to) return true;
  bool can = false;
  check(calls, peers.can_access(from, to, can), "cudaDeviceCanAccessPeer");
  if (!can) return false;
  const int code = peers.enable(from, to);
  if (code != kAlreadyEnabled) check(calls, code, "cudaDeviceEnablePeerAccess");
  return true;
}

std::string path_text(int from, int to, bool access) {
  if (from == to) return "one GPU: a copy within its memory";
  return access ? "peer access on" : "peer access off: staged through the host";
}

/// Pages of the target in another order than those of the source.
void list_pages(const Buffers& buffers, std::size_t page_bytes, int pages, std::vector<void*>& to,
                std::vector<const void*>& from) {
  std::vector<std::size_t> order(static_cast<std::size_t>(pages));
  std::iota(order.begin(), order.end(), 0U);
  std::uint32_t state = 1;
  for (std::size_t i = order.size(); i > 1; --i) {
    state = state * 1664525U + 1013904223U;  // Numerical Recipes, 7.1
    std::swap(order[i - 1], order[(state >> 8) % i]);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    from.push_back(static_cast<const char*>(buffers.from) + i * page_bytes);
    to.push_back(static_cast<char*>(buffers.to) + order[i] * page_bytes);
  }
}

}  // namespace

PeerCopy copy_between(CudaCalls& calls, PeerCalls& peers, int from, int to, std::size_t page_bytes,
                      int pages) {
  PeerCopy out;
  out.peer_access = enable_access(calls, peers, from, to);
  out.path = path_text(from, to, out.peer_access);
  const std::size_t bytes = page_bytes * static_cast<std::size_t>(pages);
  const Buffers buffers(calls, peers, from, to, bytes);
  std::vector<void*> targets;
  std::vector<const void*> sources;
  list_pages(buffers, page_bytes, pages, targets, sources);
  const OwnStream own(calls);  // a batch of copies refuses the default stream
  Stopwatch watch(calls, own.stream);
  const auto median = [&](const Launcher& run, double& seconds) {
    float milliseconds = 0;
    const int code = watch.median(run, milliseconds);
    if (code == 0) seconds = static_cast<double>(milliseconds) * 1e-3;
    return code;
  };
  const auto whole = [&](void* stream) {
    return peers.copy(buffers.to, to, buffers.from, from, bytes, stream);
  };
  const auto by_page = [&](void* stream) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const int code = peers.copy(targets[i], to, sources[i], from, page_bytes, stream);
      if (code != 0) return code;
    }
    return 0;
  };
  check(calls, median(whole, out.whole_s), "cudaMemcpyPeerAsync");
  check(calls, median(by_page, out.pages_s), "cudaMemcpyPeerAsync of pages");
  const int batch =
      median([&](void* stream) { return peers.copy_batch(targets, sources, page_bytes, stream); },
             out.batch_s);
  if (batch == kUnsupported) {
    (void)calls.remaining_error();
    out.path += "; no cudaMemcpyBatchAsync in this build or driver (CUDA 12.8 brings it)";
  } else {
    check(calls, batch, "cudaMemcpyBatchAsync");
  }
  return out;
}

}  // namespace rackwright::kernels::cuda
