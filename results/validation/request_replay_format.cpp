#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/csv_reader.hpp"
#include "common/input_error.hpp"
#include "common/timestamp.hpp"
#include "results/validation/replay_operators.hpp"
#include "results/validation/served_prediction.hpp"
#include "workloads/engine.hpp"

namespace rackwright::results {

namespace {

struct RecordedRequest {
  std::size_t line = 0;
  double unix_s = 0;  ///< sent
  double queued_s = 0;
  double first_token_s = 0;
  double last_token_s = 0;
  std::uint32_t prompt = 0;
  std::uint32_t output = 0;
};

std::vector<RecordedRequest> read_recorded(const std::filesystem::path& path) {
  std::ifstream stream = open_input(path);
  std::vector<RecordedRequest> requests;
  std::string text;
  for (std::size_t line = 1; std::getline(stream, text); ++line) {
    if (text.empty()) continue;
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto number = [&](const char* key) {
      if (!json.is_object() || !json.contains(key) || !json[key].is_number()) {
        throw InputError({path.string(), line, key, "a number", text.substr(0, 40)});
      }
      return json[key].get<double>();
    };
    requests.push_back({line, number("arrival_time"), number("queued_ts"), number("first_token_ts"),
                        number("last_token_ts"),
                        static_cast<std::uint32_t>(std::max(1.0, number("input_toks"))),
                        static_cast<std::uint32_t>(std::max(1.0, number("output_toks")))});
  }
  if (requests.empty()) throw InputError({path.string(), 0, "", "at least one request", "none"});
  std::stable_sort(requests.begin(), requests.end(),
                   [](const auto& a, const auto& b) { return a.queued_s < b.queued_s; });
  return requests;
}

/// "RTX4090_Llama-3.1-8B_requests.jsonl" and the "…_meta.json" beside it.
struct RecordedRun {
  std::filesystem::path path;
  std::string prefix;
  std::string device;
  std::string model;
  int tp = 1;
  double started_unix_s = 0;
};

RecordedRun describe_run(const std::filesystem::path& path) {
  constexpr std::string_view kEnding = "_requests.jsonl";
  RecordedRun run;
  run.path = path;
  std::string stem = path.filename().string();
  if (stem.ends_with(kEnding)) stem.resize(stem.size() - kEnding.size());
  run.prefix = (path.parent_path() / stem).string();
  std::vector<std::string> words(1);
  for (const char c : stem) {
    if (c == '_') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  run.device = words.front();
  if (words.size() > 1) run.model = words[1];
  for (const std::string& word : words) {
    if (word.starts_with("tp") && word.size() > 2 && std::isdigit(word[2]) != 0) {
      run.tp = std::max(1, std::atoi(word.c_str() + 2));
    }
  }
  const std::filesystem::path meta = run.prefix + "_meta.json";
  if (std::filesystem::exists(meta)) {
    const auto json = nlohmann::json::parse(read_file(meta), nullptr, false);
    if (json.is_object()) {
      run.model = json.value("model", run.model);
      for (const char* key : {"tp", "tp_size", "tensor_parallel_size"}) {
        if (json.contains(key) && json[key].is_number_integer()) run.tp = json[key].get<int>();
      }
      run.started_unix_s = parse_timestamp(json.value("started_at", "")).value_or(0);
    }
  }
  return run;
}

/// vLLM's defaults: 2,048 tokens a step and 256 sequences on cards under 70 GB, else 8,192 and
/// 1,024 (vllm/engine/arg_utils.py).
void set_vllm_defaults(workloads::ServingPlan& plan, double memory_bytes) {
  const bool large = memory_bytes >= 70e9;
  plan.prefill_chunk = large ? 8192 : 2048;
  plan.max_batch = large ? 1024 : 256;
  plan.kv_block = 16;
}

/// Step times of one replica for the engine: kernels of the backend, the rest of `engine`.
class StepTimer {
 public:
  StepTimer(const ServedRow& row, const kernels::AnalyticalBackend& backend,
            profiler::EngineModel engine, const std::optional<OperatorFactors>& factors)
      : lowering_(row.point.model, row.point.plan),
        backend_(backend),
        engine_(engine),
        rank_(row.point.rank),
        layers_(row.point.model.layer_count()),
        factors_(factors) {}
  double operator()(const workloads::StepShape& shape) {
    lowering_.lower(shape, graph_);
    backend_.predict(graph_, rank_, timing_);
    profiler::StepCost cost;
    for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
      const auto op_class = graph_.operators[i].op_class;
      if (op_class == workloads::OperatorClass::host) continue;
      const double seconds =
          timing_.operators[i].seconds * (factors_ ? factors_->of(graph_.operators[i]) : 1.0);
      cost.seconds += seconds;
      if (op_class == workloads::OperatorClass::moe) cost.expert_s += seconds;
    }
    const double prompts =
        shape.tokens() > 0 ? static_cast<double>(shape.prefill_tokens) / shape.tokens() : 0;
    profiler::EngineModel mixed = engine_;
    mixed.decode_factor = prompts * engine_.prefill_factor + (1 - prompts) * engine_.decode_factor;
    return mixed.decode_step_s(cost, shape.decode_sequences, layers_);
  }

 private:
  workloads::Lowering lowering_;
  const kernels::AnalyticalBackend& backend_;
  profiler::EngineModel engine_;
  kernels::RankContext rank_;
  double layers_;
  const std::optional<OperatorFactors>& factors_;
  workloads::OperatorGraph graph_;
  kernels::StepTiming timing_;
};

struct Replayed {
  std::vector<workloads::RequestOutcome> requests;
  std::vector<double> tokens_per_s;  ///< by second since the run started
};

Replayed replay_run(const std::vector<RecordedRequest>& recorded, double start_s, ServedRow& row,
                    const kernels::AnalyticalBackend& backend, const profiler::EngineModel& engine,
                    const std::optional<OperatorFactors>& factors,
                    const ProgressCallback& progress) {
  workloads::RequestTrace trace;
  trace.name = row.name;
  for (const RecordedRequest& request : recorded) {
    workloads::Request arriving;
    arriving.arrival_s = request.queued_s - recorded.front().queued_s;
    arriving.prompt_tokens = request.prompt;
    arriving.output_tokens = request.output;
    trace.requests.push_back(std::move(arriving));
  }
  // Memory sold as 24 GB is 24 GiB, of which CUDA reports 23.6 usable; vLLM's context and captured
  // graphs come off.
  constexpr double kUsableOfNominal = 1.055;
  constexpr double kContextBytes = 0.6e9;
  const auto memory =
      workloads::memory_use(row.point.model, row.point.plan,
                            kUsableOfNominal * row.point.gpu_memory_bytes - kContextBytes);
  workloads::EngineOptions options;
  options.kv_tokens = memory.kv_tokens;
  options.attention_clip = row.point.model.attention_clip();
  StepTimer timer(row, backend, engine, factors);
  Replayed result;
  const auto sink = [&](double start, double duration, const workloads::StepShape& shape) {
    const auto second = static_cast<std::size_t>(std::max(0.0, start + duration + start_s));
    if (result.tokens_per_s.size() <= second) result.tokens_per_s.resize(second + 1, 0.0);
    result.tokens_per_s[second] += shape.sampled();
  };
  result.requests =
      workloads::run_engine(trace, row.point.plan, options, std::ref(timer), sink, progress)
          .requests;
  return result;
}

void add_requests(const RecordedRun& run, const std::vector<RecordedRequest>& recorded,
                  const Replayed& replayed, const ServedRow& served,
                  const profiler::EngineModel& engine, ValidationRows& rows) {
  const std::string name = run.path.filename().string();
  const double step = engine.decode_step_s(served.costs.decode[0], 1, served.costs.layers);
  const double per_token =
      served.costs.prefill.seconds / std::max(1.0, served.costs.prefill_tokens);
  for (std::size_t i = 0; i < recorded.size() && i < replayed.requests.size(); ++i) {
    const RecordedRequest& request = recorded[i];
    const auto& outcome = replayed.requests[i];
    for (const bool first : {true, false}) {
      ValidationRow row;
      row.row = fmt::format("{}:{} {}", name, request.line, first ? "ttft" : "e2e");
      row.group = fmt::format("{} {}", run.device, first ? "ttft" : "e2e");
      row.unit = "s";
      row.measured = (first ? request.first_token_s : request.last_token_s) - request.queued_s;
      row.predicted = first ? outcome.ttft() : outcome.finish_s - outcome.arrival_s;
      row.extrapolated = served.costs.extrapolated;
      row.baseline = per_token * request.prompt + (first ? 0 : step * request.output);
      const double half = first ? engine.ttft_half_width : engine.tpot_half_width;
      row.low = row.predicted / (1 + half);
      row.high = row.predicted * (1 + half);
      rows.push_back(std::move(row));
    }
  }
}

/// Mean generation throughput over windows of ten seconds: the second in which a step ends depends
/// on the phase of single steps, which no model of means can tell.
void add_throughput(const RecordedRun& run, const Replayed& replayed,
                    const profiler::EngineModel& engine, ValidationRows& rows) {
  constexpr std::size_t kWindow = 10;
  const std::filesystem::path path = run.prefix + "_timeseries.csv";
  CsvReader csv(path, {.required = {"t", "gen_throughput"}});
  ValidationRow row;
  std::size_t seconds = 0;
  const auto finish = [&] {
    row.group = run.device + " throughput";
    row.unit = "tokens/s";
    row.measured /= static_cast<double>(seconds);
    row.predicted /= static_cast<double>(seconds);
    row.low = row.predicted / (1 + engine.tpot_half_width);
    row.high = row.predicted * (1 + engine.tpot_half_width);
    rows.push_back(row);
    row = {};
    seconds = 0;
  };
  while (csv.next()) {
    if (seconds == 0) row.row = row_name(path, csv.line());
    row.measured += csv.number("gen_throughput", 0);
    // The counter of second t holds what came since t - 1.
    const auto second = static_cast<std::size_t>(std::max(0.0, csv.number("t", 0) - 1));
    if (second < replayed.tokens_per_s.size()) row.predicted += replayed.tokens_per_s[second];
    if (++seconds == kWindow) finish();
  }
  if (seconds > 0) finish();
}

void add_run(const RecordedRun& run, ServedCatalog& catalog, const kernels::DeviceProfile& engines,
             const std::string& device, const std::string& quantity,
             const ProgressCallback& progress, ValidationRows& rows) {
  const std::vector<RecordedRequest> recorded = read_recorded(run.path);
  ServedRow served;
  served.name = run.path.filename().string();
  served.device_id = catalog.device_id(device.empty() ? run.device : device);
  const auto* model = catalog.model(run.model);
  if (served.device_id.empty()) {
    throw InputError({run.path.string(), 0, "--device", "a known device", run.device});
  }
  if (model == nullptr) {
    throw InputError({run.prefix + "_meta.json", 0, "model", "a known model", run.model});
  }
  served.point.model = *model;
  served.point.plan.tp = run.tp;
  const bool quantised = workloads::bytes_per_element(model->published_type) < 2;
  if (quantised) served.point.plan.weights = model->published_type;
  for (const RecordedRequest& request : recorded) {
    served.point.prompt_tokens += request.prompt;
    served.point.output_tokens += request.output;
  }
  served.point.prompt_tokens /= static_cast<double>(recorded.size());
  served.point.output_tokens /= static_cast<double>(recorded.size());
  catalog.price(served);
  if (!served.excluded.empty()) {
    throw InputError({run.path.string(), 0, "", "a run that can be predicted", served.excluded});
  }
  set_vllm_defaults(served.point.plan, served.point.gpu_memory_bytes);
  auto engine = engine_of(engines, "vllm-replay");
  const auto& backend = catalog.backend(served.device_id, served.point.plan.weights);
  // A card whose operators were measured beside the run: kernels are taken from there, and only
  // host time is the engine's.
  const auto factors =
      OperatorFactors::find(run.path.parent_path(), run.device, run.model, run.tp, *model, backend);
  if (factors) {
    const auto host = engine_of(engines, "host");
    engine.decode_factor = engine.prefill_factor = engine.expert_factor = 1;
    engine.per_step_s = host.per_step_s;
    engine.per_sequence_s = host.per_sequence_s;
    served.costs.extrapolated = false;
  }
  const double start_s =
      run.started_unix_s > 0 ? std::max(0.0, recorded.front().unix_s - run.started_unix_s) : 0;
  const auto replayed = replay_run(recorded, start_s, served, backend, engine, factors, progress);
  if (quantity == "throughput") {
    add_throughput(run, replayed, engine, rows);
  } else {
    add_requests(run, recorded, replayed, served, engine, rows);
  }
}

}  // namespace

ValidationRows validate_request_replay(const ValidationRequest& request, const DataLocator& data,
                                       const ProgressCallback& progress) {
  return replay_recorded(request, serving_profile("engines", data), data, progress);
}

ValidationRows replay_recorded(const ValidationRequest& request,
                               const kernels::DeviceProfile& engines, const DataLocator& data,
                               const ProgressCallback& progress) {
  ServedCatalog catalog(data);
  ValidationRows rows;
  for (const auto& path : request.paths) {
    add_run(describe_run(path), catalog, engines, request.device, request.quantity, progress, rows);
  }
  return rows;
}

}  // namespace rackwright::results
