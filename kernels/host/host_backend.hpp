#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/launch/communicator.hpp"
#include "kernels/backend.hpp"
#include "kernels/host/host_operator.hpp"
#include "kernels/host/package_energy.hpp"

namespace rackwright::kernels {

struct HostOptions {
  unsigned seed = 1;
  double least_seconds = 0.02;  ///< of repetitions per operator, after one that warms up
  int most_repetitions = 20;
  /// Larger operators run a part of this size; their time is scaled by the work.
  double most_flops = 4e9;
  double most_bytes = 5e8;
  std::filesystem::path powercap = "/sys/class/powercap";
  /// The ranks of this replica, when they run: collectives then move bytes between them, and an
  /// operator takes as long as on the slowest rank, so that engines of all ranks stay in step.
  launch::Communicator* ranks = nullptr;
  int threads = 0;        ///< of an operator; 0: as many as there are cores
  int ranks_on_host = 1;  ///< share the energy of the packages evenly
};

/// Runs operators on the cores of this machine (`host_operator.hpp` says with what). Identical
/// layers are stored once in a graph and run once; sizes that grow with tokens run at the nearest
/// power of sqrt(2) and their time is scaled by the work, so that a serving run of thousands of
/// steps needs a few hundred measurements. Lanes share the cores, so nothing overlaps.
/// Power is of the CPU packages where powercap is readable; else `measures_power` is false.
class HostBackend final : public Backend {
 public:
  explicit HostBackend(HostOptions options = {});
  [[nodiscard]] std::string_view name() const override { return "host"; }
  [[nodiscard]] std::string_view device() const override { return "host"; }
  [[nodiscard]] bool measures_power() const override { return energy_.available(); }
  std::unique_ptr<PreparedStep> prepare(const workloads::OperatorGraph& step,
                                        const RankContext& rank) override;
  /// One execution of `op`: from memory when its rounded shape ran before.
  [[nodiscard]] OperatorTiming measure(const workloads::Operator& op);
  /// Different shapes that ran.
  [[nodiscard]] std::size_t measured() const { return known_.size(); }

 private:
  OperatorTiming run(const workloads::Operator& op);
  std::unique_ptr<HostOperator> make(const workloads::Operator& op);
  [[nodiscard]] launch::Communicator& group_of(int ranks);
  [[nodiscard]] bool in_step() const { return options_.ranks != nullptr; }

  HostOptions options_;
  std::map<int, std::unique_ptr<launch::Communicator>> groups_;  ///< by size
  PackageEnergy energy_;
  std::map<std::string, OperatorTiming> known_;
};

}  // namespace rackwright::kernels
