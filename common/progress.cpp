#include "common/progress.hpp"

#include <csignal>
#include <ostream>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright {

namespace {

// A signal handler can reach nothing but a global; this is the only one.
volatile std::sig_atomic_t signal_count = 0;

extern "C" void on_signal(int number) {
  signal_count = signal_count + 1;
  if (signal_count > 1) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

}  // namespace

ProgressLine::ProgressLine(std::ostream& out, bool is_terminal)
    : out_(out), is_terminal_(is_terminal), start_(std::chrono::steady_clock::now()) {}

ProgressLine::~ProgressLine() {
  finish();
}

void ProgressLine::update(std::string_view what, double done, double total) {
  if (!is_terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  const double share = total > 0 ? std::min(1.0, done / total) : 0;
  const auto filled = static_cast<std::size_t>(share * 24);
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  out_ << fmt::format("\r\033[K{:3.0f} % [{:-<24}] {} ({:.0f} s)", share * 100,
                      std::string(filled, '#'), what, elapsed);
  out_.flush();
}

void ProgressLine::finish() {
  if (!drawn_) return;
  out_ << "\r\033[K";
  out_.flush();
  drawn_ = false;
}

InterruptGuard::InterruptGuard() {
  signal_count = 0;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool interrupted() {
  return signal_count > 0;
}

void throw_if_interrupted() {
  if (interrupted()) throw Interrupted();
}

}  // namespace rackwright
