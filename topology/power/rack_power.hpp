#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/device_info.hpp"
#include "topology/power/converter.hpp"
#include "topology/rack_design.hpp"

namespace rackwright::topology {

/// Input power of one slot as a function of the power of its GPUs: intercept + slope * sum of GPU
/// power. A node between its published idle and maximum, or modules plus a fixed rest.
struct SlotPower {
  std::string slot;
  const Part* part = nullptr;
  int gpus = 0;
  int bus = -1;  ///< index of the design's bus; -1: straight from AC
  double intercept_w = 0;
  double slope = 0;
  double rest_spread_w = 0;  ///< of the fixed rest that may vanish at idle (no published idle)
  bool max_known = false;
  double filled_w = 0;      ///< of the intercept: a blank part's share of the maker's rack figure
  double unitemised_w = 0;  ///< share of what the maker's rack figure has over the sum of parts
};

/// The rack at one power of its GPUs.
struct RackPower {
  double module_w = 0;  ///< all GPUs, module input
  double tray_w = 0;    ///< inputs of the slots that hold GPUs
  double bus_w = 0;     ///< DC output of all PSUs
  double rack_ac_w = 0;
  std::vector<double> slot_w;    ///< by index of RackPowerModel::slots
  std::vector<double> bus_dc_w;  ///< by bus
  std::vector<double> bus_ac_w;
  double direct_ac_w = 0;  ///< slots without a bus
};

/// Power of a rack from module to AC input.
class RackPowerModel {
 public:
  RackPowerModel(const RackDesign& design, const Catalog& catalog,
                 const kernels::DeviceInfo& device, std::optional<double> idle_gpu_w);

  /// `gpu_total_w` spread evenly over the GPUs. `envelope` adds what the maker's rack figure has
  /// over the sum of the parts.
  [[nodiscard]] RackPower at(double gpu_total_w, bool envelope = false) const;
  /// Rack AC input over windows: `gpu_means` W of one GPU, `gpus` alike; the others draw `rest_w`.
  [[nodiscard]] std::vector<double> rack_ac_means(const std::vector<double>& gpu_means, double gpus,
                                                  double rest_w) const;
  /// Design envelope at a power per GPU (TDP or a cap).
  [[nodiscard]] RackPower envelope(double gpu_w) const;
  /// AC input of a bus with `units` PSUs alive.
  [[nodiscard]] double bus_input_w(std::size_t bus, double dc_w, int units) const;
  /// The highest power per GPU in [0, `highest_w`] whose envelope keeps `load` at or under `limit`;
  /// nothing when not even unpowered GPUs do.
  [[nodiscard]] std::optional<double> gpu_power_for(
      const std::function<double(const RackPower&)>& load, double limit, double highest_w) const;

  [[nodiscard]] const std::vector<SlotPower>& slots() const { return slots_; }
  [[nodiscard]] int gpus() const { return gpus_; }
  /// False when a slot with GPUs has no published power and the rack has none either.
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] bool has_efficiency(std::size_t bus) const { return efficient_[bus]; }
  [[nodiscard]] double tdp_w() const { return tdp_w_; }
  /// Parts without a power figure: id and count.
  [[nodiscard]] const std::vector<std::pair<std::string, int>>& blanks() const { return blanks_; }
  [[nodiscard]] double unitemised_w() const { return unitemised_w_; }
  /// Sum of rest_spread_w.
  [[nodiscard]] double rest_spread_w() const;
  /// Sum of filled_w: power of blank switch trays, taken from the maker's rack figure.
  [[nodiscard]] double filled_w() const;

 private:
  void add_slots(const Catalog& catalog, const kernels::DeviceInfo& device);
  void match_published();
  void fill_trays(double remainder_w);
  bool fill_switches(double remainder_w, int bus);

  const RackDesign& design_;
  std::vector<SlotPower> slots_;
  std::vector<ConverterLoss> converters_;
  std::vector<char> efficient_;
  std::vector<std::pair<std::string, int>> blanks_;
  std::optional<double> idle_gpu_w_;
  double tdp_w_ = 0;
  int gpus_ = 0;
  bool complete_ = true;
  double unitemised_w_ = 0;
};

/// PSUs of a bus; without those on feed `lost`.
[[nodiscard]] int psu_count(const PowerBus& bus, const std::string& lost_feed = "");

}  // namespace rackwright::topology
