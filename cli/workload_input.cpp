#include "cli/workload_input.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "cli/file_kinds.hpp"
#include "cli/option_values.hpp"
#include "common/input_error.hpp"
#include "common/json_document.hpp"
#include "profiler/plan_json.hpp"
#include "results/measured_run.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

/// The model config that a workload file, with its overrides, speaks of.
ordered_json model_json(const fs::path& workload_file, const WorkloadOptions& options,
                        const DataLocator& data) {
  constexpr std::string_view kFolder = "workloads/models";
  std::string reference = options.model;
  for (const auto& setting : options.settings) {
    if (reference.empty() && setting.starts_with("model=")) reference = setting.substr(6);
  }
  if (!reference.empty()) return JsonDocument::parse_file(data.find(reference, kFolder)).root();
  const JsonDocument document = JsonDocument::parse_file(workload_file);
  const ordered_json& model = document.root().at("model");
  if (!model.is_string()) return model;
  reference = model.get<std::string>();
  const bool is_path = reference.find('/') != std::string::npos || reference.ends_with(".json");
  if (is_path && !fs::path(reference).is_absolute()) {
    reference = (workload_file.parent_path() / reference).string();
  }
  return JsonDocument::parse_file(data.find(reference, kFolder)).root();
}

/// [arrival_s, prompt, output, image, [prefix blocks]]; trailing parts that are empty are left out.
void append_request(std::string& text, const workloads::Request& request) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "[{},{},{}", request.arrival_s, request.prompt_tokens, request.output_tokens);
  if (request.image_tokens > 0 || !request.prefix_blocks.empty()) {
    fmt::format_to(out, ",{}", request.image_tokens);
  }
  if (!request.prefix_blocks.empty()) {
    fmt::format_to(out, ",[{}]", fmt::join(request.prefix_blocks, ","));
  }
  text += ']';
}

workloads::Request read_request(const ordered_json& row) {
  workloads::Request request;
  request.arrival_s = row.at(0).get<double>();
  request.prompt_tokens = row.at(1).get<std::uint32_t>();
  request.output_tokens = row.at(2).get<std::uint32_t>();
  if (row.size() > 3) request.image_tokens = row.at(3).get<std::uint32_t>();
  if (row.size() > 4) request.prefix_blocks = row.at(4).get<std::vector<std::uint32_t>>();
  return request;
}

}  // namespace

void WorkloadOptions::add_to(CLI::App& app, const std::string& input_help) {
  app.add_option("WORKLOAD", input, input_help)->required();
  app.add_option("--model", model,
                 "Model instead of the workload's: id or Hugging Face config.json")
      ->type_name("CONFIG");
  app.add_option("--traffic", traffic,
                 "Requests instead of the workload's: azure, burstgpt, mooncake, servegen or "
                 "vllm-bench, a colon, a file")
      ->type_name("FORMAT:FILE");
  app.add_option("--set", settings, "Change a key of the workload, for example plan.tp=8")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  app.add_option("--seed", seed, "Seed of everything that is random (1)")->type_name("N");
}

void WorkloadOptions::allow_imported_runs(CLI::App& app) {
  app.add_option(
         "--workload", service,
         "Workload of an imported run: model, plans and SLO; requests too where the run has "
         "none")
      ->type_name("ID|FILE");
}

void WorkloadOptions::allow_more_runs(CLI::App& app) {
  app.add_option("RUN", more_runs, "Further runs of the same workload, on other devices or plans")
      ->type_name("RUN.rw");
}

std::uint64_t WorkloadOptions::seed_value() const {
  return parse_count(seed, "--seed");
}

std::string embed_workload(const workloads::Workload& workload, const ordered_json& model) {
  ordered_json json;
  json["format_version"] = 1;
  json["name"] = workload.name;
  json["title"] = workload.title;
  json["model"] = model;
  json["plans"] = ordered_json::array();
  for (const auto& plan : workload.plans) {
    json["plans"].push_back(ordered_json::parse(profiler::plan_to_json(plan)));
  }
  json["slo"] = {{"ttft_s", workload.slo.ttft_s},
                 {"tpot_s", workload.slo.tpot_s},
                 {"percentile", workload.slo.percentile}};
  json["demand_tokens_per_s"] =
      workload.demand_tokens_per_s ? ordered_json(*workload.demand_tokens_per_s) : nullptr;
  json["traffic_name"] = workload.traffic.name;
  json["traffic_source"] = workload.traffic.source;
  json["prefix_block"] = workload.traffic.prefix_block;
  // Millions of requests: written as text, a JSON value would take a hundred bytes for each number.
  std::string text = json.dump();
  text.back() = ',';
  text += "\"requests\":[";
  for (const auto& request : workload.traffic.requests) {
    append_request(text, request);
    text += ',';
  }
  if (text.back() == ',') text.pop_back();
  return text + "]}";
}

workloads::Workload read_embedded_workload(const std::string& json, const std::string& file) {
  const std::string name = file + ": embedded workload";
  const JsonDocument document = JsonDocument::parse_text(json, name);
  const auto& root = document.root();
  try {
    workloads::Workload workload;
    workload.name = root.at("name").get<std::string>();
    workload.title = root.at("title").get<std::string>();
    workload.model = workloads::read_model_config(document, "/model", workload.name);
    for (const auto& plan : root.at("plans")) {
      workload.plans.push_back(profiler::plan_from_json(plan.dump(), name));
    }
    workload.slo.ttft_s = root.at("slo").at("ttft_s").get<double>();
    workload.slo.tpot_s = root.at("slo").at("tpot_s").get<double>();
    workload.slo.percentile = root.at("slo").at("percentile").get<double>();
    if (!root.at("demand_tokens_per_s").is_null()) {
      workload.demand_tokens_per_s = root.at("demand_tokens_per_s").get<double>();
    }
    workload.traffic.name = root.at("traffic_name").get<std::string>();
    workload.traffic.source = root.at("traffic_source").get<std::string>();
    workload.traffic.prefix_block = root.at("prefix_block").get<int>();
    for (const auto& row : root.at("requests")) {
      workload.traffic.requests.push_back(read_request(row));
    }
    return workload;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(
        InputProblem{name, 0, "", "a workload as rackwright profile writes it", error.what()});
  }
}

namespace {

bool names_run_file(const std::string& input) {
  return is_run_file(input) || input.ends_with(".rw");
}

profiler::RunFile read_run_with_workload(const std::string& path) {
  profiler::RunFile run = profiler::read_run_file(path);
  if (run.meta.workload_json.empty()) {
    throw InputError(InputProblem{path, 0, "meta", "a run with its workload inside",
                                  run.recording.empty() ? "none" : "an imported one"});
  }
  return run;
}

/// What an imported run lacks comes from the workload named beside it.
WorkloadInput imported_input(const WorkloadOptions& options, profiler::RunFile run,
                             const DataLocator& data) {
  if (options.service.empty()) {
    throw InputError(InputProblem{
        options.input, 0, "--workload",
        "a workload (id or file) whose model, plans and SLO stand for those of an imported run, "
        "with --model or --set to change it",
        fmt::format("none; the file ({}) holds {}", run.recording.format,
                    run.trace.engine.requests.empty() ? "no model, plan, SLO or requests"
                                                      : "requests, but no model, plan or SLO")});
  }
  WorkloadOptions named = options;
  named.input = options.service;
  named.service.clear();
  WorkloadInput input = read_workload_input(named, data);
  const auto& requests = run.trace.engine.requests;
  if (!requests.empty() && options.traffic.empty()) {
    auto& traffic = input.workload.traffic;
    traffic = {};
    traffic.name = run.trace.workload;
    traffic.source =
        fmt::format("{} requests of {} ({})", requests.size(), options.input, run.recording.format);
    for (const auto& request : requests) {
      workloads::Request& one = traffic.requests.emplace_back();
      one.arrival_s = request.arrival_s;
      one.prompt_tokens = request.prompt_tokens;
      one.output_tokens = request.output_tokens;
    }
    std::stable_sort(traffic.requests.begin(), traffic.requests.end(),
                     [](const auto& a, const auto& b) { return a.arrival_s < b.arrival_s; });
    input.json = embed_workload(input.workload,
                                model_json(data.find(options.service, "workloads"), named, data));
  }
  input.runs.push_back(std::move(run));
  input.run_files.push_back(options.input);
  return input;
}

/// The embedded workload without its plans, which differ between runs.
ordered_json service_of(const std::string& json) {
  ordered_json service = ordered_json::parse(json);
  service.erase("plans");
  return service;
}

void add_run(WorkloadInput& input, const std::string& path) {
  if (!names_run_file(path)) {
    throw InputError(InputProblem{path, 0, "", "a run file after the first", "another file"});
  }
  profiler::RunFile run = read_run_with_workload(path);
  if (service_of(run.meta.workload_json) != service_of(input.json)) {
    throw InputError(InputProblem{
        path, 0, "workload",
        fmt::format("the model, requests and SLO of the first run, \"{}\"", input.workload.name),
        "others"});
  }
  auto& plans = input.workload.plans;
  const std::string label = run.trace.plan.label();
  const bool known = std::any_of(plans.begin(), plans.end(),
                                 [&](const auto& plan) { return plan.label() == label; });
  if (!known) plans.push_back(run.trace.plan);
  input.runs.push_back(std::move(run));
  input.run_files.push_back(path);
}

}  // namespace

std::vector<const profiler::Trace*> WorkloadInput::traces() const {
  std::vector<const profiler::Trace*> result;
  for (const profiler::RunFile& run : runs) {
    if (!run.meta.workload_json.empty()) result.push_back(&run.trace);
  }
  return result;
}

WorkloadInput read_workload_input(const WorkloadOptions& options, const DataLocator& data) {
  WorkloadInput result;
  if (!names_run_file(options.input)) {
    if (!options.more_runs.empty()) {
      throw InputError(InputProblem{options.more_runs.front(), 0, "",
                                    "nothing after a workload; several inputs are run files",
                                    "one more"});
    }
    const fs::path file = data.find(options.input, "workloads");
    result.workload = workloads::read_workload(
        file, data, {options.model, options.traffic, options.settings}, options.seed_value());
    result.json = embed_workload(result.workload, model_json(file, options, data));
    return result;
  }
  profiler::RunFile first = profiler::read_run_file(options.input);
  if (first.meta.workload_json.empty() && !first.recording.empty()) {
    return imported_input(options, std::move(first), data);
  }
  if (!options.model.empty() || !options.traffic.empty() || !options.settings.empty() ||
      !options.service.empty()) {
    throw InputError(InputProblem{options.input, 0, "--model, --traffic, --set, --workload",
                                  "none of them with a run file: it holds its workload", "one"});
  }
  if (first.meta.workload_json.empty()) {
    throw InputError(
        InputProblem{options.input, 0, "meta", "a run with its workload inside", "none"});
  }
  result.runs.push_back(std::move(first));
  result.run_files.push_back(options.input);
  result.json = result.runs.front().meta.workload_json;
  result.workload = read_embedded_workload(result.json, options.input);
  result.workload.plans = {result.runs.front().trace.plan};
  for (const auto& path : options.more_runs) add_run(result, path);
  return result;
}

std::optional<topology::MeasuredLoad> measured_load(const WorkloadInput& input,
                                                    const DataLocator& data) {
  for (const auto& run : input.runs) {
    if (auto load = results::measured_load(run, data)) return load;
  }
  return std::nullopt;
}

void add_measured(const WorkloadInput& input, const topology::RackDesign& design,
                  const DataLocator& data, topology::RackEvaluation& evaluation) {
  for (std::size_t i = 0; i < input.runs.size(); ++i) {
    results::add_measured_run(evaluation, design, input.runs[i],
                              fs::path(input.run_files[i]).filename().string(), data);
  }
}

std::vector<topology::RackDesign> read_racks(const std::string& argument, const DataLocator& data,
                                             const topology::Catalog& catalog) {
  constexpr std::string_view kFolder = "topology/racks";
  const auto names = argument == "all" ? data.ids(kFolder) : parse_list(argument, "--racks");
  if (names.empty()) {
    throw InputError(InputProblem{"", 0, "--racks", "racks in a data folder", "none"});
  }
  std::vector<topology::RackDesign> designs;
  std::vector<InputProblem> problems;
  std::set<std::string> seen;
  for (const auto& name : names) {
    try {
      designs.push_back(topology::read_rack_design(data.find(name, kFolder), catalog));
      if (!seen.insert(designs.back().id).second) {
        problems.push_back(
            {"", 0, "--racks", "each rack once", fmt::format("\"{}\" twice", designs.back().id)});
      }
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  }
  if (!problems.empty()) throw InputError(problems);
  return designs;
}

}  // namespace rackwright::cli
