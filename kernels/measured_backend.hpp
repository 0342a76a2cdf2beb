#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/launch/communicator.hpp"
#include "kernels/backend.hpp"

namespace rackwright::kernels {

struct MeasuredOptions {
  int repetitions = 5;  ///< of a whole step; their median counts
  /// Joules of the device since the last call; nothing where no counter can be read.
  std::function<std::optional<double>()> joules = [] { return std::optional<double>(); };
  double power_window_s = 5;    ///< counters lie over shorter ones
  std::function<double()> now;  ///< seconds, monotonic; empty: the system's
  /// The ranks of this replica when steps hold their collectives. All prepare the same steps and
  /// get the same times.
  launch::Communicator* ranks = nullptr;
};

/// Makes a backend that runs each step (`inner`) fit for a serving run of thousands of steps. Step
/// shapes are rounded (`shape_rounding.hpp`) and a rounded step is prepared and run once; times of
/// operators are scaled by their work, and the whole keeps its ratio to the sum of its operators.
///
/// Power is of whole steps, not of operators: steps with prefill and steps without, by octave of
/// their FLOP, each run in a loop over a window once. A step draws the power of its kind, and its
/// operators share the energy by their time. One rank context a backend.
///
/// Among ranks a step takes as long as on the slowest, and so does an operator. A collective takes
/// as long as on the quickest: elsewhere its time holds the wait for the last rank to come. Each
/// rank keeps the power of its own GPU.
class MeasuredBackend final : public Backend {
 public:
  MeasuredBackend(std::unique_ptr<Backend> inner, MeasuredOptions options);
  [[nodiscard]] std::string_view name() const override { return inner_->name(); }
  [[nodiscard]] std::string_view device() const override { return inner_->device(); }
  [[nodiscard]] bool measures_power() const override { return meter_; }
  /// The backend that runs, without what is known of near steps: for a trace of it.
  [[nodiscard]] Backend& direct() { return *inner_; }
  /// Throws RankFailure when ranks prepare different steps.
  std::unique_ptr<PreparedStep> prepare(const workloads::OperatorGraph& step,
                                        const RankContext& rank) override;
  [[nodiscard]] const Backend& inner() const { return *inner_; }
  /// Different steps that ran, and kinds whose power was measured.
  [[nodiscard]] std::size_t measured() const { return known_.size(); }
  [[nodiscard]] std::size_t power_windows() const { return watts_.size(); }

 private:
  struct Known {
    StepTiming timing;
    double relative_error = 0;  ///< spread of the repetitions
    double watts = 0;
  };
  using PowerKind = std::pair<bool, int>;  ///< prefill, octave of FLOP

  void check_in_step(const std::string& key);
  void agree(const workloads::OperatorGraph& near, Known& known);
  [[nodiscard]] bool go_on(bool wanted) const;
  const Known& find_or_run(const workloads::OperatorGraph& rounded, const RankContext& rank);
  Known run(const workloads::OperatorGraph& rounded, const RankContext& rank);
  double watts_of(const workloads::OperatorGraph& rounded, PreparedStep& step);

  std::unique_ptr<Backend> inner_;
  MeasuredOptions options_;
  bool meter_ = false;
  std::uint64_t prepared_ = 0;
  std::map<std::string, Known> known_;
  std::map<PowerKind, double> watts_;
};

}  // namespace rackwright::kernels
