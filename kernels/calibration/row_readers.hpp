#pragma once

#include <string>
#include <vector>

#include "common/csv_reader.hpp"
#include "kernels/calibration/measured_table.hpp"

namespace rackwright::kernels {

inline constexpr double kMilli = 1e-3;
inline constexpr double kBf16 = 2;  ///< bytes

/// What the reader of one row needs to know of its table.
struct RowContext {
  const CsvReader& csv;
  const std::string& table;  ///< file name
  ReadOptions options;
};

// One reader per kind of table; each appends the rows of the current line.
void read_gemm(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_attention(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_latent(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_experts(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_layers(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_nccl(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_engine_all_reduce(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_exchange(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_normal_exchange(const RowContext& context, std::vector<MeasuredRow>& rows);
void read_network(const RowContext& context, std::vector<MeasuredRow>& rows);

/// Line, device, software, time in `latency` (ms) and watts.
[[nodiscard]] MeasuredRow common_row(const RowContext& context);
/// Seconds of a time cell; 0 where none is needed and the cell is blank or absent.
[[nodiscard]] double seconds_of(const RowContext& context, std::string_view column, double unit);

/// Device of a Vidur table, which only the file's name says: "a100" of `mlp_a100_….csv`.
[[nodiscard]] std::string device_in_name(const std::string& table);

/// Number formats of a kernel: what weights are stored in and, where it is another, what the
/// products run in.
struct KernelTypes {
  workloads::DataType type = workloads::DataType::bf16;
  std::optional<workloads::DataType> math;
};
/// Names that inference engines give their kernels: "int8_wo" (weight-only), "w4a16_mxfp4",
/// "fp8_static", …, and those of `parse_data_type`. Nothing for an unknown one; `row.unsupported`
/// then says so.
[[nodiscard]] std::optional<KernelTypes> kernel_types(const RowContext& context,
                                                      std::string_view column, MeasuredRow& row);

}  // namespace rackwright::kernels
