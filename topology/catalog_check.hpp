#pragma once

#include <string>
#include <vector>

#include "topology/catalog.hpp"

namespace rackwright::topology {

/// Something in the catalogue that parses but that an engineer should look at.
struct CatalogFinding {
  std::string part;
  std::string key;      ///< the fact, "" for the whole part
  std::string problem;  ///< a sentence
  /// True for what cannot be: an idle power over the highest. False for what weakens a result: low
  /// confidence, an estimate, a blank.
  bool is_error = false;
};

struct CatalogSummary {
  std::size_t parts = 0, facts = 0, blank = 0;
  std::size_t estimated = 0, derived = 0;  ///< facts by status; the others are published
  std::size_t low_confidence = 0;
  std::map<std::string, std::size_t> parts_of_kind;
  std::vector<CatalogFinding> findings;  ///< errors first, then by part and key
};

/// Counts and plausibility: idle <= typical <= maximum <= peak, minimum <= maximum of inlet and
/// supply, percentages within 0..200, negative lengths, weights, powers and flows. Warns about the
/// facts the evaluation reads of a kind that are blank.
[[nodiscard]] CatalogSummary check_catalog(const Catalog& catalog);

/// The facts that the evaluation reads of `kind`, that a part of it should have.
[[nodiscard]] const std::vector<std::string>& expected_facts(const std::string& kind);

}  // namespace rackwright::topology
