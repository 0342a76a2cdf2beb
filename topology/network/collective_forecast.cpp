#include "topology/network/collective_forecast.hpp"

#include <memory>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "kernels/analytical/device_profile.hpp"
#include "kernels/analytical/operator_models.hpp"
#include "topology/network/collective_expectation.hpp"
#include "topology/network/fabric_design.hpp"
#include "workloads/model_config.hpp"

namespace rackwright::topology {

namespace {

using kernels::CollectiveOp;
using workloads::AllReduceKind;
using workloads::CollectiveKind;
using workloads::CollectiveShape;

std::optional<CollectiveKind> kind_of(CollectiveOp op) {
  switch (op) {
    case CollectiveOp::all_reduce:
      return CollectiveKind::all_reduce;
    case CollectiveOp::all_gather:
      return CollectiveKind::all_gather;
    case CollectiveOp::reduce_scatter:
      return CollectiveKind::reduce_scatter;
    case CollectiveOp::all_to_all:
    case CollectiveOp::all_to_all_uneven:
      return CollectiveKind::all_to_all;
    case CollectiveOp::send_recv:
    case CollectiveOp::kv_transfer:
      return CollectiveKind::send_recv;
    case CollectiveOp::broadcast:
      return CollectiveKind::all_gather;
  }
  return std::nullopt;
}

/// The buffer whose modelled operation does what this one does. A ring's broadcast takes S over
/// every link in n - 1 hops, as its all-gather of S n / (n - 1) does.
double modelled_bytes(CollectiveOp op, double bytes, int ranks) {
  return op == CollectiveOp::broadcast && ranks > 1 ? bytes * ranks / (ranks - 1) : bytes;
}

struct Models {
  kernels::DeviceInfo device;
  kernels::OperatorModels models;
  kernels::RankContext rank;
  workloads::ModelConfig moe;
  int ranks = 1;
  AllReduceKind all_reduce = AllReduceKind::nccl;
  std::optional<FabricDesign> design;
  std::optional<FabricPlan> plan;
  std::unique_ptr<FabricNetwork> network;

  [[nodiscard]] std::optional<kernels::OperatorTiming> price(const CollectiveShape& shape) const {
    workloads::Operator op;
    op.op_class = workloads::OperatorClass::collective;
    op.shape = shape;
    try {
      return models.price(op, rank);
    } catch (const BackendUnavailable&) {
      return std::nullopt;  // a rate that it needs is blank
    }
  }
  [[nodiscard]] std::optional<double> seconds(const CollectiveShape& shape) const {
    const auto timing = price(shape);
    return timing ? std::optional(timing->seconds) : std::nullopt;
  }

  /// Dispatch of the model's tokens in DeepEP's low-latency mode: S bytes are all copies of them.
  [[nodiscard]] std::optional<double> exchange(CollectiveShape shape) const {
    if (!moe.experts) return std::nullopt;
    const double token_bytes = moe.hidden * (1.0 + 4.0 / 128);  // FP8 with a scale per 128
    shape.expert_exchange = true;
    shape.exchange.copies = moe.experts->top_k;
    shape.exchange.experts = moe.experts->routed;
    shape.exchange.tokens = shape.bytes / (token_bytes * shape.exchange.copies);
    return shape.exchange.tokens < 1 ? std::nullopt : seconds(shape);
  }

  void expect_in_domain(const CollectiveShape& shape, CollectiveForecast& forecast) const {
    const auto timing = price(shape);
    if (!timing) return;
    workloads::Operator op;
    op.op_class = workloads::OperatorClass::collective;
    op.shape = shape;
    forecast.seconds = timing->seconds;
    forecast.relative_error = timing->relative_error;
    forecast.bound_seconds = models.physical_bound(op, rank);
    forecast.reasons.push_back(fmt::format(
        "{} ranks in one scale-up domain of {} {}: measured tables of that device{}", ranks,
        rank.scale_up_domain, device.id, timing->extrapolated ? ", extrapolated" : ""));
  }

  void expect_on_fabric(const CollectiveShape& shape, CollectiveForecast& forecast) const {
    CollectiveQuestion question;
    question.kind = shape.kind;
    question.bytes = shape.bytes;
    question.ranks = ranks;
    question.ranks_per_node = std::min(ranks, design->gpus_per_node);
    question.domain = rank.scale_up_domain;
    question.skew = shape.imbalance;
    const auto answer = expect_collective(*design, *plan, *network, models, question);
    forecast.seconds = answer.seconds;
    forecast.relative_error = answer.relative_error;
    forecast.bound_seconds = answer.bound_seconds;
    forecast.reasons = answer.reasons;
  }

  [[nodiscard]] CollectiveForecast operator()(const kernels::CollectiveRow& row) const {
    CollectiveForecast forecast;
    const auto kind = kind_of(row.op);
    if (!kind) return forecast;
    CollectiveShape shape;
    shape.kind = *kind;
    shape.ranks = *kind == CollectiveKind::send_recv ? 2 : ranks;
    shape.bytes = modelled_bytes(row.op, static_cast<double>(row.counts.bytes), ranks);
    shape.imbalance = kernels::exchange_skew(row.op, ranks);
    // Engines' kernels and windows are of one domain, and have tables of their own.
    const bool own_table = *kind == CollectiveKind::all_reduce &&
                           all_reduce != AllReduceKind::nccl && ranks <= rank.scale_up_domain;
    if (own_table) shape.implementation = all_reduce;
    design && !own_table ? expect_on_fabric(shape, forecast) : expect_in_domain(shape, forecast);
    if (row.op == CollectiveOp::broadcast) {
      forecast.reasons.emplace_back(
          "no measured table of broadcasts: NCCL broadcasts by a ring (NVLS and trees are for "
          "other "
          "operations), whose links carry S in n - 1 hops as in an all-gather of S n / (n - 1)");
    }
    if (*kind == CollectiveKind::all_reduce) {
      shape.implementation = AllReduceKind::engine;
      forecast.engine_s = seconds(shape);
      shape.implementation = AllReduceKind::nccl_symmetric;
      forecast.symmetric_s = seconds(shape);
      shape.implementation = AllReduceKind::nccl;
      if (own_table) forecast.nccl_s = seconds(shape);
    }
    if (*kind == CollectiveKind::all_to_all) forecast.exchange_s = exchange(shape);
    return forecast;
  }
};

}  // namespace

Forecaster make_forecaster(const StatedTopology& stated, int ranks, const DataLocator& data) {
  if (stated.device.empty() && stated.design.empty()) return {};
  std::optional<FabricDesign> design;
  if (!stated.design.empty()) {
    design = read_fabric_design(data.find(stated.design, "topology/fabrics"));
  }
  const std::string id = stated.device.empty() ? design->device : stated.device;
  if (id.empty()) {
    throw InputError(InputProblem{"", 0, "--device", "the GPU, which the design leaves open", ""});
  }
  const auto device = kernels::find_device(id, data);
  auto models = std::make_shared<Models>(
      Models{device,
             kernels::OperatorModels(device, kernels::find_profile(device, data)),
             {},
             workloads::read_model_config(data.find(stated.moe_model, "workloads/models")),
             ranks,
             stated.all_reduce,
             design,
             std::nullopt,
             nullptr});
  models->rank.scale_up_domain =
      stated.domain > 0 ? stated.domain : (design ? design->scale_up_domain_gpus : 8);
  if (design) {
    const int nodes = std::max(1, (ranks + design->gpus_per_node - 1) / design->gpus_per_node);
    models->plan = plan_fabric(*design, nodes);
    models->network = std::make_unique<FabricNetwork>(*design, *models->plan);
    models->rank.scale_out_bytes_per_s = models->network->nic_bytes_per_s();
  } else if (ranks > models->rank.scale_up_domain) {
    throw InputError(InputProblem{
        "", 0, "--design",
        fmt::format("the fabric between domains of {} GPUs", models->rank.scale_up_domain),
        fmt::format("{} ranks and no fabric", ranks)});
  }
  return [models](const kernels::CollectiveRow& row) { return (*models)(row); };
}

}  // namespace rackwright::topology
