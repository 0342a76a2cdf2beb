#include "profiler/trace_io/openmetrics.hpp"

#include <ostream>
#include <string>

#include <fmt/format.h>

namespace rackwright::profiler {

namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

}  // namespace

void write_openmetrics(const Trace& trace, std::ostream& out) {
  const std::string labels =
      fmt::format("workload=\"{}\",device=\"{}\",origin=\"{}\"", escaped(trace.workload),
                  escaped(trace.device), to_string(trace.origin));
  const auto family = [&](const char* name, const char* type, const char* unit, const char* help) {
    out << fmt::format("# TYPE {0} {1}\n", name, type);
    if (unit[0] != '\0') out << fmt::format("# UNIT {} {}\n", name, unit);
    out << fmt::format("# HELP {} {}\n", name, help);
  };
  const auto by_class = [&](const char* name, const char* unit, const char* help,
                            double ClassTotal::*member) {
    family(name, "counter", unit, help);
    for (std::size_t c = 0; c < trace.totals.size(); ++c) {
      out << fmt::format("{}_total{{{},class=\"{}\"}} {}\n", name, labels,
                         to_string(static_cast<workloads::OperatorClass>(c)),
                         trace.totals[c].*member);
    }
  };
  by_class("rackwright_operator_seconds", "seconds", "Time by operator class, one GPU.",
           &ClassTotal::seconds);
  by_class("rackwright_operator_joules", "joules", "Energy at module input by class, one GPU.",
           &ClassTotal::joules);
  const auto gauge = [&](const char* name, const char* unit, const char* help, double value) {
    family(name, "gauge", unit, help);
    out << fmt::format("{}{{{}}} {}\n", name, labels, value);
  };
  gauge("rackwright_ttft_p99_seconds", "seconds", "Time to first token, 99th percentile.",
        trace.metrics.ttft_p99);
  gauge("rackwright_tpot_p99_seconds", "seconds", "Time per output token, 99th percentile.",
        trace.metrics.tpot_p99);
  gauge("rackwright_slo_attainment_ratio", "ratio", "Requests that meet both SLO limits.",
        trace.metrics.attainment);
  gauge("rackwright_output_tokens_per_second", "", "Output tokens per second of the replica.",
        trace.metrics.output_tokens_per_s);
  gauge("rackwright_gpu_energy_joules", "joules", "Energy of one GPU, idle gaps included.",
        trace.joules_per_gpu());
  out << "# EOF\n";
}

}  // namespace rackwright::profiler
