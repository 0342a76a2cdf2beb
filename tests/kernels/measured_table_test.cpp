#include "kernels/calibration/measured_table.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::kernels {
namespace {

using namespace workloads;

class ReadMeasured : public ::testing::Test {
 protected:
  MeasuredTable read(const std::string& text) {
    const auto path = folder_.path() / "table.csv";
    std::ofstream(path) << text;
    return read_measured(path);
  }
  rackwright::testing::TemporaryFolder folder_;
};

TEST_F(ReadMeasured, MessageSizeCountsElementsAndTimesAreMilliseconds) {
  const MeasuredTable table = read(
      "op,version,device,kernel_source,nccl_dtype,num_gpus,message_size,latency\n"
      "all_reduce,2,GPU,NCCL,half,8,1000,0.5\n"
      "alltoall,2,GPU,NCCL,int8,8,1000,0.5\n");
  EXPECT_EQ(table.kind, TableKind::nccl);
  EXPECT_DOUBLE_EQ(std::get<CollectiveShape>(table.rows[0].op.shape).bytes, 2000);
  EXPECT_DOUBLE_EQ(std::get<CollectiveShape>(table.rows[1].op.shape).bytes, 1000);
  EXPECT_DOUBLE_EQ(table.rows[0].seconds, 0.5e-3);
}

TEST_F(ReadMeasured, OneDecodedTokenSeesTheContextAndItself) {
  const MeasuredTable table = read(
      "version,device,kernel_source,batch_size,isl,num_heads,num_key_value_heads,head_dim,"
      "attn_dtype,kv_cache_dtype,step,latency\n"
      "1,GPU,x,4,1,32,8,128,bfloat16,bfloat16,1023,0.1\n"
      "1,GPU,x,2,100,32,8,128,bfloat16,bfloat16,0,0.1\n");
  const auto& decode = std::get<AttentionShape>(table.rows[0].op.shape);
  EXPECT_FALSE(decode.prefill);
  EXPECT_DOUBLE_EQ(decode.kv_tokens, 4 * 1024);
  const auto& prefill = std::get<AttentionShape>(table.rows[1].op.shape);
  EXPECT_TRUE(prefill.prefill);
  EXPECT_DOUBLE_EQ(prefill.pairs, 2 * 5050);  // 100 x 101 / 2 each
}

TEST_F(ReadMeasured, WrongCellsNameFileLineAndColumn) {
  try {
    read("version,device,kernel_source,gemm_dtype,m,n,k,latency\n1,GPU,x,bfloat16,1,2,3,-4\n");
    FAIL() << "read a negative time";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("table.csv:2: latency"));
  }
  EXPECT_THROW(read("a,b\n1,2\n"), InputError);
}

}  // namespace
}  // namespace rackwright::kernels
