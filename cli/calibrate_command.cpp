#include "cli/calibrate_command.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/text_table.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "kernels/calibration/calibrate.hpp"
#include "results/validation/served_calibration.hpp"
#include "results/validation/validation.hpp"

namespace rackwright::cli {

namespace {

std::string text_of(const kernels::DeviceProfile& profile) {
  using Align = TextTable::Align;
  TextTable table({{"operation"},
                   {"variant"},
                   {"GPUs", Align::right},
                   {"rows", Align::right},
                   {"left out", Align::right},
                   {"fit %", Align::right},
                   {"held out: mean %", Align::right},
                   {"median %", Align::right},
                   {"p90 %", Align::right},
                   {"held out together"}});
  std::string notes;
  for (const kernels::CalibratedModel& model : profile.models) {
    const kernels::FitQuality& quality = model.quality;
    table.add({model.operation, model.variant, model.ranks > 0 ? std::to_string(model.ranks) : "-",
               std::to_string(quality.rows), std::to_string(quality.excluded),
               percent_cell(quality.fit_mean), percent_cell(quality.held_out_mean),
               percent_cell(quality.held_out_median), percent_cell(quality.held_out_p90),
               quality.held_out_group});
    if (quality.excluded > 0) {
      notes += fmt::format("{} {}: {} rows left out, {}\n", model.operation, model.variant,
                           quality.excluded, quality.excluded_because);
    }
  }
  return table.text() + (notes.empty() ? "" : "\n" + notes);
}

void expect_format(const std::filesystem::path& path, const std::string& format) {
  const kernels::MeasuredTable table = kernels::read_measured(path);
  if (kernels::to_string(table.kind) == format) return;
  throw InputError(InputProblem{path.string(), 1, "header", fmt::format("a table of {}", format),
                                fmt::format("one of {}", kernels::to_string(table.kind))});
}

}  // namespace

void CalibrateCommand::add_options(CLI::App& app) {
  app.add_option(
         "FORMAT", format_,
         "aicfg-gemm, aicfg-attention, aicfg-mla, aicfg-moe, aicfg-nccl, aicfg-allreduce, "
         "aicfg-deepep, vidur-mlp; all: each file is told by its columns; or served models: "
         "aicfg-e2e, splitwise, ml-energy")
      ->required();
  app.add_option("FILE", paths_, "tables, or folders of them")->required();
  app.add_option("--device", device_,
                 "device file or id; rows of the names in its measured_as are used")
      ->required();
  app.add_option("-o,--out", out_,
                 "the profile; its name belongs in the device's calibration. Of served models: an "
                 "engines.json for profiler/serving_profiles of the data folder")
      ->required();
}

kernels::DeviceProfile CalibrateCommand::fit(const kernels::DeviceInfo& device,
                                             const std::vector<std::filesystem::path>& files,
                                             const ProgressCallback& progress,
                                             const DataLocator& data) const {
  const auto& served = results::serving_calibration_formats();
  if (std::find(served.begin(), served.end(), format_) != served.end()) {
    std::vector<std::string> names;
    for (const auto& file : files) names.push_back(file.filename().string());
    progress("engines of served models", 0, 0);
    return results::calibrate_serving(format_, files, device.id,
                                      fmt::format("{}", fmt::join(names, ", ")), data);
  }
  if (format_ != "all") {
    for (const auto& file : files) expect_format(file, format_);
  }
  return kernels::calibrate(device, files, [&](std::string_view what) { progress(what, 0, 0); });
}

int CalibrateCommand::run(CommandContext& context) {
  const kernels::DeviceInfo device = kernels::find_device(device_, context.data);
  const auto files = results::expand_paths(paths_, ".csv");
  ProgressLine line(context.err, context.err_is_terminal);
  const ProgressCallback progress = progress_on(line);
  const kernels::DeviceProfile profile = fit(device, files, progress, context.data);
  line.finish();
  write_file(out_, kernels::to_json(profile));
  context.out << text_of(profile);
  context.err << fmt::format("wrote {}\n", out_.string());
  return kFine;
}

}  // namespace rackwright::cli
