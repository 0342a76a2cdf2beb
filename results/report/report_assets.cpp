#include "results/report/report_assets.hpp"

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"

namespace rackwright::results {

LoadedAssets load_report_assets(const DataLocator& data) {
  LoadedAssets loaded;
  try {
    loaded.assets.style = read_file(data.file("report/report.css"));
  } catch (const InputError&) {
    // A program that runs from elsewhere in a build tree finds the source tree.
    loaded.assets.style = read_file(data.file("results/report/web/report.css"));
  }
  try {
    loaded.assets.script = read_file(data.file("report/report.js"));
  } catch (const InputError&) {
    loaded.warning =
        "the report has tables and drawings but no interactive charts: it was built without Node "
        "and npm";
  }
  return loaded;
}

}  // namespace rackwright::results
