#pragma once

#include <vector>

#include "topology/failures/failure_row.hpp"
#include "topology/power/power_chain.hpp"

namespace rackwright::topology {

/// Every single failure: each PSU, each shelf (buses of shelves only), each whip or circuit, each
/// feed when there are several, a unit of each PDU, busway and UPS. Without the state in service.
[[nodiscard]] std::vector<PowerFailure> single_failures(const PowerChain& chain);
/// True when neither contains the other: a PSU of a lost shelf is no second failure.
[[nodiscard]] bool independent(const PowerChain& chain, const PowerFailure& a,
                               const PowerFailure& b);
/// Every unordered pair of single failures of units that do not contain each other.
[[nodiscard]] std::vector<PowerFailure> failure_pairs(const PowerChain& chain);

/// Lines of every node that lives, in the order of the chain. Currents are those of the fullest
/// phase; the limit of a whip is count x rating x continuous share.
[[nodiscard]] std::vector<FailureRow> power_rows(const PowerChain& chain, const ChainDemand& demand,
                                                 const PowerFailure& failure);
/// In service, then every single failure, then pairs if asked for.
[[nodiscard]] std::vector<FailureRow> failure_table(const PowerChain& chain,
                                                    const ChainDemand& demand, bool pairs = false);

}  // namespace rackwright::topology
