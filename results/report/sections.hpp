#pragma once

#include <string>

#include "results/report/context.hpp"

/// One function per section of the report; each returns HTML. Sections of one candidate carry
/// `index` (its place in the page) in their element ids.
namespace rackwright::results {

[[nodiscard]] std::string verdict_section(const ReportContext& context);
[[nodiscard]] std::string candidates_section(const ReportContext& context);
[[nodiscard]] std::string elevation_section(const ReportContext& context,
                                            const Candidate& candidate, std::size_t index);
[[nodiscard]] std::string timeline_section(const ReportContext& context, const Candidate& candidate,
                                           std::size_t index);
[[nodiscard]] std::string limits_section(const ReportContext& context, const Candidate& candidate,
                                         std::size_t index);
/// Sections 6 to 9: power chain, cooling, network and cabling, service and mechanics.
[[nodiscard]] std::string domain_sections(const ReportContext& context, const Candidate& candidate,
                                          std::size_t index);
/// FRU table: what goes down, what is parted, weight, hot-swap. "" without parts.
[[nodiscard]] std::string service_items_html(const topology::RackEvaluation& evaluation);
[[nodiscard]] std::string bom_section(const ReportContext& context, const Candidate& candidate,
                                      std::size_t index);
[[nodiscard]] std::string provenance_section(const ReportContext& context);
[[nodiscard]] std::string requirements_section(const ReportContext& context);

/// Scatter of provisioned power against floor for more candidates than the table lists at once.
[[nodiscard]] std::string pareto_plot(const ReportContext& context);
/// Margin of a limit with ±, symbol and word for assistive technology.
[[nodiscard]] std::string margin_html(const topology::Limit& limit, bool with_spread = true);
/// Bar from 0 on the common scale -10 to +30 %, with whisker.
[[nodiscard]] std::string margin_bar(const topology::Limit& limit);

}  // namespace rackwright::results
