#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/topology/json_schema.hpp"
#include "topology/fact_reader.hpp"
#include "topology/network/fabric.hpp"
#include "topology/part_kinds.hpp"
#include "topology/rack_design.hpp"
#include "workloads/workload.hpp"

namespace rackwright::topology {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;
namespace fs = std::filesystem;

const fs::path kSource(RACKWRIGHT_SOURCE_DIR);

Json read(const fs::path& path) {
  return Json::parse(read_file(path));
}

testing::JsonSchema schema(const std::string& name) {
  return testing::JsonSchema(read(kSource / "topology/schema" / (name + ".schema.json")));
}

struct Shipped {
  const char* schema;
  const char* folder;
};

class EveryShippedFile : public ::testing::TestWithParam<Shipped> {};

TEST_P(EveryShippedFile, FitsItsSchema) {
  const auto form = schema(GetParam().schema);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kSource / GetParam().folder)) {
    if (entry.path().extension() != ".json") continue;
    EXPECT_THAT(form.violations(read(entry.path())), IsEmpty()) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 0);
}

INSTANTIATE_TEST_SUITE_P(Folders, EveryShippedFile,
                         ::testing::Values(Shipped{"catalog", "topology/catalog"},
                                           Shipped{"rack", "topology/racks"},
                                           Shipped{"fabric", "topology/fabrics"},
                                           Shipped{"layout", "topology/layouts"},
                                           Shipped{"cabling-practice",
                                                   "topology/layouts/practice"},
                                           Shipped{"pod-items", "topology/layouts/pods"},
                                           Shipped{"workload", "workloads"}));

TEST(Schema, NamesItsDraft) {
  for (const char* name : {"catalog", "rack", "fabric", "workload", "layout", "cabling-practice", "pod-items"}) {
    EXPECT_EQ(schema(name).json()["$schema"], "https://json-schema.org/draft/2020-12/schema");
  }
}

/// What the reader says of `document` without `key`; "" when it accepts it.
template <typename Read>
std::string without(Json document, const std::string& key, Read&& reader) {
  document.erase(key);
  const testing::TemporaryFolder folder;
  try {
    reader(folder.write("topology/catalog/file.json", document.dump()));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Each key that the schema requires is one the reader misses, and the other way round for the keys
/// of `document`.
template <typename Read>
void expect_same_required(const Json& form, const Json& document, Read&& reader) {
  const Json required = form.value("required", Json::array());
  for (const auto& [key, value] : document.items()) {
    const bool is_required = std::find(required.begin(), required.end(), key) != required.end();
    const std::string said = without(document, key, reader);
    if (is_required) {
      EXPECT_THAT(said, ::testing::HasSubstr(key)) << "schema requires " << key;
    } else {
      EXPECT_EQ(said, "") << "schema does not require " << key;
    }
  }
}

TEST(Schema, RequiresOfARackWhatTheReaderRequires) {
  const Catalog catalog = Catalog::load(DataLocator({kSource}));
  // An air rack without the keys that only hang together: a fabric, feeds and their buses.
  Json rack = read(kSource / "topology/racks/dgx-h100-air.json");
  rack.erase("buses");
  rack.erase("feeds");
  expect_same_required(schema("rack").json(), rack,
                       [&](const fs::path& path) { (void)read_rack_design(path, catalog); });
}

TEST(Schema, RequiresOfAFabricWhatTheReaderRequires) {
  // A tree needs its spines, a pair of switches has none.
  Json form = schema("fabric").json();
  for (const Json& key : form["else"]["required"]) form["required"].push_back(key);
  expect_same_required(form, read(kSource / "topology/fabrics/dgx-h100-superpod.json"),
                       [](const fs::path& path) { (void)read_fabric_design(path); });
}

TEST(Schema, RequiresOfAPartWhatTheReaderRequires) {
  const Json part = read(kSource / "topology/catalog/nodes.json")["parts"][1];
  const auto reader = [](const fs::path& path) {
    Json file{{"format_version", 1}, {"parts", Json::array({read(path)})}};
    const testing::TemporaryFolder folder;
    folder.write("topology/catalog/parts.json", file.dump());
    (void)Catalog::load(DataLocator({folder.path()}));
  };
  expect_same_required(schema("catalog").json()["$defs"]["part"], part, reader);
}

TEST(Schema, RequiresOfAWorkloadWhatTheReaderRequires) {
  const DataLocator data({kSource});
  Json workload = read(kSource / "workloads/llama-3.1-8b-chat.json");
  expect_same_required(schema("workload").json(), workload, [&](const fs::path& path) {
    (void)workloads::read_workload(path, data, {}, 1);
  });
}

TEST(Schema, KnowsTheKindsAndUnitsOfTheReader) {
  const auto form = schema("catalog");
  EXPECT_EQ(form.json()["$defs"]["part"]["properties"]["kind"]["enum"], Json(part_kinds()));
  const auto with_fact = [](const std::string& key) {
    const Json part{
        {"id", "x"}, {"kind", "node"}, {"name", "X"}, {"source", "s"}, {"facts", {{key, 1}}}};
    return Json{{"format_version", 1}, {"parts", Json::array({part})}};
  };
  for (const std::string& unit : known_units()) {
    EXPECT_THAT(form.violations(with_fact("quantity_" + unit)), IsEmpty()) << unit;
  }
  for (const char* key : {"max_power", "power_kw", "w", "max_power_w_at_noon"}) {
    EXPECT_THAT(form.violations(with_fact(key)), Not(IsEmpty())) << key;
    EXPECT_FALSE(has_unit(key)) << key;
  }
  EXPECT_THAT(form.violations(with_fact("viscosity_mpa_s_at_40c")), IsEmpty());
}

TEST(Schema, FindsWhatEditorsShouldUnderline) {
  Json rack = read(kSource / "topology/racks/gb200-nvl72.json");
  rack["envelope"]["width"] = 600;
  rack["feeds"][0]["derating_pct"] = 130;
  rack["cooling"] = "water";
  EXPECT_THAT(schema("rack").violations(rack), ::testing::SizeIs(3));
}

}  // namespace
}  // namespace rackwright::topology
