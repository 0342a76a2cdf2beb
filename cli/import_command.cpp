#include "cli/import_command.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <ostream>

#include <fmt/format.h>

#include "cli/backend_choice.hpp"
#include "cli/text_table.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "common/progress.hpp"
#include "kernels/device_info.hpp"
#include "profiler/import/import.hpp"
#include "profiler/kernel_class.hpp"
#include "profiler/run_file.hpp"
#include "results/measured_run.hpp"
#include "topology/import/ib_discovery.hpp"
#include "topology/import/nccl_graph.hpp"
#include "topology/import/node_topology.hpp"

namespace rackwright::cli {

namespace {

using Json = nlohmann::ordered_json;
using Read = Json (*)(const std::filesystem::path& path, const std::string& id,
                      const std::string& source);

struct ImportFormat {
  std::string_view name, what, result;
  Read read;
};

const ImportFormat kFormats[] = {
    {"nccl-topo", "NCCL topology XML (NCCL_TOPO_FILE, NCCL_TOPO_DUMP_FILE)", "parts file",
     [](const std::filesystem::path& path, const std::string& id, const std::string& source) {
       return topology::node_part(topology::read_nccl_topology(path), id, source);
     }},
    {"nccl-graph", "NCCL graph XML (NCCL_GRAPH_FILE, NCCL_GRAPH_DUMP_FILE)", "parts file",
     [](const std::filesystem::path& path, const std::string& id, const std::string& source) {
       return topology::graph_part(topology::read_nccl_graphs(path), id, source);
     }},
    {"nvidia-smi-topo", "matrix of nvidia-smi topo -m", "parts file",
     [](const std::filesystem::path& path, const std::string& id, const std::string& source) {
       return topology::node_part(topology::read_gpu_matrix(path), id, source);
     }},
    {"ibnetdiscover", "dump of ibnetdiscover", "fabric design",
     [](const std::filesystem::path& path, const std::string& id, const std::string& source) {
       return topology::design_of(topology::read_ib_discovery(path), id, source);
     }}};

const ImportFormat* find_design_format(const std::string& name) {
  const auto* found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                   [&](const ImportFormat& format) { return format.name == name; });
  return found == std::end(kFormats) ? nullptr : found;
}

const profiler::RunFormat* find_run_format(const std::string& name) {
  const auto& formats = profiler::run_formats();
  const auto found = std::find_if(formats.begin(), formats.end(),
                                  [&](const auto& format) { return format.name == name; });
  return found == formats.end() ? nullptr : &*found;
}

InputError unknown_format(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& format : profiler::run_formats()) known.emplace_back(format.name);
  for (const ImportFormat& format : kFormats) known.emplace_back(format.name);
  std::string found = fmt::format("\"{}\"", name);
  if (const auto near = nearest_word(name, known); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  return InputError(
      InputProblem{"", 0, "FORMAT", fmt::format("one of {}", fmt::join(known, ", ")), found});
}

/// Several files of one benchmark become one run.
void append(profiler::Recording& whole, profiler::Recording more, const std::string& file) {
  if (!more.events.empty() || !more.counters.empty() || !more.requests.empty()) {
    throw InputError(InputProblem{file, 0, "", "one file: its times have a start of their own",
                                  "a further one"});
  }
  std::move(more.collectives.begin(), more.collectives.end(),
            std::back_inserter(whole.collectives));
  std::move(more.counts.begin(), more.counts.end(), std::back_inserter(whole.counts));
  for (std::string& note : more.notes) {
    if (std::find(whole.notes.begin(), whole.notes.end(), note) == whole.notes.end()) {
      whole.notes.push_back(std::move(note));
    }
  }
}

std::string count_text(const profiler::Recording& recording) {
  TextTable table({{"records"},
                   {"read", TextTable::Align::right},
                   {"kept", TextTable::Align::right},
                   {"left out because"}});
  for (const auto& count : recording.counts) {
    table.add({count.what, std::to_string(count.read), std::to_string(count.kept),
               count.skipped_because});
  }
  std::string text = table.text() + "\n";
  std::map<std::string_view, std::pair<std::size_t, double>> kinds;
  for (const auto& event : recording.events) {
    auto& [number, seconds] = kinds[to_string(event.kind)];
    ++number;
    seconds += event.duration_s;
  }
  for (const auto& [kind, sum] : kinds) {
    text += fmt::format("{} of kind {}: {:.6g} s\n", sum.first, kind, sum.second);
  }
  if (!recording.counters.empty())
    text += fmt::format("{} counter values\n", recording.counters.size());
  if (!recording.collectives.empty()) {
    text += fmt::format("{} collective timings\n", recording.collectives.size());
  }
  if (!recording.requests.empty()) text += fmt::format("{} requests\n", recording.requests.size());
  for (const std::string& note : recording.notes) text += fmt::format("note: {}\n", note);
  return text;
}

}  // namespace

void ImportCommand::add_options(CLI::App& app) {
  app.add_option("FORMAT", format_, "Format of the file; --list names them");
  app.add_option("FILE", files_, "What the other tool wrote; several for one benchmark's logs");
  app.add_option("-o,--output", output_, "File to write")->type_name("RUN.rw|FILE.json");
  app.add_option("--id", id_, "Id of the design or part (the output's name)")->type_name("ID");
  app.add_option("--device", device_, "GPU that a run was recorded on, where the file does not say")
      ->type_name("ID");
  app.add_flag("--list", list_, "List the formats");
}

int ImportCommand::import_design(CommandContext& context) const {
  const ImportFormat& format = *find_design_format(format_);
  if (files_.size() != 1) {
    throw InputError(InputProblem{"", 0, "FILE", "one file", fmt::format("{}", files_.size())});
  }
  const std::string id = id_.empty() ? std::filesystem::path(output_).stem().string() : id_;
  const std::string source =
      fmt::format("{} {}", format.name, std::filesystem::path(files_[0]).filename().string());
  write_file(output_, format.read(files_[0], id, source).dump(2) + "\n");
  context.out << fmt::format("wrote {} \"{}\" to {}\n", format.result, id, output_);
  return kFine;
}

int ImportCommand::import_run(CommandContext& context) const {
  const profiler::RunFormat& format = *find_run_format(format_);
  if (std::filesystem::exists(output_)) {
    throw InputError(
        InputProblem{output_, 0, "-o", "a file that does not exist yet", "one that does"});
  }
  ProgressLine line(context.err, context.err_is_terminal);
  const auto progress = [&](double done, double total) { line.update("reading", done, total); };
  profiler::Recording recording = format.read(files_[0], progress);
  for (std::size_t i = 1; i < files_.size(); ++i) {
    append(recording, format.read(files_[i], progress), files_[i]);
  }
  line.finish();
  profiler::Trace trace;
  trace.workload = std::filesystem::path(files_[0]).filename().string();
  trace.backend = "recorded";
  trace.origin = Origin::measured;
  trace.idle_unknown = true;
  const auto& names = recording.device_names;
  if (!device_.empty()) {
    trace.device = kernels::find_device(device_, context.data).id;
  } else if (!names.empty()) {
    trace.device = results::device_named(names[0], context.data);
  }
  const auto seconds = profiler::kernel_seconds(recording);
  for (std::size_t c = 0; c < seconds.size(); ++c) trace.totals[c].seconds = seconds[c];
  trace.end_s = recording.end_s();
  trace.incomplete = recording.incomplete;
  trace.incomplete_reason = recording.incomplete_reason;
  trace.engine.requests = recording.requests;
  trace.engine.end_s = trace.end_s;
  trace.metrics = profiler::request_metrics(recording.requests, {}, trace.end_s);
  profiler::RunMeta meta;
  meta.version = context.version;
  meta.command = fmt::format("import {} {}", format.name, trace.workload);
  profiler::RunFileWriter writer(output_, meta);
  writer.write(trace, recording);
  writer.finish();
  context.out << count_text(recording) << fmt::format("wrote run {}\n", output_);
  return recording.incomplete ? kIncomplete : kFine;
}

int ImportCommand::run(CommandContext& context) {
  if (list_) {
    TextTable table({{"format"}, {"reads"}, {"writes"}});
    for (const auto& format : profiler::run_formats()) {
      table.add({std::string(format.name), std::string(format.what), "run"});
    }
    for (const ImportFormat& format : kFormats) {
      table.add({std::string(format.name), std::string(format.what), std::string(format.result)});
    }
    context.out << table.text();
    return kFine;
  }
  if (format_.empty() || files_.empty() || output_.empty()) {
    throw InputError(
        InputProblem{"", 0, "import", "FORMAT FILE -o RUN.rw or DESIGN.json, or --list", "less"});
  }
  if (find_design_format(format_) != nullptr) return import_design(context);
  if (find_run_format(format_) != nullptr) return import_run(context);
  throw unknown_format(format_);
}

}  // namespace rackwright::cli
