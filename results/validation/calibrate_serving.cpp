/// Writes `engines.json` and the `served_power` model of `power.json` anew from measured tables:
///   rackwright_calibrate_serving DATA_DIR OUT_DIR
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "common/data_locator.hpp"
#include "common/output_file.hpp"
#include "common/statistics.hpp"
#include "results/validation/served_calibration.hpp"
#include "results/validation/served_prediction.hpp"
#include "results/validation/validation.hpp"

using namespace rackwright;
namespace fs = std::filesystem;

namespace {

void say(const kernels::DeviceProfile& profile) {
  for (const kernels::CalibratedModel& model : profile.models) {
    fmt::print(stderr, "  {:<22} {:4} rows, fit {:.1f} %, held out {:.1f} %, p90 {:.1f} %\n",
               model.variant.empty() ? model.operation : model.variant, model.quality.rows,
               100 * model.quality.fit_mean, 100 * model.quality.held_out_mean,
               100 * model.quality.held_out_p90);
  }
}

/// Recorded runs are too few to fit on: the served vLLM stands in, and the half-widths are what it
/// misses single requests by.
void add_replay(kernels::DeviceProfile& engines, const fs::path& data_dir,
                const DataLocator& data) {
  kernels::CalibratedModel replay = *engines.find("engine", "vllm");
  replay.variant = "vllm-replay";
  engines.models.push_back(replay);
  results::ValidationRequest request;
  request.paths =
      results::expand_paths(std::vector{data_dir / "llmservingsim-vllm"}, "_requests.jsonl");
  std::vector<double> ends;
  std::vector<double> firsts;
  for (const auto& row : results::replay_recorded(request, engines, data, {})) {
    const double ratio = row.predicted / row.measured;
    (row.row.ends_with("ttft") ? firsts : ends).push_back(std::max(ratio, 1 / ratio) - 1);
  }
  auto& parameters = engines.models.back().parameters;
  parameters["tpot_half_width"] = quantile(ends, 0.9);
  parameters["ttft_half_width"] = quantile(firsts, 0.9);
}

int run(const fs::path& data_dir, const fs::path& out) {
  const DataLocator data = DataLocator::from_environment();
  struct Source {
    const char* format;
    const char* file;
    const char* tables;
  };
  kernels::DeviceProfile engines{"engines", {}};
  for (const Source& source :
       {Source{"aicfg-e2e", "aiconfigurator-e2e/e2e_ttft_tpot_calibration.csv",
               "aiconfigurator-e2e, H100 and H200, aggregated"},
        Source{"splitwise", "splitwise-perf/perf_model_calibration.csv",
               "splitwise-perf, Llama 2 70B on DGX A100 and H100"},
        Source{"ml-energy", "ml-energy-llm/energy_calibration_h100.csv", "ml-energy-llm, H100"}}) {
    auto fitted = results::calibrate_serving(source.format, {data_dir / source.file}, "",
                                             source.tables, data);
    say(fitted);
    std::move(fitted.models.begin(), fitted.models.end(), std::back_inserter(engines.models));
  }
  auto power = kernels::read_profile(data.find("power", "profiler/serving_profiles"));
  std::erase_if(power.models, [](const auto& model) { return model.operation == "served_power"; });
  power.models.push_back(engines.models.back());
  engines.models.pop_back();
  add_replay(engines, data_dir, data);
  write_file(out / "engines.json", kernels::to_json(engines));
  write_file(out / "power.json", kernels::to_json(power));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: rackwright_calibrate_serving DATA_DIR OUT_DIR\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
