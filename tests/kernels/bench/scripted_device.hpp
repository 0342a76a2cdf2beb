#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/input_error.hpp"
#include "kernels/bench/sampler.hpp"

namespace rackwright::kernels::testing {

/// A device whose times are written by the test; its time passes only by running and waiting.
class ScriptedDevice final : public BenchDevice {
 public:
  std::function<double(double gemm_m, int run)> seconds = [](double, int) { return 0.1; };
  std::optional<double> clock, rated;
  std::optional<double> watts;
  double cache = 0, memory = 1e12;
  double failing_m = -1;
  std::vector<double> order;     ///< m of each run
  std::vector<double> prepared;  ///< m, once a group
  std::vector<int> copies;
  double waited = 0;

  [[nodiscard]] std::string backend() const override { return "scripted"; }
  [[nodiscard]] std::string name() const override { return "scripted"; }
  [[nodiscard]] workloads::OperatorWork work(const workloads::Operator& op) const override {
    return work_of(op);
  }
  [[nodiscard]] workloads::DataType math_type(const workloads::Operator&) const override {
    return workloads::DataType::bf16;
  }
  [[nodiscard]] std::unique_ptr<BenchWork> prepare(const workloads::Operator& op, int count,
                                                   unsigned) override {
    const double m = std::get<workloads::GemmShape>(op.shape).m;
    if (m == failing_m) throw BackendUnavailable("no kernel for this one");
    prepared.push_back(m);
    copies.push_back(count);
    return std::make_unique<Work>(*this, m);
  }
  [[nodiscard]] double cache_bytes() const override { return cache; }
  [[nodiscard]] double memory_bytes() const override { return memory; }
  [[nodiscard]] std::optional<double> clock_hz() override { return clock; }
  [[nodiscard]] std::optional<double> rated_clock_hz() const override { return rated; }
  [[nodiscard]] std::optional<double> joules() override {
    if (!watts) return {};
    const double since = *watts * (now_ - read_);
    read_ = now_;
    return since;
  }
  [[nodiscard]] double now() override { return now_; }
  void wait(double s) override {
    now_ += s;
    waited += s;
  }

 private:
  struct Work final : BenchWork {
    Work(ScriptedDevice& of, double size) : device(of), m(size) {}
    Sample run() override {
      const double s = device.seconds(m, runs++);
      device.now_ += s;
      device.order.push_back(m);
      return {s, 0.5 * s};
    }
    ScriptedDevice& device;
    double m;
    int runs = 0;
  };
  double now_ = 0, read_ = 0;
};

inline BenchCase gemm_case(double m) {
  using namespace workloads;
  return {
      "gemm/m:" + std::to_string(static_cast<int>(m)),
      {"gemm", OperatorClass::gemm, Lane::compute, 1, GemmShape{m, 1000, 1000, DataType::bf16}}};
}

}  // namespace rackwright::kernels::testing
