#pragma once

#include <string_view>

namespace rackwright::workloads {

enum class DataType { fp32, bf16, fp16, int8, fp8, fp8_block, mxfp4, nvfp4 };

[[nodiscard]] std::string_view to_string(DataType type);
/// Throws InputError naming `field` when `text` is no data type.
[[nodiscard]] DataType parse_data_type(std::string_view text, std::string_view field);
/// Storage per element including block scales: fp8_block 1 + 4/16384 (one fp32 per 128x128 weight
/// block), mxfp4 0.5 + 1/32 (one e8m0 per 32; OCP MX 1.0), nvfp4 0.5 + 1/16 (one e4m3 per 16).
[[nodiscard]] double bytes_per_element(DataType type);

}  // namespace rackwright::workloads
