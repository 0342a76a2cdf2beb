#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json_document.hpp"
#include "topology/fact_reader.hpp"
#include "topology/rack_design.hpp"

/// The parts of `read_rack_design` that check what stands where and what feeds what. They record
/// problems and go on.
namespace rackwright::topology {

/// A fact in per cent as a fraction; kPa as bar.
[[nodiscard]] Fact as_fraction(Fact fact);

/// Records a problem with the nearest id when `id` is not in the catalogue.
void check_part(ObjectReader& reader, std::string_view key, const std::string& id,
                const Catalog& catalog);

/// Reads `slots`: known parts, unique ids, inside the envelope, no two on a face in one unit.
[[nodiscard]] std::vector<Slot> read_slots(ObjectReader& root, const Envelope& envelope,
                                           const Catalog& catalog);

/// Reads `buses` against the slots and feeds of `design`. Counts and ratings of PSUs that the file
/// leaves out are those of the part in the slot.
[[nodiscard]] std::vector<PowerBus> read_buses(ObjectReader& root, const RackDesign& design,
                                               const Catalog& catalog, const FactOrigin& origin);

/// Ids of feeds, shelves or buses joined by "+": what drives a machine of the cooling.
[[nodiscard]] std::vector<std::string> read_supply(ObjectReader& reader, std::string_view key,
                                                   const std::string& text,
                                                   const RackDesign& design);

/// Reads `upstream`: PDUs, busways and UPSs from the feeds upward.
[[nodiscard]] std::vector<UpstreamUnit> read_upstream(ObjectReader& root, const RackDesign& design,
                                                      const Catalog& catalog,
                                                      const FactOrigin& origin);

}  // namespace rackwright::topology
