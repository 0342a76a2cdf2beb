#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <ostream>

#include <fmt/format.h>

#include "cli/fabric_command.hpp"
#include "cli/option_values.hpp"
#include "common/input_error.hpp"
#include "common/output_file.hpp"
#include "topology/evaluation_cabling.hpp"
#include "topology/network/fabric_growth.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::cli {

namespace {

/// 1,400 racks of 72 GPUs are 100,800: the size a hall is asked for.
constexpr int kMostRacks = 1400;
constexpr std::uint64_t kMostAsked = 100000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int FabricCommand::write_growth(CommandContext& context,
                                const topology::FabricDesign& design) const {
  const std::string kind = std::filesystem::path(growth_).extension().string();
  if (kind != ".csv" && kind != ".svg") {
    throw InputError(InputProblem{"", 0, "--growth", "a file that ends in .csv or .svg", growth_});
  }
  const auto catalog = topology::Catalog::load(context.data);
  std::optional<topology::RackDesign> rack;
  std::optional<kernels::DeviceInfo> device;
  topology::RowLayout layout;
  topology::EvaluateOptions options;
  if (!rack_.empty()) {
    rack = topology::read_rack_design(context.data.find(rack_, "topology/racks"), catalog);
    device = kernels::find_device(rack->device, context.data);
    layout = topology::read_row_layout(context.data.find(layout_, topology::kLayoutFolder),
                                       context.data);
    if (const auto unit = topology::lay_unit(*rack, catalog, context.data)) {
      options.cabling = unit->demand();
    }
  }
  const int most = racks_.empty() ? kMostRacks
                                  : static_cast<int>(std::min<std::uint64_t>(
                                        parse_count(racks_, "--racks", 1), kMostAsked));
  std::vector<topology::GrowthPoint> points;
  for (const int racks : topology::growth_sizes(most)) {
    const auto start = std::chrono::steady_clock::now();
    try {
      std::optional<topology::RackEvaluation> evaluation;
      std::optional<topology::GrowthRack> grown;
      if (rack) {
        evaluation = topology::evaluate(*rack, catalog, *device, std::nullopt, options);
        grown = topology::GrowthRack{&*rack, &*evaluation, &layout};
      }
      points.push_back(topology::grow(design, catalog, racks, grown));
    } catch (const InputError& error) {
      if (points.empty()) throw;
      context.err << fmt::format("stops at {} racks: {}\n", points.back().racks, error.what());
      break;
    }
    points.back().seconds = seconds_since(start);
  }
  write_file(growth_,
             kind == ".csv" ? topology::growth_csv(points) : topology::growth_svg(design, points));
  const auto& last = points.back();
  context.out << fmt::format("{}: {} racks, {} GPUs, {} links in {:.2f} s; wrote {}\n", design.id,
                             last.racks, last.counts.gpus, last.links, last.seconds, growth_);
  return kFine;
}

}  // namespace rackwright::cli
