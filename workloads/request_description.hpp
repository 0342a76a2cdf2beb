#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/json_document.hpp"
#include "workloads/quantiles.hpp"
#include "workloads/request_trace.hpp"

namespace rackwright::workloads {

/// Sessions: one user's turns, each with the whole conversation so far as prompt.
struct SessionDescription {
  Quantiles turns;                  ///< requests of a session
  Quantiles tool_wait_s;            ///< from the end of an answer to the next request
  Quantiles new_tokens;             ///< what a turn adds to prompt and answer of the turn before
  double answer_s_per_token = 0;    ///< time an answer takes before the tool wait starts
  double shared_prefix_tokens = 0;  ///< system prompt that all sessions have in common
  double max_prompt_tokens = 0;     ///< a session ends before its prompt would exceed this
  int prefix_block = 512;           ///< tokens of one prefix block
};

/// Contents of `workloads/requests/*.json`.
struct RequestDescription {
  std::string name;
  std::string title;
  double rate_per_s = 1;  ///< requests, over the whole run
  double cv = 1;          ///< coefficient of variation of the gaps between arrivals in a window
  /// Slow changes of the rate: each window of `modulation_window_s` has its own, gamma distributed
  /// with this coefficient of variation; 0 = constant.
  double modulation_cv = 0;
  double modulation_window_s = 60;
  Quantiles prompt_tokens;  ///< of a session: its first prompt; without image tokens
  Quantiles output_tokens;
  double rank_correlation = 0;  ///< Spearman's, of prompt and output
  double image_share = 0;       ///< requests with images
  std::optional<Quantiles> image_tokens;
  std::optional<SessionDescription> sessions;
};

/// Throws InputError with all problems.
[[nodiscard]] RequestDescription read_request_description(const JsonDocument& document);

/// `generate_requests` of a description that is already read.
[[nodiscard]] RequestTrace generate_requests(const RequestDescription& description,
                                             double duration_s, std::uint64_t seed);

/// What `read_request_description` reads, fitted to a trace: rate, cv of the gaps inside windows of
/// 60 s and of the rate between them, 21 quantiles of prompt and output, rank correlation, image
/// tokens. Arrival times of a coarse clock (Mooncake's 3 s) carry no gaps: the cv is then the
/// square root of the index of dispersion of counts over windows of ten ticks, which a renewal
/// process tends to. Sessions are not looked for. `source` is put in as it is. Throws InputError
/// for fewer than two requests.
[[nodiscard]] nlohmann::ordered_json describe_requests(const RequestTrace& trace,
                                                       std::string_view name,
                                                       std::string_view title,
                                                       nlohmann::ordered_json source);

/// How the requests of a trace with prefix blocks continue each other.
struct SessionStatistics {
  std::size_t sessions = 0;
  std::size_t continuations = 0;    ///< requests whose prompt starts with all of an earlier one's
  double shared_prefix_tokens = 0;  ///< blocks at the start of at least half of all prompts
  std::vector<double> turns;        ///< per session
  std::vector<double> gap_s;        ///< from a request to the one that continues it
  std::vector<double> new_tokens;   ///< prompt less the earlier prompt and answer, not below 1
  std::vector<double> first_prompt;
};
[[nodiscard]] SessionStatistics find_sessions(const RequestTrace& trace);

/// The 21 quantiles of a description from a sample (which need not be sorted).
[[nodiscard]] Quantiles quantiles_of(std::vector<double> values);

/// Spearman's rank correlation with mean ranks for ties.
[[nodiscard]] double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace rackwright::workloads
