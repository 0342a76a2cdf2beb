#include "workloads/data_type.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"

namespace rackwright::workloads {
namespace {

TEST(DataType, NamesRoundTrip) {
  for (const DataType type :
       {DataType::fp32, DataType::bf16, DataType::fp16, DataType::int8, DataType::fp8,
        DataType::fp8_block, DataType::mxfp4, DataType::nvfp4}) {
    EXPECT_EQ(parse_data_type(to_string(type), "kv"), type);
  }
}

TEST(DataType, AcceptsTheNamesOfPublishedConfigs) {
  EXPECT_EQ(parse_data_type("bfloat16", "torch_dtype"), DataType::bf16);
  EXPECT_EQ(parse_data_type("float16", "torch_dtype"), DataType::fp16);
  EXPECT_EQ(parse_data_type("float32", "torch_dtype"), DataType::fp32);
}

TEST(DataType, UnknownNameSaysFieldAndNearest) {
  try {
    (void)parse_data_type("pf8", "plan/kv");
    FAIL() << "accepted pf8";
  } catch (const InputError& error) {
    EXPECT_EQ(error.problems().front().field, "plan/kv");
    EXPECT_THAT(error.what(), ::testing::HasSubstr("mxfp4"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("\"pf8\""));
  }
}

TEST(DataType, BlockScalesCountAsStorage) {
  EXPECT_DOUBLE_EQ(bytes_per_element(DataType::bf16), 2.0);
  // One fp32 scale per 128 x 128 block: 4 / 16384 = 0.000244140625.
  EXPECT_DOUBLE_EQ(bytes_per_element(DataType::fp8_block), 1.000244140625);
  // OCP MX: 32 elements of 4 bits and one 8-bit scale are 17 bytes.
  EXPECT_DOUBLE_EQ(bytes_per_element(DataType::mxfp4), 17.0 / 32.0);
  // 16 elements of 4 bits and one 8-bit scale are 9 bytes.
  EXPECT_DOUBLE_EQ(bytes_per_element(DataType::nvfp4), 9.0 / 16.0);
}

}  // namespace
}  // namespace rackwright::workloads
