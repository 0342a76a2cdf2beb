#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rackwright::launch {

struct Outgoing {
  int to = 0;
  std::span<const std::byte> bytes;
};
struct Incoming {
  int from = 0;
  std::span<std::byte> bytes;
};

enum class Reduction { sum, max };

/// Ranks that work together. Every collective call is made by all of them, in the same order and
/// with agreeing sizes. Each call that waits throws Interrupted after SIGINT or SIGTERM, so that a
/// rank whose peer has died can keep what it has.
class Communicator {
 public:
  Communicator() = default;
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// Who moves the bytes: "serial", "shared memory", "MPI".
  [[nodiscard]] virtual std::string_view transport() const = 0;
  /// All of them at once; returns when all are done. Messages of one pair keep their order. Empty
  /// ones are left out on both sides.
  virtual void transfer(std::span<const Outgoing> out, std::span<const Incoming> in) = 0;
  /// Ranks of one colour make a group, in the order of their ranks here.
  [[nodiscard]] virtual std::unique_ptr<Communicator> split(int colour) = 0;

  void send(std::span<const std::byte> bytes, int to);
  void receive(std::span<std::byte> bytes, int from);

  virtual void barrier();
  /// From `root` to all, by a binomial tree.
  virtual void broadcast(std::span<std::byte> bytes, int root);
  /// In place over all ranks: reduce-scatter and all-gather on a ring.
  virtual void all_reduce(std::span<float> values, Reduction reduction);
  /// Every rank's `part` in order of ranks; `all` is size() times as long. Ring.
  virtual void all_gather(std::span<const std::byte> part, std::span<std::byte> all);
  /// Sum over ranks of the `part`-long piece of `all` that stands at this rank. Ring.
  virtual void reduce_scatter(std::span<const float> all, std::span<float> part);
  /// Sends `sent[r]` bytes to rank r and takes `taken[r]` from it; pieces follow each other in the
  /// buffers. Both sides state the same number; zeros are left out.
  virtual void all_to_all(std::span<const std::byte> out, std::span<const std::size_t> sent,
                          std::span<std::byte> in, std::span<const std::size_t> taken);

  /// Largest of one number over all ranks, the same bits on every rank.
  [[nodiscard]] double max_of(double value);
  /// One number of each rank, on every rank.
  [[nodiscard]] std::vector<double> gather_numbers(double value);
  /// A text of each rank, on every rank.
  [[nodiscard]] std::vector<std::string> gather_texts(const std::string& text);
  /// What rank 0 decided.
  [[nodiscard]] double decided(double value);
};

/// One rank alone.
[[nodiscard]] std::unique_ptr<Communicator> serial();

/// Some ranks of another communicator, over its transfers. `members` are its ranks, ascending, this
/// one among them. Keeps a reference.
[[nodiscard]] std::unique_ptr<Communicator> group_of(Communicator& parent,
                                                     std::vector<int> members);

/// Ranks of `parent` with this rank's colour; a call of all ranks.
[[nodiscard]] std::vector<int> members_of_colour(Communicator& parent, int colour);

}  // namespace rackwright::launch
