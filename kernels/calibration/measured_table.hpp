#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/analytical/device_profile.hpp"
#include "workloads/operator.hpp"

namespace rackwright::kernels {

/// One measured execution of one operator.
struct MeasuredRow {
  std::size_t line = 0;
  std::string device;    ///< as the table names it
  std::string software;  ///< kernel source and version
  workloads::Operator op;
  double seconds = 0;
  std::optional<double> watts;  ///< board, mean while the kernel repeats
  int domain = 8;               ///< GPUs of the scale-up domain the row ran in
  std::string group;            ///< rows that are left out together
};

enum class TableKind {
  gemm,
  attention,
  latent_attention,
  experts,
  nccl,
  engine_all_reduce,
  expert_exchange,
  layers
};
[[nodiscard]] std::string_view to_string(TableKind kind);

struct MeasuredTable {
  std::string name;  ///< file name
  TableKind kind = TableKind::gemm;
  std::vector<MeasuredRow> rows;
};

/// Reads a table of kernel times; the kind is told by its columns: `aicfg-gemm` (gemm_dtype),
/// `aicfg-attention` (attn_dtype), `aicfg-mla` (mla_dtype), `aicfg-moe` (moe_dtype), `aicfg-nccl`
/// (nccl_dtype), `aicfg-allreduce` (allreduce_dtype), `aicfg-deepep` low-latency mode
/// (dispatch_avg_t_us), `vidur-mlp` (time_stats.mlp_act.median; its memory-bound operators).
/// Times there are milliseconds, DeepEP microseconds; message_size counts elements. Throws
/// InputError with file, line and column.
[[nodiscard]] MeasuredTable read_measured(const std::filesystem::path& path);

/// Rows of one device out of tables of one kind, with the names of the files they came from.
struct MeasuredSet {
  std::vector<MeasuredRow> rows;
  Provenance provenance;
};
[[nodiscard]] MeasuredSet rows_of(const DeviceInfo& device, std::span<const MeasuredTable> tables,
                                  TableKind kind);

}  // namespace rackwright::kernels
