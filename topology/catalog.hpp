#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/data_locator.hpp"
#include "common/estimate.hpp"

namespace rackwright::topology {

/// One fact of a part. A number in the file inherits the part's source, status and confidence; an
/// object {"value", "low", "high", "source", "status", "confidence"} has its own.
struct Fact {
  std::optional<double> value;
  std::optional<double> low, high;
  std::string text;  ///< for text facts
  std::string source;
  std::string status;      ///< published, derived, estimated
  std::string confidence;  ///< high, medium, low
  [[nodiscard]] bool blank() const { return !value; }
};

/// A tray, switch, shelf, fan, CDU, cable, GPU module, … of `topology/catalog/*.json`. The unit of
/// a fact is in its key: `tdp_w`, `airflow_cfm`, `height_ru`, `weight_kg`.
struct Part {
  std::string id;
  std::string kind;
  std::string name;
  std::string vendor;
  std::string file;
  std::map<std::string, Fact> facts;
  std::string notes;

  /// A blank fact when the part has none of that key.
  [[nodiscard]] const Fact& fact(const std::string& key) const;
  [[nodiscard]] std::optional<double> number(const std::string& key) const;
  /// Estimate with the fact's range as interval; origin catalogue, or assumed when the status is
  /// estimated. Throws std::logic_error when blank.
  [[nodiscard]] Estimate estimate(const std::string& key, std::string unit,
                                  std::string boundary = "") const;
};

class Catalog {
 public:
  /// Reads every `topology/catalog/*.json` of the first root that has the folder, then user parts
  /// of earlier roots override by id. Throws InputError with all problems (missing source, duplicate
  /// id, unknown kind, key without a unit).
  static Catalog load(const DataLocator& data);
  explicit Catalog(std::vector<Part> parts);
  [[nodiscard]] const Part* find(const std::string& id) const;
  /// Throws InputError naming the nearest id; `where` is file and pointer for the message.
  [[nodiscard]] const Part& require(const std::string& id, const std::string& where) const;
  [[nodiscard]] const std::map<std::string, Part>& parts() const { return parts_; }
  /// FNV-1a over all facts, for provenance.
  [[nodiscard]] std::string hash() const;

 private:
  std::map<std::string, Part> parts_;
};

}  // namespace rackwright::topology
