#include "cli/file_kinds.hpp"

#include <fstream>
#include <optional>

#include <unistd.h>

#include <fmt/format.h>

#include "common/input_error.hpp"
#include "common/json_document.hpp"
#include "kernels/device_info.hpp"
#include "topology/cabling/layout.hpp"
#include "topology/cabling/pod_items.hpp"
#include "topology/network/fabric.hpp"
#include "topology/rack_design.hpp"
#include "workloads/model_config.hpp"
#include "workloads/request_description.hpp"
#include "workloads/workload.hpp"

namespace rackwright::cli {

namespace fs = std::filesystem;

std::string_view to_string(FileKind kind) {
  switch (kind) {
    case FileKind::part_catalog:
      return "part catalogue";
    case FileKind::rack:
      return "rack design";
    case FileKind::fabric:
      return "fabric design";
    case FileKind::layout:
      return "row layout";
    case FileKind::practice:
      return "cabling practice";
    case FileKind::pod_items:
      return "pod items";
    case FileKind::device:
      return "device";
    case FileKind::workload:
      return "workload";
    case FileKind::requests:
      return "request description";
    case FileKind::model:
      return "model config";
    case FileKind::unknown:
      return "unknown";
  }
  return "unknown";
}

const std::vector<DataFolder>& data_folders() {
  static const std::vector<DataFolder> folders = {
      {FileKind::rack, "racks", "topology/racks"},
      {FileKind::fabric, "fabrics", "topology/fabrics"},
      {FileKind::layout, "layouts", "topology/layouts"},
      {FileKind::device, "devices", "kernels/devices"},
      {FileKind::model, "models", "workloads/models"},
      {FileKind::workload, "workloads", "workloads"},
      {FileKind::requests, "requests", "workloads/requests"},
  };
  return folders;
}

FileKind detect_kind(const fs::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  const auto& root = document.root();
  const auto has = [&](const char* key) { return root.is_object() && root.contains(key); };
  if (has("parts")) return FileKind::part_catalog;
  if (has("slots") || has("envelope")) return FileKind::rack;
  if (has("leaf_part") || has("leaf") || has("endpoints_per_node")) return FileKind::fabric;
  if (has("leaf_place") || has("network_rack_position")) return FileKind::layout;
  if (has("items") && has("nodes_per_rack")) return FileKind::pod_items;
  if (has("tray_width_mm") || has("manager_width_mm")) return FileKind::practice;
  if (has("architectures") || has("model_type") || has("hidden_size")) return FileKind::model;
  if (has("traffic") || has("slo")) return FileKind::workload;
  if (has("prompt_tokens") || has("output_tokens")) return FileKind::requests;
  if (has("architecture") || has("peak_flops") || has("tdp_w")) return FileKind::device;
  return FileKind::unknown;
}

namespace {

/// The catalogue is read by folder: the file alone is put into one of its own.
void check_part_catalog(const fs::path& path) {
  const fs::path root = fs::temp_directory_path() / fmt::format("rackwright-check-{}", ::getpid());
  const fs::path folder = root / "topology" / "catalog";
  std::error_code ignored;
  fs::create_directories(folder);
  const fs::path copy = folder / path.filename();
  fs::copy_file(path, copy, fs::copy_options::overwrite_existing);
  try {
    static_cast<void>(topology::Catalog::load(DataLocator({root})));
  } catch (const InputError& error) {
    fs::remove_all(root, ignored);
    std::vector<InputProblem> problems = error.problems();
    for (InputProblem& problem : problems) {
      if (problem.file == copy.string()) problem.file = path.string();
    }
    throw InputError(std::move(problems));
  }
  fs::remove_all(root, ignored);
}

}  // namespace

void check_file(FileKind kind, const fs::path& path, const DataLocator& data,
                const topology::Catalog* catalog) {
  switch (kind) {
    case FileKind::part_catalog:
      check_part_catalog(path);
      return;
    case FileKind::rack: {
      std::optional<topology::Catalog> loaded;
      if (catalog == nullptr) {
        loaded = topology::Catalog::load(data);
        catalog = &*loaded;
      }
      static_cast<void>(topology::read_rack_design(path, *catalog));
      return;
    }
    case FileKind::fabric:
      static_cast<void>(topology::read_fabric_design(path));
      return;
    case FileKind::layout:
      static_cast<void>(topology::read_row_layout(path, data));
      return;
    case FileKind::practice:
      static_cast<void>(topology::read_cabling_practice(path));
      return;
    case FileKind::pod_items:
      static_cast<void>(topology::read_pod_items(path));
      return;
    case FileKind::device:
      static_cast<void>(kernels::read_device(path));
      return;
    case FileKind::workload:
      static_cast<void>(workloads::read_workload(path, data, {}, 1));
      return;
    case FileKind::requests:
      static_cast<void>(workloads::read_request_description(JsonDocument::parse_file(path)));
      return;
    case FileKind::model:
      static_cast<void>(workloads::read_model_config(path));
      return;
    case FileKind::unknown:
      break;
  }
  throw InputError(InputProblem{
      path.string(), 0, "",
      "a workload, rack, part catalogue, fabric, row layout, cabling practice, pod items, device, "
      "model or request description",
      "keys of none of them"});
}

bool is_run_file(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  std::ifstream in(path, std::ios::binary);
  std::string start(15, '\0');
  in.read(start.data(), 15);
  return in.gcount() == 15 && start == "SQLite format 3";
}

}  // namespace rackwright::cli
