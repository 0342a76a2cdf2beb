#include <algorithm>
#include <climits>
#include <cstdio>
#include <memory>
#include <vector>

#include <mpi.h>
#include <sched.h>

#include "common/launch/mpi_abi.h"

namespace {

constexpr int kTag = 7;
constexpr std::size_t kLargest = std::size_t{1} << 30;  // of one message: MPI counts in int

struct Comm {
  MPI_Comm handle = MPI_COMM_NULL;
};

Comm& of(void* comm) {
  return *static_cast<Comm*>(comm);
}

int failed(int code, char* message) {
  if (code == MPI_SUCCESS) return 0;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  std::snprintf(message, RACKWRIGHT_MPI_TEXT, "MPI: %s", text);
  return code;
}

int too_large(char* message) {
  std::snprintf(message, RACKWRIGHT_MPI_TEXT, "MPI: more than 2^31 elements in one call");
  return MPI_ERR_COUNT;
}

/// Waits for all requests, offering the core to others.
int wait_for(std::vector<MPI_Request>& requests, RackwrightMpiStop stop, char* message) {
  for (;;) {
    int done = 0;
    const int code =
        MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE);
    if (code != MPI_SUCCESS || done) return failed(code, message);
    if (stop()) return RACKWRIGHT_MPI_STOPPED;
    sched_yield();
  }
}

/// Waits for what `start(request)` starts.
template <class Start>
int waited(RackwrightMpiStop stop, char* message, Start&& start) {
  std::vector<MPI_Request> requests{MPI_REQUEST_NULL};
  const int code = start(requests.data());
  if (code != MPI_SUCCESS) return failed(code, message);
  return wait_for(requests, stop, message);
}

int start(void** world, char* library, char* message) {
  int provided = 0;
  const int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  if (code != MPI_SUCCESS) return failed(code, message);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(text, &length);
  std::snprintf(library, RACKWRIGHT_MPI_TEXT, "%.*s", RACKWRIGHT_MPI_TEXT - 1, text);
  *world = new Comm{MPI_COMM_WORLD};
  return 0;
}

void finish() {
  MPI_Finalize();
}

int rank(void* comm) {
  int value = 0;
  MPI_Comm_rank(of(comm).handle, &value);
  return value;
}

int size(void* comm) {
  int value = 0;
  MPI_Comm_size(of(comm).handle, &value);
  return value;
}

int split(void* comm, int colour, void** group, char* message) {
  auto made = std::make_unique<Comm>();
  const int code = MPI_Comm_split(of(comm).handle, colour, rank(comm), &made->handle);
  if (code == MPI_SUCCESS) *group = made.release();
  return failed(code, message);
}

void release(void* group) {
  const std::unique_ptr<Comm> comm(static_cast<Comm*>(group));
  if (comm->handle != MPI_COMM_WORLD) MPI_Comm_free(&comm->handle);
}

/// Calls `part(bytes, length)` for pieces that MPI can count.
template <class Part>
int in_parts(const RackwrightMpiMessage& message, Part&& part) {
  auto* bytes = static_cast<char*>(message.bytes);
  for (std::size_t at = 0; at < message.length; at += kLargest) {
    const std::size_t length = std::min(kLargest, message.length - at);
    const int code = part(bytes + at, static_cast<int>(length));
    if (code != MPI_SUCCESS) return code;
  }
  return MPI_SUCCESS;
}

int transfer(void* comm, const RackwrightMpiMessage* out, int out_count,
             const RackwrightMpiMessage* in, int in_count, RackwrightMpiStop stop, char* message) {
  std::vector<MPI_Request> requests;
  const auto request = [&]() { return &requests.emplace_back(MPI_REQUEST_NULL); };
  const MPI_Comm handle = of(comm).handle;
  for (int i = 0; i < in_count; ++i) {
    const int code = in_parts(in[i], [&](char* bytes, int length) {
      return MPI_Irecv(bytes, length, MPI_BYTE, in[i].peer, kTag, handle, request());
    });
    if (code != MPI_SUCCESS) return failed(code, message);
  }
  for (int i = 0; i < out_count; ++i) {
    const int code = in_parts(out[i], [&](char* bytes, int length) {
      return MPI_Isend(bytes, length, MPI_BYTE, out[i].peer, kTag, handle, request());
    });
    if (code != MPI_SUCCESS) return failed(code, message);
  }
  return wait_for(requests, stop, message);
}

int barrier(void* comm, RackwrightMpiStop stop, char* message) {
  return waited(stop, message,
                [&](MPI_Request* request) { return MPI_Ibarrier(of(comm).handle, request); });
}

int broadcast(void* comm, void* bytes, size_t length, int root, RackwrightMpiStop stop,
              char* message) {
  return in_parts({root, bytes, length}, [&](char* part, int count) {
    return waited(stop, message, [&](MPI_Request* request) {
      return MPI_Ibcast(part, count, MPI_BYTE, root, of(comm).handle, request);
    });
  });
}

int all_reduce(void* comm, float* values, size_t count, int largest, RackwrightMpiStop stop,
               char* message) {
  if (count > INT_MAX) return too_large(message);
  return waited(stop, message, [&](MPI_Request* request) {
    return MPI_Iallreduce(MPI_IN_PLACE, values, static_cast<int>(count), MPI_FLOAT,
                          largest != 0 ? MPI_MAX : MPI_SUM, of(comm).handle, request);
  });
}

int all_gather(void* comm, const void* part, size_t length, void* all, RackwrightMpiStop stop,
               char* message) {
  if (length > INT_MAX) return too_large(message);
  const auto* own = static_cast<char*>(all) + static_cast<std::size_t>(rank(comm)) * length;
  const void* from = part == own ? MPI_IN_PLACE : part;
  return waited(stop, message, [&](MPI_Request* request) {
    return MPI_Iallgather(from, static_cast<int>(length), MPI_BYTE, all, static_cast<int>(length),
                          MPI_BYTE, of(comm).handle, request);
  });
}

int reduce_scatter(void* comm, const float* all, float* part, size_t count, RackwrightMpiStop stop,
                   char* message) {
  if (count > INT_MAX) return too_large(message);
  return waited(stop, message, [&](MPI_Request* request) {
    return MPI_Ireduce_scatter_block(all, part, static_cast<int>(count), MPI_FLOAT, MPI_SUM,
                                     of(comm).handle, request);
  });
}

constexpr RackwrightMpi kTable{
    RACKWRIGHT_MPI_ABI, start,   finish,    rank,       size,       split,         release,
    transfer,           barrier, broadcast, all_reduce, all_gather, reduce_scatter};

}  // namespace

extern "C" __attribute__((visibility("default"))) const RackwrightMpi* rackwright_mpi_table() {
  return &kTable;
}
