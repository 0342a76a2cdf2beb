#include "topology/cabling/cable_media.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <tuple>

namespace rackwright::topology {

namespace {

std::string text(const Part& part, const char* key) {
  return part.fact(key).text;
}

std::optional<Medium> cable_medium(const std::string& word) {
  if (word == "passive copper") return Medium::passive_copper;
  if (word == "active copper") return Medium::active_copper;
  if (word == "active electrical cable") return Medium::active_electrical;
  if (word == "active optical cable") return Medium::active_optical;
  return std::nullopt;
}

double lane_rate(const Part& part) {
  const auto rate = part.number("rate_gbit_per_s"), lanes = part.number("lane_count");
  return rate && lanes && *lanes > 0 ? *rate / *lanes : 0;
}

/// "OSFP-2xOSFP" is OSFP to two OSFP, "QSFP-DD" the same form at both ends.
void read_ends(const std::string& ends, CableOption& option) {
  option.first_form = cage_form(ends);
  option.other_form = option.first_form;
  const std::size_t dash = ends.find('-', option.first_form.size());
  if (dash == std::string::npos || ends.rfind(option.first_form, 0) != 0) return;
  std::string rest = ends.substr(dash + 1);
  if (rest.rfind("2x", 0) == 0) {
    option.arity = 2;
    rest = rest.substr(2);
  }
  option.other_form = cage_form(rest);
}

void add_cable(const Part& part, CableMedia& media) {
  const auto medium = cable_medium(text(part, "medium"));
  const auto rate = part.number("rate_gbit_per_s"), reach = part.number("reach_m");
  const std::string ends = text(part, "ends");
  if (!medium || !rate || !reach || cage_form(ends).empty()) return;
  CableOption option;
  option.part = part.id;
  option.medium = *medium;
  option.gbit_per_s = *rate;
  option.lane_gbit_per_s = lane_rate(part);
  option.reach_m = *reach;
  option.flat_top_reach_m = part.number("flat_top_reach_m").value_or(*reach);
  option.lengths_m = parse_lengths(text(part, "lengths"));
  read_ends(ends, option);
  media.cables.push_back(std::move(option));
}

void add_fibre(const Part& part, CableMedia& media) {
  const std::string grade = text(part, "fibre_grade");
  const auto reach = part.number("reach_m");
  if (text(part, "medium") != "fibre" || grade.size() < 2 || !reach) return;
  FibreOption option;
  option.part = part.id;
  option.medium = grade.rfind("OM", 0) == 0 ? Medium::multimode : Medium::single_mode;
  option.connector = text(part, "ends");
  option.reach_m = *reach;
  option.lengths_m = parse_lengths(text(part, "lengths"));
  option.fibres = static_cast<int>(part.number("fibre_count").value_or(0));
  option.attenuation_db_per_km = part.number("attenuation_db_per_km");
  option.connector_loss_db = part.number("connector_loss_db");
  option.budget_db = part.number("loss_budget_db");
  option.polarity = text(part, "polarity");
  option.grade = grade;
  media.fibres.push_back(std::move(option));
}

void add_transceiver(const Part& part, CableMedia& media) {
  const std::string medium = text(part, "medium");
  const bool multimode = medium == "transceiver multimode";
  const auto rate = part.number("rate_gbit_per_s"), reach = part.number("reach_m");
  const std::string ends = text(part, "ends"), form = cage_form(part.name);
  const bool pluggable = multimode || medium == "transceiver single-mode";
  if (!pluggable || !rate || !reach || ends.empty() || form.empty()) return;
  TransceiverOption option;
  option.part = part.id;
  option.medium = multimode ? Medium::multimode : Medium::single_mode;
  option.form = form;
  const bool twin = ends.rfind("2x ", 0) == 0;
  option.connectors = twin ? 2 : 1;
  option.connector = twin ? ends.substr(3) : ends;
  option.only_flat_top = part.name.find("flat-top") != std::string::npos;
  option.gbit_per_s = *rate;
  option.lane_gbit_per_s = lane_rate(part);
  option.reach_m = *reach;
  media.transceivers.push_back(std::move(option));
}

}  // namespace

const char* name_of(Medium medium) {
  switch (medium) {
    case Medium::passive_copper:
      return "passive copper (DAC)";
    case Medium::active_copper:
      return "active copper (ACC)";
    case Medium::active_electrical:
      return "retimed copper (AEC)";
    case Medium::active_optical:
      return "active optical (AOC)";
    case Medium::multimode:
      return "multimode fibre";
    case Medium::single_mode:
      return "single-mode fibre";
    case Medium::unknown:
      break;
  }
  return "not in the catalogue";
}

bool is_fibre(Medium medium) {
  return medium == Medium::multimode || medium == Medium::single_mode;
}

std::string cage_form(const std::string& text) {
  static const std::vector<std::string> forms{"QSFP-DD", "QSFP112", "QSFP56",
                                              "QSFP28",  "OSFP",    "CPO"};
  std::string first;
  std::size_t where = std::string::npos;
  for (const std::string& form : forms) {
    const std::size_t at = text.find(form);
    if (at < where) where = at, first = form;
  }
  return first;
}

std::vector<double> parse_lengths(const std::string& text) {
  std::vector<double> lengths;
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    const double value = std::strtod(at, &end);
    if (end == at || !(value > 0)) return {};
    lengths.push_back(value);
    at = end;
    while (*at == ',' || *at == ' ') ++at;
  }
  std::sort(lengths.begin(), lengths.end());
  return lengths;
}

CableMedia read_cable_media(const Catalog& catalog) {
  CableMedia media;
  for (const auto& [id, part] : catalog.parts()) {
    if (part.kind == "cable") {
      add_cable(part, media);
      add_fibre(part, media);
    } else if (part.kind == "transceiver") {
      add_transceiver(part, media);
    }
  }
  std::stable_sort(media.cables.begin(), media.cables.end(), [](const auto& a, const auto& b) {
    return std::tie(a.medium, a.reach_m) < std::tie(b.medium, b.reach_m);
  });
  const auto by_reach = [](const auto& a, const auto& b) {
    return std::tie(a.medium, a.reach_m) < std::tie(b.medium, b.reach_m);
  };
  std::stable_sort(media.fibres.begin(), media.fibres.end(), by_reach);
  std::stable_sort(media.transceivers.begin(), media.transceivers.end(), by_reach);
  return media;
}

bool fits(const TransceiverOption& option, const CageType& cage) {
  return option.form == cage.form && option.gbit_per_s == cage.gbit_per_s &&
         (!option.only_flat_top || cage.flat_top);
}

}  // namespace rackwright::topology
