#include "profiler/trace_io/openmetrics.hpp"

#include <ostream>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace rackwright::profiler {

namespace {

/// Escapes of OpenMetrics label values.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

/// Writes metric families; the unit is the end of the name, as the format demands.
class MetricWriter {
 public:
  MetricWriter(const Trace& trace, std::ostream& out)
      : out_(out),
        labels_(fmt::format("workload=\"{}\",device=\"{}\",plan=\"{}\",origin=\"{}\"",
                            escaped(trace.workload), escaped(trace.device),
                            escaped(trace.plan.label()), to_string(trace.origin))) {}

  void family(std::string_view name, std::string_view type, std::string_view unit,
              std::string_view help) {
    out_ << fmt::format("# TYPE {} {}\n", name, type);
    if (!unit.empty()) out_ << fmt::format("# UNIT {} {}\n", name, unit);
    out_ << fmt::format("# HELP {} {}\n", name, help);
  }
  void sample(std::string_view name, std::string_view more_labels, double value) {
    out_ << fmt::format("{}{{{}{}}} {}\n", name, labels_, more_labels, value);
  }
  void counter(std::string_view name, std::string_view unit, std::string_view help, double value) {
    family(name, "counter", unit, help);
    sample(fmt::format("{}_total", name), "", value);
  }
  void gauge(std::string_view name, std::string_view unit, std::string_view help, double value) {
    family(name, "gauge", unit, help);
    sample(name, "", value);
  }
  void by_class(const Trace& trace, std::string_view name, std::string_view unit,
                std::string_view help, double ClassTotal::*member) {
    family(name, "counter", unit, help);
    for (std::size_t c = 0; c < trace.totals.size(); ++c) {
      sample(fmt::format("{}_total", name),
             fmt::format(",class=\"{}\"", to_string(static_cast<workloads::OperatorClass>(c))),
             trace.totals[c].*member);
    }
  }

 private:
  std::ostream& out_;
  std::string labels_;
};

void write_traffic(const Traffic& traffic, MetricWriter& metrics) {
  metrics.family("rackwright_sent_bytes", "counter", "bytes",
                 "Sent by one GPU, by algorithm volume.");
  metrics.sample("rackwright_sent_bytes_total", ",link=\"scale_up\"", traffic.scale_up_bytes);
  metrics.sample("rackwright_sent_bytes_total", ",link=\"scale_out\"", traffic.scale_out_bytes);
}

void write_percentiles(const RequestMetrics& r, MetricWriter& metrics) {
  const auto family = [&](std::string_view name, std::string_view help, double p50, double p90,
                          double p99) {
    metrics.family(name, "gauge", "seconds", help);
    metrics.sample(name, ",percentile=\"50\"", p50);
    metrics.sample(name, ",percentile=\"90\"", p90);
    metrics.sample(name, ",percentile=\"99\"", p99);
  };
  family("rackwright_ttft_seconds", "Time to first token.", r.ttft_p50, r.ttft_p90, r.ttft_p99);
  family("rackwright_tpot_seconds", "Time per output token after the first.", r.tpot_p50,
         r.tpot_p90, r.tpot_p99);
}

}  // namespace

void write_openmetrics(const Trace& trace, std::ostream& out) {
  MetricWriter metrics(trace, out);
  metrics.by_class(trace, "rackwright_operator_seconds", "seconds",
                   "Time by operator class, one GPU.", &ClassTotal::seconds);
  if (!trace.power_unknown) {
    metrics.by_class(trace, "rackwright_operator_joules", "joules",
                     "Energy at module input by operator class, one GPU.", &ClassTotal::joules);
  }
  metrics.by_class(trace, "rackwright_operator_flops", "", "FLOPs by operator class, one GPU.",
                   &ClassTotal::flops);
  metrics.by_class(trace, "rackwright_memory_bytes", "bytes",
                   "Memory traffic by operator class, one GPU.", &ClassTotal::memory_bytes);
  write_traffic(trace.traffic, metrics);
  if (!trace.power_unknown) {
    metrics.counter("rackwright_gpu_joules", "joules",
                    trace.idle_unknown ? "Energy of one GPU at module input; idle power is unknown "
                                         "and left out."
                                       : "Energy of one GPU at module input, idle gaps included.",
                    trace.joules_per_gpu());
  }
  metrics.counter("rackwright_busy_seconds", "seconds", "Time in steps.", trace.engine.busy_s);
  metrics.gauge("rackwright_replay_seconds", "seconds", "Length of the replay.", trace.end_s);
  metrics.counter("rackwright_requests", "", "Finished requests of the replica.",
                  static_cast<double>(trace.metrics.requests));
  metrics.counter("rackwright_output_tokens", "", "Output tokens of the replica.",
                  static_cast<double>(trace.engine.output_tokens));
  write_percentiles(trace.metrics, metrics);
  metrics.gauge("rackwright_slo_attainment_ratio", "ratio", "Requests that meet both SLO limits.",
                trace.metrics.attainment);
  out << "# EOF\n";
}

}  // namespace rackwright::profiler
