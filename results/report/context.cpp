#include "results/report/context.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace rackwright::results {

namespace {

constexpr std::size_t kListedAtOnce = 12;
constexpr std::size_t kBest = 10;
constexpr std::size_t kDetailed = 16;

Ramp power_ramp(const Review& review) {
  Ramp ramp;
  double top = 0;
  for (const Candidate& candidate : review.candidates) {
    for (const topology::TrayState& tray : candidate.evaluation.trays) {
      if (tray.rating_w > 0 || !std::isfinite(tray.power_w)) continue;
      top = std::max(top, tray.power_w / 1e3);
    }
  }
  ramp.known = top > 0;
  ramp.high = ramp.known ? nice_above(top) : 1;
  return ramp;
}

Ramp heat_ramp(const Review& review) {
  Ramp ramp{1e9, -1e9, false};
  for (const Candidate& candidate : review.candidates) {
    for (const topology::TrayState& tray : candidate.evaluation.trays) {
      if (!tray.hottest_c || !std::isfinite(*tray.hottest_c)) continue;
      ramp.known = true;
      ramp.low = std::min(ramp.low, *tray.hottest_c);
      ramp.high = std::max(ramp.high, *tray.hottest_c);
    }
  }
  if (!ramp.known) return {0, 1, false};
  ramp.low = std::floor(ramp.low / 5) * 5;
  // Whole degrees at each of the seven steps.
  ramp.high = ramp.low + 7 * std::max(1.0, std::ceil((ramp.high - ramp.low) / 7));
  return ramp;
}

/// `a` is at least as good everywhere and better somewhere.
bool dominates(const Candidate& a, const Candidate& b) {
  const auto value = [](const std::optional<Estimate>& e, double missing) {
    return e && std::isfinite(e->value) ? e->value : missing;
  };
  const std::array<double, 3> left{value(a.provisioned_w, 1e300), value(a.floor_m2, 1e300),
                                   -value(a.tokens_per_joule, 0)};
  const std::array<double, 3> right{value(b.provisioned_w, 1e300), value(b.floor_m2, 1e300),
                                    -value(b.tokens_per_joule, 0)};
  bool better = false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] > right[i]) return false;
    better = better || left[i] < right[i];
  }
  return better;
}

const Candidate* nearest_to_feasible(const Review& review) {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : review.candidates) {
    if (best == nullptr || (candidate.closest && (!best->closest || candidate.closest->margin >
                                                                        best->closest->margin))) {
      best = &candidate;
    }
  }
  return best;
}

}  // namespace

int Ramp::step(double value) const {
  const double share = (value - low) / (high - low);
  return std::clamp(static_cast<int>(std::floor(share * 7)) + 1, 1, 7);
}

std::vector<BlankInput> blank_inputs(const Review& review) {
  std::vector<BlankInput> blanks;
  for (const Candidate& candidate : review.candidates) {
    for (const topology::Requirement& r : candidate.evaluation.requirements) {
      const auto same = std::find_if(blanks.begin(), blanks.end(), [&](const BlankInput& b) {
        const topology::Requirement& other = b.requirement;
        return other.input == r.input && other.solved == r.solved && other.supplier == r.supplier &&
               other.effect == r.effect && other.decides == r.decides;
      });
      if (same == blanks.end()) {
        blanks.push_back({r, {candidate.evaluation.rack}});
      } else if (same->racks.back() != candidate.evaluation.rack) {
        same->racks.push_back(candidate.evaluation.rack);
      }
    }
  }
  std::stable_sort(blanks.begin(), blanks.end(), [](const BlankInput& a, const BlankInput& b) {
    return a.requirement.decides && !b.requirement.decides;
  });
  return blanks;
}

bool has_winner(const Review& review) {
  return std::any_of(review.candidates.begin(), review.candidates.end(),
                     [](const Candidate& c) { return c.rank == 1; });
}

std::vector<const Candidate*> pareto_front(const Review& review) {
  std::vector<const Candidate*> front;
  for (const Candidate& candidate : review.candidates) {
    if (candidate.rank == 0) continue;
    const bool beaten = std::any_of(
        review.candidates.begin(), review.candidates.end(),
        [&](const Candidate& other) { return other.rank > 0 && dominates(other, candidate); });
    if (!beaten) front.push_back(&candidate);
  }
  return front;
}

double nice_above(double value) {
  if (!(value > 0)) return 1;
  const double decade = std::pow(10.0, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.2, 1.4, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}) {
    if (step * decade >= value * (1 - 1e-12)) return step * decade;
  }
  return 10 * decade;
}

double nice_step(double span, int most) {
  if (!(span > 0)) return 1;
  const double raw = span / most;
  const double decade = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * decade >= raw * (1 - 1e-12)) return step * decade;
  }
  return 10 * decade;
}

ReportContext::ReportContext(const Review& r) : review(r), ids(r) {
  for (const Candidate& candidate : r.candidates) {
    if (candidate.rank == 1 && subject == nullptr) subject = &candidate;
  }
  if (subject == nullptr) subject = nearest_to_feasible(r);
  const bool all = r.candidates.size() <= kListedAtOnce;
  const auto front = all ? std::vector<const Candidate*>{} : pareto_front(r);
  for (std::size_t i = 0; i < r.candidates.size(); ++i) {
    const Candidate* candidate = &r.candidates[i];
    const bool listed_now = all || i < kBest || candidate == subject ||
                            std::find(front.begin(), front.end(), candidate) != front.end();
    (listed_now ? listed : folded).push_back(candidate);
  }
  if (subject != nullptr) detailed.push_back(subject);
  for (const Candidate* candidate : listed) {
    if (candidate != subject && detailed.size() < kDetailed) detailed.push_back(candidate);
  }
  power_kw = power_ramp(r);
  hottest_c = heat_ramp(r);
  double high = 0;
  std::string unit;
  for (const Candidate& candidate : r.candidates) {
    if (!candidate.metric || !std::isfinite(candidate.metric->high)) continue;
    high = std::max(high, candidate.metric->high);
    unit = candidate.metric->unit;
  }
  metric_unit = display_unit(high, unit);
  metric_high = high * metric_unit.factor;
}

std::string figure_html(const ReportContext& context, const Candidate& candidate,
                        const std::string& key, const NumberStyle& style) {
  const topology::Figure* figure = candidate.evaluation.figures.find(key);
  if (figure == nullptr) return "";
  return number_html(for_display(figure->estimate),
                     {context.ids.of(candidate.evaluation.rack, key), figure->label, figure->window,
                      figure->basis},
                     style);
}

}  // namespace rackwright::results
