/// Writes `engines.json` and the `served_power` model of `power.json` anew from measured tables:
///   rackwright_calibrate_serving DATA_DIR OUT_DIR
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "common/data_locator.hpp"
#include "common/output_file.hpp"
#include "common/statistics.hpp"
#include "results/validation/served_fit.hpp"

using namespace rackwright;
namespace fs = std::filesystem;

namespace {

using results::EngineFit;
using results::ServedRow;

std::vector<const ServedRow*> rows_of(const std::vector<ServedRow>& rows,
                                      const std::string& engine) {
  std::vector<const ServedRow*> result;
  for (const ServedRow& row : rows) {
    if (row.priced && row.excluded.empty() && (engine.empty() || row.engine == engine) &&
        row.costs.cached_sequences >= 1) {
      result.push_back(&row);
    }
  }
  return result;
}

const std::vector<std::string> kGraphEngine = {"decode_factor",
                                               "expert_factor",
                                               "per_step_s",
                                               "per_sequence_s",
                                               "prefill_factor",
                                               "first_token_prompts",
                                               "first_token_root_prompts",
                                               "first_token_wave"};
const std::vector<std::string> kEagerEngine = {"per_sequence_s", "launch_per_layer_s",
                                               "prefill_launch_per_layer_s", "prefill_factor",
                                               "prefill_growth"};

void say(const kernels::CalibratedModel& model) {
  fmt::print(stderr, "  {:<18} {:4} rows, fit {:.1f} %, held out {:.1f} %, p90 {:.1f} %\n",
             model.variant, model.quality.rows, 100 * model.quality.fit_mean,
             100 * model.quality.held_out_mean, 100 * model.quality.held_out_p90);
}

/// An engine measured on two or three models says little of what a model left out would do; it is
/// not taken to be worse than all engines together with a model left out.
void limit_by_default(kernels::DeviceProfile& engines) {
  const auto& pooled = engines.models.front().parameters;
  for (const char* key : {"tpot_half_width", "tpot_half_width_experts", "ttft_half_width"}) {
    double& width = engines.models.back().parameters.at(key);
    width = std::min(width, pooled.at(key));
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
  results::ServedCatalog catalog(data);
  kernels::DeviceProfile engines{"engines", {}};
  const auto add = [&](EngineFit task) {
    if (task.rows.empty()) return;
    engines.models.push_back(results::fit_engine(task));
    if (task.predict == results::predict_served) limit_by_default(engines);
    say(engines.models.back());
  };
  const auto served = results::read_aicfg_served(
      data_dir / "aiconfigurator-e2e/e2e_ttft_tpot_calibration.csv", catalog);
  for (const char* engine :
       {"", "sglang", "sglang prompts-first", "trtllm", "trtllm 1.0.0rc", "vllm"}) {
    EngineFit task;
    task.variant = *engine == '\0' ? "default" : engine;
    task.rows = rows_of(served, engine);
    task.predict = results::predict_served;
    task.parameters = kGraphEngine;
    task.tables = "aiconfigurator-e2e, H100 and H200, aggregated";
    task.software = task.variant == "default" ? "SGLang, TensorRT-LLM, vLLM" : task.variant;
    add(task);
  }
  // Kernels as the backend says and host time alone: what `review` replays with. Its values stand
  // as the "host" model in kernels/devices/profiles/default.json.
  EngineFit host;
  host.variant = "host";
  host.rows = rows_of(served, "");
  host.predict = results::predict_served;
  host.parameters = {"per_step_s", "per_sequence_s", "first_token_prompts", "first_token_wave"};
  host.tables = "aiconfigurator-e2e, H100 and H200, aggregated";
  host.software = "SGLang, TensorRT-LLM, vLLM";
  add(host);
  const auto splitwise =
      results::read_splitwise(data_dir / "splitwise-perf/perf_model_calibration.csv", catalog);
  for (const char* engine : {"", "vllm-2023 a100", "vllm-2023 h100"}) {
    EngineFit task;
    task.variant = *engine == '\0' ? "vllm-2023" : engine;
    task.rows = rows_of(splitwise, engine);
    task.predict = results::predict_apart;
    task.parameters = kEagerEngine;
    task.ttft_weight = 1;
    task.tables = "splitwise-perf, Llama 2 70B on DGX A100 and H100";
    task.software = "vLLM of 2023, without CUDA graphs";
    add(task);
  }
  const auto energy =
      results::read_ml_energy(data_dir / "ml-energy-llm/energy_calibration_h100.csv", catalog);
  EngineFit task;
  task.variant = "vllm-online";
  task.rows = rows_of(energy, "");
  task.predict = [](const ServedRow& row, const profiler::EngineModel& engine) {
    static const kernels::CalibratedModel none = [] {
      kernels::CalibratedModel model;
      for (const char* key : {"base", "prefill", "flop", "per_doubling_of_gpus"}) {
        model.parameters[key] = 0;
      }
      model.parameters["flop_exponent"] = model.parameters["cap_share"] = 1;
      return model;
    }();
    return results::predict_held_batch(row, engine, none);
  };
  task.parameters = {"decode_factor", "expert_factor", "per_step_s", "per_sequence_s"};
  task.ttft_weight = 0;
  task.tables = "ml-energy-llm, H100";
  task.software = "vLLM at steady load";
  add(task);
  auto power = kernels::read_profile(data.find("power", "profiler/serving_profiles"));
  std::erase_if(power.models, [](const auto& model) { return model.operation == "served_power"; });
  power.models.push_back(results::fit_served_power(
      rows_of(energy, ""), profiler::EngineModel::from(engines.models.back()),
      "ml-energy-llm, H100"));
  say(power.models.back());
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
