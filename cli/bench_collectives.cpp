#include "cli/bench_collectives.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/backend_choice.hpp"
#include "cli/collective_report.hpp"
#include "cli/option_values.hpp"
#include "cli/profile_ranks.hpp"
#include "common/input_error.hpp"
#include "common/launch/launch.hpp"
#include "common/output_file.hpp"
#include "kernels/nccl/nccl_collectives.hpp"
#include "profiler/rank_clock.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;

namespace {

using kernels::CollectiveOp;

/// "8", "4K", "256M", "1G": powers of 1024, as nccl-tests reads them.
std::size_t parse_size(const std::string& text, std::string_view option) {
  const auto wrong = [&] {
    return InputError(InputProblem{"", 0, std::string(option),
                                   "a number of bytes such as 8, 4K, 256M or 1G",
                                   fmt::format("\"{}\"", text)});
  };
  if (text.empty()) throw wrong();
  std::string digits = text;
  int shift = 0;
  if (const auto unit = std::string_view("KMG").find(text.back()); unit != std::string::npos) {
    shift = 10 * (static_cast<int>(unit) + 1);
    digits.pop_back();
  }
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos ||
      digits.size() > 12) {
    throw wrong();
  }
  const std::size_t size = static_cast<std::size_t>(std::stoull(digits)) << shift;
  if (size == 0 || size > (std::size_t{64} << 30)) throw wrong();
  return size;
}

std::vector<RankPlace> places(launch::Communicator& ranks, const std::string& device) {
  const auto hosts = ranks.gather_texts(launch::host_name());
  const auto devices = ranks.gather_texts(device);
  const auto pids = ranks.gather_numbers(static_cast<double>(::getpid()));
  std::vector<RankPlace> all;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    all.push_back({static_cast<int>(i), static_cast<int>(pids[i]), hosts[i], devices[i]});
  }
  return all;
}

std::string op_names() {
  std::string names;
  for (int i = 0; i < kernels::kCollectiveOps; ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", to_string(static_cast<CollectiveOp>(i)));
  }
  return names;
}

std::string forecast_note(const std::vector<topology::CollectiveForecast>& forecasts,
                          CollectiveOp op) {
  if (forecasts.empty()) {
    return "# expected: blank, no topology is stated (--device, --design)\n";
  }
  std::string text = "# expected, at the largest size:\n";
  for (const auto& reason : forecasts.back().reasons) text += fmt::format("#   {}\n", reason);
  if (forecasts.front().exchange_s || forecasts.back().exchange_s) {
    text += fmt::format("# {} is a plain exchange; engines use DeepEP, modelled beside it\n",
                        to_string(op));
  }
  return text;
}

}  // namespace

void BenchCollectives::add_options(CLI::App& app) {
  app.add_option("--op", ops_, "Operations, or all: " + op_names() + " (all_reduce)")
      ->type_name("LIST");
  app.add_option("-b", from_, "First size (8)")->type_name("BYTES");
  app.add_option("-e", to_, "Last size (64M)")->type_name("BYTES");
  app.add_option("-f", factor_, "Factor between sizes (2)");
  app.add_option("-n", repeats_, "Calls that are timed (20)");
  app.add_option("-w", warm_up_, "Calls before them (5)");
  app.add_option("-c", check_, "Compare every element with a reference: 0 or 1 (1)");
  app.add_option("--backend", backend_, "host or cuda (host)")->type_name("B");
  app.add_option("--buffers", buffers_,
                 "With cuda: plain, symmetric (NCCL windows) or engine (own all-reduce over peer "
                 "memory, as engines have up to 1 MiB) (plain)");
  app.add_flag("--graph", graph_, "With cuda: capture the timed calls into one CUDA graph");
  app.add_option("--gpus", gpus_, "Ranks on this machine, without MPI (1)")->type_name("N");
  app.add_option("--device", topology_.device, "GPU that the expected value is of")
      ->type_name("ID");
  app.add_option("--design", topology_.design, "Fabric that the ranks are on: id or file")
      ->type_name("ID");
  app.add_option("--domain", domain_, "GPUs that share NVLink (of the design, else 8)")
      ->type_name("N");
  app.add_option("--moe-model", topology_.moe_model, "Model whose tokens an exchange moves")
      ->capture_default_str()
      ->type_name("ID");
  app.add_option("--json", json_, "Write what nccl-tests -J writes; a file for each operation")
      ->type_name("FILE");
}

kernels::CollectiveSweep BenchCollectives::sweep() const {
  kernels::CollectiveSweep sweep;
  sweep.from = parse_size(from_, "-b");
  sweep.to = parse_size(to_, "-e");
  sweep.factor = parse_positive(factor_, "-f");
  sweep.repeats = static_cast<int>(parse_count(repeats_, "-n", 1));
  sweep.warm_up = static_cast<int>(parse_count(warm_up_, "-w"));
  sweep.check = parse_count(check_, "-c") != 0;
  if (sweep.to < sweep.from) {
    throw InputError(InputProblem{"", 0, "-e", fmt::format("at least the first size, {}", from_),
                                  fmt::format("\"{}\"", to_)});
  }
  if (buffers_ == "engine") {
    if (sweep.from > RACKWRIGHT_PEER_BYTES) {
      throw InputError(InputProblem{"", 0, "-b", "at most 1M with --buffers engine",
                                    fmt::format("\"{}\"", from_)});
    }
    sweep.to = std::min<std::size_t>(sweep.to, RACKWRIGHT_PEER_BYTES);
  }
  if (!(sweep.factor > 1)) {
    throw InputError(InputProblem{"", 0, "-f", "a factor above 1", factor_});
  }
  return sweep;
}

std::vector<CollectiveOp> BenchCollectives::ops() const {
  std::vector<CollectiveOp> chosen;
  if (ops_ == "all") {
    for (int i = 0; i < kernels::kCollectiveOps; ++i)
      chosen.push_back(static_cast<CollectiveOp>(i));
    return chosen;
  }
  for (const std::string& name : parse_list(ops_, "--op")) {
    const auto op = kernels::collective_op(name);
    if (!op) {
      throw InputError(
          InputProblem{"", 0, "--op", "all or of " + op_names(), fmt::format("\"{}\"", name)});
    }
    chosen.push_back(*op);
  }
  return chosen;
}

workloads::AllReduceKind BenchCollectives::all_reduce_kind() const {
  if (buffers_ == "plain") return workloads::AllReduceKind::nccl;
  if (buffers_ == "symmetric") return workloads::AllReduceKind::nccl_symmetric;
  if (buffers_ != "engine") {
    throw InputError(InputProblem{"", 0, "--buffers", "plain, symmetric or engine",
                                  fmt::format("\"{}\"", buffers_)});
  }
  for (const CollectiveOp op : ops()) {
    if (op == CollectiveOp::all_reduce) continue;
    throw InputError(InputProblem{"", 0, "--op", "all_reduce with --buffers engine",
                                  fmt::format("\"{}\"", to_string(op))});
  }
  return workloads::AllReduceKind::engine;
}

void BenchCollectives::write_json(const nlohmann::ordered_json& json, CollectiveOp op) const {
  fs::path path = json_;
  if (ops().size() > 1) {
    path.replace_filename(
        fmt::format("{}-{}{}", path.stem().string(), to_string(op), path.extension().string()));
  }
  write_file(path, json.dump(2) + "\n");
}

int BenchCollectives::run_ops(CommandContext& context, launch::Communicator& ranks,
                              kernels::Collectives& collectives,
                              const topology::Forecaster& forecaster) const {
  const auto options = sweep();
  const auto list = places(ranks, collectives.device());
  std::size_t wrong = 0;
  for (const CollectiveOp op : ops()) {
    std::vector<kernels::CollectiveRow> rows;
    std::vector<topology::CollectiveForecast> forecasts;
    for (const std::size_t size : kernels::sweep_sizes(options)) {
      auto row = kernels::bench_collective(collectives, ranks, op, size, options);
      if (!row) continue;
      wrong += row->out_of_place.wrong.value_or(0);
      if (row->in_place) wrong += row->in_place->wrong.value_or(0);
      if (forecaster) forecasts.push_back(forecaster(*row));
      rows.push_back(std::move(*row));
    }
    if (ranks.rank() != 0) continue;
    context.out << collective_table(rows, list, collectives.name(), options, forecasts);
    if (buffers_ == "engine" && parse_size(to_, "-e") > options.to) {
      context.out << fmt::format("# beyond {} B engines leave it to NCCL: --buffers plain\n",
                                 options.to);
    }
    if (!rows.empty()) context.out << forecast_note(forecasts, op) << '\n';
    if (!json_.empty()) write_json(collective_json(rows, list, collectives.name(), options), op);
  }
  if (wrong > 0 && ranks.rank() == 0) {
    context.err << fmt::format("rackwright: {} elements are wrong\n", wrong);
  }
  return wrong > 0 ? kFinding : kFine;
}

int BenchCollectives::run(CommandContext& context) {
  (void)sweep();
  (void)ops();
  topology::StatedTopology stated = topology_;
  stated.domain = static_cast<int>(parse_count(domain_, "--domain"));
  const int gpus = parse_ranks(gpus_);
  if (backend_ != "host" && backend_ != "cuda") {
    throw InputError(
        InputProblem{"", 0, "--backend", "host or cuda", fmt::format("\"{}\"", backend_)});
  }
  stated.all_reduce = all_reduce_kind();
  if (backend_ == "host" && (buffers_ != "plain" || graph_)) {
    throw InputError(
        InputProblem{"", 0, "--backend", "cuda with --buffers or --graph", "\"host\""});
  }
  if (buffers_ == "engine" && gpus > RACKWRIGHT_PEER_RANKS) {
    throw InputError(InputProblem{
        "", 0, "--gpus", fmt::format("2 to {} with --buffers engine", RACKWRIGHT_PEER_RANKS),
        std::to_string(gpus)});
  }
  if (gpus > 1 && launch::starter() == launch::Starter::nobody) {
    // What is wrong is said once, not by each rank.
    (void)topology::make_forecaster(stated, gpus, context.data);
    if (backend_ == "cuda") (void)choose_backend(backend_, {"cuda", "host"}, "host");
    const auto result = launch::run_local_ranks(gpus);
    if (!result.failure.empty()) context.err << "rackwright: " << result.failure << '\n';
    return result.code > 128 ? kIncomplete : result.code;
  }
  try {
    return run_joined(context, stated);
  } catch (const kernels::NcclFailure& failure) {
    context.err << fmt::format("rackwright: {}; all ranks abort\n", failure.what());
    return kIncomplete;
  }
}

int BenchCollectives::run_joined(CommandContext& context,
                                 const topology::StatedTopology& stated) const {
  const auto ranks = launch::join();
  const auto forecaster = topology::make_forecaster(stated, ranks->size(), context.data);
  if (backend_ == "host") {
    return run_ops(context, *ranks, *kernels::host_collectives(*ranks), forecaster);
  }
  const auto& nccl = kernels::open_nccl(kernels::nccl_module_path());
  char name[RACKWRIGHT_NCCL_TEXT] = "", message[RACKWRIGHT_NCCL_TEXT] = "";
  if (nccl.open(profiler::place_on_host(*ranks), name, message) != 0)
    throw BackendUnavailable(message);
  kernels::NcclOptions options;
  options.graph = graph_;
  if (buffers_ == "symmetric") options.buffers = kernels::NcclBuffers::symmetric;
  if (buffers_ == "engine") options.buffers = kernels::NcclBuffers::engine;
  return run_ops(context, *ranks, *kernels::nccl_collectives(nccl, *ranks, name, options),
                 forecaster);
}

}  // namespace rackwright::cli
