#pragma once

#include <array>

#include "kernels/backend.hpp"
#include "profiler/trace.hpp"
#include "profiler/traffic.hpp"
#include "workloads/operator_graph.hpp"

namespace rackwright::profiler {

/// Work of one graph on one GPU, summed by operator class.
struct GraphSummary {
  std::array<ClassTotal, workloads::kOperatorClassCount> classes{};
  /// Classes in order of first appearance; the first `class_count` are valid.
  std::array<workloads::OperatorClass, workloads::kOperatorClassCount> order{};
  int class_count = 0;
  /// As they show on the time axis: they follow each other and fill the step. Overlapped time of
  /// collectives is hidden behind the other classes, which then carry its energy; launch gaps
  /// belong to the host.
  std::array<double, workloads::kOperatorClassCount> shown_seconds{};
  std::array<double, workloads::kOperatorClassCount> shown_joules{};
  double seconds = 0;
  double scale_up_bytes = 0;
  double scale_out_bytes = 0;
  double collectives = 0;
  double error_seconds = 0;     ///< sum of operator seconds x relative error
  double operator_seconds = 0;  ///< sum of operator seconds
  bool extrapolated = false;
};

/// Fills `summary` from a graph and its timing.
void summarise(const workloads::OperatorGraph& graph, const kernels::StepTiming& timing,
               const workloads::ServingPlan& plan, int scale_up_domain, GraphSummary& summary);

/// Adds steps up to a trace.
class StepRecorder {
 public:
  StepRecorder(Trace& trace, bool keep_slices) : trace_(trace), keep_slices_(keep_slices) {}

  /// `draft` may be null; it counts `draft_factor` times.
  void add(double start_s, double duration_s, const GraphSummary& step, const GraphSummary* draft,
           double draft_factor);
  /// Peaks and error into the trace.
  void finish();

 private:
  void add_totals(const GraphSummary& summary, double factor);
  void add_slices(double start_s, double duration_s, const GraphSummary& step,
                  const GraphSummary* draft, double draft_factor);
  void add_slice(double start_s, double end_s, double joules, workloads::OperatorClass op_class);

  Trace& trace_;
  bool keep_slices_;
  std::uint32_t steps_ = 0;
  /// Energy not yet in a slice because `Slice::watts` is a float; goes into the next one, so the
  /// error of a run's integral is the rounding of its last slice alone.
  double owed_joules_ = 0;
  double error_seconds_ = 0;
  double operator_seconds_ = 0;
  PeakRate scale_up_{1.0};
  PeakRate scale_out_{1.0};
};

}  // namespace rackwright::profiler
