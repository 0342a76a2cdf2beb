#include "topology/cabling/cable_exports.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "common/csv_reader.hpp"

namespace rackwright::topology {

namespace {

std::string row(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += (i ? "," : "") + csv_cell(cells[i]);
  return line + "\n";
}
std::string metres(double m) {
  return fmt::format("{:.2f}", m);
}
std::string optional_metres(const std::optional<double>& m) {
  return m ? fmt::format("{:g}", *m) : "";
}
std::string unit_text(double unit) {
  return fmt::format("U{:g}", unit);
}
const char* side_text(Side side) {
  return side == Side::left ? "left" : "right";
}

const PlacedDevice& device_of(const CablePlan& plan, const CableEnd& end) {
  return plan.floor.devices[static_cast<std::size_t>(end.device)];
}
const std::string& rack_name(const CablePlan& plan, int rack) {
  return plan.floor.racks[static_cast<std::size_t>(rack)].name;
}

std::string ports_text(const PlacedDevice& device, const CableEnd& end) {
  std::string text;
  for (const int port : end.ports) text += (text.empty() ? "" : " ") + port_name(device, port);
  return text;
}

/// "R03 right manager > tray row 1 5.1 to 7.0 m > cross tray at 0.0 m > …".
std::string route_text(const CablePlan& plan, TrayGraph& trays, const CableEnd& from,
                       const CableEnd& to, const CableLeg& leg) {
  const int a = device_of(plan, from).rack, b = device_of(plan, to).rack;
  std::string text = fmt::format("{} {} manager", rack_name(plan, a), side_text(leg.first_side));
  if (leg.in_rack) return text;
  const int start = trays.exit_of(a, leg.first_side);
  int point = start, run_start = start, run_row = -1;
  const auto end_run = [&] {
    if (run_start == point) return;
    const double x0 = trays.points()[static_cast<std::size_t>(run_start)].x_m;
    const double x1 = trays.points()[static_cast<std::size_t>(point)].x_m;
    text += fmt::format(" > tray row {} {:.2f} to {:.2f} m", run_row + 1, x0, x1);
  };
  for (const int id : trays.path(start, trays.exit_of(b, leg.other_side))) {
    const TraySegment& segment = trays.segments()[static_cast<std::size_t>(id)];
    const int next = segment.from == point ? segment.to : segment.from;
    if (segment.cross) {
      end_run();
      text += fmt::format(" > cross tray at {:.2f} m",
                          trays.points()[static_cast<std::size_t>(point)].x_m);
      run_start = next;
    } else {
      run_row = segment.row;
    }
    point = next;
  }
  end_run();
  return text + fmt::format(" > {} {} manager", rack_name(plan, b), side_text(leg.other_side));
}

std::string end_label(const CablePlan& plan, const CableEnd& end) {
  const PlacedDevice& device = device_of(plan, end);
  return fmt::format("{} {} {} {}", rack_name(plan, device.rack), unit_text(device.unit),
                     device.name, ports_text(device, end));
}

}  // namespace

std::string cable_label(std::size_t index) {
  return fmt::format("C{:05d}", index + 1);
}

std::string pull_sheet_csv(const CablePlan& plan) {
  TrayGraph trays(plan.floor, plan.layout.practice);
  std::string csv = row({"label",   "leg",     "a_rack",         "a_unit",   "a_device", "a_cage",
                         "a_ports", "b_rack",  "b_unit",         "b_device", "b_cage",   "b_ports",
                         "medium",  "part",    "links",          "routed_m", "needed_m", "order_m",
                         "reach_m", "loss_db", "loss_budget_db", "polarity", "route",    "remark"});
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    const PulledCable& cable = plan.cables[i];
    const bool breakout = cable.legs.size() > 1;
    for (std::size_t leg = 0; leg < cable.legs.size(); ++leg) {
      const CableEnd &a = cable.ends[0], &b = cable.ends[leg + 1];
      const PlacedDevice &da = device_of(plan, a), &db = device_of(plan, b);
      csv += row({cable_label(i),
                  breakout ? std::to_string(leg + 1) : "",
                  rack_name(plan, da.rack),
                  unit_text(da.unit),
                  da.name,
                  std::to_string(a.cage + 1),
                  ports_text(da, a),
                  rack_name(plan, db.rack),
                  unit_text(db.unit),
                  db.name,
                  std::to_string(b.cage + 1),
                  ports_text(db, b),
                  name_of(cable.medium),
                  cable.part,
                  std::to_string(cable.links.size()),
                  metres(cable.legs[leg].length_m),
                  metres(cable.needed_m),
                  optional_metres(cable.sku_m),
                  fmt::format("{:g}", cable.reach_m),
                  cable.loss_db ? fmt::format("{:.2f}", *cable.loss_db) : "",
                  cable.loss_budget_db ? fmt::format("{:.2f}", *cable.loss_budget_db) : "",
                  cable.polarity,
                  route_text(plan, trays, a, b, cable.legs[leg]),
                  cable.problem});
    }
  }
  return csv;
}

std::string labels_csv(const CablePlan& plan) {
  std::string csv = row({"label", "end", "near", "far"});
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    const PulledCable& cable = plan.cables[i];
    for (std::size_t e = 0; e < cable.ends.size(); ++e) {
      std::string far;
      for (std::size_t o = 0; o < cable.ends.size(); ++o) {
        // The far side of a breakout's leg is its shared end alone.
        if (o == e || (e > 0 && o > 0)) continue;
        far += (far.empty() ? "" : " + ") + end_label(plan, cable.ends[o]);
      }
      csv += row({cable_label(i), std::string(1, static_cast<char>('A' + e)),
                  end_label(plan, cable.ends[e]), far});
    }
  }
  return csv;
}

std::string cable_bom_csv(const CableTotals& totals) {
  std::string csv = row({"kind", "part", "name", "part_number", "length_m", "quantity",
                         "unit_usd_low", "unit_usd_high", "note"});
  const auto usd = [](const std::optional<double>& v) {
    return v ? fmt::format("{:.0f}", *v) : "";
  };
  for (const CableBomLine& line : totals.bom) {
    csv +=
        row({line.kind, line.part, line.name, line.part_number,
             line.kind == "cable" ? optional_metres(line.length_m) : "", std::to_string(line.count),
             usd(line.unit_usd_low), usd(line.unit_usd_high), line.note});
  }
  return csv;
}

std::string port_map_csv(const CablePlan& plan) {
  struct Peer {
    const FabricLink* link = nullptr;
    bool lower = false;
  };
  std::map<std::pair<int, int>, Peer> peers;
  std::vector<int> cable_of(plan.links.size(), -1);
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    for (const int link : plan.cables[i].links)
      cable_of[static_cast<std::size_t>(link)] = static_cast<int>(i);
  }
  for (const FabricLink& link : plan.links) {
    peers[{plan.floor.device_of(link.lower), link.lower.port}] = {&link, true};
    peers[{plan.floor.device_of(link.upper), link.upper.port}] = {&link, false};
  }
  std::string csv =
      row({"rack", "unit", "device", "port", "cage", "lane", "rail", "plane", "gbit_per_s",
           "peer_rack", "peer_unit", "peer_device", "peer_port", "cable"});
  const auto number = [](int n) { return n < 0 ? std::string() : std::to_string(n + 1); };
  for (int d = 0; d < static_cast<int>(plan.floor.devices.size()); ++d) {
    const PlacedDevice& device = plan.floor.devices[static_cast<std::size_t>(d)];
    for (int port = 0; port < device.ports; ++port) {
      std::vector<std::string> cells{rack_name(plan, device.rack),
                                     unit_text(device.unit),
                                     device.name,
                                     port_name(device, port),
                                     std::to_string(port / device.ports_per_cage + 1),
                                     std::to_string(port % device.ports_per_cage + 1)};
      const auto found = peers.find({d, port});
      if (found == peers.end()) {
        cells.insert(cells.end(),
                     {number(device.rail), number(device.plane), "", "", "", "idle", "", ""});
      } else {
        const FabricLink& link = *found->second.link;
        const FabricLinkEnd& near = found->second.lower ? link.lower : link.upper;
        const FabricLinkEnd& far = found->second.lower ? link.upper : link.lower;
        const PlacedDevice& peer =
            plan.floor.devices[static_cast<std::size_t>(plan.floor.device_of(far))];
        const int cable = cable_of[static_cast<std::size_t>(&link - plan.links.data())];
        cells.insert(cells.end(), {number(near.rail), number(near.plane),
                                   fmt::format("{:g}", link.gbit_per_s), rack_name(plan, peer.rack),
                                   unit_text(peer.unit), peer.name, port_name(peer, far.port),
                                   cable < 0 ? "" : cable_label(static_cast<std::size_t>(cable))});
      }
      csv += row(cells);
    }
  }
  return csv;
}

std::string channels_csv(const CablePlan& plan, const CableLoads& loads) {
  std::string csv = row({"channel", "area_cm2", "cables", "cables_of_unknown_diameter",
                         "known_fill_pct", "limit_pct", "known_weight_kg_per_m"});
  for (const ChannelLoad& load : loads.channels) {
    csv += row({load.name, fmt::format("{:.0f}", load.area_m2 * 1e4), std::to_string(load.cables),
                std::to_string(load.blank_cables), fmt::format("{:.1f}", 100 * load.known_fill()),
                fmt::format("{:g}", 100 * plan.layout.practice.fill_limit),
                fmt::format("{:.2f}", load.known_weight_kg_per_m)});
  }
  return csv;
}

}  // namespace rackwright::topology
