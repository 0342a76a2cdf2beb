#include "workloads/workload.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "workloads/request_description.hpp"
#include "workloads/request_readers.hpp"

namespace rackwright::workloads {

namespace {

namespace fs = std::filesystem;

/// Traffic as the file asks for it.
struct TrafficSpec {
  std::string format;  ///< of a recorded trace; empty for a generator
  std::string file;
  std::string generator;
  double duration_s = 0;
  std::optional<double> rate_per_s;
  std::optional<double> cv;
  std::optional<double> modulation_cv;
};

/// A workload file before the files it names are opened.
struct WorkloadSpec {
  Workload workload;
  std::string model_reference;  ///< empty when the model is in the file
  TrafficSpec traffic;
};

TrafficSpec read_traffic(ObjectReader reader) {
  TrafficSpec traffic;
  if (reader.has("generator")) {
    traffic.generator = reader.text("generator");
    traffic.duration_s = reader.number("duration_s", {.min = 1e-3, .max = 1e9});
    traffic.rate_per_s = reader.optional_number("rate_per_s", {.min = 1e-9, .max = 1e9});
    traffic.cv = reader.optional_number("cv", {.min = 0, .max = 1000});
    traffic.modulation_cv = reader.optional_number("modulation_cv", {.min = 0, .max = 100});
  } else if (reader.has("format") || reader.has("file")) {
    traffic.format = reader.choice("format", request_formats());
    traffic.file = reader.text("file");
    reader.ignore({"generator", "duration_s", "rate_per_s", "cv", "modulation_cv"});
  } else {
    reader.ignore({"generator", "format", "file", "duration_s"});
    reader.problem("", "\"generator\" with \"duration_s\", or \"format\" with \"file\"", "neither");
  }
  reader.finish();
  return traffic;
}

Slo read_slo(ObjectReader reader) {
  Slo slo;
  slo.ttft_s = reader.number("ttft_s", {.min = 1e-6, .max = 1e6});
  slo.tpot_s = reader.number("tpot_s", {.min = 1e-6, .max = 1e6});
  slo.percentile = reader.number_or("percentile", 0.99, {.min = 0.01, .max = 0.99999});
  reader.finish();
  return slo;
}

WorkloadSpec read_spec(const JsonDocument& document) {
  ProblemList problems;
  ObjectReader root(document, problems);
  root.check_format_version(1);
  WorkloadSpec spec;
  spec.workload.name = root.text("name");
  spec.workload.title = root.text_or("title", spec.workload.name);
  root.ignore({"notes"});  // reasons for people: why this SLO, this skew
  const nlohmann::ordered_json& model = root.raw("model");
  if (model.is_string()) {
    spec.model_reference = model.get<std::string>();
  } else if (!model.is_object()) {
    root.problem("model", "an id, a path or an object like a config.json", describe(model));
  }
  ObjectReader plan = root.object("plan");
  const bool has_plan = root.has("plan");
  if (has_plan) spec.workload.plans = read_serving_plans(plan);
  spec.traffic = read_traffic(root.object("traffic"));
  if (root.has("slo")) {
    spec.workload.slo = read_slo(root.object("slo"));
  } else {
    root.ignore({"slo"});
  }
  spec.workload.demand_tokens_per_s =
      root.optional_number("demand_tokens_per_s", {.min = 1e-6, .max = 1e15});
  root.finish();
  problems.throw_if_any();
  return spec;
}

/// Puts "plan.tp=8" into `root`. The value is JSON where it can be read as such, else text.
void apply_setting(nlohmann::ordered_json& root, const std::string& setting) {
  const auto fail = [&](std::string expected) {
    return InputError(
        InputProblem{fmt::format("--set {}", setting), 0, "", std::move(expected), ""});
  };
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) throw fail("KEY=VALUE like plan.tp=8");
  nlohmann::ordered_json value =
      nlohmann::ordered_json::parse(setting.substr(equals + 1), nullptr, false);
  if (value.is_discarded()) value = setting.substr(equals + 1);
  nlohmann::ordered_json* at = &root;
  const std::string path = setting.substr(0, equals);
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string key = path.substr(begin, end - begin);
    if (key.empty()) throw fail("names between the dots of the key");
    if (!at->is_object() && !at->is_null()) {
      throw fail(fmt::format("a key: \"{}\" has no parts", path.substr(0, begin - 1)));
    }
    at = &(*at)[key];
    begin = end + 1;
  }
  *at = std::move(value);
}

/// The file with its settings; problems then name the settings, since lines no longer match.
JsonDocument with_settings(const JsonDocument& document, const std::vector<std::string>& settings) {
  nlohmann::ordered_json root = document.root();
  for (const std::string& setting : settings) apply_setting(root, setting);
  return JsonDocument::parse_text(root.dump(), fmt::format("{} with --set {}", document.name(),
                                                           fmt::join(settings, " --set ")));
}

/// Paths in a workload file are relative to it.
std::string beside(const fs::path& workload_file, const std::string& reference) {
  const bool is_path = reference.find('/') != std::string::npos || reference.ends_with(".json");
  if (!is_path || fs::path(reference).is_absolute()) return reference;
  return (workload_file.parent_path() / reference).string();
}

ModelConfig read_model(const WorkloadSpec& spec, const JsonDocument& document, const fs::path& path,
                       const DataLocator& data, const std::string& override_model) {
  constexpr std::string_view kFolder = "workloads/models";
  if (!override_model.empty()) return read_model_config(data.find(override_model, kFolder));
  if (spec.model_reference.empty()) {
    return read_model_config(document, "/model", spec.workload.name);
  }
  return read_model_config(data.find(beside(path, spec.model_reference), kFolder));
}

RequestTrace read_traffic_of(const TrafficSpec& spec, const fs::path& path, const DataLocator& data,
                             const std::string& override_traffic, std::uint64_t seed) {
  if (!override_traffic.empty()) return read_requests(override_traffic, seed);
  if (!spec.format.empty()) {
    const fs::path file(spec.file);
    const fs::path place = file.is_absolute() ? file : path.parent_path() / file;
    return read_requests(fmt::format("{}:{}", spec.format, place.string()), seed);
  }
  const fs::path file = data.find(beside(path, spec.generator), "workloads/requests");
  RequestDescription description = read_request_description(JsonDocument::parse_file(file));
  if (spec.rate_per_s) description.rate_per_s = *spec.rate_per_s;
  if (spec.cv) description.cv = *spec.cv;
  if (spec.modulation_cv) description.modulation_cv = *spec.modulation_cv;
  return generate_requests(description, spec.duration_s, seed);
}

/// Fills in `ep` and drops plans that the model cannot run under. Throws InputError when none is
/// left.
std::vector<ServingPlan> plans_for(const ModelConfig& model, const std::vector<ServingPlan>& asked,
                                   const std::string& file) {
  std::vector<ServingPlan> plans;
  std::vector<InputProblem> problems;
  for (const ServingPlan& plan : asked) {
    const std::string problem = plan_problem(model, plan);
    if (problem.empty()) {
      plans.push_back(resolved(plan, model));
    } else {
      problems.push_back({file, 0, "/plan", fmt::format("a plan that {} can run under", model.name),
                          fmt::format("{}: {}", plan.label(), problem)});
    }
  }
  if (plans.empty()) throw InputError(std::move(problems));
  return plans;
}

/// Lines of a document made from settings mean nothing.
[[noreturn]] void rethrow_without_lines(const InputError& error) {
  std::vector<InputProblem> problems = error.problems();
  for (InputProblem& problem : problems) problem.line = 0;
  throw InputError(std::move(problems));
}

}  // namespace

Workload read_workload(const fs::path& path, const DataLocator& data,
                       const WorkloadOverrides& overrides, std::uint64_t seed) {
  JsonDocument document = JsonDocument::parse_file(path);
  WorkloadSpec spec = read_spec(document);  // what is wrong in the file itself is told with lines
  if (!overrides.settings.empty()) {
    document = with_settings(document, overrides.settings);
    try {
      spec = read_spec(document);
    } catch (const InputError& error) {
      rethrow_without_lines(error);
    }
  }
  Workload workload = std::move(spec.workload);
  spec.workload.name = workload.name;  // read_model may need it
  workload.model = read_model(spec, document, path, data, overrides.model);
  workload.plans = plans_for(workload.model, workload.plans, document.name());
  workload.traffic = read_traffic_of(spec.traffic, path, data, overrides.traffic, seed);
  return workload;
}

}  // namespace rackwright::workloads
