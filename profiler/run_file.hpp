#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "profiler/recording.hpp"
#include "profiler/trace.hpp"

namespace rackwright::profiler {

/// Context of a run, stored in the file's `meta` table.
struct RunMeta {
  std::string version;
  std::string command;
  std::string machine;
  std::string data_hash;      ///< of catalogue and profiles used
  std::string workload_json;  ///< the resolved workload, so that a run is self-contained
};

/// A run file `*.rw`: one SQLite database (application_id "RKWR", user_version 2). Written in
/// transactions: a killed run leaves a readable prefix that says incomplete.
class RunFileWriter {
 public:
  /// Throws InputError when the file cannot be created.
  RunFileWriter(const std::filesystem::path& path, const RunMeta& meta);
  ~RunFileWriter();
  RunFileWriter(const RunFileWriter&) = delete;
  RunFileWriter& operator=(const RunFileWriter&) = delete;
  void write(const Trace& trace);
  /// What the trace holds so far: a run that is killed keeps it. Slices that an
  /// earlier call wrote are not written again; `write` ends the series.
  void keep(const Trace& trace);
  /// What another tool recorded, beside a trace that says device and length.
  void write(const Trace& trace, const Recording& recording);
  /// Marks the run complete.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct RunFile {
  RunMeta meta;
  Trace trace;
  Recording recording;  ///< empty unless the run was imported
};
/// Throws InputError: no such file, not a run file, newer format, damaged.
[[nodiscard]] RunFile read_run_file(const std::filesystem::path& path);

}  // namespace rackwright::profiler
