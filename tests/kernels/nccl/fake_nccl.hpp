#pragma once

#include <bit>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "kernels/nccl/nccl_abi.h"

namespace rackwright::kernels::testing {

inline constexpr int kFakeError = 3;   // ncclInternalError
inline constexpr int kFakeRemote = 6;  // ncclRemoteError

/// What goes wrong, and what was called, over all ranks.
struct FakeNcclScript {
  std::mutex mutex;
  int bad_rank = -1;               ///< of the fault below
  bool init_hangs = false;         ///< init of the bad rank never gets ready
  int hangs_at_call = -1;          ///< the bad rank never joins this operation
  int fails_at_call = -1;          ///< the bad rank's state is an error from this operation on
  int enqueue_error_at_call = -1;  ///< this call itself returns an error
  int windows = 1;
  bool no_peer_access = false;  ///< the bad rank maps nothing
  int aborts = 0, destroys = 0, open_windows = 0, graphs = 0, peer_calls = 0, mapped = 0;
  std::list<std::vector<std::byte>> blocks;  ///< that ranks share
  std::list<int> leave;                      ///< a word for each
};

/// NCCL in one process: a rank is a thread, an operation publishes its buffers and copies from its
/// peers' when all have joined. Operations run when the stream is queried.
class FakeNccl {
 public:
  /// One script at a time, as the table has no place for a context.
  static FakeNcclScript& script() {
    static FakeNcclScript one;
    return one;
  }
  static const RackwrightNccl& table();
  /// Blocks that this thread's rank holds, with their bytes.
  static const std::map<void*, std::size_t>& memory() { return stream().memory; }
  static void reset() {
    auto& s = script();
    const std::lock_guard lock(s.mutex);
    s.bad_rank = s.hangs_at_call = s.fails_at_call = s.enqueue_error_at_call = -1;
    s.init_hangs = false;
    s.windows = 1;
    s.no_peer_access = false;
    s.aborts = s.destroys = s.open_windows = s.graphs = s.peer_calls = s.mapped = 0;
    s.blocks.clear();
    s.leave.clear();
  }

 private:
  /// What a rank brings to operation `number`.
  struct Part {
    std::vector<std::pair<int, std::pair<const void*, std::size_t>>> sends;  ///< peer, bytes
  };
  struct World {
    int ranks = 0;
    int joined = 0;
    bool aborted = false;
    std::map<int, std::map<int, Part>> parts;  ///< by operation, then rank
    std::map<int, int> consumed;
    std::map<int, std::map<int, std::shared_ptr<World>>> splits;  ///< by call, then colour
    std::map<int, std::vector<std::pair<int, int>>> wishes;       ///< rank, colour of a split
  };
  struct Comm {
    std::shared_ptr<World> world;
    int rank = 0;
    int calls = 0, splits = 0;
    int split_call = -1, colour = 0;  ///< of a communicator that a split makes
    std::shared_ptr<World> parent;
    int parent_rank = 0;
  };
  struct Step {
    Comm* comm;
    int number;
    bool published = false, done = false;
    Part part;
    std::function<void(const std::map<int, Part>&)> finish;
    std::function<void()> begin = {};  ///< before the peers may read
  };
  /// The stream of this thread's rank.
  struct Stream {
    std::vector<Step> steps;
    std::vector<std::function<void()>> captured;
    bool capturing = false;
    Comm* comm = nullptr;  ///< the first of this rank
    std::unique_ptr<Step> open_group;
    std::vector<std::function<void(const std::map<int, Part>&)>> receives;
    std::map<void*, std::size_t> memory;
  };
  static Stream& stream() {
    thread_local Stream one;
    return one;
  }
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::map<std::string, std::shared_ptr<World>>& worlds() {
    static std::map<std::string, std::shared_ptr<World>> all;
    return all;
  }

  static int put_step(Comm* comm, std::function<void(const std::map<int, Part>&)> finish,
                      decltype(Part::sends) sends, char* message,
                      std::function<void()> begin = {}) {
    const auto add = [comm, finish, sends, begin] {
      Step step{comm, comm->calls++, false, false, {sends}, finish, begin};
      stream().steps.push_back(step);
    };
    auto& s = script();
    {
      const std::lock_guard lock(s.mutex);
      if (comm->rank == s.bad_rank && comm->calls == s.enqueue_error_at_call) {
        std::strcpy(message, "made to fail");
        return kFakeError;
      }
    }
    if (stream().capturing) {
      stream().captured.push_back(add);
    } else {
      add();
    }
    return 0;
  }

  static bool progress(Step& step) {
    auto& s = script();
    int bad = -1, hang = -1;
    {
      const std::lock_guard lock(s.mutex);
      bad = s.bad_rank;
      hang = s.hangs_at_call;
    }
    const std::lock_guard lock(mutex());
    World& world = *step.comm->world;
    if (!step.published) {
      if (step.comm->rank == bad && step.number == hang) return false;
      if (step.begin) step.begin();
      world.parts[step.number][step.comm->rank] = step.part;
      step.published = true;
    }
    const auto& parts = world.parts[step.number];
    if (static_cast<int>(parts.size()) < world.ranks) return false;
    if (!step.done) {
      step.finish(parts);
      step.done = true;
      ++world.consumed[step.number];
    }
    return world.consumed[step.number] == world.ranks;  // nobody reads this rank's buffer any more
  }

  friend struct FakeNcclCalls;
};

struct FakeNcclCalls {
  using Parts = std::map<int, FakeNccl::Part>;
  static FakeNccl::Comm* of(void* comm) { return static_cast<FakeNccl::Comm*>(comm); }

  static int version() { return 22809; }
  static int has_windows() { return FakeNccl::script().windows; }
  static int open(int, char* name, char*) {
    std::strcpy(name, "fake");
    return 0;
  }
  static int unique_id(char* id, char*) {
    static int count = 0;
    const std::lock_guard lock(FakeNccl::mutex());
    std::strcpy(id, ("id " + std::to_string(count++)).c_str());
    return 0;
  }
  static int init(void** comm, int ranks, const char* id, int rank, char*) {
    const std::lock_guard lock(FakeNccl::mutex());
    auto& world = FakeNccl::worlds()[id];
    if (!world) world = std::make_shared<FakeNccl::World>();
    world->ranks = ranks;
    auto* made = new FakeNccl::Comm;
    made->world = world;
    made->rank = rank;
    *comm = FakeNccl::stream().comm = made;
    if (!(FakeNccl::script().init_hangs && rank == FakeNccl::script().bad_rank)) ++world->joined;
    return RACKWRIGHT_NCCL_BUSY;
  }
  static int split(void* comm, int colour, int, void** group, char*) {
    const std::lock_guard lock(FakeNccl::mutex());
    FakeNccl::Comm* parent = of(comm);
    auto* made = new FakeNccl::Comm;
    made->split_call = parent->splits++;
    made->colour = colour;
    made->parent = parent->world;
    made->parent_rank = parent->rank;
    parent->world->wishes[made->split_call].push_back({parent->rank, colour});
    *group = made;
    return 0;
  }
  /// Turns a split into a world once every rank of the parent has asked.
  static bool ready(FakeNccl::Comm& comm) {
    if (comm.world) return comm.world->joined == comm.world->ranks;
    const auto& wishes = comm.parent->wishes[comm.split_call];
    if (static_cast<int>(wishes.size()) < comm.parent->ranks) return false;
    auto& world = comm.parent->splits[comm.split_call][comm.colour];
    if (!world) world = std::make_shared<FakeNccl::World>();
    comm.rank = 0;
    world->ranks = 0;
    for (const auto& [rank, colour] : wishes) {
      if (colour != comm.colour) continue;
      ++world->ranks;
      if (rank < comm.parent_rank) ++comm.rank;
    }
    world->joined = world->ranks;
    comm.world = world;
    return true;
  }
  static int state(void* comm, char* message) {
    auto& script = FakeNccl::script();
    const std::lock_guard lock(FakeNccl::mutex());
    FakeNccl::Comm& one = *of(comm);
    if (!ready(one)) return RACKWRIGHT_NCCL_BUSY;
    if (one.world->aborted) {
      std::strcpy(message, "a peer aborted");
      return kFakeRemote;
    }
    const std::lock_guard also(script.mutex);
    if (one.rank == script.bad_rank && script.fails_at_call >= 0 &&
        one.calls > script.fails_at_call) {
      std::strcpy(message, "made to fail");
      return kFakeError;
    }
    return 0;
  }
  static int abort(void* comm, char*) {
    {
      const std::lock_guard lock(FakeNccl::mutex());
      if (of(comm)->world) of(comm)->world->aborted = true;
    }
    const std::lock_guard lock(FakeNccl::script().mutex);
    ++FakeNccl::script().aborts;
    FakeNccl::stream().steps.clear();
    delete of(comm);
    return 0;
  }
  static int finalize(void*, char*) { return 0; }
  static int destroy(void* comm, char*) {
    const std::lock_guard lock(FakeNccl::script().mutex);
    ++FakeNccl::script().destroys;
    delete of(comm);
    return 0;
  }
  static int allocate(size_t bytes, void** memory, char*) {
    *memory = ::operator new(bytes);
    FakeNccl::stream().memory[*memory] = bytes;
    return 0;
  }
  static int release(void* memory, char*) {
    ::operator delete(memory);
    FakeNccl::stream().memory.erase(memory);
    return 0;
  }
  static int copy(void* to, const void* from, size_t bytes, char*) {
    if (bytes > 0) std::memcpy(to, from, bytes);
    return 0;
  }
  static int open_window(void*, void*, size_t, void** window, char*) {
    const std::lock_guard lock(FakeNccl::script().mutex);
    ++FakeNccl::script().open_windows;
    *window = &FakeNccl::script();
    return 0;
  }
  static int close_window(void*, void*, char*) {
    const std::lock_guard lock(FakeNccl::script().mutex);
    --FakeNccl::script().open_windows;
    return 0;
  }

  /// Bytes of an element.
  static size_t width(const RackwrightNcclCall* call) {
    return call->type == RACKWRIGHT_NCCL_BF16 ? 2 : sizeof(float);
  }
  static float load(int type, const void* from, size_t i) {
    if (type == RACKWRIGHT_NCCL_FLOAT32) return static_cast<const float*>(from)[i];
    return std::bit_cast<float>(
        static_cast<std::uint32_t>(static_cast<const std::uint16_t*>(from)[i]) << 16);
  }
  /// Sums of small whole numbers: exact in bf16 too.
  static void store(int type, void* to, size_t i, float value) {
    if (type == RACKWRIGHT_NCCL_FLOAT32) {
      static_cast<float*>(to)[i] = value;
    } else {
      static_cast<std::uint16_t*>(to)[i] =
          static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
    }
  }
  static void sum(const Parts& parts, int type, void* in, size_t begin, size_t count) {
    std::vector<float> sums(count, 0.0F);
    for (const auto& [rank, part] : parts) {
      for (size_t i = 0; i < count; ++i)
        sums[i] += load(type, part.sends[0].second.first, begin + i);
    }
    for (size_t i = 0; i < count; ++i) store(type, in, i, sums[i]);
  }
  static int all_reduce(void* comm, const RackwrightNcclCall* call, char* message) {
    return with_copy(comm, call, call->count, message, [one = *call](const Parts& parts) {
      sum(parts, one.type, one.in, 0, one.count);
    });
  }
  static int all_gather(void* comm, const RackwrightNcclCall* call, char* message) {
    const size_t bytes = call->count * width(call);
    return with_copy(comm, call, call->count, message, [in = call->in, bytes](const Parts& parts) {
      for (const auto& [rank, part] : parts) {
        std::memcpy(static_cast<std::byte*>(in) + static_cast<size_t>(rank) * bytes,
                    part.sends[0].second.first, bytes);
      }
    });
  }
  static int reduce_scatter(void* comm, const RackwrightNcclCall* call, char* message) {
    const size_t begin = static_cast<size_t>(of(comm)->rank) * call->count;
    const size_t all = static_cast<size_t>(of(comm)->world->ranks) * call->count;
    return with_copy(comm, call, all, message, [one = *call, begin](const Parts& parts) {
      sum(parts, one.type, one.in, begin, one.count);
    });
  }
  static int broadcast(void* comm, const RackwrightNcclCall* call, char* message) {
    const size_t bytes = call->count * width(call);
    return with_copy(comm, call, of(comm)->rank == call->peer ? call->count : 0, message,
                     [in = call->in, bytes, root = call->peer](const Parts& parts) {
                       std::memcpy(in, parts.at(root).sends[0].second.first, bytes);
                     });
  }

  static int share(void** block, char* handle, int** leave, char*) {
    auto& script = FakeNccl::script();
    const std::lock_guard lock(script.mutex);
    *block = script.blocks.emplace_back(RACKWRIGHT_PEER_BLOCK).data();
    *leave = &script.leave.emplace_back(0);
    std::memcpy(handle, block, sizeof *block);
    return 0;
  }
  static int map(const char* handle, void** block, char* message) {
    auto& script = FakeNccl::script();
    const std::lock_guard lock(script.mutex);
    if (script.no_peer_access && FakeNccl::stream().comm->rank == script.bad_rank) {
      std::strcpy(message, "peer access is not supported between these two devices");
      return 1217;
    }
    std::memcpy(block, handle, sizeof *block);
    ++script.mapped;
    return 0;
  }
  static int unmap(void*, char*) {
    const std::lock_guard lock(FakeNccl::script().mutex);
    --FakeNccl::script().mapped;
    return 0;
  }
  /// In step with every rank of the world; the vectors are read where they lie.
  static int peer_all_reduce(const RackwrightPeerCall* call, char* message) {
    {
      const std::lock_guard lock(FakeNccl::script().mutex);
      ++FakeNccl::script().peer_calls;
    }
    const auto values = [](void* block) {
      return static_cast<std::byte*>(block) + RACKWRIGHT_PEER_VALUES;
    };
    const RackwrightPeerCall one = *call;
    const size_t bytes = one.count * (one.type == RACKWRIGHT_NCCL_BF16 ? 2 : sizeof(float));
    const auto finish = [one, values](const Parts&) {
      for (size_t i = 0; i < one.count; ++i) {
        float sum = 0;
        for (int rank = 0; rank < one.ranks; ++rank) {
          sum += load(one.type, values(one.blocks[rank]), i);
        }
        store(one.type, one.in, i, sum);
      }
    };
    return FakeNccl::put_step(FakeNccl::stream().comm, finish, {}, message, [one, values, bytes] {
      if (one.out != nullptr) std::memcpy(values(one.blocks[one.rank]), one.out, bytes);
    });
  }

  static int group(int begin, char* message) {
    auto& stream = FakeNccl::stream();
    if (begin) {
      stream.open_group = std::make_unique<FakeNccl::Step>();
      stream.open_group->comm = nullptr;
      stream.receives.clear();
      return 0;
    }
    FakeNccl::Step step = *stream.open_group;
    // A rank that neither sends nor receives still takes part in the fake's count.
    if (step.comm == nullptr) step.comm = stream.comm;
    stream.open_group.reset();
    const auto receives = stream.receives;
    return FakeNccl::put_step(
        step.comm,
        [receives](const Parts& parts) {
          for (const auto& receive : receives) receive(parts);
        },
        step.part.sends, message);
  }
  static int send(void* comm, const RackwrightNcclCall* call, char*) {
    auto& group = *FakeNccl::stream().open_group;
    group.comm = of(comm);
    group.part.sends.push_back({call->peer, {call->out, call->count * width(call)}});
    return 0;
  }
  static int receive(void* comm, const RackwrightNcclCall* call, char*) {
    auto& stream = FakeNccl::stream();
    stream.open_group->comm = of(comm);
    const int rank = of(comm)->rank;
    const size_t bytes = call->count * width(call);
    stream.receives.push_back([in = call->in, bytes, peer = call->peer, rank](const Parts& parts) {
      for (const auto& [to, what] : parts.at(peer).sends) {
        if (to == rank && what.second == bytes) std::memcpy(in, what.first, bytes);
      }
    });
    return 0;
  }

  static int query(char* message) {
    auto& steps = FakeNccl::stream().steps;
    while (!steps.empty()) {
      if (!FakeNccl::progress(steps.front())) return RACKWRIGHT_NCCL_BUSY;
      steps.erase(steps.begin());
    }
    (void)message;
    return 0;
  }
  static int begin_capture(char*) {
    FakeNccl::stream().capturing = true;
    FakeNccl::stream().captured.clear();
    return 0;
  }
  static int end_capture(void** graph, char*) {
    FakeNccl::stream().capturing = false;
    *graph = &FakeNccl::stream().captured;
    const std::lock_guard lock(FakeNccl::script().mutex);
    ++FakeNccl::script().graphs;
    return 0;
  }
  static int launch(void*, char*) {
    for (const auto& add : FakeNccl::stream().captured) add();
    return 0;
  }
  static int discard(void*, char*) { return 0; }
  static int mark(int, char*) { return 0; }
  static int elapsed(double* seconds, char*) {
    *seconds = 1e-3;
    return 0;
  }

 private:
  /// The send side is read when the operation runs, and kept apart for the peers, so that a result
  /// in the same memory spoils nothing.
  static int with_copy(void* comm, const RackwrightNcclCall* call, size_t count, char* message,
                       std::function<void(const Parts&)> finish) {
    const auto* from = static_cast<const std::byte*>(call->out);
    auto kept = std::make_shared<std::vector<std::byte>>(from, from + count * width(call));
    return FakeNccl::put_step(
        of(comm), [kept, finish](const Parts& parts) { finish(parts); },
        {{0, {kept->data(), kept->size()}}}, message);
  }
};

inline const RackwrightNccl& FakeNccl::table() {
  using C = FakeNcclCalls;
  static const RackwrightNccl one{RACKWRIGHT_NCCL_ABI,
                                  C::version,
                                  C::has_windows,
                                  C::open,
                                  C::unique_id,
                                  C::init,
                                  C::split,
                                  C::state,
                                  C::abort,
                                  C::finalize,
                                  C::destroy,
                                  C::allocate,
                                  C::release,
                                  C::copy,
                                  C::copy,
                                  C::open_window,
                                  C::close_window,
                                  C::group,
                                  C::all_reduce,
                                  C::all_gather,
                                  C::reduce_scatter,
                                  C::broadcast,
                                  C::send,
                                  C::receive,
                                  C::query,
                                  C::begin_capture,
                                  C::end_capture,
                                  C::launch,
                                  C::discard,
                                  C::mark,
                                  C::elapsed,
                                  C::share,
                                  C::map,
                                  C::unmap,
                                  C::peer_all_reduce};
  return one;
}

}  // namespace rackwright::kernels::testing
