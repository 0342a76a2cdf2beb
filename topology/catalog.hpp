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
  std::string condition;   ///< "at 80 % fan duty", "no load"; "" without
  std::string note;        ///< how sources disagree, what the number leaves out
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
  std::string source;      ///< of facts without their own
  std::string status;      ///< published, derived, estimated
  std::string confidence;  ///< high, medium, low

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
  /// Reads `topology/catalog/*.json` of every root that has the folder; parts of an earlier root
  /// replace those of a later one by id. Throws InputError with all problems of all files (missing
  /// source, duplicate id within a root, unknown kind, key without a unit, no catalogue at all).
  static Catalog load(const DataLocator& data);
  /// Throws InputError on a duplicate id.
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
