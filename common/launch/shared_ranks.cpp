#include "common/launch/shared_ranks.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/input_error.hpp"
#include "common/progress.hpp"

namespace rackwright::launch {

namespace {

constexpr std::uint64_t kMagic = 0x72616e6b73303031;
constexpr std::size_t kRing = 512 * 1024;

struct Header {
  std::uint64_t magic = kMagic;
  std::int64_t ranks = 0;
  std::atomic<std::uint32_t> given_up{0};
};

/// Bytes of one direction of one pair: [tail, head) of an endless stream is in the ring.
struct Ring {
  alignas(64) std::atomic<std::uint64_t> head{0};
  alignas(64) std::atomic<std::uint64_t> tail{0};
  alignas(64) std::byte bytes[kRing];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

constexpr std::size_t kHeader = 4096;

std::size_t length_for(int ranks) {
  return kHeader + sizeof(Ring) * static_cast<std::size_t>(ranks) * static_cast<std::size_t>(ranks);
}

/// Copies as much as fits; the number of bytes.
std::size_t put(Ring& ring, std::span<const std::byte> bytes) {
  const std::uint64_t head = ring.head.load(std::memory_order_relaxed);
  const std::size_t room =
      kRing - static_cast<std::size_t>(head - ring.tail.load(std::memory_order_acquire));
  const std::size_t length = std::min(room, bytes.size());
  const std::size_t at = static_cast<std::size_t>(head % kRing);
  const std::size_t first = std::min(length, kRing - at);
  std::memcpy(ring.bytes + at, bytes.data(), first);
  std::memcpy(ring.bytes, bytes.data() + first, length - first);
  ring.head.store(head + length, std::memory_order_release);
  return length;
}

std::size_t take(Ring& ring, std::span<std::byte> bytes) {
  const std::uint64_t tail = ring.tail.load(std::memory_order_relaxed);
  const std::size_t there =
      static_cast<std::size_t>(ring.head.load(std::memory_order_acquire) - tail);
  const std::size_t length = std::min(there, bytes.size());
  const std::size_t at = static_cast<std::size_t>(tail % kRing);
  const std::size_t first = std::min(length, kRing - at);
  std::memcpy(bytes.data(), ring.bytes + at, first);
  std::memcpy(bytes.data() + first, ring.bytes, length - first);
  ring.tail.store(tail + length, std::memory_order_release);
  return length;
}

/// Waits for a peer: first the core is offered to others, after a millisecond it is left alone.
class Patience {
 public:
  void wait() {
    using namespace std::chrono;
    if (++turns_ == 1) start_ = steady_clock::now();
    if (turns_ < 64 || steady_clock::now() - start_ < milliseconds(1)) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(microseconds(20));
    }
  }
  void reset() { turns_ = 0; }

 private:
  int turns_ = 0;
  std::chrono::steady_clock::time_point start_;
};

class SharedRank final : public Communicator {
 public:
  SharedRank(SharedMemory& memory, int rank)
      : header_(*std::launder(reinterpret_cast<Header*>(memory.data()))),
        rings_(std::launder(reinterpret_cast<Ring*>(memory.data() + kHeader))),
        rank_(rank),
        size_(memory.ranks()) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string_view transport() const override { return "shared memory"; }

  void transfer(std::span<const Outgoing> out, std::span<const Incoming> in) override {
    std::vector<std::size_t> sent(out.size()), taken(in.size());
    Patience patience;
    for (;;) {
      bool moved = false, done = true;
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto rest = out[i].bytes.subspan(sent[i]);
        if (rest.empty() || !first_to(out, sent, i)) {
          done = done && rest.empty();
          continue;
        }
        sent[i] += put(ring(rank_, out[i].to), rest);
        moved = moved || out[i].bytes.size() - sent[i] < rest.size();
        done = done && sent[i] == out[i].bytes.size();
      }
      for (std::size_t i = 0; i < in.size(); ++i) {
        const auto rest = in[i].bytes.subspan(taken[i]);
        if (rest.empty() || !first_from(in, taken, i)) {
          done = done && rest.empty();
          continue;
        }
        taken[i] += take(ring(in[i].from, rank_), rest);
        moved = moved || in[i].bytes.size() - taken[i] < rest.size();
        done = done && taken[i] == in[i].bytes.size();
      }
      if (done) return;
      if (moved) {
        patience.reset();
        continue;
      }
      throw_if_interrupted();
      if (header_.given_up.load(std::memory_order_relaxed) != 0) throw Interrupted();
      patience.wait();
    }
  }

  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    return group_of(*this, members_of_colour(*this, colour));
  }

 private:
  Ring& ring(int from, int to) const { return rings_[from * size_ + to]; }
  /// No earlier message to the same rank is under way.
  static bool first_to(std::span<const Outgoing> out, const std::vector<std::size_t>& sent,
                       std::size_t index) {
    for (std::size_t i = 0; i < index; ++i) {
      if (out[i].to == out[index].to && sent[i] < out[i].bytes.size()) return false;
    }
    return true;
  }
  static bool first_from(std::span<const Incoming> in, const std::vector<std::size_t>& taken,
                         std::size_t index) {
    for (std::size_t i = 0; i < index; ++i) {
      if (in[i].from == in[index].from && taken[i] < in[i].bytes.size()) return false;
    }
    return true;
  }

  Header& header_;
  Ring* rings_;
  int rank_;
  int size_;
};

}  // namespace

SharedMemory::SharedMemory(int descriptor, std::size_t length)
    : descriptor_(descriptor), length_(length) {
  void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "memory shared by ranks");
  }
  memory_ = static_cast<std::byte*>(memory);
}

SharedMemory::SharedMemory(int ranks)
    : SharedMemory(
          [&] {
            const int made = ::memfd_create("rackwright-ranks", 0);
            if (made < 0 || ::ftruncate(made, static_cast<off_t>(length_for(ranks))) != 0) {
              throw std::system_error(errno, std::generic_category(), "memory shared by ranks");
            }
            return made;
          }(),
          length_for(ranks)) {
  auto* header = new (memory_) Header;
  header->ranks = ranks;  // the rings are right as zeros
}

SharedMemory SharedMemory::attached(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || static_cast<std::size_t>(status.st_size) < kHeader) {
    throw std::runtime_error("RACKWRIGHT_RANK is set, but no rackwright started this process");
  }
  SharedMemory memory(descriptor, static_cast<std::size_t>(status.st_size));
  const auto* header = std::launder(reinterpret_cast<Header*>(memory.memory_));
  if (header->magic != kMagic || memory.length_ != length_for(static_cast<int>(header->ranks))) {
    throw std::runtime_error("the memory shared by ranks is of another rackwright");
  }
  return memory;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      length_(other.length_),
      memory_(std::exchange(other.memory_, nullptr)) {}

SharedMemory::~SharedMemory() {
  if (memory_ != nullptr) ::munmap(memory_, length_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

int SharedMemory::ranks() const {
  return static_cast<int>(std::launder(reinterpret_cast<Header*>(memory_))->ranks);
}

void SharedMemory::give_up() {
  std::launder(reinterpret_cast<Header*>(memory_))->given_up.store(1);
}

std::unique_ptr<Communicator> shared_rank(SharedMemory& memory, int rank) {
  return std::make_unique<SharedRank>(memory, rank);
}

}  // namespace rackwright::launch
