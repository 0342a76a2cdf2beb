#include "common/launch/mpi_ranks.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>

#include <dlfcn.h>
#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/launch/mpi_abi.h"
#include "common/progress.hpp"

namespace rackwright::launch {

namespace {

/// A table of the module, its handle, and whether MPI runs.
struct Module {
  const RackwrightMpi* table = nullptr;
  bool running = false;
  int exceptions = std::uncaught_exceptions();

  ~Module() {
    // After a death in the group finalising would wait for it for ever.
    if (running && !interrupted() && std::uncaught_exceptions() == exceptions) table->finish();
  }
};

int stop() {
  return interrupted() ? 1 : 0;
}

class MpiRank final : public Communicator {
 public:
  MpiRank(std::shared_ptr<Module> module, void* comm)
      : module_(std::move(module)),
        comm_(comm),
        rank_(table().rank(comm)),
        size_(table().size(comm)) {}
  ~MpiRank() override {
    if (!interrupted() && std::uncaught_exceptions() == 0) table().release(comm_);
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string_view transport() const override { return "MPI"; }

  void transfer(std::span<const Outgoing> out, std::span<const Incoming> in) override {
    std::vector<RackwrightMpiMessage> sent, taken;
    for (const Outgoing& each : out) {
      sent.push_back({each.to, const_cast<std::byte*>(each.bytes.data()), each.bytes.size()});
    }
    for (const Incoming& each : in) {
      taken.push_back({each.from, each.bytes.data(), each.bytes.size()});
    }
    check([&](char* text) {
      return table().transfer(comm_, sent.data(), static_cast<int>(sent.size()), taken.data(),
                              static_cast<int>(taken.size()), stop, text);
    });
  }
  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    void* group = nullptr;
    check([&](char* text) { return table().split(comm_, colour, &group, text); });
    return std::make_unique<MpiRank>(module_, group);
  }
  void barrier() override {
    check([&](char* text) { return table().barrier(comm_, stop, text); });
  }
  void broadcast(std::span<std::byte> bytes, int root) override {
    check([&](char* text) {
      return table().broadcast(comm_, bytes.data(), bytes.size(), root, stop, text);
    });
  }
  void all_reduce(std::span<float> values, Reduction reduction) override {
    check([&](char* text) {
      return table().all_reduce(comm_, values.data(), values.size(), reduction == Reduction::max,
                                stop, text);
    });
  }
  void all_gather(std::span<const std::byte> part, std::span<std::byte> all) override {
    check([&](char* text) {
      return table().all_gather(comm_, part.data(), part.size(), all.data(), stop, text);
    });
  }
  void reduce_scatter(std::span<const float> all, std::span<float> part) override {
    if (part.data() >= all.data() && part.data() < all.data() + all.size()) {
      std::vector<float> apart(part.size());  // MPI forbids a result inside what is sent
      reduce_scatter(all, apart);
      std::copy(apart.begin(), apart.end(), part.begin());
      return;
    }
    check([&](char* text) {
      return table().reduce_scatter(comm_, all.data(), part.data(), part.size(), stop, text);
    });
  }

 private:
  [[nodiscard]] const RackwrightMpi& table() const { return *module_->table; }

  template <class Call>
  void check(Call&& call) const {
    char text[RACKWRIGHT_MPI_TEXT] = "";
    const int code = call(text);
    if (code == RACKWRIGHT_MPI_STOPPED) throw Interrupted();
    if (code != 0) throw std::runtime_error(text);
  }

  std::shared_ptr<Module> module_;
  void* comm_;
  int rank_, size_;
};

}  // namespace

std::filesystem::path mpi_module_path() {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return executable.parent_path().parent_path() / "lib" / "rackwright" / "rackwright_mpi.so";
}

std::unique_ptr<Communicator> mpi_ranks(const std::filesystem::path& module) {
  if (!std::filesystem::exists(module)) {
    throw BackendUnavailable(fmt::format(
        "started by mpirun or srun, but there is no MPI module at {}: build with MPI (Debian and "
        "Ubuntu: apt install libopenmpi-dev), or use --gpus N on one machine",
        module.string()));
  }
  // Open MPI's own plug-ins look for its symbols in the global scope.
  void* handle = ::dlopen(module.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    throw BackendUnavailable(fmt::format("the MPI module does not open: {}", ::dlerror()));
  }
  const auto table_of =
      reinterpret_cast<RackwrightMpiTable>(::dlsym(handle, RACKWRIGHT_MPI_SYMBOL));
  const RackwrightMpi* table = table_of == nullptr ? nullptr : table_of();
  if (table == nullptr || table->abi != RACKWRIGHT_MPI_ABI) {
    throw BackendUnavailable(
        fmt::format("{} is of another version: rebuild it with this program", module.string()));
  }
  auto opened = std::make_shared<Module>();
  opened->table = table;
  char library[RACKWRIGHT_MPI_TEXT] = "", message[RACKWRIGHT_MPI_TEXT] = "";
  void* world = nullptr;
  if (table->start(&world, library, message) != 0) {
    throw BackendUnavailable(fmt::format("MPI does not start: {}", message));
  }
  opened->running = true;
  return std::make_unique<MpiRank>(opened, world);
}

}  // namespace rackwright::launch
