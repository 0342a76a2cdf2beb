#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "topology/catalog.hpp"

namespace rackwright::topology {

enum class UnitPitch { rack_unit, open_unit };
/// EIA-310 rack unit 44.45 mm, Open Rack v3 unit 48 mm.
[[nodiscard]] constexpr double pitch_mm(UnitPitch pitch) {
  return pitch == UnitPitch::rack_unit ? 44.45 : 48.0;
}
enum class Face { front, rear };

struct Envelope {
  int height_units = 0;
  UnitPitch pitch = UnitPitch::rack_unit;
  double width_mm = 0, depth_mm = 0, height_mm = 0, opening_mm = 0;
  Fact empty_weight_kg;
  double front_clearance_mm = 0, rear_clearance_mm = 0;
  Fact floor_rating_kpa;
  Fact weight_limit_kg;
  /// Footprint plus half of front and rear clearance aisles, m2.
  [[nodiscard]] double floor_area_m2() const;
};

/// A part in the rack. `unit` is its lowest unit, counted from the bottom, from 1.
struct Slot {
  std::string id;     ///< "c01", "A1", "s3"
  std::string part;   ///< catalogue id
  std::string group;  ///< "compute", "switch", "power", "management", "blank"
  double unit = 1;
  double height = 1;  ///< units, from the part
  Face face = Face::front;
  int gpus = 0;
};

/// One upstream supply of a rack: a feed with its whips and breakers.
struct Feed {
  std::string id;  ///< "A", "B"
  double volts_line_to_line = 0;
  int phases = 3;
  double breaker_a = 0;   ///< of each circuit
  int circuits = 1;       ///< whips or PDU inputs on this feed
  double derating = 0.8;  ///< continuous load share of the breaker rating
  double power_factor = 0.98;
  Fact source;
  /// W this feed may carry: sqrt(3) V I derating pf (three-phase) or V I derating pf.
  [[nodiscard]] double limit_w() const;
};

/// PSUs of one shelf, or of one node, that stand or fall together with one feed.
struct PowerSource {
  std::string id;    ///< slot id of the shelf, or node id + feed
  std::string slot;  ///< slot that holds it
  std::string feed;
  int psus = 0;
  double psu_w = 0;  ///< DC output rating of one PSU
};

/// Sources in parallel and the slots they supply. A shelf busbar is one bus for the rack; a node
/// with its own PSUs is a bus of its own.
struct PowerBus {
  std::string id;
  std::string boundary;  ///< of its load: "busbar DC" or "node DC"
  double volts = 0;
  std::vector<PowerSource> sources;
  std::vector<std::string> loads;  ///< slot ids
  Fact psu_peak_efficiency;
  Fact section_limit_a;  ///< busbar section rating; blank for nodes
  /// Failure units the maker promises to survive: "psu", "shelf", "feed".
  std::vector<std::string> promised;
  std::string redundancy;  ///< in the maker's words, "4+2", "5+1", "N+1 per shelf"; "": the part's
};

/// What stands between a feed and the utility: rack PDU, busway, UPS. Blank ratings are solved for.
struct UpstreamUnit {
  std::string id;                    ///< "busway A"
  std::string kind;                  ///< "PDU", "busway", "UPS"
  std::string part;                  ///< catalogue id, may be empty
  std::vector<std::string> carries;  ///< feeds, or units named before
  double racks = 1;                  ///< like this one, on what it carries
  int units = 1;                     ///< equal ones side by side
  std::string redundancy;  ///< of the units: "N+1", "2N", "3N/2" (distributed), "block 4+1"
  Fact rating_kva;         ///< of one unit
  Fact efficiency;         ///< output over input
};

/// Points of a published required flow and drop, or of a CDU.
struct FlowPoint {
  double supply_c = 0;
  double flow_lpm = 0;
  double drop_kpa = 0;
};

/// The technology loop (TCS) of the rack.
struct LiquidLoop {
  std::string coolant;   ///< "pg25" or "water"
  Fact liquid_fraction;  ///< of rack heat
  Fact supply_max_c;
  Fact return_max_c;
  Fact flow_max_lpm;
  Fact working_pressure_bar;
  Fact leak_valve_s;                ///< from a leak to the shut valve of its tray
  Fact tray_drop_kpa;               ///< of a tray with its quick disconnects, at flow_max_lpm
  Fact connection_mm;               ///< bore of the rack's connection
  std::string drop_shares;          ///< catalogue id: drop by component
  std::vector<FlowPoint> required;  ///< published requirement table, with source below
  std::string required_source;
  std::string cdu;  ///< catalogue id
  double racks_per_cdu = 1;
  int cdus_installed = 1;  ///< per racks_per_cdu group; 2 for N+1
  /// By CDU, what drives its pumps: feeds, shelves or buses, any of which carries it. Empty: blank.
  std::vector<std::vector<std::string>> cdu_supply;
};

/// What the room and the rack do to the air of the trays. Blank inputs are solved for.
struct AirSide {
  Fact supply_over_demand;  ///< cold air of the room over the air the racks draw
  Fact leak_area_mm2;       ///< from the hot to the cold side: gaps, unblanked units
  Fact cable_blocked;       ///< share of the area behind the trays that cables close
  Fact front_door_area_mm2, rear_door_area_mm2;  ///< free area of perforated doors; blank: none
  bool row_end = false;                          ///< at the open end of a row
  bool contained = false;                        ///< aisle containment
  /// Row per slot with air flow, bottom first: share of its intake that each of them breathes out.
  std::vector<std::vector<double>> recirculation;
};

/// A rear-door heat exchanger.
struct RearDoor {
  std::string part;
  std::vector<std::string> supply;  ///< of its fans, any of which carries them; empty: blank
};

/// What a thermal transient needs and makers rarely print. Blank stays blank: the evaluation prints
/// what it would have to be.
struct ThermalFacts {
  Fact module_resistance_k_per_w;  ///< GPU over its inlet (air, or supply coolant), operating flow
  Fact module_capacity_j_per_k;    ///< a module with its plate or heat sink
  Fact module_limit_c;             ///< where the module lowers its clocks
  Fact rack_coolant_l;             ///< plates, hoses and manifolds of one rack
  Fact loop_coolant_l;             ///< the technology loop of a CDU group, its racks included
  Fact room_air_m3;                ///< of the room, per rack
  Fact cooling_gap_s;              ///< longest stop of pumps or room units that a changeover leaves
};

/// What floor, room and site ask of a rack, and what the frame stands on. Blank stays blank.
struct MechanicalFacts {
  Fact support_count;            ///< castors or feet that carry the rack
  Fact point_limit_n;            ///< load that one support may put on the floor, standing
  Fact rolling_limit_n;          ///< the same while the rack is rolled in
  Fact sound_limit_db_a;         ///< sound power that the room accepts of one rack
  Fact seismic_demand_factor;    ///< horizontal acceleration of the site over g
  Fact seismic_capacity_factor;  ///< that the anchored, loaded frame is tested for
};

struct Environment {
  double air_inlet_c = 27;
  double tcs_supply_c = 40;
  double fws_supply_c = 30;
  double dew_point_c = 15;
  double altitude_m = 0;
  std::string reason;  ///< where these defaults come from
};

/// One candidate rack of `topology/racks/*.json`.
struct RackDesign {
  std::string id;
  std::string name;
  std::string summary;  ///< "8 shelves, row CDU"
  std::string file;
  std::string device;  ///< kernels/devices id
  int gpus = 0;
  int scale_up_domain = 0;
  bool is_template = false;                ///< a next generation with ranges and blanks
  std::string cooling;                     ///< "air", "rear door", "liquid"
  std::string source, status, confidence;  ///< of facts without their own
  Envelope envelope;
  std::vector<Slot> slots;
  std::vector<Feed> feeds;
  std::vector<PowerBus> buses;
  std::vector<UpstreamUnit> upstream;  ///< from the feeds upward
  std::optional<LiquidLoop> liquid;
  std::optional<RearDoor> rear_door;
  AirSide air;
  ThermalFacts thermal;
  MechanicalFacts mechanical;
  Environment environment;
  std::string fabric;         ///< topology/fabrics id for scale-out, may be empty
  int scale_up_switches = 0;  ///< NVSwitch ASICs
  int backplane_cartridges = 0;
  int backplane_pairs = 0;
  Fact edpp_w;           ///< rack peak excursion at rack AC input
  Fact published_tdp_w;  ///< the maker's rack figure (range), rack AC input unless noted
  Fact price_usd;
  Fact published_weight_kg;  ///< the maker's figure for the full rack
  std::vector<std::string> notes;
  std::vector<std::string> sources;

  [[nodiscard]] const Slot* slot(const std::string& id) const;
};

/// Reads and checks a design. Percentages of the file become fractions, kPa of the working pressure
/// become bar. A slot with `repeat` stands for that many, stacked upwards, its number counted on. A
/// group of buses with `each_of` stands for one bus per slot of that group. Parts exist, slots
/// inside the envelope and not overlapping on a face, feeds and slots named by buses exist. Throws
/// InputError with all problems.
[[nodiscard]] RackDesign read_rack_design(const std::filesystem::path& path,
                                          const Catalog& catalog);

}  // namespace rackwright::topology
