// A module rackwright_nccl without NCCL: ranks are processes, and an operation passes through a
// file that they map. It goes on whenever `state` is asked, so the program's polling drives it.
// The own all-reduce is the real kernel on the host executor, over memory that the processes map;
// in steps, whose results nobody compares, the first calls alone.
// RACKWRIGHT_STAND_IN_FAIL=RANK:CALL makes that call of that rank fail; RANK:traced the first call
// in a window of CUPTI's stand-in.
#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/nccl/nccl_abi.h"
#include "kernels/nccl/peer_block.hpp"
#include "kernels/own/on_host.hpp"

namespace {

constexpr int kMostRanks = 8;
constexpr int kFailed = 3, kRemote = 6;
constexpr std::size_t kMostBytes = 4096;  // of an operation that are really exchanged

struct World {
  std::atomic<int> joined, aborted;
  std::atomic<std::uint64_t> published[kMostRanks], taken[kMostRanks];
  unsigned char data[kMostRanks][kMostBytes];
};

struct Comm {
  World* world = nullptr;
  std::string name;
  int ranks = 0, rank = 0, splits = 0;
  std::uint64_t calls = 0;
  bool published = false;
  std::vector<unsigned char> sent;
  std::function<void()> finish;  ///< of the operation that goes on; empty: none
};

Comm* of(void* comm) {
  return static_cast<Comm*>(comm);
}

void* mapped(const std::string& name, std::size_t bytes) {
  const int file = ::open(("/dev/shm/" + name).c_str(), O_CREAT | O_RDWR, 0600);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(bytes)) != 0) return nullptr;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  return memory == MAP_FAILED ? nullptr : memory;
}

/// The kernel that runs, and how many came before.
std::future<void> kernel;
int kernels = 0;

int join(void** comm, const std::string& name, int ranks, int rank) {
  auto* made = new Comm;
  made->world = static_cast<World*>(mapped(name, sizeof(World)));
  made->name = name, made->ranks = ranks, made->rank = rank;
  ++made->world->joined;
  *comm = made;
  return RACKWRIGHT_NCCL_BUSY;
}

int state(void* comm, char* message) {
  Comm& one = *of(comm);
  World& world = *one.world;
  if (world.aborted != 0) {
    std::snprintf(message, RACKWRIGHT_NCCL_TEXT, "a peer aborted");
    return kRemote;
  }
  if (world.joined < one.ranks) return RACKWRIGHT_NCCL_BUSY;
  if (kernel.valid()) {
    if (kernel.wait_for(std::chrono::microseconds(500)) != std::future_status::ready) {
      return RACKWRIGHT_NCCL_BUSY;
    }
    kernel.get();
  }
  if (!one.finish) return 0;
  const auto all = [&](const std::atomic<std::uint64_t>* counts, std::uint64_t least) {
    return std::all_of(counts, counts + one.ranks, [&](const auto& n) { return n >= least; });
  };
  if (!one.published) {
    if (!all(world.taken, one.calls)) return RACKWRIGHT_NCCL_BUSY;
    std::copy(one.sent.begin(), one.sent.end(), world.data[one.rank]);
    one.published = true;
    ++world.published[one.rank];
  }
  if (!all(world.published, one.calls + 1)) return RACKWRIGHT_NCCL_BUSY;
  one.finish();
  one.finish = nullptr;
  ++one.calls;
  ++world.taken[one.rank];
  return 0;
}

bool is_to_fail(int of_rank, std::uint64_t calls) {
  const char* text = std::getenv("RACKWRIGHT_STAND_IN_FAIL");
  int rank = -1, call = -1;
  const std::string traced = std::to_string(of_rank) + ":traced";
  if (text != nullptr && traced == text) return std::getenv("RW_CUPTI_WINDOW") != nullptr;
  return text != nullptr && std::sscanf(text, "%d:%d", &rank, &call) == 2 && of_rank == rank &&
         calls >= static_cast<std::uint64_t>(call);
}

int start(void* comm, const RackwrightNcclCall* call, std::size_t elements, char* message,
          const std::function<void(Comm&, std::size_t bytes)>& finish) {
  Comm& one = *of(comm);
  if (is_to_fail(one.rank, one.calls)) {
    std::snprintf(message, RACKWRIGHT_NCCL_TEXT, "made to fail");
    return kFailed;
  }
  const std::size_t bytes = std::min(kMostBytes, 2 * elements);
  const auto* from = static_cast<const unsigned char*>(call->out);
  one.sent.assign(from, from + bytes);
  one.published = false;
  one.finish = [&one, bytes, finish] { finish(one, bytes); };
  return RACKWRIGHT_NCCL_BUSY;
}

float value(const unsigned char* bytes, std::size_t i) {
  std::uint16_t word = 0;
  std::memcpy(&word, bytes + 2 * i, 2);
  return std::bit_cast<float>(static_cast<std::uint32_t>(word) << 16);
}

int all_reduce(void* comm, const RackwrightNcclCall* call, char* message) {
  return start(comm, call, call->count, message, [in = call->in](Comm& one, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes / 2; ++i) {
      float sum = 0;
      for (int rank = 0; rank < one.ranks; ++rank) sum += value(one.world->data[rank], i);
      static_cast<std::uint16_t*>(in)[i] =
          static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(sum) >> 16);
    }
  });
}
int all_gather(void* comm, const RackwrightNcclCall* call, char* message) {
  return start(comm, call, call->count, message,
               [in = call->in, part = 2 * call->count](Comm& one, std::size_t bytes) {
                 for (int rank = 0; rank < one.ranks; ++rank) {
                   std::memcpy(static_cast<char*>(in) + static_cast<std::size_t>(rank) * part,
                               one.world->data[rank], bytes);
                 }
               });
}
std::string block_name(int pid) {
  return "rackwright-stand-in-block-" + std::to_string(pid);
}
int share(void** block, char* handle, int** leave, char*) {
  const std::string name = block_name(::getpid());
  *block = mapped(name, RACKWRIGHT_PEER_BLOCK);
  std::snprintf(handle, RACKWRIGHT_PEER_HANDLE, "%s", name.c_str());
  *leave = new int(0);
  return *block == nullptr ? kFailed : 0;
}
int map(const char* handle, void** block, char*) {
  *block = mapped(handle, RACKWRIGHT_PEER_BLOCK);
  return *block == nullptr ? kFailed : 0;
}
int unmap(void* block, char*) {
  return ::munmap(block, RACKWRIGHT_PEER_BLOCK);
}

template <class T>
void run(RackwrightPeerCall call) {
  namespace own = rackwright::kernels::own;
  if (call.out == nullptr && call.type == RACKWRIGHT_NCCL_BF16) {  // of a step: nobody compares
    call.count = std::min(call.count, kMostBytes / sizeof(T));
  }
  if (call.out != nullptr) {
    std::memcpy(static_cast<char*>(call.blocks[call.rank]) + RACKWRIGHT_PEER_VALUES, call.out,
                call.count * sizeof(T));
  }
  static own::HostExecutor executor;
  own::run_on_host(executor, peer_args<T>(call));
}
int peer_all_reduce(const RackwrightPeerCall* call, char* message) {
  if (is_to_fail(call->rank, static_cast<std::uint64_t>(kernels++))) {
    std::snprintf(message, RACKWRIGHT_NCCL_TEXT, "made to fail");
    return kFailed;
  }
  ::unlink(("/dev/shm/" + block_name(::getpid())).c_str());  // all have mapped it
  constexpr int kReal = 50;
  if (call->type == RACKWRIGHT_NCCL_BF16 && kernels > kReal) return 0;
  kernel = std::async(std::launch::async, [one = *call] {
    one.type == RACKWRIGHT_NCCL_BF16 ? run<rackwright::kernels::own::Bf16>(one) : run<float>(one);
  });
  return RACKWRIGHT_NCCL_BUSY;
}

int unused(void*, const RackwrightNcclCall*, char* message) {
  std::snprintf(message, RACKWRIGHT_NCCL_TEXT, "the stand-in has no such operation");
  return kFailed;
}

int forget(void* comm) {
  ::unlink(("/dev/shm/" + of(comm)->name).c_str());
  ::munmap(of(comm)->world, sizeof(World));
  delete of(comm);
  return 0;
}

int copy(void* to, const void* from, std::size_t bytes, char*) {
  std::memcpy(to, from, bytes);
  return 0;
}

const RackwrightNccl kTable{
    RACKWRIGHT_NCCL_ABI,
    [] { return 22809; },
    [] { return 0; },
    [](int, char* name, char*) {
      std::strcpy(name, "Stand-in GPU");
      return 0;
    },
    [](char* id, char*) {
      std::snprintf(id, RACKWRIGHT_NCCL_ID, "rackwright-stand-in-%d", static_cast<int>(::getpid()));
      return 0;
    },
    [](void** comm, int ranks, const char* id, int rank, char*) {
      return join(comm, id, ranks, rank);
    },
    [](void* comm, int colour, int, void** group, char*) {  // every rank of one colour
      Comm& from = *of(comm);
      const std::string name =
          from.name + "-" + std::to_string(from.splits++) + "-" + std::to_string(colour);
      return join(group, name, from.ranks, from.rank);
    },
    state,
    [](void* comm, char*) {
      of(comm)->world->aborted = 1;
      return forget(comm);
    },
    [](void*, char*) { return 0; },
    [](void* comm, char*) { return forget(comm); },
    [](std::size_t bytes, void** memory, char*) {
      *memory = ::operator new(bytes);
      return 0;
    },
    [](void* memory, char*) {
      ::operator delete(memory);
      return 0;
    },
    copy,
    copy,
    nullptr,
    nullptr,
    [](int, char*) { return 0; },
    all_reduce,
    all_gather,
    unused,
    unused,
    unused,
    unused,
    [](char*) { return 0; },
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    [](int, char*) { return 0; },
    [](double* seconds, char*) {
      *seconds = 1e-5;
      return 0;
    },
    share,
    map,
    unmap,
    peer_all_reduce};

}  // namespace

extern "C" const RackwrightNccl* rackwright_nccl_table() {
  return &kTable;
}
