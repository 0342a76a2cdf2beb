#include "results/report/link_load_drawing.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "results/report/cabling_style.hpp"
#include "results/report/html.hpp"

namespace rackwright::results {

namespace {

using Shares = std::vector<std::vector<double>>;

constexpr double kMapMargin = 28, kMapHead = 96, kLabel = 66, kGap = 56;
constexpr double kNumberFrom = 22;  // px of a cell that takes a number

/// Ramp steps end at 14, 29, … 100 % of the link's rate.
int step_of(double share) {
  return std::clamp(static_cast<int>(std::ceil(share * 7 - 1e-9)), 1, 7);
}

double highest(const std::vector<double>& shares) {
  return shares.empty() ? 0 : *std::max_element(shares.begin(), shares.end());
}

/// One cell a leaf when there are too many.
Shares drawn(const Shares& shares) {
  std::size_t cells = 0;
  for (const auto& row : shares) cells += row.size();
  constexpr std::size_t kMostCells = 2000;  // the pattern over uplinks is what the map is for
  if (cells <= kMostCells) return shares;
  constexpr std::size_t kAcross = 32;
  Shares grouped;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (i % kAcross == 0) grouped.emplace_back();
    grouped.back().push_back(highest(shares[i]));
  }
  return grouped;
}

std::string cells_svg(const Shares& shares, double x0, double cell, bool grouped) {
  std::string out;
  for (std::size_t r = 0; r < shares.size(); ++r) {
    const double y = kMapHead + static_cast<double>(r) * cell;
    if (!grouped) {
      out += fmt::format("<text class=\"small e\" x=\"{:.1f}\" y=\"{:.1f}\">leaf {}</text>", x0 - 6,
                         y + cell / 2 + 3.6, r + 1);
    }
    for (std::size_t c = 0; c < shares[r].size(); ++c) {
      const double share = shares[r][c];
      const int step = step_of(share);
      out += fmt::format(
          "<g><title>{}: {:.0f} %</title><rect class=\"f{} seg\" x=\"{:.1f}\" "
          "y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
          grouped ? fmt::format("leaf {}, highest uplink", r * 32 + c + 1)
                  : fmt::format("leaf {} uplink {}", r + 1, c + 1),
          100 * share, step, x0 + static_cast<double>(c) * cell, y, cell, cell);
      if (cell >= kNumberFrom) {
        out += fmt::format("<text class=\"small m\" x=\"{:.1f}\" y=\"{:.1f}\"{}>{:.0f}</text>",
                           x0 + (static_cast<double>(c) + 0.5) * cell, y + cell / 2 + 3.6,
                           step >= 5 ? " style=\"fill:var(--bg)\"" : "", 100 * share);
      }
      out += "</g>";
    }
    out += "\n";
  }
  return out;
}

/// Cells without numbers, a path a step: an eighth of the bytes.
std::string paths_svg(const Shares& shares, double x0, double cell) {
  std::array<std::string, 7> paths;
  std::string out;
  constexpr std::size_t kLabelled = 4;  // rows from label to label
  for (std::size_t r = 0; r < shares.size(); ++r) {
    const double y = kMapHead + static_cast<double>(r) * cell;
    if (r % kLabelled == 0) {
      out += fmt::format("<text class=\"small e\" x=\"{:.1f}\" y=\"{:.1f}\">leaf {}</text>", x0 - 6,
                         y + 9, r + 1);
    }
    for (std::size_t c = 0; c < shares[r].size(); ++c) {
      paths[static_cast<std::size_t>(step_of(shares[r][c])) - 1] +=
          fmt::format("M{:.4g} {:.4g}h{:.4g}v{:.4g}h-{:.4g}z", x0 + static_cast<double>(c) * cell,
                      y, cell, cell, cell);
    }
  }
  for (std::size_t step = 0; step < paths.size(); ++step) {
    if (paths[step].empty()) continue;
    out += fmt::format("<path class=\"f{} seg\" d=\"{}\"/>\n", step + 1, paths[step]);
  }
  return out;
}

std::string legend() {
  std::string out;
  for (int step = 1; step <= 7; ++step) {
    const double at = kMapMargin + (step - 1) * 70;
    out += fmt::format(
        "<rect class=\"f{} seg\" x=\"{:.0f}\" y=\"44\" width=\"14\" height=\"14\"/>"
        "<text x=\"{:.0f}\" y=\"56\">{} {:.0f} %</text>",
        step, at, at + 18, step == 1 ? "to" : "", 100.0 * step / 7);
  }
  return out;
}

}  // namespace

std::string link_load_svg(const topology::FabricLoad& load, LinkLoadMap kind) {
  const bool compact = kind == LinkLoadMap::compact;
  const Shares left = drawn(load.ecmp.up), right = drawn(load.spray.up);
  const bool grouped = left.size() != load.ecmp.up.size();
  std::size_t columns = 1;
  for (const auto& row : left) columns = std::max(columns, row.size());
  const auto across = static_cast<double>(columns), down = static_cast<double>(left.size());
  const double cell = compact ? std::clamp(std::min(430 / across, 400 / down), 3.0, 24.0)
                              : std::clamp(560 / across, 9.0, 30.0);
  const double map = across * cell;
  const double width = std::max(1000.0, 2 * (kMapMargin + kLabel + map) + kGap);
  const double height = kMapHead + down * cell + 40;
  const std::string title = fmt::format(
      "A random permutation reaches {:.0f} % of the NICs' rate hashed, {:.0f} % sprayed",
      100 * load.ecmp.mean_rate_share, 100 * load.spray.mean_rate_share);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" width=\"{:.0f}\" "
      "height=\"{:.0f}\" viewBox=\"0 0 {:.0f} {:.0f}\"><style>{}</style>\n"
      "<text class=\"title\" x=\"{}\" y=\"30\">{}</text>",
      escape(title), width, height, width, height, kCablingStyle, kMapMargin, escape(title));
  out += legend();
  const double x0 = kMapMargin + kLabel, x1 = x0 + map + kGap + kLabel;
  out += fmt::format(
      "<text x=\"{:.0f}\" y=\"84\">each flow hashed to one path (ECMP)</text>"
      "<text x=\"{:.0f}\" y=\"84\">packets sprayed over all paths</text>",
      x0, std::max(x1, x0 + 300));
  out += compact ? paths_svg(left, x0, cell) + paths_svg(right, std::max(x1, x0 + 300), cell)
                 : cells_svg(left, x0, cell, grouped) + cells_svg(right, x1, cell, grouped);
  out += fmt::format(
      "<text class=\"note\" x=\"{}\" y=\"{:.0f}\">{}: load of {}, share of line rate, up, one "
      "plane; "
      "max-min fair rates; pairs of NICs without a common switch left out</text>",
      kMapMargin, height - 14, escape(load.design),
      grouped ? "the fullest uplink of each leaf" : "each uplink of each leaf");
  return out + "</svg>\n";
}

}  // namespace rackwright::results
