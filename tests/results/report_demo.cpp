// report_demo OUT_DIR ASSET_DIR: writes one report per demonstration review, to look at.
#include <cstdio>
#include <filesystem>

#include "common/csv_reader.hpp"
#include "common/output_file.hpp"
#include "results/report/report.hpp"
#include "tests/results/demo_review.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: report_demo OUT_DIR ASSET_DIR (with report.css and report.js)\n", stderr);
    return 2;
  }
  const std::filesystem::path out(argv[1]);
  const std::filesystem::path assets(argv[2]);
  std::filesystem::create_directories(out);
  rackwright::results::ReportAssets loaded;
  loaded.style = rackwright::read_file(assets / "report.css");
  rackwright::write_file(
      out / "noscript.html",
      render_report(rackwright::testing::demo_review(rackwright::testing::Demo::seven), loaded));
  if (std::filesystem::exists(assets / "report.js")) {
    loaded.script = rackwright::read_file(assets / "report.js");
  }
  for (const auto& [name, demo] : rackwright::testing::demos()) {
    rackwright::write_file(out / (name + ".html"),
                           render_report(rackwright::testing::demo_review(demo), loaded));
  }
}
