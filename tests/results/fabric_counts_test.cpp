#include <filesystem>

#include <gtest/gtest.h>

#include "results/validation/fabric_counts_format.hpp"
#include "results/validation/score.hpp"
#include "tests/shared_data.hpp"
#include "tests/temporary_folder.hpp"

namespace rackwright::results {
namespace {

const DataLocator& source_tree() {
  static const DataLocator data({std::filesystem::path(RACKWRIGHT_SOURCE_DIR)});
  return data;
}

std::vector<ValidationRow> run(const std::filesystem::path& path) {
  ValidationRequest request;
  request.paths = {path};
  request.quantity = "count";
  return fabric_counts_format().run(request, source_tree(), {});
}

TEST(FabricCountsFormat, MeetsEveryPrintedNumberOfTheSharedTable) {
  RACKWRIGHT_NEED_SHARED("validation/fabric_counts.csv");
  const auto rows = run(testing::shared_data() / "validation/fabric_counts.csv");
  EXPECT_EQ(rows.size(), 85u);
  for (const ValidationRow& row : rows) {
    EXPECT_EQ(row.excluded, "") << row.row;
    EXPECT_EQ(row.predicted, row.measured) << row.row;
  }
}

constexpr const char* kHead = "case_id,design,nodes,gpus,leaf,spine,core\n";

TEST(FabricCountsFormat, ListsWhatItHasNoDesignOfAndWhatIsAssumed) {
  const testing::TemporaryFolder folder;
  const auto rows = run(folder.write("t.csv", std::string(kHead) +
                                                  "a,Some Unknown Cluster,8,64,4,,\n"
                                                  "b,Meta Llama 3 RoCE cluster,,24576,1536,64,\n"));
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows[0].excluded, "no design of this system");
  EXPECT_EQ(rows[3].row, "b leaf");
  EXPECT_EQ(rows[3].predicted, 1536) << "nodes follow from the GPUs";
  EXPECT_EQ(rows[3].excluded, "");
  EXPECT_NE(rows[4].excluded, "") << "no source prints how many spines there are";
}

TEST(FabricCountsFormat, ShowsACountWhereNoneIsPrinted) {
  const testing::TemporaryFolder folder;
  const auto rows =
      run(folder.write("t.csv", std::string(kHead) + "a,DGX H100 SuperPOD,31,248,8,0,0\n"));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[2].excluded, "4 counted where 0 is printed");
  EXPECT_EQ(rows[3].excluded, "");
}

}  // namespace
}  // namespace rackwright::results
