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

/// The racks that grow with the fabric; nothing of them without `--rack`.
struct GrowingRacks {
  std::optional<topology::RackDesign> rack;
  std::optional<kernels::DeviceInfo> device;
  topology::RowLayout layout;
  topology::EvaluateOptions options;
};

GrowingRacks growing_racks(CommandContext& context, const topology::Catalog& catalog,
                           const std::string& rack, const std::string& layout) {
  GrowingRacks racks;
  if (rack.empty()) return racks;
  racks.rack = topology::read_rack_design(context.data.find(rack, "topology/racks"), catalog);
  racks.device = kernels::find_device(racks.rack->device, context.data);
  racks.layout =
      topology::read_row_layout(context.data.find(layout, topology::kLayoutFolder), context.data);
  if (const auto unit = topology::lay_unit(*racks.rack, catalog, context.data)) {
    racks.options.cabling = unit->demand();
  }
  return racks;
}

/// One size from nothing: rack, fabric and cables, so that its seconds are its own.
topology::GrowthPoint point_of(const topology::FabricDesign& design,
                               const topology::Catalog& catalog, const GrowingRacks& racks,
                               int count) {
  if (!racks.rack) return topology::grow(design, catalog, count, std::nullopt);
  const auto evaluation =
      topology::evaluate(*racks.rack, catalog, *racks.device, std::nullopt, racks.options);
  return topology::grow(design, catalog, count,
                        topology::GrowthRack{&*racks.rack, &evaluation, &racks.layout});
}

/// The size from which on the layout's trays or managers are too small, and what the largest needs.
std::string overfull_text(const std::vector<topology::GrowthPoint>& points,
                          const std::string& layout) {
  const auto first = std::find_if(points.begin(), points.end(),
                                  [](const auto& point) { return !point.violations.empty(); });
  if (first == points.end()) return "";
  std::string text = fmt::format(
      "the trays of {} do not carry this from {} racks on; at {} racks its fullest channel holds "
      "{:.3g} times its cross-section:\n",
      layout, first->racks, points.back().racks, points.back().fullest_fill.value_or(0));
  for (const std::string& violation : points.back().violations) {
    text += "violated: " + violation + "\n";
  }
  return text;
}

}  // namespace

int FabricCommand::write_growth(CommandContext& context,
                                const topology::FabricDesign& design) const {
  const std::string kind = std::filesystem::path(growth_).extension().string();
  if (kind != ".csv" && kind != ".svg") {
    throw InputError(InputProblem{"", 0, "--growth", "a file that ends in .csv or .svg", growth_});
  }
  const auto catalog = topology::Catalog::load(context.data);
  const GrowingRacks racks = growing_racks(context, catalog, rack_, layout_);
  const int most = racks_.empty() ? kMostRacks
                                  : static_cast<int>(std::min<std::uint64_t>(
                                        parse_count(racks_, "--racks", 1), kMostAsked));
  std::vector<topology::GrowthPoint> points;
  for (const int count : topology::growth_sizes(most)) {
    const auto start = std::chrono::steady_clock::now();
    try {
      points.push_back(point_of(design, catalog, racks, count));
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
                             last.racks, last.counts.gpus, last.links, last.seconds, growth_)
              << overfull_text(points, layout_);
  return kFine;
}

}  // namespace rackwright::cli
