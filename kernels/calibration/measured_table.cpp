#include "kernels/calibration/measured_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/csv_reader.hpp"
#include "kernels/calibration/row_readers.hpp"

namespace rackwright::kernels {
namespace {

bool is_of(const DeviceInfo& device, const std::string& name) {
  return std::find(device.measured_as.begin(), device.measured_as.end(), name) !=
         device.measured_as.end();
}

constexpr std::array<std::pair<std::string_view, TableKind>, 10> kMarks{{
    {"gemm_dtype", TableKind::gemm},
    {"attn_dtype", TableKind::attention},
    {"mla_dtype", TableKind::latent_attention},
    {"moe_dtype", TableKind::experts},
    {"nccl_dtype", TableKind::nccl},
    {"allreduce_dtype", TableKind::engine_all_reduce},
    {"dispatch_avg_t_us", TableKind::expert_exchange},
    {"dispatch_transmit_us", TableKind::normal_exchange},
    {"n_expanded_embd", TableKind::layers},
    {"devices_per_node", TableKind::network},
}};

TableKind kind_of_table(const CsvReader& csv, const std::filesystem::path& path) {
  for (const auto& [mark, kind] : kMarks) {
    if (csv.column(mark)) return kind;
  }
  throw InputError({path.string(), 1, "header", "a known table of kernel times (gemm_dtype, …)",
                    csv.header().empty() ? "nothing" : csv.header().front() + ", …"});
}

using Reader = void (*)(const RowContext&, std::vector<MeasuredRow>&);

Reader reader_of(TableKind kind) {
  constexpr std::array<Reader, kMarks.size()> readers{read_gemm,     read_attention,
                                                      read_latent,   read_experts,
                                                      read_nccl,     read_engine_all_reduce,
                                                      read_exchange, read_normal_exchange,
                                                      read_layers,   read_network};
  return readers.at(static_cast<std::size_t>(kind));
}

}  // namespace

std::string_view to_string(TableKind kind) {
  constexpr std::array<std::string_view, kMarks.size()> names{
      "aicfg-gemm",      "aicfg-attention", "aicfg-mla",    "aicfg-moe", "aicfg-nccl",
      "aicfg-allreduce", "aicfg-deepep",    "aicfg-deepep", "vidur-mlp", "vidur-net"};
  return names.at(static_cast<std::size_t>(kind));
}

MeasuredTable read_measured(const std::filesystem::path& path, const ReadOptions& options) {
  CsvReader csv(path, {});
  MeasuredTable table;
  table.name = path.filename().string();
  table.kind = kind_of_table(csv, path);
  const Reader read = reader_of(table.kind);
  while (csv.next()) read({csv, table.name, options}, table.rows);
  return table;
}

MeasuredSet rows_of(const DeviceInfo& device, std::span<const MeasuredTable> tables,
                    TableKind kind) {
  MeasuredSet result;
  std::set<std::string> names;
  std::set<std::string> software;
  for (const MeasuredTable& table : tables) {
    if (table.kind != kind) continue;
    for (const MeasuredRow& row : table.rows) {
      if (!row.unsupported.empty() || !is_of(device, row.device)) continue;
      names.insert(table.name);
      software.insert(row.software);
      result.rows.push_back(row);
    }
  }
  result.provenance.tables = fmt::format("{}", fmt::join(names, ", "));
  result.provenance.software = fmt::format("{}", fmt::join(software, ", "));
  return result;
}

}  // namespace rackwright::kernels
