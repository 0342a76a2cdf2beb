#pragma once

#include <cstdint>
#include <string_view>

#include "profiler/run_file.hpp"

namespace rackwright::profiler {

/// "RKWR" in the database header.
inline constexpr std::int64_t kApplicationId = 0x524b5752;
inline constexpr std::int64_t kFormatVersion = 2;
/// Since 2 a file may hold a recording of another tool.
inline constexpr std::int64_t kFirstWithRecording = 2;

inline constexpr std::string_view kSchema = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE operators (
  class INTEGER PRIMARY KEY, name TEXT NOT NULL, seconds REAL NOT NULL, joules REAL NOT NULL,
  flops REAL NOT NULL, memory_bytes REAL NOT NULL, wire_bytes REAL NOT NULL);
CREATE TABLE traffic (
  link TEXT PRIMARY KEY, bytes REAL NOT NULL, peak_bytes_per_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE requests (
  id INTEGER PRIMARY KEY, arrival_s REAL NOT NULL, first_token_s REAL NOT NULL,
  finish_s REAL NOT NULL, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, preemptions INTEGER NOT NULL);
CREATE TABLE slices (
  id INTEGER PRIMARY KEY, start_s REAL NOT NULL, duration_s REAL NOT NULL, step INTEGER NOT NULL,
  class INTEGER NOT NULL REFERENCES operators (class), watts REAL NOT NULL);
CREATE TABLE counters (
  gpu INTEGER, name TEXT NOT NULL, unit TEXT NOT NULL, start_s REAL NOT NULL,
  duration_s REAL NOT NULL, value REAL NOT NULL);
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE tracks (id INTEGER PRIMARY KEY, gpu INTEGER, name TEXT NOT NULL);
CREATE TABLE events (
  id INTEGER PRIMARY KEY, start_s REAL NOT NULL, duration_s REAL NOT NULL,
  track INTEGER NOT NULL REFERENCES tracks (id), kind TEXT NOT NULL,
  name INTEGER NOT NULL REFERENCES names (id), bytes REAL);
CREATE TABLE collectives (
  id INTEGER PRIMARY KEY, operation TEXT NOT NULL, type TEXT NOT NULL, ranks INTEGER NOT NULL,
  bytes REAL NOT NULL, in_place INTEGER NOT NULL, seconds REAL NOT NULL,
  algbw_bytes_per_s REAL NOT NULL, busbw_bytes_per_s REAL NOT NULL);
CREATE TABLE sources (
  id INTEGER PRIMARY KEY, what TEXT NOT NULL, records INTEGER NOT NULL, kept INTEGER NOT NULL,
  skipped_because TEXT NOT NULL);
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE VIEW steps AS
  SELECT step, min(start_s) AS start_s, max(start_s + duration_s) AS end_s,
         sum(watts * duration_s) AS joules
  FROM slices GROUP BY step;
)sql";

/// Whether a file starts like a database of ours: SQLite's magic and, at byte 68, our application
/// id (big-endian; sqlite.org/fileformat2.html, section 1.3).
[[nodiscard]] bool has_run_header(const std::filesystem::path& path);

/// Calls `visit(key, field)` for every number and text of run and trace that `meta` holds, in the
/// order of the documentation; reader and writer share it, so that neither can forget one.
template <class Meta, class TraceType, class Visitor>
void visit_meta(Meta& meta, TraceType& trace, Visitor&& visit) {
  visit("version", meta.version);
  visit("command", meta.command);
  visit("machine", meta.machine);
  visit("data_hash", meta.data_hash);
  visit("workload_json", meta.workload_json);
  visit("workload", trace.workload);
  visit("device", trace.device);
  visit("backend", trace.backend);
  visit("plan", trace.plan);
  visit("seed", trace.seed);
  visit("origin", trace.origin);
  visit("extrapolated", trace.extrapolated);
  visit("relative_error", trace.relative_error);
  visit("load_factor", trace.load_factor);
  visit("incomplete", trace.incomplete);
  visit("incomplete_reason", trace.incomplete_reason);
  visit("idle_w", trace.idle_w);
  visit("idle_unknown", trace.idle_unknown);
  visit("end_s", trace.end_s);
  visit("collectives", trace.traffic.collectives);
  auto& engine = trace.engine;
  visit("engine.steps", engine.steps);
  visit("engine.prefill_tokens", engine.prefill_tokens);
  visit("engine.recomputed_tokens", engine.recomputed_tokens);
  visit("engine.output_tokens", engine.output_tokens);
  visit("engine.busy_s", engine.busy_s);
  visit("engine.end_s", engine.end_s);
  visit("engine.preemptions", engine.preemptions);
  visit("engine.gave_up", engine.gave_up);
  auto& metrics = trace.metrics;
  visit("metrics.requests", metrics.requests);
  visit("metrics.ttft_p50_s", metrics.ttft_p50);
  visit("metrics.ttft_p90_s", metrics.ttft_p90);
  visit("metrics.ttft_p99_s", metrics.ttft_p99);
  visit("metrics.ttft_p99_low_s", metrics.ttft_p99_low);
  visit("metrics.ttft_p99_high_s", metrics.ttft_p99_high);
  visit("metrics.tpot_p50_s", metrics.tpot_p50);
  visit("metrics.tpot_p90_s", metrics.tpot_p90);
  visit("metrics.tpot_p99_s", metrics.tpot_p99);
  visit("metrics.tpot_p99_low_s", metrics.tpot_p99_low);
  visit("metrics.tpot_p99_high_s", metrics.tpot_p99_high);
  visit("metrics.attainment", metrics.attainment);
  visit("metrics.output_tokens_per_s", metrics.output_tokens_per_s);
  visit("metrics.prompt_tokens_per_s", metrics.prompt_tokens_per_s);
}

}  // namespace rackwright::profiler
