#include "topology/cabling/as_built.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "topology/cabling/cable_exports.hpp"

namespace rackwright::topology {

namespace {

/// A port of the plan: device and number, both from 0.
using Port = std::pair<int, int>;

struct Designed {
  Port peer;
  int link = 0;
};

class AsBuiltComparison {
 public:
  AsBuiltComparison(const CablePlan& plan, const DeviceNames& names)
      : plan_(&plan), names_(&names) {
    for (int d = 0; d < static_cast<int>(plan.floor.devices.size()); ++d) {
      devices_[plan.floor.devices[static_cast<std::size_t>(d)].name] = d;
    }
    for (int k = 0; k < static_cast<int>(plan.links.size()); ++k) {
      const FabricLink& link = plan.links[static_cast<std::size_t>(k)];
      const Port a{plan.floor.device_of(link.lower), link.lower.port};
      const Port b{plan.floor.device_of(link.upper), link.upper.port};
      design_[a] = {b, k};
      design_[b] = {a, k};
    }
    cables_of_.resize(plan.links.size());
    for (std::size_t i = 0; i < plan.cables.size(); ++i) {
      for (const int k : plan.cables[i].links)
        cables_of_[static_cast<std::size_t>(k)].push_back(cable_label(i));
    }
    explained_.assign(plan.links.size(), false);
  }

  AsBuiltCheck run(const AsBuilt& as_built) {
    check_.designed_links = static_cast<int>(plan_->links.size());
    check_.found_links = static_cast<int>(as_built.links.size());
    for (const FoundLink& link : as_built.links) take(link);
    for (std::size_t i = 0; i < found_.size(); ++i) find_swap(i);
    for (const Found& link : found_) {
      if (!link.settled) judge(link);
    }
    find_missing();
    std::stable_sort(
        check_.findings.begin(), check_.findings.end(),
        [this](const CableFinding& a, const CableFinding& b) { return place_of(a) < place_of(b); });
    return std::move(check_);
  }

 private:
  struct Found {
    Port a, b;
    std::string where;
    bool settled = false;
  };

  const PlacedDevice& device(int d) const {
    return plan_->floor.devices[static_cast<std::size_t>(d)];
  }
  const std::string& rack_name(const PlacedDevice& d) const {
    return plan_->floor.racks[static_cast<std::size_t>(d.rack)].name;
  }
  std::string text(Port p) const {
    const PlacedDevice& d = device(p.first);
    return fmt::format("{} U{:g} {} {}", rack_name(d), d.unit, d.name, port_name(d, p.second));
  }
  static std::tuple<std::string, double, std::string, std::string> place_of(const CableFinding& f) {
    return {f.rack, f.unit.size() > 1 ? std::stod(f.unit.substr(1)) : 0, f.device, f.port};
  }

  std::optional<Port> resolve(const FoundPort& port) const {
    const auto alias = names_->find(port.device);
    const auto at = devices_.find(alias == names_->end() ? port.device : alias->second);
    if (at == devices_.end()) return std::nullopt;
    const PlacedDevice& d = device(at->second);
    for (int p = 0; p < d.ports; ++p) {
      const std::string number = std::to_string(p + 1);
      if (port.port == port_name(d, p) || port.port == "#" + number ||
          port.port == "nic" + number) {
        return Port{at->second, p};
      }
    }
    return std::nullopt;
  }

  void take(const FoundLink& link) {
    const auto a = resolve(link.a), b = resolve(link.b);
    if (!a || !b) {
      const FoundPort& bad = a ? link.b : link.a;
      CableFinding finding;
      finding.fault = CableFault::unknown_name;
      finding.device = bad.device;
      finding.port = bad.port;
      finding.expected = "a device and port of the design";
      finding.found =
          link.a.device + " " + link.a.port + " to " + link.b.device + " " + link.b.port;
      finding.where = link.where;
      check_.findings.push_back(std::move(finding));
      return;
    }
    Found found{*a, *b, link.where, false};
    const auto twice = at_port_.count(*a) > 0 ? a : at_port_.count(*b) > 0 ? b : std::nullopt;
    if (twice) {
      if (at_port_.count(*a) > 0 && at_port_.count(*b) > 0 && at_port_[*a] == at_port_[*b]) return;
      add(CableFault::unexpected, *twice, "one link to a port",
          "listed twice, the second time to " + text(twice == a ? *b : *a), {}, link.where);
      return;
    }
    const auto designed = design_.find(*a);
    if (designed != design_.end() && designed->second.peer == *b) {
      found.settled = true;
      explained_[static_cast<std::size_t>(designed->second.link)] = true;
      ++check_.right_links;
    }
    at_port_[*a] = at_port_[*b] = found_.size();
    found_.push_back(std::move(found));
  }

  void add(CableFault fault, Port at, std::string expected, std::string found,
           const std::vector<int>& links, const std::string& where) {
    const PlacedDevice& d = device(at.first);
    CableFinding finding;
    finding.fault = fault;
    finding.rack = rack_name(d);
    finding.unit = fmt::format("U{:g}", d.unit);
    finding.device = d.name;
    finding.port = port_name(d, at.second);
    finding.expected = std::move(expected);
    finding.found = std::move(found);
    for (const int k : links) {
      for (const std::string& label : cables_of_[static_cast<std::size_t>(k)]) {
        finding.cables.push_back(label);
      }
    }
    finding.where = where;
    check_.findings.push_back(std::move(finding));
  }

  const Designed* designed(Port p) const {
    const auto at = design_.find(p);
    return at == design_.end() ? nullptr : &at->second;
  }
  Port lower_end(int link) const {
    const FabricLink& l = plan_->links[static_cast<std::size_t>(link)];
    return {plan_->floor.device_of(l.lower), l.lower.port};
  }

  /// Rail of a designed link; -1 where rails do not apply.
  int rail_of(int link) const {
    const FabricLink& l = plan_->links[static_cast<std::size_t>(link)];
    return l.lower.rail >= 0 ? l.lower.rail : l.upper.rail;
  }

  /// p-q and P-Q are there where p-P and q-Q belong: one exchange, not four errors.
  void find_swap(std::size_t i) {
    Found& link = found_[i];
    if (link.settled) return;
    const Designed *p = designed(link.a), *q = designed(link.b);
    if (p == nullptr || q == nullptr) return;
    const auto other = at_port_.find(p->peer);
    if (other == at_port_.end()) return;
    Found& partner = found_[other->second];
    const bool closes = (partner.a == p->peer && partner.b == q->peer) ||
                        (partner.b == p->peer && partner.a == q->peer);
    if (partner.settled || !closes) return;
    link.settled = partner.settled = true;
    explained_[static_cast<std::size_t>(p->link)] = explained_[static_cast<std::size_t>(q->link)] =
        true;
    const bool rails_differ =
        rail_of(p->link) >= 0 && rail_of(q->link) >= 0 && rail_of(p->link) != rail_of(q->link);
    const Port first = lower_end(p->link), second = lower_end(q->link);
    add(rails_differ ? CableFault::wrong_rail : CableFault::swapped, std::min(first, second),
        fmt::format("{} and {}", text(design_.at(std::min(first, second)).peer),
                    text(design_.at(std::max(first, second)).peer)),
        fmt::format("exchanged with {}", text(std::max(first, second))), {p->link, q->link},
        link.where + ", " + partner.where);
  }

  /// A link that is not in the design and no exchange: named after its lower end, where that end
  /// has a designed link.
  void judge(const Found& link) {
    const Designed *a = designed(link.a), *b = designed(link.b);
    if (a == nullptr && b == nullptr) {
      add(CableFault::unexpected, std::min(link.a, link.b), "idle", text(std::max(link.a, link.b)),
          {}, link.where);
      return;
    }
    bool from_a = a != nullptr;
    if (a != nullptr && b != nullptr && lower_end(a->link) != link.a)
      from_a = lower_end(b->link) != link.b;
    const Designed& own = from_a ? *a : *b;
    const Port near = from_a ? link.a : link.b, far = from_a ? link.b : link.a;
    explained_[static_cast<std::size_t>(own.link)] = true;
    const PlacedDevice &there = device(far.first), &right = device(own.peer.first);
    CableFault fault = CableFault::wrong_device;
    if (far.first == own.peer.first) {
      fault = CableFault::wrong_port;
    } else if (there.tier == right.tier && there.rail >= 0 && right.rail >= 0 &&
               there.rail != right.rail) {
      fault = CableFault::wrong_rail;
    }
    add(fault, near, text(own.peer), text(far), {own.link}, link.where);
  }

  void find_missing() {
    for (int k = 0; k < static_cast<int>(plan_->links.size()); ++k) {
      if (explained_[static_cast<std::size_t>(k)]) continue;
      const Port lower = lower_end(k);
      const Port upper = design_.at(lower).peer;
      std::string found = "no link";
      if (at_port_.count(lower) > 0 || at_port_.count(upper) > 0) {
        const Port taken = at_port_.count(lower) > 0 ? lower : upper;
        found = fmt::format("no link; {} carries another one", text(taken));
      }
      add(CableFault::missing, lower, text(upper), found, {k}, "");
    }
  }

  const CablePlan* plan_;
  const DeviceNames* names_;
  std::map<std::string, int> devices_;
  std::map<Port, Designed> design_;
  std::vector<std::vector<std::string>> cables_of_;
  std::vector<bool> explained_;  ///< links that are right or part of a finding
  std::vector<Found> found_;
  std::map<Port, std::size_t> at_port_;
  AsBuiltCheck check_;
};

std::string cell(const std::string& text) {
  return text.find(',') == std::string::npos ? text : "\"" + text + "\"";
}

}  // namespace

const char* name_of(CableFault fault) {
  switch (fault) {
    case CableFault::missing:
      return "missing";
    case CableFault::swapped:
      return "swapped";
    case CableFault::wrong_rail:
      return "wrong rail";
    case CableFault::wrong_port:
      return "wrong port";
    case CableFault::wrong_device:
      return "wrong device";
    case CableFault::unexpected:
      return "unexpected";
    case CableFault::unknown_name:
      break;
  }
  return "unknown name";
}

AsBuiltCheck check_as_built(const CablePlan& plan, const AsBuilt& as_built,
                            const DeviceNames& names) {
  return AsBuiltComparison(plan, names).run(as_built);
}

std::string findings_csv(const AsBuiltCheck& check) {
  std::string csv = "fault,rack,unit,device,port,expected,found,cables,where\n";
  for (const CableFinding& f : check.findings) {
    std::string cables;
    for (const std::string& label : f.cables) cables += (cables.empty() ? "" : " ") + label;
    csv += fmt::format("{},{},{},{},{},{},{},{},{}\n", name_of(f.fault), f.rack, f.unit,
                       cell(f.device), cell(f.port), cell(f.expected), cell(f.found), cables,
                       cell(f.where));
  }
  return csv;
}

}  // namespace rackwright::topology
