#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace rackwright {

/// Reports work done: (what, done, total). Called often; must be cheap. May throw Interrupted.
using ProgressCallback = std::function<void(std::string_view what, double done, double total)>;

/// One line on a terminal, redrawn at most ten times a second; nothing when the stream is no
/// terminal. `finish` clears the line.
class ProgressLine {
 public:
  ProgressLine(std::ostream& out, bool is_terminal);
  ~ProgressLine();
  void update(std::string_view what, double done, double total);
  void finish();

 private:
  std::ostream& out_;
  bool is_terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

/// Turns SIGINT and SIGTERM into a flag for the life of the object; a second signal ends the
/// process at once. One object per process.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};
/// True after the first signal.
[[nodiscard]] bool interrupted();
/// Throws Interrupted after the first signal.
void throw_if_interrupted();

}  // namespace rackwright
