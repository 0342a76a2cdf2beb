#include "topology/rack_design_reader.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "topology/power/redundancy_scheme.hpp"

namespace rackwright::topology {

namespace {

/// "c01" counted on by 2 is "c03"; the width of the number is kept.
std::string counted_on(const std::string& id, int by) {
  std::size_t digits = id.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(id[digits - 1]))) --digits;
  constexpr std::size_t kMostDigits = 6;
  if (digits == id.size() || id.size() - digits > kMostDigits)
    return fmt::format("{}{}", id, by + 1);
  const int number = std::stoi(id.substr(digits)) + by;
  return fmt::format("{}{:0{}}", id.substr(0, digits), number, id.size() - digits);
}

double height_of(ObjectReader& reader, const Envelope& envelope, const Part* part) {
  const bool open = envelope.pitch == UnitPitch::open_unit;
  const auto own = reader.optional_number("height_units", {.min = 0.5, .max = 100});
  if (own) return *own;
  if (part == nullptr) return 1;
  const auto height = part->number(open ? "height_ou" : "height_ru");
  if (height) return *height;
  reader.problem(
      "height_units",
      fmt::format("a height, as part \"{}\" has no {}", part->id, open ? "height_ou" : "height_ru"),
      "no such key");
  return 1;
}

struct PlacedSlot {
  Slot slot;
  ObjectReader reader;
};

void check_inside(PlacedSlot& placed, const Envelope& envelope) {
  const Slot& slot = placed.slot;
  const double top = slot.unit + slot.height - 1;
  if (top <= envelope.height_units) return;
  placed.reader.problem("unit", fmt::format("units within the rack's {}", envelope.height_units),
                        fmt::format("\"{}\" in units {} to {}", slot.id, slot.unit, top));
}

void check_free(PlacedSlot& placed, const std::vector<PlacedSlot>& before) {
  const Slot& slot = placed.slot;
  for (const PlacedSlot& other : before) {
    if (other.slot.id == slot.id) {
      placed.reader.problem("id", "an id not used before", fmt::format("\"{}\"", slot.id));
    }
    const bool apart = other.slot.face != slot.face ||
                       other.slot.unit + other.slot.height <= slot.unit ||
                       slot.unit + slot.height <= other.slot.unit;
    if (apart) continue;
    placed.reader.problem(
        "unit", "free units",
        fmt::format("\"{}\" from unit {} over \"{}\" in units {} to {}", slot.id, slot.unit,
                    other.slot.id, other.slot.unit, other.slot.unit + other.slot.height - 1));
  }
}

std::vector<PlacedSlot> read_slot_entry(ObjectReader& reader, const Envelope& envelope,
                                        const Catalog& catalog) {
  Slot slot;
  slot.id = reader.text("id");
  slot.part = reader.text("part");
  check_part(reader, "part", slot.part, catalog);
  slot.group =
      reader.choice("group", {"compute", "switch", "power", "management", "cooling", "blank"});
  slot.unit = reader.number("unit", {.min = 1});
  slot.height = height_of(reader, envelope, catalog.find(slot.part));
  slot.face =
      reader.choice_or("face", "front", {"front", "rear"}) == "rear" ? Face::rear : Face::front;
  slot.gpus = static_cast<int>(reader.integer_or("gpus", 0, {.min = 0}));
  const auto repeat = static_cast<int>(reader.integer_or("repeat", 1, {.min = 1, .max = 100}));
  reader.ignore({"note"});
  reader.finish();
  std::vector<PlacedSlot> result;
  const std::string first = slot.id;
  for (int i = 0; i < repeat; ++i) {
    if (repeat > 1) slot.id = counted_on(first, i);
    result.push_back({slot, reader});
    slot.unit += slot.height;
  }
  return result;
}

/// Slots that `name` stands for: one id or a whole group.
std::vector<std::string> slots_named(const RackDesign& design, const std::string& name) {
  if (design.slot(name) != nullptr) return {name};
  std::vector<std::string> result;
  for (const Slot& slot : design.slots) {
    if (slot.group == name) result.push_back(slot.id);
  }
  return result;
}

std::string nearest_slot(const RackDesign& design, const std::string& name) {
  std::vector<std::string> known;
  for (const Slot& slot : design.slots) {
    known.push_back(slot.id);
    known.push_back(slot.group);
  }
  const auto near = nearest_word(name, known);
  return near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near);
}

void check_feed(ObjectReader& reader, const RackDesign& design, const std::string& feed) {
  std::vector<std::string> known;
  for (const Feed& f : design.feeds) known.push_back(f.id);
  if (std::find(known.begin(), known.end(), feed) != known.end()) return;
  reader.problem("feed", fmt::format("one of the feeds {}", fmt::join(known, ", ")),
                 fmt::format("\"{}\"", feed));
}

double psu_number(ObjectReader& reader, const char* key, const Part* part) {
  const auto own = reader.optional_number(key, {.min = 0});
  if (own) return *own;
  const auto of_part = part == nullptr ? std::nullopt : part->number(key);
  if (of_part) return *of_part;
  reader.problem(key,
                 fmt::format("a number, as part \"{}\" has none", part == nullptr ? "" : part->id),
                 "no such key");
  return 0;
}

/// One source of a bus. `node` is the slot of a node's own PSUs, "" for shelves.
PowerSource read_source(ObjectReader reader, const RackDesign& design, const Catalog& catalog,
                        const std::string& node) {
  PowerSource source;
  source.feed = reader.text("feed");
  check_feed(reader, design, source.feed);
  source.slot = node.empty() ? reader.text("slot") : node;
  const Slot* slot = design.slot(source.slot);
  if (slot == nullptr) {
    reader.problem("slot", "the id of a slot",
                   fmt::format("\"{}\"{}", source.slot, nearest_slot(design, source.slot)));
  }
  const Part* part = slot == nullptr ? nullptr : catalog.find(slot->part);
  source.id = node.empty() ? source.slot : fmt::format("{}.{}", node, source.feed);
  source.psus = static_cast<int>(psu_number(reader, "psu_count", part));
  source.psu_w = psu_number(reader, "psu_w", part);
  reader.ignore({"slot"});
  reader.finish();
  return source;
}

std::vector<std::string> read_loads(ObjectReader& reader, const RackDesign& design) {
  std::vector<std::string> loads;
  for (const std::string& name : reader.texts("loads")) {
    const auto named = slots_named(design, name);
    if (named.empty()) {
      reader.problem("loads", "ids or groups of slots",
                     fmt::format("\"{}\"{}", name, nearest_slot(design, name)));
    }
    loads.insert(loads.end(), named.begin(), named.end());
  }
  return loads;
}

Fact efficiency(ObjectReader& reader, const FactOrigin& origin, const PowerBus& bus,
                const RackDesign& design, const Catalog& catalog) {
  Fact fact = read_fact(reader, "psu_peak_efficiency_pct", origin, {.min = 1, .max = 100});
  if (fact.blank() && !bus.sources.empty()) {
    const Slot* slot = design.slot(bus.sources.front().slot);
    const Part* part = slot == nullptr ? nullptr : catalog.find(slot->part);
    if (part != nullptr) fact = part->fact("psu_peak_efficiency_pct");
  }
  return as_fraction(std::move(fact));
}

/// A text that says how many units may be lost; an unknown one is an error.
std::string read_redundancy(ObjectReader& reader) {
  const std::string text = reader.text_or("redundancy", "");
  if (!text.empty() && !parse_redundancy(text)) {
    reader.problem("redundancy", "N, N+1, N+1 per shelf, N+N, 2N, 4+2, 3N/2 or block N+1",
                   fmt::format("\"{}\"", text));
  }
  return text;
}

/// What all buses of one entry share.
PowerBus read_common(ObjectReader& reader, const FactOrigin& origin) {
  PowerBus bus;
  bus.boundary = reader.choice("boundary", {"busbar DC", "node DC"});
  bus.volts = reader.number_or("voltage_v", 0, {.min = 0});
  bus.section_limit_a = read_fact(reader, "section_limit_a", origin, {.min = 0});
  bus.redundancy = read_redundancy(reader);
  if (reader.has("promised")) bus.promised = reader.texts("promised");
  for (const std::string& unit : bus.promised) {
    if (unit != "psu" && unit != "shelf" && unit != "feed") {
      reader.problem("promised", "failure units psu, shelf, feed", fmt::format("\"{}\"", unit));
    }
  }
  reader.ignore({"promised", "sources", "psu_peak_efficiency_pct", "note"});
  return bus;
}

/// One bus per slot of a group, read once: all slots of the group hold the same part.
std::vector<PowerBus> read_each_of(ObjectReader& reader, const RackDesign& design,
                                   const Catalog& catalog, const PowerBus& common) {
  const std::string group = reader.text("each_of");
  const auto slots = slots_named(design, group);
  if (slots.empty()) {
    reader.problem("each_of", "a group of slots",
                   fmt::format("\"{}\"{}", group, nearest_slot(design, group)));
    return {};
  }
  std::vector<PowerSource> sources;
  for (ObjectReader& source : reader.objects("sources")) {
    sources.push_back(read_source(source, design, catalog, slots.front()));
  }
  std::vector<PowerBus> result;
  for (const std::string& slot : slots) {
    if (design.slot(slot)->part != design.slot(slots.front())->part) {
      reader.problem("each_of", "a group of slots with one part",
                     fmt::format("\"{}\" in \"{}\"", design.slot(slot)->part, slot));
    }
    PowerBus bus = common;
    bus.id = slot;
    bus.loads = {slot};
    for (PowerSource source : sources) {
      source.slot = slot;
      source.id = fmt::format("{}.{}", slot, source.feed);
      bus.sources.push_back(std::move(source));
    }
    result.push_back(std::move(bus));
  }
  return result;
}

std::vector<PowerBus> read_bus_entry(ObjectReader& reader, const RackDesign& design,
                                     const Catalog& catalog, const FactOrigin& file_origin) {
  const FactOrigin origin = read_origin(reader, file_origin);
  const PowerBus common = read_common(reader, origin);
  std::vector<PowerBus> result;
  if (reader.has("each_of")) {
    result = read_each_of(reader, design, catalog, common);
  } else {
    PowerBus bus = common;
    bus.id = reader.text("id");
    bus.loads = read_loads(reader, design);
    for (ObjectReader& source : reader.objects("sources")) {
      bus.sources.push_back(read_source(source, design, catalog, ""));
    }
    result.push_back(std::move(bus));
  }
  if (!result.empty() && result.front().sources.empty()) {
    reader.problem("sources", "at least one source", "none");
  }
  for (PowerBus& bus : result) {
    bus.psu_peak_efficiency = efficiency(reader, origin, bus, design, catalog);
  }
  reader.finish();
  return result;
}

}  // namespace

Fact as_fraction(Fact fact) {
  for (auto* number : {&fact.value, &fact.low, &fact.high}) {
    if (*number) **number /= 100;
  }
  return fact;
}

void check_part(ObjectReader& reader, std::string_view key, const std::string& id,
                const Catalog& catalog) {
  if (id.empty() || catalog.find(id) != nullptr) return;
  std::vector<std::string> ids;
  for (const auto& [known, part] : catalog.parts()) ids.push_back(known);
  std::string found = fmt::format("\"{}\"", id);
  if (const auto near = nearest_word(id, ids); !near.empty()) {
    found += fmt::format("; did you mean \"{}\"?", near);
  }
  reader.problem(key, "a part of the catalogue", found);
}

std::vector<Slot> read_slots(ObjectReader& root, const Envelope& envelope, const Catalog& catalog) {
  std::vector<PlacedSlot> placed;
  for (ObjectReader& reader : root.objects("slots")) {
    for (PlacedSlot& next : read_slot_entry(reader, envelope, catalog)) {
      check_inside(next, envelope);
      check_free(next, placed);
      placed.push_back(std::move(next));
    }
  }
  if (placed.empty()) root.problem("slots", "at least one slot", "none");
  std::vector<Slot> slots;
  for (PlacedSlot& p : placed) slots.push_back(std::move(p.slot));
  return slots;
}

std::vector<PowerBus> read_buses(ObjectReader& root, const RackDesign& design,
                                 const Catalog& catalog, const FactOrigin& origin) {
  std::vector<PowerBus> buses;
  std::set<std::string> fed, ids;
  for (ObjectReader& reader : root.objects("buses")) {
    for (PowerBus& bus : read_bus_entry(reader, design, catalog, origin)) {
      if (!ids.insert(bus.id).second) {
        reader.problem("id", "an id not used before", fmt::format("\"{}\"", bus.id));
      }
      for (const std::string& load : bus.loads) {
        if (fed.insert(load).second) continue;
        reader.problem("loads", "slots that no other bus feeds", fmt::format("\"{}\"", load));
      }
      buses.push_back(std::move(bus));
    }
  }
  return buses;
}

std::vector<std::string> read_supply(ObjectReader& reader, std::string_view key,
                                     const std::string& text, const RackDesign& design) {
  std::vector<std::string> known;
  for (const Feed& feed : design.feeds) known.push_back(feed.id);
  for (const PowerBus& bus : design.buses) {
    known.push_back(bus.id);
    for (const PowerSource& source : bus.sources) known.push_back(source.id);
  }
  std::vector<std::string> names;
  std::stringstream parts(text);
  for (std::string name; std::getline(parts, name, '+');) {
    if (!known.empty() && std::find(known.begin(), known.end(), name) == known.end()) {
      const auto near = nearest_word(name, known);
      reader.problem(key, "feeds, shelves or buses of this rack, joined by +",
                     fmt::format("\"{}\"{}", name,
                                 near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
    }
    names.push_back(name);
  }
  return names;
}

std::vector<UpstreamUnit> read_upstream(ObjectReader& root, const RackDesign& design,
                                        const Catalog& catalog, const FactOrigin& origin) {
  std::vector<UpstreamUnit> units;
  std::vector<std::string> known;
  for (const Feed& feed : design.feeds) known.push_back(feed.id);
  for (ObjectReader& reader : root.objects("upstream")) {
    const FactOrigin own = read_origin(reader, origin);
    UpstreamUnit unit;
    unit.id = reader.text("id");
    unit.kind = reader.choice("kind", {"PDU", "busway", "UPS"});
    unit.part = reader.text_or("part", "");
    check_part(reader, "part", unit.part, catalog);
    unit.carries = reader.texts("carries");
    for (const std::string& below : unit.carries) {
      const bool open = design.feeds.empty();  // their own problem is told already
      if (open || std::find(known.begin(), known.end(), below) != known.end()) continue;
      reader.problem("carries", "feeds of the rack, or upstream units named before",
                     fmt::format("\"{}\"", below));
    }
    if (std::find(known.begin(), known.end(), unit.id) != known.end()) {
      reader.problem("id", "an id not used before", fmt::format("\"{}\"", unit.id));
    }
    unit.racks = reader.number_or("racks", 1, {.min = 1});
    unit.units = static_cast<int>(reader.integer_or("units", 1, {.min = 1}));
    unit.redundancy = read_redundancy(reader);
    unit.rating_kva = read_fact(reader, "rating_kva", own, {.min = 1e-3});
    unit.efficiency = as_fraction(read_fact(reader, "efficiency_pct", own, {.min = 1, .max = 100}));
    reader.ignore({"note"});
    reader.finish();
    known.push_back(unit.id);
    units.push_back(std::move(unit));
  }
  return units;
}

}  // namespace rackwright::topology
