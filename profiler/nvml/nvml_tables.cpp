#include "profiler/nvml/nvml_tables.hpp"

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "profiler/run_schema.hpp"
#include "profiler/sqlite.hpp"

namespace rackwright::profiler::nvml {

namespace {

constexpr std::size_t kBatchSamples = 2000;

void bind_or_blank(Statement& statement, int index, const std::optional<int>& value) {
  if (value) statement.bind(index, std::int64_t{*value});
}

void write_gpus(Database& database, const NvmlRecord& record) {
  database.execute(
      "CREATE TABLE IF NOT EXISTS gpus (gpu INTEGER PRIMARY KEY, name TEXT NOT NULL, uuid TEXT NOT "
      "NULL, pci_bus_id TEXT NOT NULL, compute_capability TEXT NOT NULL, chassis TEXT NOT NULL, "
      "slot INTEGER, tray INTEGER, host INTEGER, module INTEGER, cluster TEXT NOT NULL, clique "
      "INTEGER, power_limit_w REAL, driver TEXT NOT NULL, nvlink_source TEXT NOT NULL)");
  for (std::size_t i = 0; i < record.gpus.size(); ++i) {
    const GpuIdentity& gpu = record.gpus[i];
    Statement insert(database, "INSERT INTO gpus VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    insert.bind(0, static_cast<std::int64_t>(i))
        .bind(1, gpu.name)
        .bind(2, gpu.uuid)
        .bind(3, gpu.pci_bus_id)
        .bind(4, gpu.compute_capability)
        .bind(5, gpu.place.chassis_serial)
        .bind(10, gpu.place.cluster_uuid)
        .bind(13, record.driver_version)
        .bind(14, record.nvlink_sources[i]);
    bind_or_blank(insert, 6, gpu.place.slot);
    bind_or_blank(insert, 7, gpu.place.tray);
    bind_or_blank(insert, 8, gpu.place.host);
    bind_or_blank(insert, 9, gpu.place.module);
    if (gpu.place.clique) insert.bind(11, std::int64_t{*gpu.place.clique});
    if (gpu.power_limit_w) insert.bind(12, *gpu.power_limit_w);
    insert.run();
  }
}

void write_settings(Database& database, const NvmlRecord& record) {
  database.execute(
      "CREATE TABLE IF NOT EXISTS gpu_settings (gpu INTEGER NOT NULL, field INTEGER NOT NULL, "
      "value REAL NOT NULL, PRIMARY KEY (gpu, field))");
  Statement insert(database, "INSERT INTO gpu_settings VALUES (?, ?, ?)");
  for (std::size_t i = 0; i < record.gpus.size(); ++i) {
    for (const auto& [field, value] : record.gpus[i].settings) {
      insert.bind(0, static_cast<std::int64_t>(i)).bind(1, std::int64_t{field}).bind(2, value);
      insert.run();
    }
  }
}

void write_sensors(Database& database, const NvmlRecord& record,
                   const std::vector<SensorFacts>& sensors) {
  database.execute(
      "CREATE TABLE IF NOT EXISTS sensors (gpu INTEGER PRIMARY KEY, instant_window_s REAL, "
      "duty_cycle REAL, average_window_s REAL, period_s REAL NOT NULL, source TEXT NOT NULL)");
  for (std::size_t i = 0; i < record.gpus.size(); ++i) {
    const SensorFacts* facts = find_sensor(sensors, record.gpus[i].compute_capability);
    Statement insert(database, "INSERT INTO sensors VALUES (?, ?, ?, ?, ?, ?)");
    insert.bind(0, static_cast<std::int64_t>(i)).bind(4, record.achieved_period_s);
    insert.bind(5, std::string_view(facts == nullptr ? "not published" : facts->source));
    if (facts != nullptr) {
      if (facts->instant_window_s) insert.bind(1, *facts->instant_window_s);
      if (const auto duty = facts->duty_cycle()) insert.bind(2, *duty);
      if (facts->average_window_s) insert.bind(3, *facts->average_window_s);
    }
    insert.run();
  }
}

/// Readings at a moment: their duration is 0, and `sensors` says what window each stands for.
void write_counters(Database& database, const NvmlRecord& record, std::int64_t start_us) {
  Statement insert(database, "INSERT INTO counters VALUES (?, ?, ?, ?, 0, ?)");
  for (std::size_t begin = 0; begin < record.samples.size(); begin += kBatchSamples) {
    database.execute("BEGIN");
    for (std::size_t i = begin; i < std::min(record.samples.size(), begin + kBatchSamples); ++i) {
      const GpuSample& sample = record.samples[i];
      for (std::size_t q = 0; q < kQuantityCount; ++q) {
        const auto quantity = static_cast<Quantity>(q);
        if (!sample.has(quantity)) continue;
        insert.bind(0, std::int64_t{sample.gpu})
            .bind(1, facts(quantity).name)
            .bind(2, facts(quantity).unit)
            .bind(3, static_cast<double>(sample.time_us - start_us) * 1e-6)
            .bind(4, sample[quantity])
            .run();
      }
    }
    database.execute("COMMIT");
  }
}

}  // namespace

void add_to_run(const std::filesystem::path& run, const NvmlRecord& record,
                const std::vector<SensorFacts>& sensors, std::int64_t start_us) {
  if (!has_run_header(run)) {
    throw InputError(InputProblem{run.string(), 0, "", "a run file (*.rw)", "another kind"});
  }
  try {
    Database database(run, Database::Access::read);
    write_gpus(database, record);
    write_settings(database, record);
    write_sensors(database, record, sensors);
    write_counters(database, record, start_us);
  } catch (const SqliteError& error) {
    throw InputError(
        InputProblem{run.string(), 0, "", "a run file that can be extended", error.what()});
  }
}

}  // namespace rackwright::profiler::nvml
