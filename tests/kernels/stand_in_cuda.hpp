#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda/cuda_calls.hpp"

namespace rackwright::kernels::cuda::testing {

/// A CUDA of its own: a clock that work moves on, handles that are counted, and a call that fails.
class StandInCuda : public CudaCalls {
 public:
  std::string fail_call;  ///< name of the member that fails…
  int fail_at = 1;        ///< …at this call of it
  int fail_code = 0;
  bool sticky = false;

  std::set<void*> open;
  std::map<std::string, int> calls;
  std::map<void*, double> times;  ///< ms, by event
  std::vector<std::pair<void*, void*>> waits;  ///< the first stream for the second
  double clock = 0;
  bool capturing = false;
  double captured = 0;
  double launch_ms = 0;        ///< that the device waits for each kernel, unless it is held
  int most_held = 1 << 20;     ///< kernels that fit into a held stream: more run into its time-out
  bool held = false, timed_out = false;

  int make(const char* call, void** out) {
    if (const int code = reached(call); code != 0) return code;
    *out = reinterpret_cast<void*>(++next_);
    open.insert(*out);
    return 0;
  }
  int drop(void* handle) { return open.erase(handle) == 1 ? 0 : 400; }
  int reached(const std::string& call) {
    if (lost_) return fail_code;
    if (++calls[call] != fail_at || call != fail_call) return 0;
    lost_ = sticky;
    return fail_code;
  }
  void work(double ms) {
    if (held && ++queued_ > most_held) held = false, timed_out = true;
    if (!held && !capturing) clock += launch_ms;
    (capturing ? captured : clock) += ms;
  }

  int create_stream(void** stream) override { return make("create_stream", stream); }
  int destroy_stream(void* stream) override { return drop(stream); }
  int synchronise(void*) override {
    if (held) held = false, timed_out = true;
    return reached("synchronise");
  }
  int query(void*) override { return reached("query"); }
  int create_event(void** event) override { return make("create_event", event); }
  int destroy_event(void* event) override { return drop(event); }
  int record(void* event, void* stream) override {
    recorded_in_[event] = stream;
    times[event] = clock;
    return reached("record");
  }
  int wait(void* stream, void* event) override {
    waits.emplace_back(stream, recorded_in_[event]);
    return reached("wait");
  }
  int elapsed_ms(float* ms, void* start, void* stop) override {
    *ms = static_cast<float>(times[stop] - times[start]);
    return reached("elapsed");
  }
  int begin_capture(void*) override {
    capturing = true;
    return reached("begin_capture");
  }
  int end_capture(void*, void** graph) override {
    capturing = false;
    return make("end_capture", graph);
  }
  int launch_graph(void*, void*) override {
    if (!held) clock += launch_ms;
    clock += captured;
    return reached("launch_graph");
  }
  int destroy_graph(void* graph) override { return drop(graph); }
  int hold(void*) override {
    held = true, timed_out = false, queued_ = 0;
    return reached("hold");
  }
  void let_go() override { held = false; }
  [[nodiscard]] bool hold_timed_out() const override { return timed_out; }
  int allocate(void** memory, std::size_t) override { return make("allocate", memory); }
  int release(void* memory) override { return drop(memory); }
  std::string name_of(int code) override { return "cudaError" + std::to_string(code); }
  int remaining_error() override { return lost_ ? fail_code : 0; }

 private:
  std::uintptr_t next_ = 0;
  std::map<void*, void*> recorded_in_;
  int queued_ = 0;
  bool lost_ = false;
};

}  // namespace rackwright::kernels::cuda::testing
