#include "common/launch/communicator.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace rackwright::launch {

namespace {

template <class T>
std::span<const std::byte> bytes_of(std::span<const T> values) {
  return std::as_bytes(values);
}

/// Piece `index` of `count` elements dealt to `parts` as evenly as can be.
struct Piece {
  std::size_t begin, length;
};
Piece piece(std::size_t count, int parts, int index) {
  const auto n = static_cast<std::size_t>(parts);
  const auto i = static_cast<std::size_t>(index);
  const std::size_t begin = count * i / n;
  return {begin, count * (i + 1) / n - begin};
}

void combine(std::span<float> into, std::span<const float> from, Reduction reduction) {
  if (reduction == Reduction::sum) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] += from[i];
  } else {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = std::max(into[i], from[i]);
  }
}

int wrapped(int rank, int size) {
  return (rank % size + size) % size;
}

class Serial final : public Communicator {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }
  [[nodiscard]] std::string_view transport() const override { return "serial"; }
  void transfer(std::span<const Outgoing> out, std::span<const Incoming> in) override {
    for (std::size_t i = 0; i < out.size() && i < in.size(); ++i) {
      std::copy(out[i].bytes.begin(), out[i].bytes.end(), in[i].bytes.begin());
    }
  }
  [[nodiscard]] std::unique_ptr<Communicator> split(int) override {
    return std::make_unique<Serial>();
  }
};

class Group final : public Communicator {
 public:
  Group(Communicator& parent, std::vector<int> members)
      : parent_(parent), members_(std::move(members)) {
    const auto at = std::find(members_.begin(), members_.end(), parent.rank());
    if (at == members_.end()) throw std::logic_error("a group without the rank that makes it");
    rank_ = static_cast<int>(at - members_.begin());
  }
  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return static_cast<int>(members_.size()); }
  [[nodiscard]] std::string_view transport() const override { return parent_.transport(); }
  void transfer(std::span<const Outgoing> out, std::span<const Incoming> in) override {
    std::vector<Outgoing> outgoing(out.begin(), out.end());
    std::vector<Incoming> incoming(in.begin(), in.end());
    for (Outgoing& message : outgoing) message.to = member(message.to);
    for (Incoming& message : incoming) message.from = member(message.from);
    parent_.transfer(outgoing, incoming);
  }
  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    std::vector<int> members = members_of_colour(*this, colour);
    for (int& each : members) each = member(each);
    return std::make_unique<Group>(parent_, std::move(members));
  }

 private:
  [[nodiscard]] int member(int rank) const { return members_.at(static_cast<std::size_t>(rank)); }

  Communicator& parent_;
  std::vector<int> members_;
  int rank_ = 0;
};

}  // namespace

void Communicator::send(std::span<const std::byte> bytes, int to) {
  const Outgoing out{to, bytes};
  transfer({&out, 1}, {});
}

void Communicator::receive(std::span<std::byte> bytes, int from) {
  const Incoming in{from, bytes};
  transfer({}, {&in, 1});
}

void Communicator::barrier() {
  // Dissemination: after step k everybody has heard of 2^k ranks before it.
  for (int distance = 1; distance < size(); distance *= 2) {
    std::byte token{}, heard{};
    const Outgoing out{wrapped(rank() + distance, size()), {&token, 1}};
    const Incoming in{wrapped(rank() - distance, size()), {&heard, 1}};
    transfer({&out, 1}, {&in, 1});
  }
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) {
  if (bytes.empty()) return;
  const int place = wrapped(rank() - root, size());
  const auto real = [&](int at) { return wrapped(at + root, size()); };
  int step = 1;
  while (step < size() && (place & step) == 0) step *= 2;
  if (place != 0) receive(bytes, real(place - step));
  for (step /= 2; step > 0; step /= 2) {
    if (place + step < size()) send(bytes, real(place + step));
  }
}

void Communicator::all_reduce(std::span<float> values, Reduction reduction) {
  const int n = size();
  std::vector<float> arrived(values.size() / static_cast<std::size_t>(n) + 1);
  const auto round = [&](int sent, int taken, bool adds) {
    const Piece out = piece(values.size(), n, wrapped(sent, n));
    const Piece in = piece(values.size(), n, wrapped(taken, n));
    const std::span<float> target = adds ? std::span<float>(arrived).first(in.length)
                                         : values.subspan(in.begin, in.length);
    const Outgoing outgoing{wrapped(rank() + 1, n),
                            bytes_of<float>(values.subspan(out.begin, out.length))};
    const Incoming incoming{wrapped(rank() - 1, n), std::as_writable_bytes(target)};
    transfer({&outgoing, 1}, {&incoming, 1});
    if (adds) combine(values.subspan(in.begin, in.length), target, reduction);
  };
  for (int i = 0; i < n - 1; ++i) round(rank() - i, rank() - i - 1, true);
  for (int i = 0; i < n - 1; ++i) round(rank() + 1 - i, rank() - i, false);
}

void Communicator::all_gather(std::span<const std::byte> part, std::span<std::byte> all) {
  const int n = size();
  const std::size_t length = part.size();
  const auto at = [&](int place) {
    return all.subspan(static_cast<std::size_t>(wrapped(place, n)) * length, length);
  };
  if (length > 0) std::memmove(at(rank()).data(), part.data(), length);
  for (int i = 0; i < n - 1; ++i) {
    const Outgoing out{wrapped(rank() + 1, n), at(rank() - i)};
    const Incoming in{wrapped(rank() - 1, n), at(rank() - i - 1)};
    transfer({&out, 1}, {&in, 1});
  }
}

void Communicator::reduce_scatter(std::span<const float> all, std::span<float> part) {
  const int n = size();
  const std::size_t length = part.size();
  const auto at = [&](int place) {
    return all.subspan(static_cast<std::size_t>(wrapped(place, n)) * length, length);
  };
  // The piece of rank r starts at r + 1 and comes home after n - 1 steps.
  const auto first = at(rank() - 1);
  std::vector<float> sum(first.begin(), first.end()), arrived(length);
  for (int i = 0; i < n - 1; ++i) {
    const Outgoing out{wrapped(rank() + 1, n), std::as_bytes(std::span<const float>(sum))};
    const Incoming in{wrapped(rank() - 1, n), std::as_writable_bytes(std::span<float>(arrived))};
    transfer({&out, 1}, {&in, 1});
    const auto own = at(rank() - 2 - i);
    std::copy(own.begin(), own.end(), sum.begin());
    combine(sum, arrived, Reduction::sum);
  }
  std::copy(sum.begin(), sum.end(), part.begin());
}

void Communicator::all_to_all(std::span<const std::byte> out, std::span<const std::size_t> sent,
                              std::span<std::byte> in, std::span<const std::size_t> taken) {
  std::vector<Outgoing> outgoing;
  std::vector<Incoming> incoming;
  std::size_t out_at = 0, in_at = 0;
  for (int peer = 0; peer < size(); ++peer) {
    const std::size_t gives = sent[static_cast<std::size_t>(peer)];
    const std::size_t takes = taken[static_cast<std::size_t>(peer)];
    if (peer == rank()) {
      if (gives > 0) std::memmove(in.data() + in_at, out.data() + out_at, gives);
    } else {
      if (gives > 0) outgoing.push_back({peer, out.subspan(out_at, gives)});
      if (takes > 0) incoming.push_back({peer, in.subspan(in_at, takes)});
    }
    out_at += gives;
    in_at += takes;
  }
  transfer(outgoing, incoming);
}

double Communicator::max_of(double value) {
  const auto all = gather_numbers(value);
  return *std::max_element(all.begin(), all.end());
}

std::vector<double> Communicator::gather_numbers(double value) {
  std::vector<double> all(static_cast<std::size_t>(size()));
  all_gather(std::as_bytes(std::span<const double>(&value, 1)),
             std::as_writable_bytes(std::span<double>(all)));
  return all;
}

std::vector<std::string> Communicator::gather_texts(const std::string& text) {
  const auto lengths = gather_numbers(static_cast<double>(text.size()));
  std::vector<std::string> texts(lengths.size());
  for (int root = 0; root < size(); ++root) {
    auto& one = texts[static_cast<std::size_t>(root)];
    one = root == rank() ? text
                         : std::string(static_cast<std::size_t>(
                                           lengths[static_cast<std::size_t>(root)]), '\0');
    broadcast(std::as_writable_bytes(std::span<char>(one)), root);
  }
  return texts;
}

double Communicator::decided(double value) {
  broadcast(std::as_writable_bytes(std::span<double>(&value, 1)), 0);
  return value;
}

std::unique_ptr<Communicator> serial() {
  return std::make_unique<Serial>();
}

std::unique_ptr<Communicator> group_of(Communicator& parent, std::vector<int> members) {
  return std::make_unique<Group>(parent, std::move(members));
}

std::vector<int> members_of_colour(Communicator& parent, int colour) {
  const auto colours = parent.gather_numbers(colour);
  std::vector<int> members;
  for (std::size_t i = 0; i < colours.size(); ++i) {
    if (static_cast<int>(colours[i]) == colour) members.push_back(static_cast<int>(i));
  }
  return members;
}

}  // namespace rackwright::launch
