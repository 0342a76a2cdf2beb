#include "topology/network/collective_expectation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "common/input_error.hpp"

namespace rackwright::topology {

namespace {

using workloads::CollectiveKind;

/// The nodes of the job and how many of them one domain holds.
struct JobNodes {
  int nodes = 1, nodes_per_domain = 1, nics_per_node = 1;
};

JobNodes nodes_of(const FabricDesign& design, const FabricPlan& plan,
                  const CollectiveQuestion& question) {
  JobNodes job;
  const int per_node = std::max(1, question.ranks_per_node);
  job.nodes = (question.ranks + per_node - 1) / per_node;
  job.nodes_per_domain = std::max(1, question.domain / per_node);
  // A job with fewer ranks than GPUs on a node uses as many of its NICs.
  const double share = static_cast<double>(per_node) / design.gpus_per_node;
  job.nics_per_node = std::max(1, static_cast<int>(std::lround(share * design.endpoints_per_node)));
  job.nics_per_node = std::min(job.nics_per_node, design.endpoints_per_node);
  if (job.nodes > plan.nodes) {
    throw InputError(
        InputProblem{design.file, 0, "ranks",
                     fmt::format("at most {} on {} nodes", plan.nodes * per_node, plan.nodes),
                     std::to_string(question.ranks)});
  }
  return job;
}

[[noreturn]] void no_path(const FabricDesign& design, Endpoint a, Endpoint b) {
  throw InputError(InputProblem{
      design.file, 0, "collective", "a path between the nodes of the job",
      fmt::format("none from node {} to node {}, NIC {}", a.node + 1, b.node + 1, a.nic + 1)});
}

/// Visits the flows of a ring: every NIC to the same NIC of the next domain.
template <class Visit>
void for_each_ring_flow(const CollectiveQuestion& question, const JobNodes& job, Visit&& visit) {
  RandomSource random = question.random;
  for (int node = 0; node < job.nodes; ++node) {
    for (int nic = 0; nic < job.nics_per_node; ++nic) {
      visit(Endpoint{node, nic}, Endpoint{(node + job.nodes_per_domain) % job.nodes, nic},
            random.next());
    }
  }
}

/// Sprayed on a whole fabric: all uplinks of a leaf or pod carry alike, so their sum decides.
FabricShare sprayed_ring_share(const FabricDesign& design, const FabricPlan& plan,
                               const FabricNetwork& network, const CollectiveQuestion& question,
                               const JobNodes& job) {
  std::vector<double> leaf_out(static_cast<std::size_t>(plan.leaf), 0), leaf_in = leaf_out;
  std::vector<double> pod_out(plan.pods.size(), 0), pod_in = pod_out;
  for_each_ring_flow(question, job, [&](Endpoint from, Endpoint to, std::uint64_t) {
    const int a = network.leaf_of(from), b = network.leaf_of(to);
    if (a == b) return;
    if (!network.joined_leaves(a, b)) no_path(design, from, to);
    leaf_out[static_cast<std::size_t>(a)] += 1;
    leaf_in[static_cast<std::size_t>(b)] += 1;
    const int pod_a = network.pod_of_leaf(a), pod_b = network.pod_of_leaf(b);
    if (pod_a == pod_b) return;
    pod_out[static_cast<std::size_t>(pod_a)] += 1;
    pod_in[static_cast<std::size_t>(pod_b)] += 1;
  });
  FabricShare result;
  const auto take = [&](double flows, double capacity, const char* name, std::size_t index) {
    const double share = flows > 0 ? capacity / flows / network.nic_bytes_per_s() : 1;
    if (share >= result.share) return;
    result.share = share;
    result.bottleneck = fmt::format("{} {}", name, index + 1);
  };
  for (std::size_t leaf = 0; leaf < leaf_out.size(); ++leaf) {
    const double flows = std::max(leaf_out[leaf], leaf_in[leaf]);
    if (flows > 0) {
      take(flows, network.leaf_up_capacity(static_cast<int>(leaf)), "uplinks of leaf", leaf);
    }
  }
  for (std::size_t pod = 0; pod < pod_out.size(); ++pod) {
    const double flows = std::max(pod_out[pod], pod_in[pod]);
    if (flows > 0) {
      take(flows, network.pod_up_capacity(static_cast<int>(pod)), "core links of pod", pod);
    }
  }
  return result;
}

FabricShare ring_share(const FabricDesign& design, const FabricPlan& plan,
                       const FabricNetwork& network, const CollectiveQuestion& question,
                       const JobNodes& job) {
  if (question.routing == Routing::spray && network.whole() && network.one_generation()) {
    return sprayed_ring_share(design, plan, network, question, job);
  }
  FlowSet flows;
  for_each_ring_flow(question, job, [&](Endpoint from, Endpoint to, std::uint64_t label) {
    // Within a leaf nothing but the two NICs is shared, and each NIC has one flow each way.
    if (network.whole() && network.one_generation() && network.same_leaf(from, to)) return;
    const bool found = question.routing == Routing::spray
                           ? network.add_spray(from, to, flows)
                           : network.add_ecmp(from, to, label, flows);
    if (!found) no_path(design, from, to);
  });
  // The slowest of the max-min rates is that of the first link to fill: least capacity per flow.
  const auto loads = link_loads(network.link_count(), flows, std::vector<double>(flows.size(), 1));
  FabricShare result;
  for (std::size_t link = 0; link < loads.size(); ++link) {
    if (!(loads[link] > 0)) continue;
    const double share = network.capacity()[link] / loads[link] / network.nic_bytes_per_s();
    if (share >= result.share * (1 - 1e-9)) continue;
    result.share = share;
    result.bottleneck = network.link_name(static_cast<std::uint32_t>(link));
  }
  return result;
}

/// What must leave a group of `inside` NICs for the others over `capacity`, each NIC sending evenly
/// to all partners of its rail: the rate of one NIC.
double exchange_rate(double inside, double partners_outside, double partners, double capacity) {
  const double crossing = inside * partners_outside / partners;
  return crossing > 0 ? capacity / crossing : std::numeric_limits<double>::infinity();
}

FabricShare exchange_share(const FabricPlan& plan, const FabricNetwork& network,
                           const CollectiveQuestion& question, const JobNodes& job) {
  const double partners = job.nodes - job.nodes_per_domain;
  FabricShare result;
  if (partners <= 0) return result;
  std::map<int, double> leaves, pods;  // NICs of the job under each leaf, in each pod
  for (int node = 0; node < job.nodes; ++node) {
    for (int nic = 0; nic < job.nics_per_node; ++nic) {
      const int leaf = network.leaf_of({node, nic});
      leaves[leaf] += 1;
      pods[network.pod_of_leaf(leaf)] += 1;
    }
  }
  const double line = network.nic_bytes_per_s();
  const auto take = [&](double rate, double flows_per_link, double links, std::string name) {
    double share = rate / line;
    if (question.routing == Routing::ecmp && links > 1 && flows_per_link > 0) {
      share /= 1 + std::sqrt(2 * std::log(links) / flows_per_link);
    }
    if (share >= result.share) return;
    result.share = share;
    result.bottleneck = std::move(name);
  };
  for (int node = 0; node < job.nodes && !network.one_generation(); ++node) {
    take(network.nic_bytes_per_s({node, 0}), 0, 1, fmt::format("NICs of node {}", node + 1));
  }
  for (const auto& [leaf, nics] : leaves) {
    // On a rail leaf every NIC is a partner of the others; a rack leaf holds several rails.
    const double on_rail = nics / network.rails_of_leaf(leaf);
    const double outside = job.nodes - std::max<double>(on_rail, job.nodes_per_domain);
    if (outside <= 0 || (plan.leaf_up_ports == 0 && plan.joining_links == 0)) continue;
    const double capacity = network.leaf_up_capacity(leaf);
    const double links = plan.leaf_up_ports > 0 ? plan.leaf_up_ports : plan.joining_links;
    take(exchange_rate(nics, outside, partners, capacity), nics * outside / links, links,
         fmt::format("uplinks of leaf {}", leaf + 1));
  }
  if (plan.core_groups.empty() || pods.size() < 2) return result;
  for (const auto& [pod, nics] : pods) {
    const double on_rail = nics / job.nics_per_node;
    const double outside = job.nodes - on_rail;
    const FabricPod& shape = plan.pods[static_cast<std::size_t>(pod)];
    const double links = static_cast<double>(shape.spines) * plan.spine_up_ports;
    take(exchange_rate(nics, outside, partners, network.pod_up_capacity(pod)),
         nics * outside / links, links, fmt::format("core links of pod {}", pod + 1));
  }
  return result;
}

kernels::OperatorTiming price(const kernels::OperatorModels& models, const CollectivePlace& place,
                              const CollectiveQuestion& question) {
  workloads::CollectiveShape shape;
  shape.kind = question.kind;
  shape.ranks = question.ranks;
  shape.bytes = question.bytes;
  shape.imbalance = question.skew;
  kernels::RankContext rank;
  rank.scale_up_domain = place.domain;
  rank.scale_out_bytes_per_s = place.scale_out_bytes_per_s;
  workloads::Operator op;
  op.shape = shape;
  return models.price(op, rank);
}

/// Time with a share of the scale-up links: what is not latency stretches.
double stretched(double seconds, double share, const kernels::OperatorModels& models,
                 const CollectivePlace& place, CollectiveQuestion question) {
  if (share >= 1) return seconds;
  question.bytes = 1;
  const double latency = std::min(seconds, price(models, place, question).seconds);
  return latency + (seconds - latency) / share;
}

void explain(const FabricDesign& design, const CollectivePlace& place, const FabricShare& fabric,
             CollectiveExpectation& answer) {
  const AlgorithmBound& best = answer.algorithms.front();
  answer.reasons.push_back(fmt::format(
      "Bound: {} moves {:.4g} GB through a GPU's scale-up port and {:.4g} GB through its NIC; the "
      "{} decides: {:.4g} us, bus bandwidth {:.1f} GB/s. No algorithm on these ports is faster.",
      best.name, best.scale_up_bytes / 1e9, best.scale_out_bytes / 1e9, best.limit,
      answer.bound_seconds * 1e6, answer.bound_bus_bytes_per_s / 1e9));
  if (place.ranks > place.domain) {
    answer.reasons.push_back(
        fabric.bottleneck.empty()
            ? fmt::format("Fabric {}: every flow of the pattern gets its full NIC rate.", design.id)
            : fmt::format("Fabric {}: the slowest flow gets {:.1f} % of its NIC; {} is full.",
                          design.id, 100 * fabric.share, fabric.bottleneck));
  } else {
    answer.reasons.push_back("All ranks share one scale-up domain: the fabric carries nothing.");
  }
  answer.reasons.push_back(
      fmt::format("Expected: the device's calibrated model, {:.0f} % of the bound, +-{:.0f} %{}.",
                  100 * answer.bound_seconds / answer.seconds, 100 * answer.relative_error,
                  answer.extrapolated ? ", extrapolated" : ""));
}

}  // namespace

FabricShare fabric_share(const FabricDesign& design, const FabricPlan& plan,
                         const FabricNetwork& network, const CollectiveQuestion& question) {
  const JobNodes job = nodes_of(design, plan, question);
  if (question.ranks <= question.domain) return {};
  return question.kind == CollectiveKind::all_to_all
             ? exchange_share(plan, network, question, job)
             : ring_share(design, plan, network, question, job);
}

CollectiveExpectation expect_collective(const FabricDesign& design, const FabricPlan& plan,
                                        const FabricNetwork& network,
                                        const kernels::OperatorModels& models,
                                        const CollectiveQuestion& question) {
  CollectiveExpectation answer;
  const FabricShare fabric = fabric_share(design, plan, network, question);
  answer.fabric_share = fabric.share;
  answer.bottleneck = fabric.bottleneck;
  const double nics_per_gpu = static_cast<double>(design.endpoints_per_node) / design.gpus_per_node;
  CollectivePlace place;
  place.ranks = question.ranks;
  // Fewer ranks on a node than it has GPUs: that many share the domain.
  place.domain = std::min(question.domain, std::max(1, question.ranks_per_node) *
                                               std::max(1, question.domain / design.gpus_per_node));
  const double scale_up_share = is_scale_up(design) ? network.plane_share() : 1.0;
  place.scale_up_bytes_per_s = models.hardware().link * scale_up_share;
  place.scale_out_bytes_per_s = nics_per_gpu * design.planes * network.plane_share() *
                                network.nic_bytes_per_s() * fabric.share;
  place.reducing_fabric = question.reducing_fabric;
  answer.algorithms = collective_bounds(question.kind, question.bytes, place, question.skew);
  if (answer.algorithms.empty()) return answer;
  answer.bound_seconds = answer.algorithms.front().seconds;

  const kernels::OperatorTiming timing = price(models, place, question);
  answer.seconds = std::max(stretched(timing.seconds, scale_up_share, models, place, question),
                            answer.bound_seconds);
  answer.relative_error = timing.relative_error;
  answer.extrapolated = timing.extrapolated;
  answer.algorithm_bytes_per_s = question.bytes / answer.seconds;
  const double bus = bus_factor(question.kind, question.ranks);
  answer.bus_bytes_per_s = answer.algorithm_bytes_per_s * bus;
  answer.bound_bus_bytes_per_s = question.bytes / answer.bound_seconds * bus;
  explain(design, place, fabric, answer);
  if (network.plane_share() < 1) {
    answer.reasons.push_back(fmt::format(
        "{:.0f} of {} planes work: every {} keeps {:.1f} % of its rate, the traffic spread again.",
        network.plane_share() * design.planes, design.planes,
        is_scale_up(design) ? "GPU's scale-up port" : "NIC", 100 * network.plane_share()));
  }
  return answer;
}

}  // namespace rackwright::topology
