#include "topology/cabling/layout.hpp"

#include "common/json_document.hpp"
#include "topology/fact_reader.hpp"

namespace rackwright::topology {

namespace {

constexpr int kLayoutFormatVersion = 1;
constexpr double kSecondsPerWeek = 7 * 86400, kPercent = 100;

/// Reads the facts of a practice; every one of them is needed, none may be blank.
class PracticeFacts {
 public:
  PracticeFacts(ObjectReader& reader, const FactOrigin& origin)
      : reader_(&reader), origin_(&origin) {}
  double positive(const char* key) { return required(key, {.min = 1e-9, .max = 1e6}); }
  double at_least_zero(const char* key) { return required(key, {.min = 0, .max = 1e6}); }
  double millimetres(const char* key) { return positive(key) / kMillimetresPerMetre; }
  double share(const char* key) { return required(key, {.min = 0, .max = kPercent}) / kPercent; }

 private:
  double required(const char* key, NumberRange range) {
    const Fact fact = read_fact(*reader_, key, *origin_, range);
    if (!fact.value) reader_->problem(key, "a number", "blank");
    return fact.value.value_or(1);
  }
  ObjectReader* reader_;
  const FactOrigin* origin_;
};

void read_cross_trays(ObjectReader& reader, CablingPractice& practice) {
  for (const std::string& word : reader.texts("cross_trays")) {
    if (word == "row_start") {
      practice.cross_tray_at_start = true;
    } else if (word == "row_end") {
      practice.cross_tray_at_end = true;
    } else {
      reader.problem("cross_trays", "row_start or row_end", "\"" + word + "\"");
    }
  }
  if (!practice.cross_tray_at_start && !practice.cross_tray_at_end) {
    reader.problem("cross_trays", "row_start, row_end or both", "none: rows are not joined");
  }
}

void read_network_rack(ObjectReader& reader, PracticeFacts& facts, CablingPractice& practice) {
  practice.network_rack_width_m = facts.millimetres("network_rack_width_mm");
  practice.network_rack_depth_m = facts.millimetres("network_rack_depth_mm");
  practice.network_rack_opening_m = facts.millimetres("network_rack_opening_mm");
  practice.network_rack_height_m = facts.millimetres("network_rack_height_mm");
  practice.network_rack_units = static_cast<int>(facts.positive("network_rack_units_count"));
  practice.network_rack_usable_units =
      static_cast<int>(facts.positive("network_rack_usable_count"));
  if (practice.network_rack_usable_units > practice.network_rack_units) {
    reader.problem("network_rack_usable_count", "at most the units of the rack",
                   std::to_string(practice.network_rack_usable_units));
  }
}

}  // namespace

CablingPractice read_cabling_practice(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader reader(document, problems);
  reader.check_format_version(kLayoutFormatVersion);
  CablingPractice practice;
  practice.file = document.name();
  practice.id = reader.text("id");
  practice.name = reader.text("name");
  const FactOrigin origin = read_origin(reader);
  practice.source = origin.source;
  practice.status = origin.status;
  practice.confidence = origin.confidence;
  PracticeFacts facts(reader, origin);
  practice.tray_over_rack_m = facts.millimetres("tray_height_over_rack_mm");
  practice.tray_width_m = facts.millimetres("tray_width_mm");
  practice.tray_depth_m = facts.millimetres("tray_depth_mm");
  practice.tray_bend_radius_m = facts.millimetres("tray_bend_radius_mm");
  read_cross_trays(reader, practice);
  practice.manager_width_m = facts.millimetres("manager_width_mm");
  practice.manager_depth_m = facts.millimetres("manager_depth_mm");
  practice.manager_bend_radius_m = facts.millimetres("manager_bend_radius_mm");
  practice.fill_limit = facts.share("fill_limit_pct");
  practice.slack = facts.share("slack_pct");
  practice.service_loop_m = facts.at_least_zero("service_loop_m");
  practice.bundle_cables = static_cast<int>(facts.positive("bundle_count"));
  read_network_rack(reader, facts, practice);
  practice.restock_s = facts.positive("restock_weeks") * kSecondsPerWeek;
  practice.spares_confidence = facts.share("spares_service_pct");
  if (practice.spares_confidence >= 1) {
    reader.problem("spares_service_pct", "less than 100: no stock is certain", "100");
  }
  if (reader.has("notes")) practice.notes = reader.texts("notes");
  reader.ignore({"$schema", "notes"});
  reader.finish();
  problems.throw_if_any();
  return practice;
}

RowLayout read_row_layout(const std::filesystem::path& path, const DataLocator& data) {
  const JsonDocument document = JsonDocument::parse_file(path);
  ProblemList problems;
  ObjectReader reader(document, problems);
  reader.check_format_version(kLayoutFormatVersion);
  RowLayout layout;
  layout.file = document.name();
  layout.id = reader.text("id");
  layout.name = reader.text("name");
  layout.summary = reader.text_or("summary", "");
  layout.compute_racks_per_row =
      static_cast<int>(reader.integer("compute_racks_per_row", {.min = 1, .max = 1000}));
  layout.leaf_place =
      reader.choice("leaf_place", {"compute_rack", "network_rack"}) == "compute_rack"
          ? LeafPlace::compute_rack
          : LeafPlace::network_rack;
  const std::vector<std::string> positions{"row_middle", "row_end", "own_row", "spread"};
  const std::string position = reader.choice("network_rack_position", positions);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (position == positions[i]) layout.position = static_cast<NetworkRackPosition>(i);
  }
  layout.order = reader.choice_or("network_rack_order", "unit", {"unit", "rail"}) == "rail"
                     ? NetworkRackOrder::rail
                     : NetworkRackOrder::unit;
  const std::string practice = reader.text("practice");
  const FactOrigin origin = read_origin(reader);
  layout.source = origin.source;
  layout.status = origin.status;
  layout.confidence = origin.confidence;
  reader.ignore({"$schema"});
  reader.finish();
  problems.throw_if_any();
  layout.practice = read_cabling_practice(data.find(practice, kPracticeFolder));
  return layout;
}

}  // namespace rackwright::topology
