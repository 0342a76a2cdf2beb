#include "topology/rack_design.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "topology/fact_reader.hpp"
#include "topology/rack_design_reader.hpp"

namespace rackwright::topology {

double Envelope::floor_area_m2() const {
  // An aisle serves the rows on both of its sides, so half of it belongs to this rack.
  const double depth = depth_mm + (front_clearance_mm + rear_clearance_mm) / 2;
  return width_mm * depth / 1e6;
}

double Feed::limit_w() const {
  const double conductors = phases == 3 ? std::numbers::sqrt3 : 1.0;
  return conductors * volts_line_to_line * breaker_a * circuits * derating * power_factor;
}

const Slot* RackDesign::slot(const std::string& slot_id) const {
  const auto found =
      std::find_if(slots.begin(), slots.end(), [&](const Slot& s) { return s.id == slot_id; });
  return found == slots.end() ? nullptr : &*found;
}

namespace {

constexpr int kRackFormatVersion = 1;

Envelope read_envelope(ObjectReader reader, const FactOrigin& origin) {
  Envelope envelope;
  envelope.height_units = static_cast<int>(reader.integer("height_units", {.min = 1, .max = 100}));
  envelope.pitch = reader.choice_or("pitch", "rack_unit", {"rack_unit", "open_unit"}) == "open_unit"
                       ? UnitPitch::open_unit
                       : UnitPitch::rack_unit;
  envelope.width_mm = reader.number("width_mm", {.min = 1});
  envelope.depth_mm = reader.number("depth_mm", {.min = 1});
  envelope.height_mm = reader.number("height_mm", {.min = 1});
  envelope.opening_mm = reader.number_or("opening_mm", 0, {.min = 0});
  envelope.front_clearance_mm = reader.number_or("front_clearance_mm", 0, {.min = 0});
  envelope.rear_clearance_mm = reader.number_or("rear_clearance_mm", 0, {.min = 0});
  const FactOrigin own = read_origin(reader, origin);
  envelope.empty_weight_kg = read_fact(reader, "empty_weight_kg", own, {.min = 0});
  envelope.floor_rating_kpa = read_fact(reader, "floor_rating_kpa", own, {.min = 0});
  envelope.weight_limit_kg = read_fact(reader, "weight_limit_kg", own, {.min = 0});
  reader.ignore({"note"});
  reader.finish();
  return envelope;
}

Feed read_feed(ObjectReader& reader, const FactOrigin& origin) {
  Feed feed;
  feed.id = reader.text("id");
  feed.volts_line_to_line = reader.number("line_voltage_v", {.min = 1});
  feed.phases = static_cast<int>(reader.integer_or("phases", 3, {.min = 1, .max = 3}));
  feed.breaker_a = reader.optional_number("breaker_a", {.min = 0}).value_or(0);
  feed.circuits = static_cast<int>(reader.integer_or("circuits", 1, {.min = 1}));
  feed.derating = reader.number("derating_pct", {.min = 1, .max = 100}) / 100;
  feed.power_factor = reader.number("power_factor", {.min = 0.1, .max = 1});
  const FactOrigin own = read_origin(reader, origin);
  feed.source.text = reader.text_or("note", "");
  feed.source.source = own.source;
  feed.source.status = own.status;
  feed.source.confidence = own.confidence;
  reader.finish();
  return feed;
}

std::vector<Feed> read_feeds(ObjectReader& root, const FactOrigin& origin) {
  std::vector<Feed> feeds;
  for (ObjectReader& reader : root.objects("feeds")) {
    Feed feed = read_feed(reader, origin);
    const auto same = [&](const Feed& other) { return other.id == feed.id; };
    if (std::any_of(feeds.begin(), feeds.end(), same)) {
      reader.problem("id", "an id not used before", fmt::format("\"{}\"", feed.id));
    }
    feeds.push_back(std::move(feed));
  }
  return feeds;
}

LiquidLoop read_liquid(ObjectReader reader, const FactOrigin& origin, const Catalog& catalog,
                       const RackDesign& design) {
  LiquidLoop loop;
  const FactOrigin own = read_origin(reader, origin);
  loop.coolant = reader.text("coolant");
  check_part(reader, "coolant", loop.coolant, catalog);
  loop.liquid_fraction =
      as_fraction(read_fact(reader, "liquid_fraction_pct", own, {.min = 0, .max = 100}));
  loop.supply_max_c = read_fact(reader, "supply_max_c", own);
  loop.return_max_c = read_fact(reader, "return_max_c", own);
  loop.flow_max_lpm = read_fact(reader, "flow_max_lpm", own, {.min = 0});
  loop.working_pressure_bar =
      as_fraction(read_fact(reader, "working_pressure_kpa", own, {.min = 0}));
  loop.leak_valve_s = read_fact(reader, "leak_valve_s", own, {.min = 0});
  loop.tray_drop_kpa = read_fact(reader, "tray_drop_kpa", own, {.min = 0});
  loop.connection_mm = read_fact(reader, "connection_mm", own, {.min = 1});
  loop.drop_shares = reader.text_or("drop_shares", "");
  if (!loop.drop_shares.empty()) check_part(reader, "drop_shares", loop.drop_shares, catalog);
  for (ObjectReader& row : reader.objects("required")) {
    FlowPoint point;
    point.supply_c = row.number("supply_c");
    point.flow_lpm = row.number("flow_lpm", {.min = 0});
    point.drop_kpa = row.number_or("drop_kpa", 0, {.min = 0});
    row.finish();
    loop.required.push_back(point);
  }
  loop.required_source = reader.text_or("required_source", "");
  if (!loop.required.empty() && loop.required_source.empty()) {
    reader.problem("required_source", "where the flow table comes from", "no such key");
  }
  loop.cdu = reader.text_or("cdu", "");
  if (!loop.cdu.empty()) check_part(reader, "cdu", loop.cdu, catalog);
  loop.racks_per_cdu = reader.number_or("racks_per_cdu", 1, {.min = 0.01});
  loop.cdus_installed = static_cast<int>(reader.integer_or("cdus_installed", 1, {.min = 1}));
  if (reader.has("cdu_supply")) {
    const auto supplies = reader.texts("cdu_supply");
    for (const std::string& supply : supplies) {
      loop.cdu_supply.push_back(read_supply(reader, "cdu_supply", supply, design));
    }
    if (static_cast<int>(supplies.size()) != loop.cdus_installed) {
      reader.problem("cdu_supply",
                     fmt::format("one entry for each of {} CDUs", loop.cdus_installed),
                     std::to_string(supplies.size()));
    }
  }
  reader.ignore({"note", "cdu_supply"});
  reader.finish();
  return loop;
}

/// Rows of shares in per cent; a row that sums to more than 100 is no share of one intake.
std::vector<std::vector<double>> read_recirculation(ObjectReader& reader) {
  std::vector<std::vector<double>> rows;
  if (!reader.has("recirculation_pct")) return rows;
  const auto& raw = reader.raw("recirculation_pct");
  const auto wrong = [&](const std::string& found) {
    reader.problem("recirculation_pct",
                   "as many rows as columns of shares from 0, 100 at most a row", found);
    return std::vector<std::vector<double>>{};
  };
  if (!raw.is_array()) return wrong("no list");
  for (const auto& row : raw) {
    if (!row.is_array() || row.size() != raw.size()) return wrong("rows of another length");
    std::vector<double> shares;
    double sum = 0;
    for (const auto& share : row) {
      if (!share.is_number() || share.get<double>() < 0)
        return wrong("a share below 0 or no number");
      shares.push_back(share.get<double>() / 100);
      sum += shares.back();
    }
    if (sum > 1 + 1e-9) return wrong(fmt::format("a row of {:.4g} %", sum * 100));
    rows.push_back(std::move(shares));
  }
  return rows;
}

AirSide read_air(ObjectReader reader, const FactOrigin& origin) {
  AirSide air;
  const FactOrigin own = read_origin(reader, origin);
  air.supply_over_demand =
      as_fraction(read_fact(reader, "supply_over_demand_pct", own, {.min = 1}));
  air.leak_area_mm2 = read_fact(reader, "leak_area_mm2", own, {.min = 0});
  air.cable_blocked =
      as_fraction(read_fact(reader, "cable_blocked_pct", own, {.min = 0, .max = 99}));
  air.front_door_area_mm2 = read_fact(reader, "front_door_area_mm2", own, {.min = 1});
  air.rear_door_area_mm2 = read_fact(reader, "rear_door_area_mm2", own, {.min = 1});
  air.row_end = reader.boolean_or("row_end", false);
  air.contained = reader.boolean_or("contained", false);
  air.recirculation = read_recirculation(reader);
  reader.ignore({"note", "recirculation_pct"});
  reader.finish();
  return air;
}

ThermalFacts read_thermal(ObjectReader reader, const FactOrigin& origin) {
  const FactOrigin own = read_origin(reader, origin);
  const auto positive = [&](const char* key) { return read_fact(reader, key, own, {.min = 1e-9}); };
  ThermalFacts facts;
  facts.module_resistance_k_per_w = positive("module_resistance_k_per_w");
  facts.module_capacity_j_per_k = positive("module_capacity_j_per_k");
  facts.module_limit_c = positive("module_limit_c");
  facts.rack_coolant_l = positive("rack_coolant_l");
  facts.loop_coolant_l = positive("loop_coolant_l");
  facts.room_air_m3 = positive("room_air_m3");
  facts.cooling_gap_s = positive("cooling_gap_s");
  reader.ignore({"note"});
  reader.finish();
  return facts;
}

MechanicalFacts read_mechanical(ObjectReader reader, const FactOrigin& origin) {
  const FactOrigin own = read_origin(reader, origin);
  const auto positive = [&](const char* key) { return read_fact(reader, key, own, {.min = 1e-9}); };
  MechanicalFacts facts;
  facts.support_count = positive("support_count");
  facts.point_limit_n = positive("point_limit_n");
  facts.rolling_limit_n = positive("rolling_limit_n");
  facts.sound_limit_db_a = positive("sound_limit_db_a");
  facts.seismic_demand_factor = positive("seismic_demand_factor");
  facts.seismic_capacity_factor = positive("seismic_capacity_factor");
  reader.ignore({"note"});
  reader.finish();
  return facts;
}

Environment read_environment(ObjectReader reader) {
  Environment environment;
  environment.air_inlet_c = reader.number("air_inlet_c", {.min = -20, .max = 60});
  environment.tcs_supply_c = reader.number_or("tcs_supply_c", 40, {.min = 0, .max = 90});
  environment.fws_supply_c = reader.number_or("fws_supply_c", 30, {.min = 0, .max = 90});
  environment.dew_point_c = reader.number("dew_point_c", {.min = -40, .max = 40});
  environment.altitude_m = reader.number_or("altitude_m", 0, {.min = -430, .max = 5000});
  environment.reason = reader.text("reason");
  reader.finish();
  return environment;
}

void read_head(ObjectReader& root, RackDesign& design) {
  design.id = root.text("id");
  design.name = root.text("name");
  design.summary = root.text_or("summary", "");
  design.device = root.text("device");
  design.gpus = static_cast<int>(root.integer("gpus", {.min = 1}));
  design.scale_up_domain = static_cast<int>(root.integer("scale_up_domain", {.min = 1}));
  design.is_template = root.boolean_or("is_template", false);
  design.cooling = root.choice("cooling", {"air", "rear door", "liquid"});
  design.fabric = root.text_or("fabric", "");
  design.scale_up_switches = static_cast<int>(root.integer_or("scale_up_switches", 0, {.min = 0}));
  design.backplane_cartridges =
      static_cast<int>(root.integer_or("backplane_cartridges", 0, {.min = 0}));
  design.backplane_pairs = static_cast<int>(root.integer_or("backplane_pairs", 0, {.min = 0}));
  if (root.has("notes")) design.notes = root.texts("notes");
  if (root.has("sources")) design.sources = root.texts("sources");
  root.ignore({"notes", "sources"});
}

void check_whole(ObjectReader& root, const RackDesign& design) {
  int gpus = 0;
  for (const Slot& slot : design.slots) gpus += slot.gpus;
  if (!design.slots.empty() && gpus != design.gpus) {
    root.problem("gpus", fmt::format("the sum over the slots, {}", gpus),
                 std::to_string(design.gpus));
  }
  if (design.scale_up_domain > design.gpus) {
    root.problem("scale_up_domain", fmt::format("at most the {} GPUs of the rack", design.gpus),
                 std::to_string(design.scale_up_domain));
  }
  if (design.cooling == "liquid" && !design.liquid) {
    root.problem("liquid", "an object, as cooling is \"liquid\"", "no such key");
  }
  if (design.cooling == "rear door" && !design.rear_door) {
    root.problem("rear_door", "an object, as cooling is \"rear door\"", "no such key");
  }
}

}  // namespace

RackDesign read_rack_design(const std::filesystem::path& path, const Catalog& catalog) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader root(document, problems);
  root.check_format_version(kRackFormatVersion);
  RackDesign design;
  design.file = document.name();
  read_head(root, design);
  const FactOrigin origin = read_origin(root);
  design.source = origin.source;
  design.status = origin.status;
  design.confidence = origin.confidence;
  design.envelope = read_envelope(root.object("envelope"), origin);
  design.slots = read_slots(root, design.envelope, catalog);
  design.feeds = read_feeds(root, origin);
  design.buses = read_buses(root, design, catalog, origin);
  design.upstream = read_upstream(root, design, catalog, origin);
  if (root.has("liquid"))
    design.liquid = read_liquid(root.object("liquid"), origin, catalog, design);
  if (root.has("rear_door")) {
    ObjectReader door = root.object("rear_door");
    design.rear_door = RearDoor{door.text("part"), {}};
    check_part(door, "part", design.rear_door->part, catalog);
    const std::string supply = door.text_or("supply", "");
    design.rear_door->supply = read_supply(door, "supply", supply, design);
    door.ignore({"note"});
    door.finish();
  }
  if (root.has("air")) design.air = read_air(root.object("air"), origin);
  if (root.has("thermal")) design.thermal = read_thermal(root.object("thermal"), origin);
  if (root.has("mechanical")) {
    design.mechanical = read_mechanical(root.object("mechanical"), origin);
  }
  root.ignore({"air", "liquid", "rear_door", "thermal", "mechanical"});
  design.environment = read_environment(root.object("environment"));
  design.edpp_w = read_fact(root, "edpp_w", origin, {.min = 0});
  design.published_tdp_w = read_fact(root, "published_tdp_w", origin, {.min = 0});
  design.published_weight_kg = read_fact(root, "published_weight_kg", origin, {.min = 0});
  design.price_usd = read_fact(root, "price_usd", origin, {.min = 0});
  root.finish();
  check_whole(root, design);
  problems.throw_if_any();
  return design;
}

}  // namespace rackwright::topology
