#include "cli/fabric_command.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <ostream>

#include <fmt/format.h>

#include "cli/fabric_text.hpp"
#include "cli/option_values.hpp"
#include "common/input_error.hpp"
#include "kernels/analytical/device_profile.hpp"

namespace rackwright::cli {

namespace {

using workloads::CollectiveKind;

int count_option(const std::string& text, const char* option, std::uint64_t min = 1) {
  const auto value = parse_count(text, option, min);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    throw InputError(InputProblem{"", 0, option, "a smaller number", text});
  }
  return static_cast<int>(value);
}

/// "1GiB", "512MiB", "8kB", "4096": bytes; G is 10^9, Gi is 2^30.
double parse_bytes(const std::string& text) {
  const auto split = text.find_first_not_of("0123456789.");
  const std::string number = text.substr(0, split);
  std::string unit = split == std::string::npos ? "" : text.substr(split);
  if (!unit.empty() && unit.back() == 'B') unit.pop_back();
  constexpr std::pair<const char*, double> kUnits[] = {
      {"", 1},         {"k", 1e3},      {"M", 1e6},     {"G", 1e9},
      {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name && !number.empty()) return parse_positive(number, "--size") * factor;
  }
  throw InputError(
      InputProblem{"", 0, "--size", "bytes, as 1GiB, 512MB or 4096", fmt::format("\"{}\"", text)});
}

CollectiveKind parse_kind(const std::string& text) {
  for (const auto kind :
       {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter,
        CollectiveKind::all_to_all, CollectiveKind::send_recv}) {
    if (text == workloads::to_string(kind)) return kind;
  }
  throw InputError(InputProblem{"", 0, "--collective",
                                "all_reduce, all_gather, reduce_scatter, all_to_all or send_recv",
                                fmt::format("\"{}\"", text)});
}

RateSummary summarise(std::vector<double> rates) {
  RateSummary summary;
  if (rates.empty()) return summary;
  std::sort(rates.begin(), rates.end());
  summary.mean =
      std::accumulate(rates.begin(), rates.end(), 0.0) / static_cast<double>(rates.size());
  summary.least = rates.front();
  summary.median = rates[rates.size() / 2];
  summary.most = rates.back();
  return summary;
}

}  // namespace

void FabricCommand::add_options(CLI::App& app) {
  app.add_option("--design", design_, "Fabric design: id or file")->required()->type_name("ID");
  app.add_option("--nodes", nodes_, "Nodes to connect")->type_name("N");
  app.add_flag("--json", json_, "Print JSON");
  app.add_option("--collective", collective_,
                 "Expected bandwidth of all_reduce, all_gather, reduce_scatter, all_to_all or "
                 "send_recv")
      ->type_name("OP");
  app.add_option("--size", size_, "nccl-tests' size of the collective (1GiB)")->type_name("BYTES");
  app.add_option("--ranks", ranks_, "GPUs that take part, from the first node on (all)")
      ->type_name("N");
  app.add_option("--ranks-per-node", ranks_per_node_, "GPUs used on each node (all)")
      ->type_name("N");
  app.add_option("--domain", domain_, "GPUs that share NVLink (of the design)")->type_name("N");
  app.add_option("--skew", skew_, "All-to-all: heaviest rank's load over the mean (1)");
  app.add_flag("--sharp", sharp_, "The scale-out switches reduce (SHARP): a higher bound");
  app.add_option("--device", device_, "GPU (of the design)")->type_name("ID");
  app.add_option(
         "--traffic", traffic_,
         "Share the fabric among: permutation (random), or shift: each leaf sends to the next")
      ->type_name("NAME");
  app.add_option("--routing", routing_, "ecmp (a hash per flow) or spray (per packet; default)");
  app.add_option("--failed", failed_,
                 "Out of service: leaf:3,spine:1,core:2,uplink:3/7,plane:2 (an NVLink switch)")
      ->type_name("LIST");
  app.add_option("--seed", seed_, "Of random traffic and hashes (1)");
  app.add_option("--growth", growth_, "Write how the fabric grows with racks: .csv or .svg")
      ->type_name("FILE");
  app.add_option("--rack", rack_, "With --growth: add power, cooling and cabling of this rack")
      ->type_name("R");
  app.add_option("--racks", racks_, "With --growth: up to that many racks (1400)")->type_name("N");
  app.add_option("--layout", layout_, "With --rack: row layout of the cabling")
      ->capture_default_str()
      ->type_name("ID");
}

int FabricCommand::run(CommandContext& context) {
  const auto design = topology::read_fabric_design(context.data.find(design_, "topology/fabrics"));
  if (!growth_.empty()) return write_growth(context, design);
  if (nodes_.empty()) {
    throw InputError(InputProblem{"", 0, "--nodes", "the number of nodes", "nothing"});
  }
  const int nodes = count_option(nodes_, "--nodes");
  if (!collective_.empty()) return print_collective(context, design, nodes);
  if (!traffic_.empty()) return print_traffic(context, design, nodes);
  if (!failed_.empty()) {
    throw InputError(
        InputProblem{"", 0, "--failed", "--collective or --traffic beside it", "neither"});
  }
  return print_counts(context, design, nodes);
}

int FabricCommand::print_counts(CommandContext& context, const topology::FabricDesign& design,
                                int nodes) const {
  const auto catalog = topology::Catalog::load(context.data);
  const auto counts = topology::count_fabric(design, nodes, catalog);
  if (json_) {
    context.out << counts_json(design, counts).dump(2) << '\n';
  } else {
    context.out << counts_text(design, counts);
  }
  return kFine;
}

topology::Routing FabricCommand::routing() const {
  if (routing_ == "ecmp") return topology::Routing::ecmp;
  if (routing_ == "spray") return topology::Routing::spray;
  throw InputError(
      InputProblem{"", 0, "--routing", "ecmp or spray", fmt::format("\"{}\"", routing_)});
}

topology::FabricFailures FabricCommand::failures(const topology::FabricDesign& design,
                                                 const topology::FabricPlan& plan) const {
  topology::FabricFailures failures;
  if (failed_.empty()) return failures;
  const auto index = [&](const std::string& text, int most) {
    const int value = count_option(text, "--failed");
    if (value <= most) return value - 1;
    throw InputError(InputProblem{"", 0, "--failed", fmt::format("1 to {}", most), text});
  };
  for (const std::string& word : parse_list(failed_, "--failed")) {
    const auto colon = word.find(':');
    const std::string kind = word.substr(0, colon);
    const std::string rest = colon == std::string::npos ? "" : word.substr(colon + 1);
    // Of planes of one switch each, the switch is the plane.
    if (kind == "plane" || (kind == "leaf" && plan.leaf == 1 && design.planes > 1)) {
      const int plane = index(rest, design.planes);
      auto& planes = failures.planes;
      if (std::find(planes.begin(), planes.end(), plane) == planes.end()) planes.push_back(plane);
    } else if (kind == "leaf") {
      failures.leaves.push_back(index(rest, plan.leaf));
    } else if (kind == "spine") {
      failures.spines.push_back(index(rest, plan.spine));
    } else if (kind == "core") {
      failures.cores.push_back(index(rest, plan.core));
    } else if (const auto slash = rest.find('/'); kind == "uplink" && slash != std::string::npos) {
      failures.leaf_uplinks.emplace_back(index(rest.substr(0, slash), plan.leaf),
                                         index(rest.substr(slash + 1), plan.leaf_up_ports));
    } else {
      throw InputError(InputProblem{"", 0, "--failed",
                                    "leaf:N, spine:N, core:N, uplink:LEAF/UPLINK or plane:N",
                                    fmt::format("\"{}\"", word)});
    }
  }
  if (failures.planes.size() == static_cast<std::size_t>(design.planes)) {
    throw InputError(InputProblem{"", 0, "--failed", "a plane that works",
                                  fmt::format("all {} out", design.planes)});
  }
  return failures;
}

topology::CollectiveQuestion FabricCommand::question(const topology::FabricDesign& design,
                                                     int nodes) const {
  topology::CollectiveQuestion question;
  question.kind = parse_kind(collective_);
  question.bytes = parse_bytes(size_);
  question.ranks_per_node = ranks_per_node_.empty()
                                ? design.gpus_per_node
                                : count_option(ranks_per_node_, "--ranks-per-node");
  question.ranks =
      ranks_.empty() ? nodes * question.ranks_per_node : count_option(ranks_, "--ranks", 2);
  question.domain =
      domain_.empty() ? design.scale_up_domain_gpus : count_option(domain_, "--domain");
  question.skew = std::max(1.0, parse_positive(skew_, "--skew"));
  question.reducing_fabric = sharp_;
  question.routing = routing();
  question.random = RandomSource(parse_count(seed_, "--seed"));
  return question;
}

std::vector<std::string> FabricCommand::devices(
    const topology::FabricDesign& design, const topology::CollectiveQuestion& question) const {
  if (!device_.empty()) return {device_};
  const int nodes = topology::ceil_divide(question.ranks, question.ranks_per_node);
  std::vector<std::string> devices;
  int first = 0;
  for (const topology::NodeGeneration& generation : design.generations) {
    if (first < nodes && !generation.device.empty()) devices.push_back(generation.device);
    first += generation.nodes;
  }
  if (first < nodes || devices.empty()) devices.push_back(design.device);
  if (!devices.back().empty()) return devices;
  throw InputError(InputProblem{"", 0, "--device", "the GPU, which the design leaves open", ""});
}

int FabricCommand::print_collective(CommandContext& context, const topology::FabricDesign& design,
                                    int nodes) const {
  const auto plan = topology::plan_fabric(design, nodes);
  const auto failed = failures(design, plan);
  const topology::FabricNetwork network(design, plan, failed), whole(design, plan);
  const auto question = this->question(design, nodes);
  const auto devices = this->devices(design, question);
  topology::CollectiveExpectation answer;
  double whole_s = 0;
  // All wait for the slowest GPU.
  for (const std::string& id : devices) {
    const auto device = kernels::find_device(id, context.data);
    const kernels::OperatorModels models(device, kernels::find_profile(device, context.data));
    auto one = topology::expect_collective(design, plan, network, models, question);
    if (one.seconds > answer.seconds) answer = std::move(one);
    if (failed.none()) continue;
    whole_s = std::max(whole_s,
                       topology::expect_collective(design, plan, whole, models, question).seconds);
  }
  if (!failed.none()) {
    answer.reasons.push_back(
        fmt::format("With nothing failed {:.4g} us are expected: the failure makes it {:.3g} times "
                    "as long.",
                    whole_s * 1e6, answer.seconds / whole_s));
  }
  const std::string names = fmt::format("{}", fmt::join(devices, " and "));
  if (json_) {
    auto json = expectation_json(answer);
    json["design"] = design.id;
    json["device"] = names;
    json["ranks"] = question.ranks;
    json["size_bytes"] = question.bytes;
    if (!failed.none()) json["whole_expected_s"] = whole_s;
    context.out << json.dump(2) << '\n';
    return kFine;
  }
  context.out << fmt::format("{} of {} on {} x {} over {}, {} nodes, {}\n\n", collective_, size_,
                             question.ranks, names, design.id, nodes, routing_)
              << expectation_text(answer);
  return kFine;
}

topology::FlowSet FabricCommand::flows(const topology::FabricDesign& design,
                                       const topology::FabricNetwork& network, int nodes) const {
  const RandomSource random(parse_count(seed_, "--seed"));
  return traffic_ == "shift"
             ? topology::shift_flows(network, design, nodes, routing(), random)
             : topology::permutation_flows(network, design, nodes, routing(), random);
}

int FabricCommand::print_traffic(CommandContext& context, const topology::FabricDesign& design,
                                 int nodes) const {
  if (traffic_ != "permutation" && traffic_ != "shift") {
    throw InputError(
        InputProblem{"", 0, "--traffic", "permutation or shift", fmt::format("\"{}\"", traffic_)});
  }
  const auto plan = topology::plan_fabric(design, nodes);
  const auto failed = failures(design, plan);
  const topology::FabricNetwork network(design, plan, failed);
  const auto flows = this->flows(design, network, nodes);
  const double line = network.nic_bytes_per_s();
  const auto shares = [&](const topology::FlowSet& set, const std::vector<double>& capacity) {
    auto rates = topology::max_min_rates(capacity, set);
    for (double& rate : rates) rate *= network.plane_share() / line;
    return summarise(std::move(rates));
  };
  TrafficAnswer answer;
  answer.traffic = traffic_;
  answer.routing = routing_;
  answer.endpoints =
      static_cast<std::size_t>(nodes) * static_cast<std::size_t>(design.endpoints_per_node);
  answer.flows = flows.size();
  answer.share = shares(flows, network.capacity());
  if (routing() == topology::Routing::ecmp && plan.leaf_up_ports > 1) {
    answer.up_alone = shares(flows, network.capacity_up()).mean;
    answer.first_hash = network.expected_first_hash(flows);
    answer.uplinks = plan.leaf_up_ports;
    answer.core = !plan.core_groups.empty();
  }
  if (!failed.none()) {
    const topology::FabricNetwork whole(design, plan);
    const auto all = this->flows(design, whole, nodes);
    auto rates = topology::max_min_rates(whole.capacity(), all);
    for (double& rate : rates) rate /= line;
    answer.whole = summarise(std::move(rates)).mean;
  }
  if (json_) {
    context.out << traffic_json(design, answer).dump(2) << '\n';
  } else {
    context.out << traffic_text(design, answer);
  }
  return kFine;
}

}  // namespace rackwright::cli
