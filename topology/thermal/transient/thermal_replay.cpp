#include "topology/thermal/transient/thermal_replay.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace rackwright::topology {

namespace {

constexpr double kSameMoment = 1e-9;  // s

/// Clock share of a throttled module and what it makes of power and speed.
class ClockLoop {
 public:
  explicit ClockLoop(const std::optional<Throttle>& law) : law_(law) {}

  void update(double hottest_c) {
    if (!law_) return;
    if (hottest_c > law_->limit_c) clock_ -= law_->step;
    if (hottest_c < law_->limit_c - law_->hysteresis_k) clock_ += law_->step;
    clock_ = std::clamp(clock_, law_->lowest_clock, 1.0);
  }
  /// Dynamic power falls with clock^y; y and the clock-bound share come from the device's profile.
  [[nodiscard]] double watts(double full_w) const {
    if (!law_ || clock_ >= 1 || full_w <= law_->idle_w) return full_w;
    const double cap = law_->idle_w + (full_w - law_->idle_w) *
                                          std::pow(clock_, law_->response.frequency_exponent);
    return kernels::CapResponse::watts(cap, full_w);
  }
  [[nodiscard]] double speed(double full_w) const {
    if (!law_ || clock_ >= 1) return 1;
    return law_->response.speed(watts(full_w), full_w, law_->idle_w);
  }
  [[nodiscard]] double clock() const { return clock_; }

 private:
  const std::optional<Throttle>& law_;
  double clock_ = 1;
};

/// Speed of one pump or fan wall.
class SpeedLoop {
 public:
  explicit SpeedLoop(const SpeedControl& law) : law_(law), speed_(law.start) {
    integral_ = law.start;
  }
  /// PI with clamped integral, so that a saturated fan does not wind up.
  void update(double celsius) {
    const double error = celsius - law_.target_c;
    integral_ = std::clamp(integral_ + law_.gain_per_k_s * error * law_.period_s, law_.lowest, 1.0);
    speed_ = std::clamp(integral_ + law_.gain_per_k * error, law_.lowest, 1.0);
  }
  [[nodiscard]] double speed() const { return speed_; }
  [[nodiscard]] const SpeedControl& law() const { return law_; }

 private:
  const SpeedControl& law_;
  double speed_, integral_;
};

/// A moment that comes again every period.
struct Beat {
  double period_s = 0;
  long count = 1;
  [[nodiscard]] double next() const { return period_s * static_cast<double>(count); }
};

class Replay {
 public:
  Replay(const ThermalNetwork& network, const std::vector<double>& start_c, const ThermalLoad& load,
         const ReplaySettings& settings)
      : load_(load), settings_(settings), solver_(network, start_c), clock_(settings.throttle) {
    if (load.watts.t.size() != load.watts.w.size() + 1) {
      throw std::invalid_argument("a load needs one edge more than values");
    }
    for (const SpeedControl& control : settings.controls) {
      loops_.emplace_back(control);
      loop_beats_.push_back({control.period_s});
      solver_.set_flow(control.flow, control.start * control.full_w_per_k);
    }
    if (settings.throttle) clock_beat_.period_s = settings.throttle->period_s;
    work_ = load.watts.t.empty() ? 0 : load.watts.t.front();
  }

  ThermalReplay run(const std::function<void(const ReplayMoment&)>& observe) {
    const double begin = work_;
    while (segment_ < load_.watts.w.size() && time_ < settings_.most_s - kSameMoment) {
      if (load_.watts.t[segment_ + 1] - work_ < kSameMoment) {
        ++segment_;
        continue;
      }
      apply_events();
      const double full = load_.watts.w[segment_];
      const double speed = clock_.speed(full);
      const double length = next_length(speed);
      for (const auto& [node, share] : load_.nodes) {
        solver_.set_source(node, share * clock_.watts(full));
      }
      if (!solver_.step(length)) {
        result_.runaway = true;
        break;
      }
      time_ += length;
      work_ += length * speed;
      note(length);
      if (observe) observe(moment(speed));
      beat();
    }
    result_.elapsed_s = solver_.time_s();
    result_.work_s = work_ - begin;
    result_.ledger = solver_.ledger();
    return result_;
  }

 private:
  void apply_events() {
    while (event_ < settings_.events.size() &&
           settings_.events[event_].at_s <= time_ + kSameMoment) {
      const FlowEvent& event = settings_.events[event_++];
      solver_.set_flow(event.flow, event.w_per_k);
      lost_flows_.push_back(event.flow);
    }
  }

  /// To the next edge of load, event, control or grid. Whole steps where nothing comes before.
  double next_length(double speed) const {
    double length = settings_.step_s;
    const auto until = [&](double moment) {
      if (moment - time_ < length - kSameMoment) length = std::max(moment - time_, kSameMoment);
    };
    until(time_ + (load_.watts.t[segment_ + 1] - work_) / speed);
    until(settings_.most_s);
    if (event_ < settings_.events.size()) until(settings_.events[event_].at_s);
    if (settings_.throttle) until(clock_beat_.next());
    for (const Beat& beat : loop_beats_) until(beat.next());
    return length;
  }

  [[nodiscard]] double hottest() const {
    double hottest = -std::numeric_limits<double>::infinity();
    for (const auto& [node, share] : load_.nodes) {
      hottest = std::max(hottest, solver_.celsius(node));
    }
    return hottest;
  }

  void note(double length) {
    const double now = hottest();
    if (now > result_.peak_c) {
      result_.peak_c = now;
      result_.peak_at_s = time_;
    }
    if (clock_.clock() < 1) result_.throttled_s += length;
    if (settings_.throttle && now > settings_.throttle->limit_c) result_.over_limit_s += length;
    result_.lowest_clock = std::min(result_.lowest_clock, clock_.clock());
  }

  void beat() {
    if (settings_.throttle && time_ >= clock_beat_.next() - kSameMoment) {
      clock_.update(hottest());
      ++clock_beat_.count;
    }
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (time_ < loop_beats_[i].next() - kSameMoment) continue;
      ++loop_beats_[i].count;
      loops_[i].update(solver_.celsius(loops_[i].law().sensor));
      const int flow = loops_[i].law().flow;
      const bool lost =
          std::find(lost_flows_.begin(), lost_flows_.end(), flow) != lost_flows_.end();
      if (!lost) solver_.set_flow(flow, loops_[i].speed() * loops_[i].law().full_w_per_k);
    }
  }

  [[nodiscard]] ReplayMoment moment(double speed) const {
    ReplayMoment result{time_, work_, clock_.clock(), speed, &solver_, {}};
    for (const SpeedLoop& loop : loops_) result.speeds.push_back(loop.speed());
    return result;
  }

  const ThermalLoad& load_;
  const ReplaySettings& settings_;
  TransientSolver solver_;
  ClockLoop clock_;
  Beat clock_beat_;
  std::vector<SpeedLoop> loops_;
  std::vector<Beat> loop_beats_;
  std::vector<int> lost_flows_;
  std::size_t segment_ = 0, event_ = 0;
  double time_ = 0, work_ = 0;
  ThermalReplay result_;
};

}  // namespace

ThermalReplay replay_thermal(const ThermalNetwork& network, const std::vector<double>& start_c,
                             const ThermalLoad& load, const ReplaySettings& settings,
                             const std::function<void(const ReplayMoment&)>& observe) {
  return Replay(network, start_c, load, settings).run(observe);
}

std::optional<double> seconds_to_limit(const ThermalNetwork& network,
                                       const std::vector<double>& start_c,
                                       const ThermalInputs& inputs, int node, double limit_c,
                                       double most_s, double step_s) {
  TransientSolver solver(network, start_c);
  for (int i = 0; i < network.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (network.nodes()[at].fixed) {
      solver.set_boundary(i, inputs.boundary_c[at]);
    } else {
      solver.set_source(i, inputs.source_w[at]);
    }
  }
  for (std::size_t flow = 0; flow < inputs.flow_w_per_k.size(); ++flow) {
    solver.set_flow(static_cast<int>(flow), inputs.flow_w_per_k[flow]);
  }
  double before = solver.celsius(node);
  if (before >= limit_c) return 0;
  while (solver.time_s() < most_s - kSameMoment) {
    const double from = solver.time_s();
    if (!solver.step(step_s)) return solver.time_s();
    const double now = solver.celsius(node);
    if (now >= limit_c) return from + step_s * (limit_c - before) / (now - before);
    before = now;
  }
  return std::nullopt;
}

}  // namespace rackwright::topology
