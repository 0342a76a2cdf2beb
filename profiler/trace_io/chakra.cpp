#include "profiler/trace_io/chakra.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <ostream>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::profiler {

namespace {

/// Fields of a protocol buffer message, in the order they are put.
class WireWriter {
 public:
  WireWriter& number(std::uint32_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
    return *this;
  }
  WireWriter& text(std::uint32_t field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  WireWriter& numbers(std::uint32_t field, const std::vector<std::uint64_t>& values) {
    if (values.empty()) return *this;
    WireWriter packed;
    for (const std::uint64_t value : values) packed.varint(value);
    return text(field, packed.bytes_);
  }
  void varint(std::uint64_t value) {
    for (; value > 0x7f; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
    bytes_ += static_cast<char>(value);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

enum OutputType : std::uint64_t {
  kCompNode = 4,
  kCommSendNode = 5,
  kCommRecvNode = 6,
  kCommCollNode = 7
};
enum CommType : std::uint64_t {
  kCommAllReduce = 0,
  kCommReduce = 1,
  kCommAllGather = 2,
  kCommBroadcast = 5,
  kCommAllToAll = 6,
  kCommReduceScatter = 7
};
/// Fields of AttributeProto's `value`.
enum ValueField : std::uint32_t {
  kInt32Field = 7,
  kInt64Field = 9,
  kUint64Field = 13,
  kBoolField = 27,
  kStringField = 29
};

void put_message(std::ostream& out, const WireWriter& message) {
  WireWriter size;
  size.varint(message.bytes().size());
  out << size.bytes() << message.bytes();
}

struct OutputNode {
  std::uint64_t id = 0;
  std::string name;
  OutputType type = kCompNode;
  std::vector<std::uint64_t> after;
  std::uint64_t start_us = 0, duration_us = 0;
  bool on_host = false;
  WireWriter attributes{};

  void number(std::string_view key, ValueField field, std::uint64_t value) {
    attributes.text(10, WireWriter().text(1, key).number(field, value).bytes());
  }
  void text(std::string_view key, std::string_view value) {
    attributes.text(10, WireWriter().text(1, key).text(kStringField, value).bytes());
  }
};

void put_metadata(std::ostream& out, std::string_view made_from) {
  WireWriter message;
  message.text(1, "0.0.4");
  message.text(2, WireWriter().text(1, "made_from").text(kStringField, made_from).bytes());
  put_message(out, message);
}

void put_node(std::ostream& out, OutputNode node) {
  node.number("is_cpu_op", kBoolField, node.on_host ? 1 : 0);
  WireWriter message;
  message.number(1, node.id).text(2, node.name).number(3, node.type).numbers(5, node.after);
  message.number(6, node.start_us).number(7, node.duration_us);
  std::string bytes = message.bytes() + node.attributes.bytes();
  WireWriter size;
  size.varint(bytes.size());
  out << size.bytes() << bytes;
}

std::uint64_t whole_number(double value) {
  return static_cast<std::uint64_t>(std::llround(std::max(0.0, value)));
}

CommType comm_type(workloads::CollectiveKind kind) {
  switch (kind) {
    case workloads::CollectiveKind::all_gather:
      return kCommAllGather;
    case workloads::CollectiveKind::reduce_scatter:
      return kCommReduceScatter;
    case workloads::CollectiveKind::all_to_all:
      return kCommAllToAll;
    default:
      return kCommAllReduce;
  }
}

/// What a rank puts in: of an all-gather its own part, of the others the full buffer.
double input_bytes(const workloads::CollectiveShape& shape) {
  const bool gathers = shape.kind == workloads::CollectiveKind::all_gather;
  return gathers ? shape.bytes / std::max(1, shape.ranks) : shape.bytes;
}

/// Where the operators of a step change stage: [0, body) are of the first, [body, send) the layers,
/// [head, host) of the last; what is of the host comes once a step.
struct StageCuts {
  std::size_t body = 0, send = 0, head = 0, host = 0;
};

StageCuts cuts_of(const std::vector<workloads::Operator>& operators) {
  StageCuts cuts;
  cuts.send = cuts.head = cuts.host = operators.size();
  while (cuts.host > 0 && operators[cuts.host - 1].op_class == workloads::OperatorClass::host) {
    --cuts.host;
  }
  cuts.send = cuts.head = cuts.host;
  for (std::size_t i = 0; i < cuts.host; ++i) {
    const auto* shape = std::get_if<workloads::CollectiveShape>(&operators[i].shape);
    if (operators[i].name.starts_with("embedding")) cuts.body = i + 1;
    if (shape != nullptr && shape->kind == workloads::CollectiveKind::send_recv) {
      cuts.send = i;
      cuts.head = i + 1;
    }
  }
  return cuts;
}

/// Rows of the LM head: tokens that a micro-batch samples.
double sampled_tokens(const std::vector<workloads::Operator>& operators) {
  for (const workloads::Operator& op : operators) {
    const auto* shape = std::get_if<workloads::GemmShape>(&op.shape);
    if (shape != nullptr && op.name == "lm_head") return shape->m;
  }
  return 0;
}

/// Writes the steps of one rank node by node.
class StepWriter {
 public:
  StepWriter(const workloads::ServingPlan& plan, int rank, std::ostream& out, ChakraGroups& groups)
      : ranks_(plan.gpus()),
        stages_(plan.pp),
        width_(plan.gpus() / plan.pp),
        rank_(rank),
        out_(out),
        groups_(groups) {}

  void step(const TimedStep& step) {
    const auto& operators = step.graph.operators;
    const StageCuts cuts = cuts_of(operators);
    const bool first = rank_ < width_, last = rank_ >= ranks_ - width_;
    const bool handed_on = stages_ > 1 && cuts.send < cuts.head;
    const double sampled = sampled_tokens(operators);
    for (int batch = 0; batch < stages_; ++batch) {
      if (first) {
        if (fed_back_ > 0) receive("sampled_tokens", rank_ + ranks_ - width_, batch, fed_back_);
        run(step, 0, cuts.body);
      } else if (handed_on) {
        receive("stage_receive", rank_ - width_, batch, sent_bytes(operators[cuts.send]));
      }
      run(step, cuts.body, cuts.send);
      if (!last && handed_on) {
        send("stage_send", rank_ + width_, batch, sent_bytes(operators[cuts.send]),
             step.timing.operators[cuts.send].seconds / operators[cuts.send].repeat);
      }
      if (!last) continue;
      run(step, cuts.head, cuts.host);
      if (stages_ > 1 && sampled > 0) {
        send("sampled_tokens", rank_ % width_, batch, kTokenBytes * sampled, 0);
      }
    }
    fed_back_ = stages_ > 1 ? kTokenBytes * sampled : 0;
    for (std::size_t i = cuts.host; i < operators.size(); ++i) {
      put(operators[i], step.timing.operators[i].seconds);
    }
    if (step.timing.launch_s > 0) {
      finish({.name = "launch", .on_host = true}, step.timing.launch_s);
    }
  }

 private:
  static constexpr double kTokenBytes = 4;  ///< an int32 token id

  static double sent_bytes(const workloads::Operator& op) {
    return std::get<workloads::CollectiveShape>(op.shape).bytes;
  }

  /// One micro-batch's share of the operators, layer by layer.
  void run(const TimedStep& step, std::size_t begin, std::size_t stop) {
    const auto& operators = step.graph.operators;
    while (begin < stop) {
      std::size_t end = begin + 1;
      while (end < stop && operators[end].repeat == operators[begin].repeat) ++end;
      const auto layers = operators[begin].repeat / static_cast<std::uint32_t>(stages_);
      for (std::uint32_t layer = 0; layer < layers; ++layer) {
        for (std::size_t i = begin; i < end; ++i) {
          put(operators[i], step.timing.operators[i].seconds / operators[i].repeat);
        }
      }
      begin = end;
    }
  }

  void put(const workloads::Operator& op, double seconds) {
    OutputNode node{.name = std::string(op.name)};
    const auto work = work_of(op);
    if (const auto* shape = std::get_if<workloads::CollectiveShape>(&op.shape)) {
      node.type = kCommCollNode;
      node.number("comm_type", kInt64Field, comm_type(shape->kind));
      node.number("comm_size", kInt64Field, whole_number(input_bytes(*shape)));
      node.text("pg_name", group_of(shape->ranks));
    } else if (op.op_class == workloads::OperatorClass::host) {
      node.on_host = true;
    } else {
      node.number("num_ops", kInt64Field, std::max<std::uint64_t>(1, whole_number(work.flops)));
      node.number("tensor_size", kUint64Field, whole_number(work.memory_bytes));
    }
    finish(std::move(node), seconds);
  }

  OutputNode transfer(std::string name, OutputType type, int from, int to, int tag, double bytes) {
    OutputNode node{.name = std::move(name), .type = type};
    node.number("comm_size", kInt64Field, whole_number(bytes));
    node.number("comm_src", kInt32Field, static_cast<std::uint64_t>(from));
    node.number("comm_dst", kInt32Field, static_cast<std::uint64_t>(to));
    node.number("comm_tag", kInt32Field, static_cast<std::uint64_t>(tag));
    return node;
  }

  /// What is computed next waits for it and for what was computed before.
  void receive(std::string name, int from, int tag, double bytes) {
    OutputNode node = transfer(std::move(name), kCommRecvNode, from, rank_, tag, bytes);
    node.id = next_++;
    if (received_) node.after = {*received_};
    node.start_us = whole_number(at_s_ * 1e6);
    received_ = node.id;
    waits_for_.push_back(node.id);
    put_node(out_, std::move(node));
  }

  /// Nothing here waits for it.
  void send(std::string name, int to, int tag, double bytes, double seconds) {
    OutputNode node = transfer(std::move(name), kCommSendNode, rank_, to, tag, bytes);
    node.id = next_++;
    node.after = waits_for_;
    node.start_us = whole_number(at_s_ * 1e6);
    node.duration_us = whole_number(seconds * 1e6);
    put_node(out_, std::move(node));
  }

  /// Operators follow each other in the order of the graph: each waits for the one before it.
  void finish(OutputNode node, double seconds) {
    node.id = next_++;
    node.after = std::exchange(waits_for_, {node.id});
    node.start_us = whole_number(at_s_ * 1e6);
    at_s_ += seconds;
    node.duration_us = whole_number(at_s_ * 1e6) - node.start_us;
    put_node(out_, std::move(node));
  }

  /// The block of `size` neighbours that holds this rank.
  std::string group_of(int size) {
    size = std::clamp(size, 1, ranks_);
    const int first = rank_ / size * size;
    const std::string name = std::to_string(size * 100000 + first);
    auto& members = groups_[name];
    if (members.empty()) {
      for (int r = first; r < std::min(first + size, ranks_); ++r) members.push_back(r);
    }
    return name;
  }

  int ranks_, stages_, width_, rank_;  ///< width_: ranks of a stage
  std::ostream& out_;
  ChakraGroups& groups_;
  std::uint64_t next_ = 0;
  std::vector<std::uint64_t> waits_for_;   ///< nodes that the next one waits for
  std::optional<std::uint64_t> received_;  ///< receives follow each other
  double fed_back_ = 0;                    ///< bytes of the last step's tokens, a micro-batch
  double at_s_ = 0;
};

/// What a kernel's name says of the collective it is.
CommType comm_type(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
  if (has("allgather") || has("all_gather")) return kCommAllGather;
  if (has("reducescatter") || has("reduce_scatter")) return kCommReduceScatter;
  if (has("alltoall") || has("all_to_all") || has("sendrecv")) return kCommAllToAll;
  if (has("broadcast")) return kCommBroadcast;
  return has("kernel_reduce") ? kCommReduce : kCommAllReduce;
}

bool runs_on_gpu(const Event& event) {
  return event.kind == EventKind::kernel || event.kind == EventKind::collective ||
         event.kind == EventKind::copy;
}

/// The last node of each stream, for dependencies.
struct LastOfStream {
  std::uint64_t id = 0;
  double end_s = 0;
};

}  // namespace

void write_chakra(const std::vector<TimedStep>& steps, const workloads::ServingPlan& plan, int rank,
                  std::ostream& out, ChakraGroups& groups) {
  put_metadata(out, "steps of a replayed workload; equal work on every rank of a stage");
  StepWriter writer(plan, rank, out, groups);
  for (const TimedStep& step : steps) writer.step(step);
}

void write_chakra(const Recording& recording, int gpu, std::ostream& out) {
  put_metadata(out, "kernels of one GPU; dependencies are those of its streams' order");
  std::map<std::uint32_t, LastOfStream> streams;
  std::uint64_t next = 0;
  for (const Event& event : recording.events) {
    if (!runs_on_gpu(event) || recording.tracks[event.track].gpu != gpu) continue;
    OutputNode node{.id = next++, .name = recording.names[event.name]};
    for (const auto& [stream, last] : streams) {
      if (stream == event.track || last.end_s <= event.start_s) node.after.push_back(last.id);
    }
    if (event.kind == EventKind::collective) {
      node.type = kCommCollNode;
      node.number("comm_type", kInt64Field, comm_type(node.name));
      node.number("comm_size", kInt64Field, whole_number(event.bytes));
    } else if (event.bytes >= 0) {
      node.number("tensor_size", kUint64Field, whole_number(event.bytes));
    }
    node.start_us = whole_number(event.start_s * 1e6);
    node.duration_us = whole_number((event.start_s + event.duration_s) * 1e6) - node.start_us;
    streams[event.track] = {node.id, event.start_s + event.duration_s};
    put_node(out, std::move(node));
  }
  if (next == 0) {
    throw InputError(InputProblem{"", 0, "events", fmt::format("kernels of GPU {}", gpu), "none"});
  }
}

}  // namespace rackwright::profiler
