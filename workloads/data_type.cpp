#include "workloads/data_type.hpp"

#include <array>
#include <string>
#include <vector>

#include "common/input_error.hpp"

namespace rackwright::workloads {
namespace {

struct NamedType {
  std::string_view name;
  DataType type;
};

/// The first name of a type is the one printed; the others are what configs and engines write.
constexpr std::array kNames{
    NamedType{"fp32", DataType::fp32},    NamedType{"bf16", DataType::bf16},
    NamedType{"fp16", DataType::fp16},    NamedType{"int8", DataType::int8},
    NamedType{"fp8", DataType::fp8},      NamedType{"fp8_block", DataType::fp8_block},
    NamedType{"mxfp4", DataType::mxfp4},  NamedType{"nvfp4", DataType::nvfp4},
    NamedType{"float32", DataType::fp32}, NamedType{"bfloat16", DataType::bf16},
    NamedType{"float16", DataType::fp16}, NamedType{"half", DataType::fp16},
    NamedType{"fp8_e4m3", DataType::fp8}, NamedType{"float8_e4m3fn", DataType::fp8},
};

}  // namespace

std::string_view to_string(DataType type) {
  for (const NamedType& entry : kNames) {
    if (entry.type == type) return entry.name;
  }
  return "unknown";
}

DataType parse_data_type(std::string_view text, std::string_view field) {
  for (const NamedType& entry : kNames) {
    if (entry.name == text) return entry.type;
  }
  std::vector<std::string> known;
  for (const NamedType& entry : kNames) known.emplace_back(entry.name);
  std::string expected = "a data type: fp32, bf16, fp16, int8, fp8, fp8_block, mxfp4, nvfp4";
  if (const std::string near = nearest_word(text, known); !near.empty()) {
    expected += "; did you mean \"" + near + "\"?";
  }
  throw InputError(
      InputProblem{"", 0, std::string(field), std::move(expected), '"' + std::string(text) + '"'});
}

double bytes_per_element(DataType type) {
  switch (type) {
    case DataType::fp32:
      return 4.0;
    case DataType::bf16:
    case DataType::fp16:
      return 2.0;
    case DataType::int8:
    case DataType::fp8:
      return 1.0;
    case DataType::fp8_block:
      return 1.0 + 4.0 / 16384.0;
    case DataType::mxfp4:
      return 0.5 + 1.0 / 32.0;
    case DataType::nvfp4:
      return 0.5 + 1.0 / 16.0;
  }
  return 0.0;
}

}  // namespace rackwright::workloads
