#include "topology/power/rack_power.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "topology/part_facts.hpp"
#include "topology/power/redundancy.hpp"

namespace rackwright::topology {

namespace {

int bus_of(const RackDesign& design, const std::string& slot) {
  for (std::size_t i = 0; i < design.buses.size(); ++i) {
    const auto& loads = design.buses[i].loads;
    if (std::find(loads.begin(), loads.end(), slot) != loads.end()) return static_cast<int>(i);
  }
  return -1;
}

bool is_dc(const RackDesign& design, int bus) {
  return bus >= 0 && design.buses[static_cast<std::size_t>(bus)].boundary == "busbar DC";
}

/// Straight line through the published idle and maximum, or modules plus what is left at maximum.
void set_line(SlotPower& slot, double max_w, std::optional<double> idle_w, double tdp_w,
              std::optional<double> gpu_idle_w) {
  const double modules = slot.gpus * tdp_w;
  slot.max_known = true;
  if (slot.gpus == 0 || tdp_w <= 0) {
    slot.intercept_w = max_w;
    return;
  }
  if (idle_w && gpu_idle_w && *gpu_idle_w < tdp_w) {
    slot.slope = (max_w - *idle_w) / (slot.gpus * (tdp_w - *gpu_idle_w));
    slot.intercept_w = *idle_w - slot.slope * slot.gpus * *gpu_idle_w;
  } else if (max_w >= modules) {
    slot.slope = 1;
    slot.intercept_w = max_w - modules;
    slot.rest_spread_w = slot.intercept_w / 2;
  } else {
    slot.slope = max_w / modules;  // the maker holds the modules under their TDP
  }
}

}  // namespace

int psu_count(const PowerBus& bus, const std::string& lost_feed) {
  int count = 0;
  for (const PowerSource& source : bus.sources) {
    if (lost_feed.empty() || source.feed != lost_feed) count += source.psus;
  }
  return count;
}

RackPowerModel::RackPowerModel(const RackDesign& design, const Catalog& catalog,
                               const kernels::DeviceInfo& device, std::optional<double> idle_gpu_w)
    : design_(design), idle_gpu_w_(idle_gpu_w), tdp_w_(device.tdp_w.value.value_or(0)) {
  if (!idle_gpu_w_) idle_gpu_w_ = device.idle_w.value;
  for (const PowerBus& bus : design.buses) {
    const bool known = bus.psu_peak_efficiency.value.has_value() && psu_count(bus) > 0;
    efficient_.push_back(known);
    ConverterLoss loss;
    if (known) {
      loss =
          converter_from_peak(*bus.psu_peak_efficiency.value,
                              Power::from_si(bus_rating_w(bus) / psu_count(bus)), psu_count(bus));
    }
    converters_.push_back(loss);
  }
  add_slots(catalog, device);
  match_published();
}

void RackPowerModel::add_slots(const Catalog& catalog, const kernels::DeviceInfo&) {
  std::map<std::string, int> blank;
  for (const Slot& slot : design_.slots) {
    const Part* part = catalog.find(slot.part);
    SlotPower power;
    power.slot = slot.id;
    power.part = part;
    power.gpus = slot.gpus;
    power.bus = bus_of(design_, slot.id);
    gpus_ += slot.gpus;
    const auto max_w = part ? max_power_of(*part) : std::nullopt;
    const bool carries_load = power.bus >= 0 || slot.gpus > 0 || (part && is_direct_load(*part));
    if (!carries_load) continue;
    if (max_w) {
      set_line(power, *max_w, idle_power_of(*part), tdp_w_, idle_gpu_w_);
    } else {
      ++blank[slot.part];
      if (slot.gpus > 0) complete_ = false;
    }
    slots_.push_back(power);
  }
  blanks_.assign(blank.begin(), blank.end());
  if (gpus_ == 0) gpus_ = design_.gpus;
}

void RackPowerModel::fill_trays(double remainder_w) {
  int trays = 0;
  for (const SlotPower& slot : slots_) trays += slot.gpus > 0 && !slot.max_known;
  if (trays == 0 || remainder_w <= 0) return;
  for (SlotPower& slot : slots_) {
    if (slot.gpus == 0 || slot.max_known) continue;
    set_line(slot, remainder_w / trays, std::nullopt, tdp_w_, idle_gpu_w_);
  }
  complete_ = true;
}

/// Blank switch trays on the bus of the GPUs draw something: what the maker's rack figure has over
/// the published parts goes to them, in every load case.
bool RackPowerModel::fill_switches(double remainder_w, int bus) {
  const auto is_blank_switch = [bus](const SlotPower& slot) {
    return slot.bus == bus && slot.gpus == 0 && !slot.max_known && slot.part &&
           slot.part->kind == "switch_tray";
  };
  const auto count = std::count_if(slots_.begin(), slots_.end(), is_blank_switch);
  for (SlotPower& slot : slots_) {
    if (!is_blank_switch(slot)) continue;
    slot.filled_w = slot.intercept_w = remainder_w / static_cast<double>(count);
  }
  return count > 0;
}

void RackPowerModel::match_published() {
  if (!design_.published_tdp_w.value) return;
  const RackPower sum = envelope(tdp_w_);
  // The figure is an AC input; what the parts leave is itemised at the bus that feeds the GPUs.
  int bus = -1;
  for (const SlotPower& slot : slots_) {
    if (slot.gpus > 0) bus = std::max(bus, slot.bus);
  }
  double remainder = *design_.published_tdp_w.value - sum.rack_ac_w;
  if (is_dc(design_, bus)) {
    const auto i = static_cast<std::size_t>(bus);
    const double input = sum.bus_ac_w[i] + remainder;
    remainder = converters_[i].output(Power::from_si(input)).si() - sum.bus_dc_w[i];
  }
  if (!complete_) {
    fill_trays(remainder);
    return;
  }
  if (remainder <= 0 || fill_switches(remainder, bus)) return;
  unitemised_w_ = remainder;
  for (SlotPower& slot : slots_) slot.unitemised_w = remainder * slot.gpus / std::max(gpus_, 1);
}

RackPower RackPowerModel::at(double gpu_total_w, bool envelope) const {
  RackPower result;
  const double gpu_w = gpus_ > 0 ? gpu_total_w / gpus_ : 0.0;
  result.module_w = gpu_total_w;
  result.bus_dc_w.assign(design_.buses.size(), 0.0);
  result.bus_ac_w.assign(design_.buses.size(), 0.0);
  for (const SlotPower& slot : slots_) {
    const double watts =
        slot.intercept_w + slot.slope * slot.gpus * gpu_w + (envelope ? slot.unitemised_w : 0.0);
    result.slot_w.push_back(watts);
    if (slot.gpus > 0) result.tray_w += watts;
    if (slot.bus < 0) {
      result.direct_ac_w += watts;
    } else if (is_dc(design_, slot.bus)) {
      result.bus_dc_w[static_cast<std::size_t>(slot.bus)] += watts;
    } else {
      result.bus_ac_w[static_cast<std::size_t>(slot.bus)] += watts;
    }
  }
  result.rack_ac_w = result.direct_ac_w;
  for (std::size_t i = 0; i < design_.buses.size(); ++i) {
    if (is_dc(design_, static_cast<int>(i))) {
      result.bus_ac_w[i] = converters_[i].input(Power::from_si(result.bus_dc_w[i])).si();
    } else {
      result.bus_dc_w[i] = converters_[i].output(Power::from_si(result.bus_ac_w[i])).si();
    }
    result.bus_w += result.bus_dc_w[i];
    result.rack_ac_w += result.bus_ac_w[i];
  }
  return result;
}

RackPower RackPowerModel::envelope(double gpu_w) const {
  return at(gpu_w * gpus_, true);
}

double RackPowerModel::bus_input_w(std::size_t bus, double dc_w, int units) const {
  const PowerBus& design = design_.buses[bus];
  if (!efficient_[bus] || units <= 0) return dc_w;
  return converter_from_peak(*design.psu_peak_efficiency.value,
                             Power::from_si(bus_rating_w(design) / psu_count(design)), units)
      .input(Power::from_si(dc_w))
      .si();
}

std::vector<double> RackPowerModel::rack_ac_means(const std::vector<double>& gpu_means, double gpus,
                                                  double rest_w) const {
  std::vector<double> result;
  result.reserve(gpu_means.size());
  for (const double mean : gpu_means) result.push_back(at(mean * gpus + rest_w).rack_ac_w);
  return result;
}

std::optional<double> RackPowerModel::gpu_power_for(
    const std::function<double(const RackPower&)>& load, double limit, double highest_w) const {
  if (load(envelope(highest_w)) <= limit) return highest_w;
  if (!(load(envelope(0)) <= limit)) return std::nullopt;
  double low = 0, high = highest_w;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (load(envelope(middle)) <= limit ? low : high) = middle;
  }
  return low;
}

double RackPowerModel::rest_spread_w() const {
  double sum = 0;
  for (const SlotPower& slot : slots_) sum += slot.rest_spread_w;
  return sum;
}

double RackPowerModel::filled_w() const {
  double sum = 0;
  for (const SlotPower& slot : slots_) sum += slot.filled_w;
  return sum;
}

}  // namespace rackwright::topology
