#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

#ifdef RACKWRIGHT_HAS_CVODE
#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#endif

#include "tests/temporary_folder.hpp"
#include "topology/thermal/transient/transient_solver.hpp"

// The same network solved by programs that share no code with ours.
namespace rackwright::topology {
namespace {

constexpr double kEnd = 120;
constexpr double kHalfPeriod = 7;   // of the load; no multiple of the step
constexpr double kWeakFlowAt = 60;  // one of two pumps stops
constexpr double kSupply = 40;

/// Two GPUs in series on one stream: die, lid, plate and coolant cell of each, a board that leaks
/// heat into the room, leakage on both dies.
struct Pair {
  ThermalNetwork network;
  int supply = 0, flow = 0;
  std::array<int, 2> die{}, cell{};

  Pair() {
    supply = network.add_boundary("supply");
    flow = network.add_flow(100);
    int upstream = supply;
    for (std::size_t gpu = 0; gpu < 2; ++gpu) {
      die[gpu] = network.add_node("die", 15);
      const int lid = network.add_node("lid", 80);
      const int plate = network.add_node("plate", 350);
      cell[gpu] = network.add_node("cell", 120);
      network.conduct(die[gpu], lid, 1 / 0.012);
      network.conduct(lid, plate, 1 / 0.010);
      network.convect(plate, cell[gpu], flow, {0.004, 0.016, 100, 0.7});
      network.conduct(plate, supply, 2);
      network.advect(upstream, cell[gpu], flow);
      network.set_leakage(die[gpu], {70, 0.014, 60});
      upstream = cell[gpu];
    }
  }
  static double watts(std::size_t gpu, double t) {
    const bool high = static_cast<long>(t / kHalfPeriod + 1e-9) % 2 == static_cast<long>(gpu);
    return high ? 1100 : 250;
  }
  static double flow_at(double t) { return t < kWeakFlowAt - 1e-9 ? 100 : 55; }
};

/// Edges of load and flow and the end, ascending.
std::vector<double> edges() {
  std::vector<double> result;
  for (double t = kHalfPeriod; t < kEnd; t += kHalfPeriod) {
    if (result.empty() || (result.back() < kWeakFlowAt && t > kWeakFlowAt)) {
      if (t > kWeakFlowAt) result.push_back(kWeakFlowAt);
    }
    result.push_back(t);
  }
  result.push_back(kEnd);
  return result;
}

/// Temperatures of both dies and both cells at every edge, by our solver.
std::map<double, std::array<double, 4>> ours(double step_s) {
  const Pair pair;
  TransientSolver solver(pair.network, std::vector<double>(pair.network.nodes().size(), kSupply));
  std::map<double, std::array<double, 4>> result;
  for (const double edge : edges()) {
    for (std::size_t gpu = 0; gpu < 2; ++gpu) {
      solver.set_source(pair.die[gpu], Pair::watts(gpu, solver.time_s()));
    }
    solver.set_flow(pair.flow, Pair::flow_at(solver.time_s()));
    EXPECT_TRUE(solver.advance(edge - solver.time_s(), step_s));
    result[edge] = {solver.celsius(pair.die[0]), solver.celsius(pair.die[1]),
                    solver.celsius(pair.cell[0]), solver.celsius(pair.cell[1])};
  }
  EXPECT_LT(solver.ledger().closure(), 1e-9);
  return result;
}

#ifdef RACKWRIGHT_HAS_CVODE
struct Now {
  const Pair* pair;
  double t;
};

/// The equation as it stands in thermal_network.hpp, link by link.
int derivative(realtype, N_Vector y, N_Vector dydt, void* user) {
  const auto& now = *static_cast<const Now*>(user);
  const ThermalNetwork& network = now.pair->network;
  const auto t = [&](int node) { return node == now.pair->supply ? kSupply : NV_Ith_S(y, node); };
  const double rate = Pair::flow_at(now.t);
  std::vector<double> heat(network.nodes().size(), 0.0);
  const auto at = [&](int node) -> double& { return heat[static_cast<std::size_t>(node)]; };
  for (const auto& link : network.conductances()) {
    at(link.a) += link.w_per_k * (t(link.b) - t(link.a));
    at(link.b) += link.w_per_k * (t(link.a) - t(link.b));
  }
  for (const auto& film : network.films()) {
    const double k_per_w =
        film.law.solid_k_per_w +
        film.law.film_k_per_w / std::pow(rate / film.law.rated_w_per_k, film.law.exponent);
    at(film.solid) += (t(film.fluid) - t(film.solid)) / k_per_w;
    at(film.fluid) += (t(film.solid) - t(film.fluid)) / k_per_w;
  }
  for (const auto& stream : network.streams()) {
    at(stream.to) += rate * (t(stream.from) - t(stream.to));
  }
  for (std::size_t gpu = 0; gpu < 2; ++gpu) {
    const int die = now.pair->die[gpu];
    at(die) += Pair::watts(gpu, now.t) + 70 * std::exp(0.014 * (t(die) - 60));
  }
  for (int i = 0; i < network.size(); ++i) {
    const auto& node = network.nodes()[static_cast<std::size_t>(i)];
    NV_Ith_S(dydt, i) = node.fixed ? 0 : at(i) / node.capacity_j_per_k;
  }
  return 0;
}

TEST(OtherSolvers, CvodeAgreesToAHundredthOfAKelvin) {
  const Pair pair;
  const int n = pair.network.size();
  SUNContext context = nullptr;
  ASSERT_EQ(SUNContext_Create(nullptr, &context), 0);
  N_Vector y = N_VNew_Serial(n, context);
  N_VConst(kSupply, y);
  SUNMatrix matrix = SUNDenseMatrix(n, n, context);
  SUNLinearSolver linear = SUNLinSol_Dense(y, matrix, context);
  void* cvode = CVodeCreate(CV_BDF, context);
  Now now{&pair, 0};
  ASSERT_EQ(CVodeInit(cvode, derivative, 0, y), 0);
  CVodeSStolerances(cvode, 1e-10, 1e-9);
  CVodeSetLinearSolver(cvode, linear, matrix);
  CVodeSetUserData(cvode, &now);
  CVodeSetMaxNumSteps(cvode, 100000);
  const auto mine = ours(0.1);
  double worst = 0;
  for (const double edge : edges()) {
    realtype reached = 0;
    CVodeSetStopTime(cvode, edge);
    ASSERT_GE(CVode(cvode, edge, y, &reached, CV_NORMAL), 0);
    const auto& t = mine.at(edge);
    worst = std::max({worst, std::abs(t[0] - NV_Ith_S(y, pair.die[0])),
                      std::abs(t[1] - NV_Ith_S(y, pair.die[1])),
                      std::abs(t[2] - NV_Ith_S(y, pair.cell[0])),
                      std::abs(t[3] - NV_Ith_S(y, pair.cell[1]))});
    now.t = edge;
    CVodeReInit(cvode, edge, y);
  }
  EXPECT_GT(NV_Ith_S(y, pair.die[1]), 60);
  EXPECT_LT(worst, 0.01);
  RecordProperty("worst_k", fmt::format("{:.2e}", worst));
  CVodeFree(&cvode);
  SUNLinSolFree(linear);
  SUNMatDestroy(matrix);
  N_VDestroy(y);
  SUNContext_Free(&context);
}
#else
TEST(OtherSolvers, CvodeAgreesToAHundredthOfAKelvin) {
  GTEST_SKIP() << "SUNDIALS CVODE was not there when the build was configured: apt install "
                  "libsundials-dev";
}
#endif

/// The pair as a circuit: a volt is a degree, an ampere a watt. Flow and film change at their time
/// through the simulator's own expressions.
std::string netlist() {
  const Pair pair;
  const ThermalNetwork& network = pair.network;
  std::string text = "thermal pair\n";
  const std::string rate = fmt::format("(time < {} ? 100 : 55)", kWeakFlowAt);
  const auto v = [](int node) { return fmt::format("v(n{})", node); };
  for (int i = 0; i < network.size(); ++i) {
    const auto& node = network.nodes()[static_cast<std::size_t>(i)];
    text += node.fixed ? fmt::format("V{0} n{0} 0 {1}\n", i, kSupply)
                       : fmt::format("C{0} n{0} 0 {1} ic={2}\n", i, node.capacity_j_per_k, kSupply);
  }
  int k = 0;
  for (const auto& link : network.conductances()) {
    text += fmt::format("R{} n{} n{} {:.12g}\n", k++, link.a, link.b, 1 / link.w_per_k);
  }
  for (const auto& film : network.films()) {
    text += fmt::format("B{} n{} n{} i=({}-{})/(0.004+0.016/pow({}/100,0.7))\n", k++, film.solid,
                        film.fluid, v(film.solid), v(film.fluid), rate);
  }
  for (const auto& stream : network.streams()) {
    text +=
        fmt::format("B{} 0 n{} i={}*({}-{})\n", k++, stream.to, rate, v(stream.from), v(stream.to));
  }
  for (std::size_t gpu = 0; gpu < 2; ++gpu) {
    text +=
        fmt::format("B{} 0 n{} i=70*exp(0.014*({}-60))\n", k++, pair.die[gpu], v(pair.die[gpu]));
    text += fmt::format("I{} 0 n{} pwl(0 {}", k++, pair.die[gpu], Pair::watts(gpu, 0));
    for (double t = kHalfPeriod; t < kEnd; t += kHalfPeriod) {
      text += fmt::format(" {:.7f} {} {:.7f} {}", t - 5e-6, Pair::watts(gpu, t - kHalfPeriod),
                          t + 5e-6, Pair::watts(gpu, t));
    }
    text += ")\n";
  }
  text += fmt::format(
      ".options reltol=1e-6 abstol=1e-6 vntol=1e-7 method=trap\n.tran 0.05 {} 0 0.02 "
      "uic\n",
      kEnd + 0.5);
  for (const double edge : edges()) {
    for (std::size_t gpu = 0; gpu < 2; ++gpu) {
      text += fmt::format(".meas tran d{}_{:.0f} find v(n{}) at={:.6f}\n", gpu, edge, pair.die[gpu],
                          edge - 1e-4);
      text += fmt::format(".meas tran c{}_{:.0f} find v(n{}) at={:.6f}\n", gpu, edge,
                          pair.cell[gpu], edge - 1e-4);
    }
  }
  return text + ".end\n";
}

/// "name = value" lines that ngspice prints.
std::map<std::string, double> measured(const std::string& command) {
  std::map<std::string, double> result;
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  if (!pipe) return result;
  std::array<char, 512> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) != nullptr) {
    std::array<char, 64> name{};
    double value = 0;
    if (std::sscanf(line.data(), "%63[a-z0-9_] = %lf", name.data(), &value) == 2) {
      result[name.data()] = value;
    }
  }
  return result;
}

TEST(OtherSolvers, NgspiceAgreesToAHundredthOfAKelvin) {
  if (std::system("ngspice --version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "ngspice was not found: apt install ngspice";
  }
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "pair.cir";
  std::ofstream(file) << netlist();
  const auto theirs = measured(fmt::format("ngspice -b '{}' 2>/dev/null", file.string()));
  ASSERT_GE(theirs.size(), 4 * edges().size());
  for (const auto& [edge, t] : ours(0.1)) {
    EXPECT_NEAR(t[0], theirs.at(fmt::format("d0_{:.0f}", edge)), 0.01) << edge;
    EXPECT_NEAR(t[1], theirs.at(fmt::format("d1_{:.0f}", edge)), 0.01) << edge;
    EXPECT_NEAR(t[2], theirs.at(fmt::format("c0_{:.0f}", edge)), 0.01) << edge;
    EXPECT_NEAR(t[3], theirs.at(fmt::format("c1_{:.0f}", edge)), 0.01) << edge;
  }
}

}  // namespace
}  // namespace rackwright::topology
