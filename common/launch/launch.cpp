#include "common/launch/launch.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "common/launch/mpi_ranks.hpp"
#include "common/launch/shared_ranks.hpp"
#include "common/progress.hpp"

namespace rackwright::launch {

namespace {

constexpr const char* kRank = "RACKWRIGHT_RANK";
constexpr const char* kMemory = "RACKWRIGHT_RANK_MEMORY";
constexpr std::chrono::seconds kGrace{10};

bool has(const char* name) {
  return std::getenv(name) != nullptr;
}

int number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? -1 : std::atoi(text);
}

/// As this process was started with, the program's name first.
std::vector<std::string> own_command_line() {
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string one; std::getline(stream, one, '\0');) arguments.push_back(one);
  return arguments;
}

/// A rank with the memory that it shares.
class LocalRank final : public Communicator {
 public:
  LocalRank(SharedMemory memory, int rank)
      : memory_(std::move(memory)), rank_(shared_rank(memory_, rank)) {}
  [[nodiscard]] int rank() const override { return rank_->rank(); }
  [[nodiscard]] int size() const override { return rank_->size(); }
  [[nodiscard]] std::string_view transport() const override { return rank_->transport(); }
  void transfer(std::span<const Outgoing> out, std::span<const Incoming> in) override {
    rank_->transfer(out, in);
  }
  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    return rank_->split(colour);
  }

 private:
  SharedMemory memory_;
  std::unique_ptr<Communicator> rank_;
};

/// The child's side of a start: never returns.
[[noreturn]] void become_rank(int rank, int memory, const std::vector<std::string>& arguments) {
  ::setpgid(0, 0);  // a Ctrl-C reaches the parent alone, which passes it on once
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::setenv(kRank, std::to_string(rank).c_str(), 1);
  ::setenv(kMemory, std::to_string(memory).c_str(), 1);
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

class Children {
 public:
  Children(int ranks, const std::vector<std::string>& arguments) : memory_(ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      const pid_t child = ::fork();
      if (child < 0) {
        const int why = errno;
        stop(SIGKILL);
        throw std::system_error(why, std::generic_category(), "start of a local rank");
      }
      if (child == 0) become_rank(rank, memory_.descriptor(), arguments);
      children_.push_back(child);
    }
  }

  LocalResult wait() {
    using Clock = std::chrono::steady_clock;
    std::size_t left = children_.size();
    bool told = false;
    Clock::time_point deadline = Clock::time_point::max();
    while (left > 0) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended > 0) {
        --left;
        note(ended, status);
      }
      if (!told && (interrupted() || !result_.failure.empty())) {
        told = true;
        memory_.give_up();
        stop(SIGTERM);
        deadline = Clock::now() + kGrace;
      }
      if (Clock::now() > deadline) {
        stop(SIGKILL);
        deadline = Clock::time_point::max();
      }
      if (ended <= 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return result_;
  }

 private:
  void stop(int signal) {
    for (const pid_t child : children_) {
      if (child > 0) ::kill(child, signal);
    }
  }
  void note(pid_t ended, int status) {
    for (std::size_t rank = 0; rank < children_.size(); ++rank) {
      if (children_[rank] != ended) continue;
      children_[rank] = 0;
      const bool killed = WIFSIGNALED(status);
      const int code = killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      if (code == 0 || result_.code != 0) return;
      result_.code = code;
      result_.failure = killed
                            ? fmt::format("rank {} was killed by signal {}", rank, WTERMSIG(status))
                            : fmt::format("rank {} ended with exit code {}", rank, code);
      return;
    }
  }

  SharedMemory memory_;
  std::vector<pid_t> children_;
  LocalResult result_;
};

}  // namespace

Starter starter() {
  if (has(kRank) && has(kMemory)) return Starter::rackwright;
  const bool mpi = has("OMPI_COMM_WORLD_RANK") || (has("PMI_RANK") && has("PMI_SIZE")) ||
                   (has("SLURM_PROCID") && number("SLURM_STEP_NUM_TASKS") > 1);
  return mpi ? Starter::mpi : Starter::nobody;
}

int rank_here() {
  if (starter() == Starter::nobody) return 0;
  for (const char* name : {kRank, "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (has(name)) return number(name);
  }
  return 0;
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::unique_ptr<Communicator> join() {
  switch (starter()) {
    case Starter::rackwright:
      return std::make_unique<LocalRank>(SharedMemory::attached(number(kMemory)), number(kRank));
    case Starter::mpi:
      return mpi_ranks(mpi_module_path());
    case Starter::nobody:
      break;
  }
  return serial();
}

LocalResult run_local_ranks(int ranks) {
  return Children(ranks, own_command_line()).wait();
}

}  // namespace rackwright::launch
