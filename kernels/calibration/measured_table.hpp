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
  std::string unsupported;      ///< why `op` is not what ran: "gemm_dtype "w3" is not known"
};

struct ReadOptions {
  bool timed = true;  ///< false: a blank or absent time reads as 0
};

enum class TableKind {
  gemm,
  attention,
  latent_attention,
  experts,
  nccl,
  engine_all_reduce,
  expert_exchange,
  normal_exchange,
  layers,
  network
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
/// (dispatch_avg_t_us) and normal mode (dispatch_transmit_us), `vidur-mlp` (n_expanded_embd; the
/// GEMMs and memory-bound operators of one layer), `vidur-net` (devices_per_node).
/// Times there are milliseconds, DeepEP microseconds; message_size counts elements. A number format
/// or distribution that has no model makes a row `unsupported`. Throws InputError with file, line
/// and column for anything else.
[[nodiscard]] MeasuredTable read_measured(const std::filesystem::path& path,
                                          const ReadOptions& options = {});

/// Supported rows of one device out of tables of one kind, with the names of the files they came
/// from.
struct MeasuredSet {
  std::vector<MeasuredRow> rows;
  Provenance provenance;
};
[[nodiscard]] MeasuredSet rows_of(const DeviceInfo& device, std::span<const MeasuredTable> tables,
                                  TableKind kind);

}  // namespace rackwright::kernels
